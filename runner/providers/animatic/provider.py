"""The animatic as a provider: it takes the models' own requests and draws them on this machine."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ...ports import Answer, Job, Made, Order, ProviderError, Setting, Ticket
from .version import video_uuid

_SUFFIX = {"MP4": ".mp4", "WEBM": ".webm", "MOV": ".mov"}


class Animatic:
    """Draws each take as a job of the executor; free, and the same for the same order."""

    name = "animatic"

    def __init__(self, setting: Setting) -> None:
        self._executor = setting.executor
        self._scratch = setting.scratch

    async def submit(self, order: Order, uuid: str) -> Ticket:
        return Ticket(uuid, order)

    async def ask(self, uuid: str) -> Answer:  # noqa: ARG002 - nothing is drawn but while one waits for it
        return Answer(known=False)

    async def results(self, ticket: Ticket) -> AsyncIterator[Made | ProviderError]:
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            drawing = [asyncio.create_task(self._draw(ticket.order, take, Path(folder))) for take in ticket.order.takes]
            try:
                for task in drawing:
                    yield await task
            finally:
                for drawn in drawing:
                    drawn.cancel()
                await asyncio.gather(*drawing, return_exceptions=True)

    async def fetch(self, made: Made, into: Path) -> Path:
        place = into / Path(made.source).name
        await asyncio.to_thread(Path(made.source).replace, place)
        return place

    async def aclose(self) -> None:
        pass

    async def _draw(self, order: Order, take: int, into: Path) -> Made:
        path = into / f"{take}{_SUFFIX[order.request.get('outputFormat', 'MP4')]}"
        args: dict[str, Any] = {
            "request": {**order.request, "duration": order.seconds},
            "fps": order.fps,
            "key": order.key,
            "take": take,
            "first": str(order.first) if order.first else None,
            "last": str(order.last) if order.last else None,
            "slate": order.slate.as_json(),
            "out": str(path),
        }
        await self._executor.run(Job(f"{order.shot} take {take}", "runner.providers.animatic.draw:draw", args))
        video = video_uuid(order.key, take)
        return Made(str(path), video, seed=uuid.UUID(video).int >> 97)
