"""A house for the stand-in: the service on a pretend clock, a client on the wire, and requests with everything defaulted."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from runner.media.picture import png
from runner.server.chance import uuid4
from runner.server.courier import Courier
from runner.server.service import Options, Service
from runner.server.wire import Wire

CARDS = Path(__file__).parent / "cards"
TINY: dict[str, Any] = {
    "model": "test:tiny@1",
    "positivePrompt": "A lamp burns.",
    "width": 64,
    "height": 64,
    "duration": 1,
}
KLING: dict[str, Any] = {
    "model": "klingai:4@3",
    "positivePrompt": "A lamp burns.",
    "width": 1280,
    "height": 720,
    "duration": 5,
}
KLING_2_1: dict[str, Any] = KLING | {"model": "klingai:5@3", "width": 1920, "height": 1080}


@dataclass
class Pretend:
    """A clock that jumps to the end of every sleep."""

    time: float = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def ticks(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


@dataclass
class House:
    """A service and a client that talks to it. ``heard``: what the courier was heard to call."""

    service: Service
    clock: Pretend
    client: httpx.AsyncClient
    heard: list[httpx.Request] = field(default_factory=list)

    async def post(self, *tasks: Mapping[str, Any], **headers: str) -> httpx.Response:
        return await self.client.post("/v1", json=list(tasks), headers=headers)

    async def submit(self, uuid: str = "", **fields: Any) -> str:
        """Submit a tiny clip; its UUID. It must be accepted."""
        task = video(uuid, **fields)
        answer = await self.post(task)
        assert (200, {"data": [{"taskType": "videoInference", "taskUUID": task["taskUUID"]}]}) == (
            answer.status_code,
            answer.json(),
        )
        return str(task["taskUUID"])

    async def poll(self, uuid: str) -> dict[str, Any]:
        body: dict[str, Any] = (await self.post({"taskType": "getResponse", "taskUUID": uuid})).json()
        return body

    async def wait(self, uuid: str) -> dict[str, Any]:
        """Poll, ten seconds apart, until nothing is processing."""
        for _ in range(400):
            told = await self.poll(uuid)
            states = {item["status"] for item in told["data"]} | {item["status"] for item in told.get("errors", ())}
            if states and states <= {"success", "error"}:
                return told
            self.clock.time += 10
        raise AssertionError("it never ends")

    async def ledger(self) -> dict[str, Any]:
        told: dict[str, Any] = (await self.client.get("/ledger")).json()
        return told


@asynccontextmanager
async def house(answers: Mapping[str, list[int]] | None = None, **options: Any) -> AsyncIterator[House]:
    """Options are the service's. ``answers``: by host, the status of each call of the courier; then 200."""
    given = {"ready_made": True, "cards": CARDS, "registering": 0.0, **options}
    clock = Pretend()
    left = {host: list(statuses) for host, statuses in (answers or {}).items()}
    heard: list[httpx.Request] = []

    def listen(request: httpx.Request) -> httpx.Response:
        heard.append(request)
        queue = left.get(request.url.host, [])
        return httpx.Response(queue.pop(0) if queue else 200)

    courier = Courier(clock, anywhere=given.get("allow_any_target", False), transport=httpx.MockTransport(listen))
    service = Service(Options(**given), clock, courier=courier)
    client = httpx.AsyncClient(
        transport=Wire(service), base_url="http://standin", headers={"Authorization": "Bearer rehearsal"}, timeout=60
    )
    _numbers.append(count(1_000_000))
    try:
        await service.start()
        yield House(service, clock, client, heard)
    finally:
        _numbers.pop()
        await client.aclose()
        await service.aclose()


def video(uuid: str = "", **fields: Any) -> dict[str, Any]:
    """A request for a clip; a field that is None is left out."""
    task = {"taskType": "videoInference", "taskUUID": uuid or new(), **TINY, **fields}
    return {name: value for name, value in task.items() if value is not None}


_numbers = [count()]


def new() -> str:
    """A UUID; every house has the same ones in the same order, so what chance does in it is the same each time."""
    return uuid4("test", next(_numbers[-1]))


def picture(width: int = 320, height: int = 320, shade: int = 90) -> str:
    """A PNG of one shade as a data URI."""
    data = png(np.full((height, width, 3), shade, np.uint8))
    return "data:image/png;base64," + base64.b64encode(data).decode()
