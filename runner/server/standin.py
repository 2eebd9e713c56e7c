"""The stand-in as a web server: HTTP and websocket on one path, the clips, and the ledger."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..clock import RealClock
from ..ports import Clock
from .chance import uuid4
from .desk import BODY_BYTES_MAX, Answer, Desk
from .protocol import Refusal, Reply, read, refused
from .service import Options, Service
from .trouble import Dropped

IDLE_S_MAX = 120.0
"""An idle websocket is closed after this long, as the provider's own client documents it."""

ABORT = "matchcut.abort"
"""The key of a request's scope under which stands how to cut its connection."""


def app(options: Options, *, clock: Clock | None = None, service: Service | None = None) -> Starlette:
    """The stand-in as an ASGI app. ``options.base`` is the address by which clients reach it."""

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        app.state.service = service or Service(options, clock or RealClock())
        await app.state.service.start()
        yield
        await app.state.service.aclose()

    routes = [
        WebSocketRoute("/v1", _socket),
        Route("/{path:path}", _http, methods=["GET", "HEAD", "POST", "PUT", "DELETE"]),
    ]
    return Starlette(routes=routes, lifespan=life)


async def _http(request: Request) -> Response:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            break  # the desk says what is wrong with it
    desk = Desk(request.app.state.service)
    try:
        return _Carried(await desk.answer(request.method, request.url.path, request.headers, bytes(body)))
    except Dropped as dropped:
        if dropped.how == "timeout":
            return _Carried(Answer(504, b'{"data":[],"errors":[{"code":"timeout","message":"Timed out."}]}', _JSON))
        return _Carried(None)


_JSON = {"content-type": "application/json"}


class _Carried(Response):
    """An answer on its way; None cuts the connection before the first byte."""

    def __init__(self, answer: Answer | None) -> None:
        super().__init__()
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.answer is None:
            await _cut(scope, receive)
            return
        headers = [(name.lower().encode(), value.encode()) for name, value in self.answer.headers.items()]
        body = self.answer.body
        if isinstance(body, bytes) and b"content-length" not in dict(headers):
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": self.answer.status, "headers": headers})
        if isinstance(body, bytes):
            await send({"type": "http.response.body", "body": body, "more_body": False})
            return
        try:
            for chunk in body:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Dropped:
            await _cut(scope, receive)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _cut(scope: Scope, receive: Receive) -> None:
    scope[ABORT]()
    while (await receive())["type"] != "http.disconnect":
        pass


class Cutting(H11Protocol):
    """uvicorn's HTTP protocol, that also tells the app how to cut the connection."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        inner: ASGIApp = self.app

        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            scope[ABORT] = transport.abort
            await inner(scope, receive, send)

        self.app = outer


async def _socket(websocket: WebSocket) -> None:
    """One websocket: each frame is an array of tasks, the first is ``authentication``, each gets one frame back."""
    await websocket.accept()
    service: Service = websocket.app.state.service
    key: str | None = None
    try:
        while True:
            async with asyncio.timeout(IDLE_S_MAX):
                text = await websocket.receive_text()
            try:
                tasks = read(text)
            except ValueError as bad:
                await _tell(websocket, refused(Refusal("invalidJSON", f"The frame is not JSON: {bad}.")))
                continue
            key = _key(tasks) or key
            await _tell(websocket, await service.handle(tasks, key=key))
    except TimeoutError:
        await websocket.close(1000)
    except Dropped:
        await websocket.close(1011)
    except WebSocketDisconnect:
        return


def _key(tasks: object) -> str | None:
    first = tasks[0] if isinstance(tasks, list) and tasks and isinstance(tasks[0], dict) else {}
    key = first.get("apiKey") if first.get("taskType") == "authentication" else None
    return key if isinstance(key, str) else None


async def _tell(websocket: WebSocket, reply: Reply) -> None:
    """A frame is a JSON object; where the service says HTML, a websocket dies."""
    if isinstance(reply.body, str):
        raise Dropped("read")
    await websocket.send_text(json.dumps(reply.body))


def bound(host: str, port: int) -> tuple[socket.socket, str]:
    """A socket that takes connections already, and its address as ``http://host:port``; port 0 finds a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, so that asyncio sends small answers at once: else each waits 40 ms for the one before it.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    shown = f"[{host}]" if ":" in host else host
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


def server(served: ASGIApp) -> uvicorn.Server:
    """uvicorn around an app, quiet, with connections that can be cut."""
    config = uvicorn.Config(
        served, http=Cutting, lifespan="on", log_level="warning", ws_max_size=BODY_BYTES_MAX,
        timeout_graceful_shutdown=1, timeout_keep_alive=75,
    )  # fmt: skip
    return uvicorn.Server(config)


@contextmanager
def running(options: Options, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The stand-in on a thread of its own while the block lasts; its address without ``/v1``. For tests."""
    listener, base = bound(host, port)
    with serving(app(replace(options, base=base)), listener):
        yield base


@contextmanager
def serving(served: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """Any app on a thread of its own while the block lasts."""
    ours = server(served)
    thread = threading.Thread(target=ours.run, kwargs={"sockets": [listener]}, name=uuid4(id(ours)), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ours.should_exit = True
        thread.join()
        listener.close()
