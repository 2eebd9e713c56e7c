"""The stand-in over real sockets: HTTP, websocket, connections that die, and the command that starts it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from runner.cli.app import start
from runner.server import webhooks
from runner.server.service import Options
from runner.server.standin import bound, running, serving

from .house import CARDS, new, video

QUICK = Options(ready_made=True, cards=CARDS, making=0.0, registering=0.0)
START = "import sys; from runner.cli import main; sys.exit(main())"


@contextmanager
def client(base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, headers={"Authorization": "Bearer rehearsal"}, trust_env=False) as made:
        yield made


def test_a_clip_comes_over_http() -> None:
    with running(QUICK) as base, client(base) as http:
        task = video(includeCost=True)
        assert 200 == http.post("/v1", json=[task]).status_code
        (item,) = http.post("/v1", json=[{"taskType": "getResponse", "taskUUID": task["taskUUID"]}]).json()["data"]
        assert item["videoURL"].startswith(base)
        whole = http.get(item["videoURL"])
        assert (200, str(len(whole.content))) == (whole.status_code, whole.headers["content-length"])
        part = http.get(item["videoURL"], headers={"Range": "bytes=4-7"})
        assert (206, b"ftyp") == (part.status_code, part.content)
        assert whole.headers["content-length"] == http.head(item["videoURL"]).headers["content-length"]
        assert {
            "total": 0.1,
            "tasks": [
                {
                    "taskUUID": task["taskUUID"],
                    "model": "test:tiny@1",
                    "numberResults": 1,
                    "cost": 0.1,
                    "status": "success",
                }
            ],
        } == http.get("/ledger").json()
        assert 401 == http.post("/v1", json=[task], headers={"Authorization": ""}).status_code
        assert 404 == http.get("/nowhere").status_code
        assert 405 == http.get("/v1").status_code


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "timeout-after"])
def test_a_connection_dies_before_or_after_accepting(kind: str) -> None:
    with running(replace(QUICK, trouble=1.0, kinds=frozenset({kind}))) as base, client(base) as http:
        task = video()
        seen: list[int] = []
        for _ in range(4):
            try:
                seen.append(http.post("/v1", json=[task]).status_code)
            except httpx.TransportError:
                seen.append(0)
        assert (504 if kind == "timeout-after" else 0, True) == (seen[0], seen[-1] in {200, 400})
        assert 1 == len(http.get("/ledger").json()["tasks"])


def test_a_file_is_cut_halfway_and_comes_whole_in_the_end() -> None:
    with running(replace(QUICK, trouble=1.0, kinds=frozenset({"cut-connection"}))) as base, client(base) as http:
        task = video()
        http.post("/v1", json=[task])
        (item,) = http.post("/v1", json=[{"taskType": "getResponse", "taskUUID": task["taskUUID"]}]).json()["data"]
        with http.stream("GET", item["videoURL"]) as answer, pytest.raises(httpx.TransportError):
            answer.read()
        for _ in range(3):
            with contextlib.suppress(httpx.TransportError):
                answer = http.get(item["videoURL"])
        assert int(answer.headers["content-length"]) == len(answer.content)


async def say(socket: ClientConnection, *tasks: dict[str, Any]) -> dict[str, Any]:
    await socket.send(json.dumps(tasks))
    answer: dict[str, Any] = json.loads(await socket.recv())
    return answer


def test_a_clip_comes_over_a_websocket() -> None:
    async def go(base: str) -> None:
        async with connect(base.replace("http:", "ws:") + "/v1") as socket:
            ping, task = {"taskType": "ping", "ping": True}, video()
            assert "missingApiKey" == (await say(socket, ping))["errors"][0]["code"]
            (item,) = (await say(socket, {"taskType": "authentication", "apiKey": "rehearsal"}))["data"]
            session = item["connectionSessionUUID"]
            assert {"data": [{"taskType": "ping", "pong": True}]} == await say(socket, ping)
            assert [{"taskType": "videoInference", "taskUUID": task["taskUUID"]}] == (await say(socket, task))["data"]
            (item,) = (await say(socket, {"taskType": "getResponse", "taskUUID": task["taskUUID"]}))["data"]
            assert "success" == item["status"]
            await socket.send("no json")
            assert "invalidJSON" == json.loads(await socket.recv())["errors"][0]["code"]
        login = {"taskType": "authentication", "apiKey": "rehearsal", "connectionSessionUUID": session}
        async with connect(base.replace("http:", "ws:") + "/v1") as socket:
            assert session == (await say(socket, login))["data"][0]["connectionSessionUUID"]
            assert "conflictTaskUUID" == (await say(socket, task))["errors"][0]["code"]

    with running(QUICK) as base:
        asyncio.run(go(base))


def test_a_websocket_dies_after_accepting() -> None:
    async def go(base: str) -> None:
        task = video()
        async with connect(base.replace("http:", "ws:") + "/v1") as socket:
            await say(socket, {"taskType": "authentication", "apiKey": "rehearsal"})
            with pytest.raises(ConnectionClosed):
                await say(socket, task)
        with client(base) as http:
            assert [task["taskUUID"]] == [each["taskUUID"] for each in http.get("/ledger").json()["tasks"]]

    with running(replace(QUICK, trouble=1.0, kinds=frozenset({"drop-after"}))) as base:
        asyncio.run(go(base))


@contextmanager
def started(*argv: str, environ: dict[str, str] | None = None) -> Iterator[str]:
    """The command in a process of its own, and the first line that it says."""
    process = subprocess.Popen(
        [sys.executable, "-c", START, "serve", *argv],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | (environ or {}),
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline()
    finally:
        process.kill()
        process.stdout.close()
        process.wait(20)


def test_the_command_serves_and_a_killed_server_comes_back_with_its_ledger(tmp_path: Path) -> None:
    argv = (
        "--standin",
        "--port",
        "0",
        "--ready-made",
        "--speed",
        "1000",
        "--cards",
        str(CARDS),
        "--state",
        str(tmp_path / "state"),
    )
    task = video()
    with started(*argv, environ={"MATCHCUT_STANDIN_KEY": "rehearsal"}) as line:
        base = line.split()[2].removesuffix("/v1,")
        with client(base) as http:
            assert 200 == http.post("/v1", json=[task]).status_code
            assert 401 == http.post("/v1", json=[task], headers={"Authorization": "Bearer other"}).status_code
    with started(*argv) as line, client(line.split()[2].removesuffix("/v1,")) as http:
        assert [task["taskUUID"]] == [each["taskUUID"] for each in http.get("/ledger").json()["tasks"]]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "say one of --standin and --webhooks"),
        (["--standin", "--webhooks"], "say one of --standin and --webhooks"),
        (["--standin", "--host", "0.0.0.0"], "0.0.0.0 can be reached by other machines\n  try: --open-to-others"),
        (["--standin", "--trouble-kinds", "slwo"], 'there is no trouble "slwo"\n  try: slow'),
        (["--webhooks", "no/such/folder"], "there is no folder no/such/folder"),
        (["--standin", "--balance", "much"], "much is not an amount"),
        (["--standin", "--port", "0", "--cards", "no/such/folder"], "there is no folder no/such/folder"),
        (["--standin", "--port", "0", "--state", "no/such/file"], "no/such/file can't be a ledger: unable to open"),
        (["--standin", "--port", "0", "--state", __file__], "can't be a ledger: file is not a database"),
    ],
)
def test_a_server_that_can_t_be_started_says_why(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 != start(["serve", *argv])
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with running(QUICK) as base:
        port = base.rpartition(":")[2]
        assert 1 == start(["serve", "--standin", "--port", port])
    assert f"can't listen on 127.0.0.1:{port}: Address already in use" in capsys.readouterr().err


def test_the_troubles_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == start(["serve", "--standin", "--trouble-kinds", "help"])
    assert "drop-after       the task is accepted" in capsys.readouterr().out


def test_the_service_calls_the_receiver_which_leaves_a_hint(tmp_path: Path) -> None:
    listener, base = bound("127.0.0.1", 0)
    uuid = new()
    with serving(webhooks.app(tmp_path), listener), running(QUICK) as standin, client(standin) as http:
        hook = webhooks.shown(base, tmp_path)
        assert 200 == http.post("/v1", json=[video(uuid, webhookURL=hook)]).status_code
        calls: list[dict[str, Any]] = []
        for _ in range(500):
            calls = http.get("/stats").json()["calls"]
            if calls:
                break
    assert [200] == [call["answer"] for call in calls]
    assert (tmp_path / ".matchcut" / "hints" / uuid).is_file()
