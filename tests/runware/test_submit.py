"""Submitting: what is sent, what counts as accepted, and what nobody can know."""

from __future__ import annotations

import asyncio
import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from .service import KEY, UUID, Desk, Flood, Task, ack, an_order, answer, done, error_of, fault, refusing


def test_the_body_is_one_task_with_everything_that_was_asked_and_what_is_the_providers_to_write(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda task, request: ack())
    asked: dict[str, Any] = {
        "negativePrompt": "blur", "CFGScale": Decimal("0.7"), "width": 1920, "height": 1080, "outputFormat": "MOV",
        "outputQuality": 99, "ttl": 3600, "safety": {"checkContent": True, "mode": "full"},
        "webhookURL": "https://me.example/hook?token=1", "uploadEndpoint": "https://bucket.example/x?sig=2",
    }  # fmt: skip

    ticket = desk.submit(an_order(takes=3, refs={"first": "https://me.example/a.png"}, **asked))

    (request,) = desk.wire.requests
    assert ("POST", "https://api.runware.ai/v1") == (request.method, str(request.url))
    assert f"Bearer {KEY}" == request.headers["Authorization"]
    assert "application/json" == request.headers["Content-Type"]
    assert UUID == ticket.uuid
    assert [
        {
            "taskType": "videoInference", "model": "klingai:5@3", "positivePrompt": "A lantern.", "duration": 5,
            **asked, "CFGScale": 0.7, "taskUUID": UUID, "outputType": "URL", "deliveryMethod": "async",
            "includeCost": True, "numberResults": 3,
            "inputs": {"frameImages": [{"image": "https://me.example/a.png", "frame": "first"}]},
        }
    ] == desk.wire.tasks  # fmt: skip


def test_pictures_of_this_machine_go_along_first_and_last(tmp_path: Path) -> None:
    first, last = tmp_path / "a.png", tmp_path / "b.png"
    first.write_bytes(b"\x89PNG first")
    last.write_bytes(b"\x89PNG last")
    desk = Desk(tmp_path, lambda task, request: ack())

    desk.submit(an_order(first=first, last=last))

    frames = desk.wire.tasks[0]["inputs"]["frameImages"]
    assert ["first", "last"] == [frame["frame"] for frame in frames]
    assert [b"\x89PNG first", b"\x89PNG last"] == [
        base64.b64decode(frame["image"].removeprefix("data:image/png;base64,")) for frame in frames
    ]


def test_secrets_named_in_the_request_are_filled_in_when_sent_and_nowhere_else(tmp_path: Path) -> None:
    environ = {"RUNWARE_API_KEY": KEY, "HOOK": "https://me.example/hook?token=t0ken"}
    desk = Desk(tmp_path, lambda task, request: ack(), environ=environ)
    order = an_order(webhookURL={"env": "HOOK"}, safety={"checkContent": True})

    ticket = desk.submit(order)

    assert "https://me.example/hook?token=t0ken" == desk.wire.tasks[0]["webhookURL"]
    assert {"env": "HOOK"} == order.request["webhookURL"]
    assert "t0ken" not in repr(ticket)


def test_a_secret_that_is_missing_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda task, request: ack())
    error = desk.refused(an_order(webhookURL={"env": "HOOK"}))
    assert "the environment has no HOOK, which webhookURL asks for" == error.fact
    assert (False, []) == (error.started, desk.wire.requests)


ITEM = {"taskType": "videoInference", "taskUUID": UUID}
ACCEPTED: dict[str, httpx.Response] = {
    "an acknowledgement": answer(ITEM),
    "an empty list of errors": answer(ITEM, errors=[]),
    "null errors": answer(ITEM, errors=None),
    "data as an object": httpx.Response(200, json={"data": ITEM}),
    "a list without an envelope": httpx.Response(200, json=[ITEM]),
    "an item without an envelope": httpx.Response(200, json=ITEM),
    "an item that names no task": answer({"taskType": "videoInference"}),
    "another letter case": answer({**ITEM, "taskUUID": UUID.upper()}),
    "a result at once": answer(done()),
    "a conflict by 400": refusing("conflictTaskUUID"),
    "a conflict by 409": refusing("conflictTaskUUID", status=409),
    "a conflict by 200": refusing("conflictTaskUUID", status=200),
    "a conflict by 500": refusing("conflictTaskUUID", status=500),
    "a conflict without data": httpx.Response(409, json={"errors": [fault("conflictTaskUUID", uuid=None)]}),
    "a conflict of the field": refusing("duplicateValue", parameter=["taskUUID"]),
    "an item beside an error of another task": answer(ITEM, errors=[fault("invalidModel", uuid="other")]),
}


@pytest.mark.parametrize("form", ACCEPTED)
def test_what_counts_as_accepted(tmp_path: Path, form: str) -> None:
    reply = ACCEPTED[form]
    desk = Desk(tmp_path, lambda task, request: reply)
    assert UUID == desk.submit().uuid


