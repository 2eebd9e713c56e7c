"""The animatic as a provider: it takes the models' own requests and draws them on this machine."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ...ports import Executor, Job, Made, Order, Ticket
from .version import MAKER

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "matchcut:animatic")
_SUFFIX = {"MP4": ".mp4", "WEBM": ".webm", "MOV": ".mov"}


class Animatic:
    """Draws each take as a job of the executor; free, and the same for the same order."""

    name = "animatic"

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def submit(self, order: Order) -> Ticket:
        return Ticket(str(_uuid(order, 0)), order)

    async def results(self, ticket: Ticket, into: Path) -> AsyncIterator[Made]:
        order = ticket.order
        drawing = [asyncio.create_task(self._draw(order, take, into)) for take in order.takes]
        try:
            for task in asyncio.as_completed(drawing):
                yield await task
        finally:
            for drawn in drawing:
                drawn.cancel()
            await asyncio.gather(*drawing, return_exceptions=True)

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
        video = _uuid(order, take)
        return Made(take, path, str(_uuid(order, 0)), str(video), seed=video.int >> 97)


def _uuid(order: Order, take: int) -> uuid.UUID:
    """A UUID that follows from key and take."""
    return uuid.uuid5(_NAMESPACE, f"{MAKER} {order.key} {take}")
