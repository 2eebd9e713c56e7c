"""Carries results out: calls webhooks as each clip is done, and puts files where they were asked to be put."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import httpx

from ..ports import Clock
from .chance import share
from .clips import TYPE

if TYPE_CHECKING:
    from .jobs import Job, Piece

RETRY_S_MIN, RETRY_S_MAX = 0.25, 8.0
"""Pauses between calls that fail: doubled each time, up to the cap, with up to a quarter of jitter."""

TRIES_MAX = 10
ANSWER_S_MAX = 5.0
LOOK_S = 0.05
PUT_DELAY_S = 2.0
"""The file is put after the result is told, as was seen with the service; divided by the speed."""


class Teller(Protocol):
    """The part of the service that the courier needs."""

    @property
    def options(self) -> Any: ...
    @property
    def trouble(self) -> Any: ...
    @property
    def clips(self) -> Any: ...
    def finished(self, job: Job, piece: Piece) -> bool: ...
    def url(self, piece: Piece) -> str: ...
    def want(self, job: Job, piece: Piece) -> Any: ...


class Courier:
    """Follows each task that has a ``webhookURL`` or an ``uploadEndpoint``. Only this machine is called, unless
    ``anywhere``. ``transport``: what carries the calls; None is the network.
    """

    def __init__(
        self, clock: Clock, *, anywhere: bool = False, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._clock, self._anywhere, self._transport = clock, anywhere, transport
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self.calls: list[dict[str, Any]] = []
        """Every call that was made: what, of which result, to where (without its query), and how it was answered."""

    def follow(self, service: Teller, job: Job) -> None:
        """Carry out the results of a task as they come."""
        if "webhookURL" in job.request or "uploadEndpoint" in job.request:
            for piece in job.pieces:
                task = asyncio.create_task(self._carry(service, job, piece))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def forget(self) -> None:
        """Drop what is not delivered yet."""
        for task in self._tasks:
            task.cancel()
        self.calls.clear()

    async def settle(self) -> None:
        """Wait until everything that is followed is delivered, or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.settle()
        if self._client is not None:
            await self._client.aclose()

    async def _carry(self, service: Teller, job: Job, piece: Piece) -> None:
        while not service.finished(job, piece):
            await self._clock.sleep(max(LOOK_S, job.due(piece) - self._clock.now()))
        speed = float(service.options.speed)
        hook, place = job.request.get("webhookURL"), job.request.get("uploadEndpoint")
        if hook is not None:
            twice = service.trouble.strikes(piece.video_uuid, "call") == "duplicate"
            body = _body(service, job, piece)
            for _ in range(2 if twice else 1):
                await self._send("webhook", "POST", hook, piece, json=body)
        if place is not None and piece.failed is None:
            await self._clock.sleep(PUT_DELAY_S / speed)
            path = service.clips.path(service.want(job, piece))
            content = await asyncio.to_thread(path.read_bytes)
            await self._send(
                "upload", "PUT", place, piece, content=content, headers={"Content-Type": TYPE[path.suffix]}
            )

    async def _send(self, what: str, method: str, url: str, piece: Piece, **parts: Any) -> None:
        """One delivery, tried until it is answered with 2xx, and not for ever."""
        told: dict[str, Any] = {"what": what, "videoUUID": piece.video_uuid, "to": url.partition("?")[0]}
        if not self._anywhere and not on_this_machine(url):
            self.calls.append(told | {"answer": "not sent: the target is not on this machine"})
            return
        for attempt in range(TRIES_MAX):
            answer = await self._once(method, url, parts)
            self.calls.append(told | {"answer": answer})
            if isinstance(answer, int) and 200 <= answer < 300:
                return
            pause = min(RETRY_S_MAX, RETRY_S_MIN * 2**attempt)
            await self._clock.sleep(pause * (1 + share(piece.video_uuid, what, attempt) / 4))

    async def _once(self, method: str, url: str, parts: dict[str, Any]) -> int | str:
        if self._client is None:
            self._client = httpx.AsyncClient(transport=self._transport, timeout=ANSWER_S_MAX, trust_env=False)
        try:
            return (await self._client.request(method, url, **parts)).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__


def _body(service: Teller, job: Job, piece: Piece) -> object:
    """The call's body: the result by itself, or in an envelope, as both were seen."""
    item = job.told(piece, service.url)
    form = service.options.call_form
    if form == "data" or (form == "both" and service.trouble.coin(piece.video_uuid, "call form")):
        return {"errors": [item]} if piece.failed is not None and not piece.in_data else {"data": [item]}
    return item


def on_this_machine(url: str) -> bool:
    """Whether an address is one of the loopback: by number, or localhost. No name is looked up."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
