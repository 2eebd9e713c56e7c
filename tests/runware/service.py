"""The other side of the wire, for tests: it is called with requests, remembers them, and answers as it is told.

async def script(task, request): return answer({"taskType": "videoInference", "taskUUID": task["taskUUID"]})
desk = Desk(tmp_path, script)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from runner.ports import Job, Made, Order, ProviderError, Setting, Slate, Ticket
from runner.providers.runware.provider import Runware

KEY = "rw-5ecret-key-0123456789"
UUID = "50836053-a0ee-4cf5-b9d6-ae7c5d140ada"
VIDEO = "9a1c2f6b-0f8e-4f43-9d6c-2b6f4fd0a001"
CLIP_URL = f"https://vm.runware.ai/video/os/a/ws/5/vi/{VIDEO}.mp4"

Task = dict[str, Any]
Reply = httpx.Response | Exception
Script = Callable[[Task, httpx.Request], Reply]


class Clock:
    """A number: whoever sleeps moves it on. ``at``: what happens when a time has come."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.at: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return 1.7e9 + self.time

    def ticks(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += max(seconds, 0.0)
        for due, act in list(self.at):
            if due <= self.time:
                self.at.remove((due, act))
                act()
        await asyncio.sleep(0)


class Nobody:
    def slots(self) -> int:
        return 1

    async def run(self, job: Job) -> dict[str, Any]:
        raise AssertionError(job)

    async def aclose(self) -> None: ...


class Wire(httpx.AsyncBaseTransport):
    """Answers each POST of one task by the script, each GET by ``get``. Every request is kept."""

    def __init__(self, script: Script, get: Callable[[httpx.Request], Reply]) -> None:
        self.script, self.get = script, get
        self.requests: list[httpx.Request] = []
        self.tasks: list[Task] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        if request.method == "POST":
            tasks = json.loads(request.content)
            assert isinstance(tasks, list)
            assert len(tasks) == 1
            self.tasks += tasks
            reply = self.script(tasks[0], request)
        else:
            reply = self.get(request)
        if isinstance(reply, Exception):
            raise reply
        reply.request = request
        return reply

    def of(self, kind: str) -> list[Task]:
        return [task for task in self.tasks if task["taskType"] == kind]


def refuse(request: httpx.Request) -> Reply:
    raise AssertionError(f"nobody fetches {request.url}")


@dataclass
class Desk:
    """A client, its clock, its folders and the service on the other side."""

    folder: Path
    script: Script
    get: Callable[[httpx.Request], Reply] = refuse
    environ: Mapping[str, str] = field(default_factory=lambda: {"RUNWARE_API_KEY": KEY})
    url: str | None = None
    per_minute: int = 60
    hosts: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.wire = Wire(self.script, self.get)
        self.runware = self.another()

    def another(self) -> Runware:
        """A client as the next run has it: the same folders, the same service."""
        setting = Setting(
            Nobody(), self.clock, self.folder / "tmp", self.folder / "hints", self.folder / "memory", self.environ,
            url=self.url, per_minute=self.per_minute, hosts=self.hosts,
        )  # fmt: skip

        async def resolve(host: str, port: int) -> list[str]:
            return [self.names.get(host, "93.184.215.14")]

        return Runware(setting, self.wire, resolve=resolve)

    def submit(self, order: Order | None = None, uuid: str = UUID) -> Ticket:
        return asyncio.run(self.runware.submit(order or an_order(), uuid))

    def refused(self, order: Order | None = None) -> ProviderError:
        """The error that a submit ends with."""
        return error_of(lambda: self.submit(order))

    def results(self, ticket: Ticket) -> list[Made | ProviderError]:
        async def all_of_them() -> list[Made | ProviderError]:
            return [result async for result in self.runware.results(ticket)]

        return asyncio.run(all_of_them())

    def fetch(self, source: str = CLIP_URL, video: str = VIDEO) -> Path:
        return asyncio.run(self.runware.fetch(Made(source, video), self.folder / "in"))

    def hint(self, uuid: str = UUID) -> None:
        (self.folder / "hints").mkdir(exist_ok=True)
        (self.folder / "hints" / uuid).touch()

    def memory(self, name: str) -> Any:
        return json.loads((self.folder / "memory" / name).read_text())


def error_of(act: Callable[[], object]) -> ProviderError:
    try:
        found = act()
    except ProviderError as error:
        return error
    raise AssertionError(f"no error, but {found}")


def an_order(
    *, takes: int = 1, first: Path | None = None, last: Path | None = None, refs: Mapping[str, str] | None = None,
    seconds: float = 5, **request: Any,
) -> Order:  # fmt: skip
    words = {"taskType": "videoInference", "model": "klingai:5@3", "positivePrompt": "A lantern.", "duration": seconds}
    return Order(
        "0010", "k" * 64, {**words, **request}, tuple(range(1, takes + 1)), first, last, seconds, 24,
        Slate("010", "The lane", "0010", "A lantern."), refs or {},
    )  # fmt: skip


def answer(*items: Any, status: int = 200, headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
    """``{"data": [items]}`` and what else the envelope is to hold."""
    return httpx.Response(status, json={"data": list(items), **more}, headers=dict(headers or {}))


def ack(uuid: str = UUID) -> httpx.Response:
    return answer({"taskType": "videoInference", "taskUUID": uuid})


def going(uuid: str = UUID, **more: Any) -> dict[str, Any]:
    return {"taskType": "videoInference", "taskUUID": uuid, "status": "processing", **more}


def done(uuid: str = UUID, video: str = VIDEO, **more: Any) -> dict[str, Any]:
    return {
        "taskType": "videoInference", "taskUUID": uuid, "status": "success", "videoUUID": video,
        "videoURL": f"https://vm.runware.ai/video/{video}.mp4?sig=s1gned", "seed": 1234, "cost": 0.924, **more,
    }  # fmt: skip


def fault(code: str, message: str = "no", uuid: str | None = UUID, **more: Any) -> dict[str, Any]:
    return {"code": code, "message": message, **({"taskUUID": uuid} if uuid else {}), **more}


def refusing(code: str, message: str = "no", status: int = 400, **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"data": [], "errors": [fault(code, message, **more)]})


def making(clock: Clock, takes: float, *, progress: bool = False, results: int = 1) -> Script:
    """A service that needs so many seconds for a clip."""
    begun: dict[str, float] = {}

    def script(task: Task, request: httpx.Request) -> Reply:
        uuid = task["taskUUID"]
        if task["taskType"] == "videoInference":
            begun[uuid] = clock.time
            return ack(uuid)
        elapsed = clock.time - begun[uuid]
        if elapsed < takes:
            return answer(going(uuid, **({"progress": int(100 * elapsed / takes)} if progress else {})))
        return answer(*(done(uuid, video=f"{uuid[:-2]}{number:02}") for number in range(results)))

    return script


class Broken(httpx.AsyncByteStream):
    """A body that breaks off."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        raise httpx.ReadError("connection reset by peer")


class Flood(httpx.AsyncByteStream):
    """A body of so many bytes that nobody should hold at once; ``read`` counts what was taken."""

    def __init__(self, size: int, first: bytes = b"") -> None:
        self.size, self.first, self.read = size, first, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunk = bytes(1 << 20)
        yield self.first
        while self.read < self.size:
            self.read += len(chunk)
            yield chunk
