"""The receiver of webhooks: who may call, in which forms, and that a call does no more than leave a hint."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from runner.server.webhooks import BODY_BYTES_MAX, app, token, uuids

from .house import new

ONE, TWO = new(), new()


def call(folder: Path, *bodies: bytes, secret: str | None = None, method: str = "POST") -> list[int]:
    """Call the receiver with each body; the answers."""

    async def go() -> list[int]:
        transport = httpx.ASGITransport(app(folder))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            url = f"/hook/{token(folder) if secret is None else secret}"
            return [(await client.request(method, url, content=body)).status_code for body in bodies]

    return asyncio.run(go())


def hints(folder: Path) -> set[str]:
    home = folder / ".matchcut" / "hints"
    return {path.name for path in home.iterdir()} if home.is_dir() else set()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"taskType": "videoInference", "taskUUID": ONE, "status": "success"}, {ONE}),
        ({"taskUUID": ONE.upper(), "status": "processing", "progress": 40}, {ONE}),
        ({"data": [{"taskUUID": ONE}]}, {ONE}),
        ({"data": {"taskUUID": ONE}}, {ONE}),
        ({"errors": [{"code": "timeoutProvider", "taskUUID": TWO}]}, {TWO}),
        ({"data": [{"taskUUID": ONE}, {"taskUUID": ONE}], "errors": [{"taskUUID": TWO}]}, {ONE, TWO}),
        ([{"taskUUID": ONE}, {"data": [{"taskUUID": TWO}]}], {ONE, TWO}),
        ({"data": None, "errors": None}, set()),
        ({"taskUUID": "../../../etc/passwd"}, set()),
        ({"taskUUID": f"{ONE}\n"}, set()),
        ({"taskUUID": 7}, set()),
        ("text", set()),
    ],
)  # fmt: skip
def test_every_form_of_a_call_leaves_its_hints(body: object, expected: set[str], tmp_path: Path) -> None:
    assert [200, 200] == call(tmp_path, json.dumps(body).encode(), json.dumps(body).encode())
    assert expected == hints(tmp_path)
    assert {".matchcut"} == {path.name for path in tmp_path.iterdir()}


def test_nobody_without_the_token_is_heard(tmp_path: Path) -> None:
    body = json.dumps({"taskUUID": ONE}).encode()
    for secret in ("other", token(tmp_path)[:-1], token(tmp_path) + "x", "%FF"):
        assert [404] == call(tmp_path, body, secret=secret)
    assert [405] == call(tmp_path, body, method="GET")
    assert set() == hints(tmp_path)


def test_the_token_is_made_once_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    made = token(tmp_path)
    path = tmp_path / ".matchcut" / "webhook-token"
    assert len(made) >= 32
    assert "*\n" == (tmp_path / ".matchcut" / ".gitignore").read_text()
    assert made == token(tmp_path)
    assert 0o600 == path.stat().st_mode & 0o777
    path.chmod(0o644)
    assert made == token(tmp_path)
    assert 0o600 == path.stat().st_mode & 0o777
    path.write_text("short")
    assert len(token(tmp_path)) >= 32


def test_what_is_no_json_or_too_large_is_refused(tmp_path: Path) -> None:
    assert [400, 400, 400] == call(tmp_path, b"", b"<html>", b"[" * 100_000)
    assert [413] == call(tmp_path, b'{"taskUUID": "' + b"x" * BODY_BYTES_MAX + b'"}')
    assert set() == hints(tmp_path)


def test_a_call_can_name_only_so_many_tasks() -> None:
    assert 64 == len(list(uuids([{"taskUUID": new()} for _ in range(1000)])))
