"""The stand-in inside this process: an httpx transport whose other end is the service, with no socket between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx

from .desk import Desk
from .service import Service
from .trouble import Dropped

_LOOKS: dict[str, type[httpx.TransportError]] = {
    "connect": httpx.ConnectError,
    "read": httpx.ReadError,
    "timeout": httpx.ReadTimeout,
}


class Wire(httpx.AsyncBaseTransport):
    """Plays the service for an ``httpx.AsyncClient``: whatever host is asked, the stand-in answers.

    Connections die as they do on a network: ConnectError, ReadError, ReadTimeout, also halfway through a clip. An
    answer that comes later than the request's own read timeout, by the service's clock, is a ReadTimeout too.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._desk = Desk(service)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        clock = self.service.clock
        asked = clock.ticks()
        try:
            answer = await self._desk.answer(request.method, request.url.path, request.headers, body)
        except Dropped as dropped:
            raise _seen(dropped, request) from dropped
        patience = request.extensions.get("timeout", {}).get("read")
        if patience is not None and clock.ticks() - asked > patience:
            raise httpx.ReadTimeout("the answer came too late", request=request)
        parts = iter((answer.body,)) if isinstance(answer.body, bytes) else answer.body
        return httpx.Response(answer.status, headers=answer.headers, stream=_Stream(parts, request), request=request)


class _Stream(httpx.AsyncByteStream):
    def __init__(self, parts: Iterator[bytes], request: httpx.Request) -> None:
        self._parts, self._request = parts, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for part in self._parts:
                yield part
        except Dropped as dropped:
            raise _seen(dropped, self._request) from dropped

    async def aclose(self) -> None:
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()


def _seen(dropped: Dropped, request: httpx.Request) -> httpx.TransportError:
    return _LOOKS[dropped.how]("the connection died", request=request)
