"""Nothing that leaves the client holds the key, a secret of the environment, or what is signed into an address."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runner.ports import ProviderError
from runner.providers.runware.secret import Secrets, unsigned

from .service import KEY, UUID, Desk, Reply, Task, ack, an_order, answer, done, error_of, fault
from .test_fetch import CLIP as BYTES

TOKEN = "t0p/secret+token="
ENVIRON = {"RUNWARE_API_KEY": KEY, "HOOK": TOKEN}
CLIP = "https://vm.runware.ai/a.mp4?sig=s1gned"
SIGNED = "https://me:pw@bucket.example/clip.mp4?X-Amz-Signature=abc123s1g&x=1"
MUST_NOT = (KEY, TOKEN, "t0p%2Fsecret%2Btoken%3D", "abc123s1g", "s1gned", "me:pw")
PARROT = f"bad key {KEY}, Bearer {KEY}, {TOKEN}, t0p%2Fsecret%2Btoken%3D, see {SIGNED} or data:image/png;base64,QUJD"


def everything(error: BaseException) -> str:
    """All that somebody might print of an error: itself, its parts, what it came from, and the frames' own text."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        parts += [str(seen), repr(seen), repr(vars(seen)), *traceback.format_exception(seen)]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(parts)


def foreign() -> Iterator[Reply]:
    yield httpx.Response(400, json={"errors": [fault("invalidWebhookURL", PARROT, parameter=PARROT)]})
    yield httpx.Response(401, json={"errors": [fault(KEY, PARROT, responseContent={"why": PARROT})]})
    yield httpx.Response(200, json={"errors": PARROT})
    yield httpx.Response(500, json={"error": {"message": PARROT, "code": TOKEN}})
    yield httpx.Response(200, content=PARROT.encode())
    yield httpx.Response(307, headers={"Location": f"{SIGNED}&key={KEY}"})
    for kind in (httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout, httpx.ProxyError):
        yield kind(PARROT)


@pytest.mark.parametrize("number", range(len(list(foreign()))))
def test_whatever_is_answered_no_error_tells_a_secret(tmp_path: Path, number: int) -> None:
    def script(task: Task, request: httpx.Request) -> Reply:
        return list(foreign())[number]

    desk = Desk(tmp_path, script, lambda request: list(foreign())[number], environ=ENVIRON)
    order = an_order(webhookURL={"env": "HOOK"}, uploadEndpoint=SIGNED)
    errors: list[BaseException] = [desk.refused(order)]
    for act in (desk.runware.balance, desk.runware.ping, lambda: desk.runware.ask(UUID)):
        try:
            found = asyncio.run(act())
        except ProviderError as error:
            errors.append(error)
        else:
            errors += getattr(found, "failed", ())
    errors.append(error_of(lambda: desk.fetch(CLIP)))

    told = "\n".join(map(everything, errors))

    assert 5 <= len(errors)
    assert [] == [secret for secret in MUST_NOT if secret in told]
    assert "\x1b" not in told


def test_the_client_and_what_it_makes_do_not_show_secrets(tmp_path: Path) -> None:
    item = done(note=PARROT, list=[PARROT], deep={"webhookURL": SIGNED})

    def script(task: Task, request: httpx.Request) -> Reply:
        return ack() if task["taskType"] == "videoInference" else answer(item)

    desk = Desk(tmp_path, script, environ=ENVIRON)
    ticket = desk.submit(an_order(webhookURL={"env": "HOOK"}))
    (made,) = desk.results(ticket)

    told = repr((desk.runware, ticket, getattr(made, "response", made)))

    assert [] == [secret for secret in MUST_NOT if secret in told]


def test_logs_of_the_libraries_underneath_do_not_hold_signed_addresses(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def get(request: httpx.Request) -> Reply:
        return httpx.Response(200, content=BYTES)

    with caplog.at_level(logging.DEBUG):
        Desk(tmp_path, lambda task, request: ack(), get).fetch(CLIP)

    assert "https://vm.runware.ai/a.mp4" in caplog.text
    assert "s1gned" not in caplog.text


def test_no_file_holds_a_secret(tmp_path: Path) -> None:
    def script(task: Task, request: httpx.Request) -> Reply:
        return ack() if task["taskType"] == "videoInference" else answer(done())

    desk = Desk(tmp_path, script, lambda request: httpx.Response(200, content=BYTES), environ=ENVIRON)
    desk.results(desk.submit(an_order(webhookURL={"env": "HOOK"})))
    desk.fetch()
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert [] == [secret for secret in MUST_NOT if secret.encode() in held]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("see https://a.example/b?c=d&e#f for more", "see https://a.example/b for more"),
        ("https://a.example/docs#width", "https://a.example/docs#width"),
        ("wss://u:p@a.example:8/b", "wss://a.example:8/b"),
        ("Authorization: bearer abc.def", "Authorization: Bearer ***"),
        ("data:video/mp4;base64,AAAA==", "data:..."),
        ("red \x1b[31m \u202e end\nline", "red  [31m   end\nline"),
    ],
)
def test_a_text_is_told_without_what_is_signed(text: str, clean: str) -> None:
    assert clean == unsigned(text)


def test_a_long_text_is_cut_and_short_values_are_no_secrets() -> None:
    secrets = Secrets()
    secrets.add("on")
    secrets.add("hunter22")
    assert "on and ***" == secrets.clean("on and hunter22")
    assert 603 == len(secrets.clean("x" * 5000))
    assert "Secrets(***)" == repr(secrets)
