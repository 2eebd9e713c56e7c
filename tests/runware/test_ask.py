"""Asking once: every form in which the service may tell how a task is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.ports import Answer, ProviderError

from .service import KEY, UUID, VIDEO, Desk, Reply, Task, answer, done, error_of, fault, going


def asked(tmp_path: Path, reply: httpx.Response | Exception) -> Answer:
    desk = Desk(tmp_path, lambda task, request: reply)
    found = asyncio.run(desk.runware.ask(UUID))
    assert [{"taskType": "getResponse", "taskUUID": UUID}] == desk.wire.tasks
    return found


def test_a_finished_clip_comes_with_all_that_was_told_of_it(tmp_path: Path) -> None:
    (made,) = asked(tmp_path, answer(done(NSFWContent=False, extra={"webhookURL": "https://a.example/?k=1"}))).made

    assert f"https://vm.runware.ai/video/{VIDEO}.mp4?sig=s1gned" == made.source
    assert (VIDEO, 1234, Decimal("0.924")) == (made.video_uuid, made.seed, made.usd)
    assert {
        "taskType": "videoInference", "taskUUID": UUID, "status": "success", "videoUUID": VIDEO, "seed": 1234,
        "videoURL": f"https://vm.runware.ai/video/{VIDEO}.mp4", "cost": 0.924, "NSFWContent": False,
        "extra": {"webhookURL": "https://a.example/"},
    } == made.response  # fmt: skip


DONE: dict[str, dict[str, Any]] = {
    "without a status": {"status": None},
    "by an older type": {"taskType": "getResponse"},
    "with an unknown status": {"status": "finalised"},
    "by another word": {"status": "completed"},
}


@pytest.mark.parametrize("form", DONE)
def test_a_clip_with_an_address_is_done(tmp_path: Path, form: str) -> None:
    item = {key: value for key, value in {**done(), **DONE[form]}.items() if value is not None}
    assert [VIDEO] == [made.video_uuid for made in asked(tmp_path, answer(item)).made]


@pytest.mark.parametrize(
    ("field", "source"),
    [
        ({"videoDataURI": "data:video/mp4;base64,AAAA"}, "data:video/mp4;base64,AAAA"),
        ({"videoBase64Data": "AAAA"}, "data:video/mp4;base64,AAAA"),
        ({"mediaURL": "https://vm.runware.ai/x.mp4"}, "https://vm.runware.ai/x.mp4"),
    ],
)
def test_a_clip_may_come_in_other_forms(tmp_path: Path, field: dict[str, str], source: str) -> None:
    item = {"taskType": "videoInference", "taskUUID": UUID, "videoUUID": VIDEO, "cost": "0.5", **field}
    (made,) = asked(tmp_path, answer(item)).made
    assert (source, Decimal("0.5")) == (made.source, made.usd)
    assert not any("AAAA" in str(value) for value in made.response.values())


@pytest.mark.parametrize("cost", [None, True, -1, "free", {}, "NaN"])
def test_a_cost_that_is_none_is_none(tmp_path: Path, cost: object) -> None:
    assert asked(tmp_path, answer(done(cost=cost))).made[0].usd is None


def test_several_results_are_told_apart(tmp_path: Path) -> None:
    items = [done(video="a"), done(video="a"), done(video="b"), going(progress=50)]
    found = asked(tmp_path, answer(*items))
    assert (["a", "b"], 50) == ([made.video_uuid for made in found.made], found.progress)


def test_results_without_a_number_are_told_apart_by_their_addresses(tmp_path: Path) -> None:
    items = [{**done(video=video), "videoUUID": None} for video in ("a", "b")]
    names = [made.video_uuid for made in asked(tmp_path, answer(*items)).made]
    again = [made.video_uuid for made in asked(tmp_path, answer(*items)).made]
    assert 2 == len(set(names))
    assert names == again


@pytest.mark.parametrize(
    ("progress", "told"), [(42, 42), (42.9, 42), ("42%", 42), (-3, None), (700, None), (None, None), ([], None)]
)
def test_how_far_it_is(tmp_path: Path, progress: object, told: int | None) -> None:
    assert told == asked(tmp_path, answer(going(progress=progress))).progress


@pytest.mark.parametrize("status", ["processing", "pending", "queued", "thinking", "", None, 3])
def test_a_status_nobody_knows_is_still_going(tmp_path: Path, status: object) -> None:
    assert Answer() == asked(tmp_path, answer({"taskUUID": UUID, "status": status}))


UNKNOWN: dict[str, httpx.Response] = {
    "empty data": answer(),
    "empty both": answer(errors=[]),
    "nulls": httpx.Response(200, json={"data": None, "errors": None}),
    "task not found": httpx.Response(200, json={"errors": [fault("taskNotFound")]}),
    "task not found by 404": httpx.Response(404, json={"data": [], "errors": [fault("taskNotFound", uuid=None)]}),
    "one of two": httpx.Response(400, json={"errors": [fault("taskFailedOrNotFound", status="error")]}),
    "only of another task": answer(going("other")),
}


@pytest.mark.parametrize("form", UNKNOWN)
def test_a_task_that_nothing_is_said_of_is_not_known(tmp_path: Path, form: str) -> None:
    assert Answer(known=False) == asked(tmp_path, UNKNOWN[form])


FAILED: dict[str, dict[str, Any]] = {
    "in errors": {"errors": [fault("timeoutProvider", "too slow", status="error")]},
    "without data": {"errors": [fault("timeoutProvider", "too slow", status="error", taskType="videoInference")]},
    "an object": {"errors": fault("timeoutProvider", "too slow", status="error")},
    "numbered": {"errors": {"0": fault("timeoutProvider", "too slow", status="error")}},
    "one error": {"error": fault("timeoutProvider", "too slow")},
    "in data": {"data": [{"taskUUID": UUID, "status": "error", "code": "timeoutProvider", "message": "too slow"}]},
    "nested": {
        "data": [{"taskUUID": UUID, "status": "error", "error": {"code": "timeoutProvider", "message": "too slow"}}]
    },
    "nested list": {"data": [{"taskUUID": UUID, "error": [{"code": "timeoutProvider", "message": "too slow"}]}]},
    "no uuid": {"data": [], "errors": [fault("timeoutProvider", "too slow", uuid=None)]},
}


@pytest.mark.parametrize("form", FAILED)
def test_a_task_that_failed_says_why_in_the_services_words(tmp_path: Path, form: str) -> None:
    found = asked(tmp_path, httpx.Response(200, json=FAILED[form]))
    (error,) = found.failed
    assert ("timeout", "timeoutProvider", True) == (error.trouble, error.code, error.started)
    assert "the service waited too long for the model: too slow (timeoutProvider)" == error.fact
    assert found.known


@pytest.mark.parametrize("form", [["boom"], "boom", [{"message": "boom"}], {"message": "boom"}, [None, "boom"]])
def test_errors_that_are_hardly_objects_are_told_too(tmp_path: Path, form: object) -> None:
    (error,) = asked(tmp_path, httpx.Response(200, json={"error": form})).failed
    assert "boom" in error.fact


@pytest.mark.parametrize(
    "content", ["the frame is bad", {"message": "the frame is bad"}, {"reason": "the frame is bad"}]
)
def test_what_the_models_maker_says_is_told(tmp_path: Path, content: object) -> None:
    errors = [fault("providerError", "Provider error", responseContent=content, status="error", cost=0.1)]
    (error,) = asked(tmp_path, answer(errors=errors)).failed
    assert "the frame is bad" in error.fact
    assert Decimal("0.1") == error.usd


def test_successes_and_failures_come_together(tmp_path: Path) -> None:
    reply = answer(done(video="a"), going(), errors=[fault("invalidProviderContent", "flagged", status="error")])
    found = asked(tmp_path, reply)
    assert (["a"], ["safety"]) == ([m.video_uuid for m in found.made], [e.trouble for e in found.failed])


ASKING: dict[str, tuple[str, httpx.Response | Exception]] = {
    "not let in": ("auth", httpx.Response(401, json={"errors": [fault("invalidApiKey")]})),
    "not let in by 200": ("auth", httpx.Response(200, json={"errors": [fault("invalidApiKey", uuid=None)]})),
    "no money": ("money", httpx.Response(402, json={"errors": [fault("insufficientCredits")]})),
    "too often": ("rate", httpx.Response(429, json={})),
    "too often by 200": ("rate", httpx.Response(200, json={"errors": [fault("rateLimitExceeded")]})),
    "down": ("server", httpx.Response(503, content=b"<html>")),
    "down in JSON": ("server", httpx.Response(500, json={"errors": [fault("internalServerError")]})),
    "a web page": ("server", httpx.Response(200, content=b"<html>")),
    "slow": ("timeout", httpx.ReadTimeout("")),
    "cut": ("server", httpx.ReadError("")),
    "away": ("server", httpx.ConnectError("")),
    "a bad question": ("validation", httpx.Response(400, json={"errors": [fault("invalidTaskUUID")]})),
    "about the question": ("provider", answer(errors=[fault("oddity", taskType="getResponse")])),
}


@pytest.mark.parametrize("form", ASKING)
def test_a_question_that_went_wrong_is_not_the_end_of_the_task(tmp_path: Path, form: str) -> None:
    trouble, reply = ASKING[form]
    error = error_of(lambda: asked(tmp_path, reply))
    assert (trouble, True) == (error.trouble, error.started)


def say(reply: httpx.Response, task: Task, request: httpx.Request) -> httpx.Response:
    return reply


def test_the_money_that_is_left_comes_as_a_number_or_in_an_object(tmp_path: Path) -> None:
    for form in (12.5, "12.5", {"amount": 12.5}, {"balance": {"value": "12.5"}}):
        item = {"taskType": "accountManagement", "balance": form, "apiKeys": [{"apiKey": KEY}]}
        desk = Desk(tmp_path, partial(say, answer(item)))
        assert Decimal("12.5") == asyncio.run(desk.runware.balance())
        assert "getDetails" == desk.wire.tasks[0]["operation"]


def test_an_account_that_says_nothing_of_money_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda task, request: answer({"taskType": "accountManagement"}))
    assert "how much money is left" in error_of(lambda: asyncio.run(desk.runware.balance())).fact


def test_a_ping_is_answered_or_says_why_not(tmp_path: Path) -> None:
    replies: Iterator[Reply] = iter(
        [
            answer({"taskType": "ping", "pong": True}),
            answer({"taskType": "ping"}),
            answer(),
            httpx.Response(401, json={"errors": [fault("invalidApiKey", uuid=None)]}),
            httpx.ConnectError("refused"),
        ]
    )
    desk = Desk(tmp_path, lambda task, request: next(replies))
    asyncio.run(desk.runware.ping())
    troubles = []
    for _ in range(4):
        error: ProviderError = error_of(lambda: asyncio.run(desk.runware.ping()))
        troubles.append((error.trouble, error.started))
    assert [("server", False), ("server", False), ("auth", False), ("server", False)] == troubles