def raw(content: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=content)


UNCLEAR: dict[str, httpx.Response | Exception] = {
    "no answer in time": httpx.ReadTimeout("slow"),
    "sending took too long": httpx.WriteTimeout("slow"),
    "the connection dropped": httpx.ReadError("reset"),
    "the connection dropped while sending": httpx.WriteError("reset"),
    "closed without an answer": httpx.RemoteProtocolError("Server disconnected without sending a response."),
    "500": raw(b"oops", 500),
    "500 with an error for it": refusing("internalServerError", status=500),
    "503": httpx.Response(503, json={"errors": [fault("noAvailableServer")]}),
    "504": httpx.Response(504, json={"errors": [fault("providerTimeout")]}),
    "408": httpx.Response(408, json={}),
    "a web page": raw(b"<!DOCTYPE html><html>hello</html>"),
    "nothing": raw(b""),
    "half of an answer": raw(b'{"data":[{"taskTy'),
    "a number": raw(b"12"),
    "an empty envelope": answer(),
    "null and null": httpx.Response(200, json={"data": None, "errors": None}),
    "an object of nothing": httpx.Response(200, json={}),
    "deep nonsense": raw(b"[" * 100_000),
    "errors of another task only": httpx.Response(200, json={"errors": [fault("invalidModel", uuid="other")]}),
    "a time limit of the service's": refusing("timeoutProvider", status=200),
    "a trouble of the service's": refusing("internalServerError", status=200),
}


@pytest.mark.parametrize("form", UNCLEAR)
def test_what_nobody_can_know_is_unclear_and_counts_as_started(tmp_path: Path, form: str) -> None:
    reply = UNCLEAR[form]
    desk = Desk(tmp_path, lambda task, request: reply)

    error = desk.refused()

    assert ("unclear", True) == (error.trouble, error.started)
    assert error.fact.startswith("nobody knows whether the task was accepted: ")
    assert 1 == len(desk.wire.requests)


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("")])
def test_what_never_left_this_machine_bought_nothing(tmp_path: Path, error: Exception) -> None:
    found = Desk(tmp_path, lambda task, request: error).refused()
    assert ("server", False) == (found.trouble, found.started)
    assert found.fact.startswith("api.runware.ai cannot be reached")


REFUSED: dict[str, tuple[str, httpx.Response]] = {
    "a bad field": ("validation", refusing("unsupportedDuration", parameter="duration", allowedValues=[5, 10])),
    "by 200": ("validation", refusing("invalidWidth", status=200)),
    "a bad key": ("auth", refusing("invalidApiKey", status=401)),
    "a status alone: 401": ("auth", httpx.Response(401, json={})),
    "a web page with 403": ("auth", raw(b"<html>", 403)),
    "no money": ("money", refusing("insufficientCredits", status=402)),
    "a status alone: 402": ("money", raw(b"", 402)),
    "too many": ("rate", refusing("rateLimitExceeded", status=429)),
    "a status alone: 429": ("rate", raw(b"slow down", 429)),
    "unsafe words": ("safety", refusing("invalidProviderContent")),
    "no such model": ("not found", refusing("modelNotFound", status=404)),
    "400 and empty data": ("validation", answer(status=400)),
    "too large": ("validation", raw(b"", 413)),
    "an item that says error": (
        "safety",
        answer({**ITEM, "status": "error", "error": {"code": "contentPolicyViolation", "message": "no"}}),
    ),
}


@pytest.mark.parametrize("form", REFUSED)
def test_a_clear_refusal_has_its_class_and_started_nothing(tmp_path: Path, form: str) -> None:
    trouble, reply = REFUSED[form]
    error = Desk(tmp_path, lambda task, request: reply).refused()
    assert (trouble, False) == (error.trouble, error.started)
    assert error.remedy


def test_a_model_that_left_the_catalogue_says_what_to_do(tmp_path: Path) -> None:
    error = Desk(tmp_path, lambda task, request: refusing("modelNotFound", "Model not found.", 404)).refused()
    assert "the service has no such model: Model not found. (modelNotFound)" == error.fact
    assert error.remedy is not None
    assert error.remedy.startswith("the model may have left the service's catalogue")


def test_the_field_and_what_it_may_be_are_told(tmp_path: Path) -> None:
    more: dict[str, Any] = {
        "parameter": ["width", "height"],
        "allowedValues": {"0": 720, "1": 1280},
        "min": 300,
        "max": 2048,
    }
    reply = refusing("invalidWidth", "Bad size.", documentation="https://runware.ai/docs#width", **more)
    error = Desk(tmp_path, lambda task, request: reply).refused()
    assert (
        "the service does not accept the request: Bad size. [field width, height; allowed: 720, 1280; at least 300; "
        "at most 2048; https://runware.ai/docs#width] (invalidWidth)"
    ) == error.fact


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("99999999", 3600.0)]
)
def test_how_long_the_service_wants_to_be_left_alone_is_told_and_kept_to(
    tmp_path: Path, said: str, seconds: float
) -> None:
    replies = iter([httpx.Response(429, headers={"Retry-After": said}), ack()])
    desk = Desk(tmp_path, lambda task, request: next(replies))
    before = desk.clock.time

    error = desk.refused()
    desk.submit()

    assert ("rate", seconds) == (error.trouble, error.retry_after)
    assert seconds == desk.clock.time - before


@pytest.mark.parametrize("said", ["", "soon", "nan", "\xff"])
def test_a_retry_after_that_makes_no_sense_is_none(tmp_path: Path, said: str) -> None:
    reply = httpx.Response(429, headers=[(b"Retry-After", said.encode("latin-1"))])
    assert Desk(tmp_path, lambda task, request: reply).refused().retry_after is None


def test_no_more_than_per_minute_leave_in_any_minute(tmp_path: Path) -> None:
    times: list[float] = []

    def script(task: Task, request: httpx.Request) -> httpx.Response:
        times.append(desk.clock.time)
        return ack(task["taskUUID"])

    desk = Desk(tmp_path, script, per_minute=3)

    async def nine() -> None:
        await asyncio.gather(*(desk.runware.submit(an_order(), f"{n:08}{UUID[8:]}") for n in range(9)))

    asyncio.run(nine())

    assert 9 == len(times)
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[3:], strict=False))


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "there is no RUNWARE_API_KEY"),
        ({"RUNWARE_API_KEY": "  "}, "there is no RUNWARE_API_KEY"),
        ({"RUNWARE_API_KEY": "sch\xf6n-g3heim"}, "holds characters that no key has"),
        ({"RUNWARE_API_KEY": "two\nl1nes-of-it"}, "holds characters that no key has"),
    ],
)
def test_without_a_usable_key_nothing_is_sent(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    desk = Desk(tmp_path, lambda task, request: ack(), environ=environ)
    error = desk.refused()
    assert words in error.fact
    assert ("auth", False, []) == (error.trouble, error.started, desk.wire.requests)
    for value in environ.values():
        assert not value.strip() or value not in f"{error.fact}{error.remedy}{error!r}"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://api.example.com/v1", "plain http"),
        ("http://10.0.0.1/v1", "plain http"),
        ("ftp://api.example.com", "no URL"),
        ("nonsense", "no URL"),
        ("https://me:pass@api.example.com", "password"),
        ("https://api.example.com/v1?x=1", "query"),
    ],
)
def test_an_address_that_would_give_the_key_away_is_refused(tmp_path: Path, url: str, words: str) -> None:
    desk = Desk(tmp_path, lambda task, request: ack(), url=url)
    assert words in desk.refused().fact
    assert [] == desk.wire.requests


@pytest.mark.parametrize("url", ["http://127.0.0.1:8787/v1", "http://localhost:8787/v1", "http://[::1]:8787/v1"])
def test_the_environment_names_another_address_before_the_pipeline_does(tmp_path: Path, url: str) -> None:
    environ = {"RUNWARE_API_KEY": KEY, "MATCHCUT_RUNWARE_URL": url}
    desk = Desk(tmp_path, lambda task, request: ack(), environ=environ, url="https://api.example.com/v1")
    desk.submit()
    assert url == str(desk.wire.requests[0].url)


def test_a_redirect_is_never_followed_with_the_key(tmp_path: Path) -> None:
    reply = httpx.Response(307, headers={"Location": "https://evil.example/v1"})
    desk = Desk(tmp_path, lambda task, request: reply)
    error = desk.refused()
    assert ("server", False, 1) == (error.trouble, error.started, len(desk.wire.requests))


def test_an_answer_of_100_megabytes_is_not_read_to_its_end(tmp_path: Path) -> None:
    flood = Flood(100 << 20)
    desk = Desk(tmp_path, lambda task, request: httpx.Response(200, stream=flood))

    error = desk.refused()
    asked = error_of(lambda: asyncio.run(desk.runware.ask(UUID)))

    assert ("unclear", True) == (error.trouble, error.started)
    assert "the answer of api.runware.ai is larger than 32 MiB" in error.fact
    assert ("provider", True) == (asked.trouble, asked.started)
    assert flood.read <= 2 * (33 << 20)


def test_the_body_is_the_same_each_time_so_that_it_can_be_sent_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda task, request: ack())
    desk.submit()
    desk.runware = desk.another()
    desk.submit()
    one, other = desk.wire.requests
    assert one.content == other.content
    decoded: Any = json.loads(one.content)
    assert UUID == decoded[0]["taskUUID"]
