"""The stand-in's front desk: one HTTP request in, one answer out, whatever carried them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .clips import TYPE
from .jobs import Job, Piece
from .protocol import Refusal, Reply, envelope, read, refused
from .service import HTML, Service
from .trouble import Dropped

BODY_BYTES_MAX = 128 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
_NOISE = bytes(reversed(range(256)))
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. Reading ``body`` may raise Dropped: the connection dies halfway."""

    status: int
    body: bytes | Iterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Desk:
    """Answers requests for a service. Paths: ``/v1``, the addresses of clips and pictures, ``/ledger``, ``/stats``,
    ``/reset``. Names of headers are in lower case.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    async def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """The answer to one request. Raises Dropped where the connection is to die."""
        if path.rstrip("/") == "/v1":
            return await self._tasks(method, headers, body)
        if path.startswith("/video/") and method in {"GET", "HEAD"}:
            return await self._video(method, path, headers)
        if path.startswith("/image/") and method in {"GET", "HEAD"}:
            return self._image(method, path, headers)
        if (method, path) == ("GET", "/ledger"):
            return _json(200, self.service.ledger_json())
        if (method, path) == ("GET", "/stats"):
            return _json(200, self.service.stats_json())
        if (method, path) == ("POST", "/reset"):
            self.service.reset()
            return _json(200, {})
        return _json(404, refused(Refusal("notFound", "There is nothing here.", status=404)).body)

    async def _tasks(self, method: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if method != "POST":
            return _json(405, refused(Refusal("methodNotAllowed", "Tasks are sent with POST.", status=405)).body)
        if len(body) > BODY_BYTES_MAX:
            return _json(413, refused(Refusal("maxBodySize", "The body is too large.", status=413)).body)
        try:
            tasks = read(body)
        except ValueError as bad:
            reply = refused(Refusal("invalidJSON", f"The body is not JSON: {bad}.", more={"type": "array"}))
        else:
            scheme, _, key = headers.get("authorization", "").partition(" ")
            dry_run = headers.get("x-runware-dry-run") == "1"
            reply = await self.service.handle(
                tasks, key=key.strip() if scheme.lower() == "bearer" else None, dry_run=dry_run
            )
        return told(reply)

    async def _video(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        service = self.service
        uuid = path.rpartition("/")[2].partition(".")[0]
        found = service.piece(uuid)
        if found is None or not service.url(found[1]).endswith(path) or found[1].failed is not None:
            return _lost("mediaNotFound", "There is no such file.")
        job, piece = found
        if not service.finished(job, piece):
            return _lost("mediaNotFound", "There is no such file yet.")
        if service.clock.now() >= job.expires(piece):
            return _lost("mediaExpired", "The file was kept for its time, and is gone.")
        if method == "HEAD":
            return _file(service.clips.path(service.want(job, piece)), method, headers, tag=uuid)
        service.requests["fetch"] += 1
        return await self._struck(job, piece, headers)

    async def _struck(self, job: Job, piece: Piece, headers: Mapping[str, str]) -> Answer:
        """The file, or what the trouble of the moment makes of it."""
        service, uuid = self.service, piece.video_uuid
        kind, want = service.trouble.strikes(uuid, "fetch"), service.want(job, piece)
        if kind == "slow":
            await service.clock.sleep(2.0 / service.options.speed)
        if kind == "not-ready":
            return _json(404 if service.trouble.coin(uuid, kind) else 422, envelope([], []))
        if kind in {"429", "503"}:
            return Answer(int(kind), b"", {"retry-after": "1"})
        if kind == "html":
            return Answer(200, HTML.encode(), {"content-type": "text/html"})
        path = service.clips.short(want) if kind == "wrong-length" else service.clips.path(want)
        return _file(path, "GET", headers, tag=uuid, kind=kind)

    def _image(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        found = self.service.images.upload(path.rpartition("/")[2].removesuffix(".png"))
        return _lost("mediaNotFound", "There is no such file.") if found is None else _file(found, method, headers)


def told(reply: Reply) -> Answer:
    """A reply of the service as an HTTP answer."""
    if isinstance(reply.body, str):
        return Answer(reply.status, reply.body.encode(), {"content-type": "text/html", **reply.headers})
    return _json(reply.status, reply.body, **reply.headers)


def _json(status: int, data: object, **headers: str) -> Answer:
    return Answer(status, json.dumps(data).encode(), {"content-type": "application/json", **headers})


def _lost(code: str, message: str) -> Answer:
    return _json(404, refused(Refusal(code, message, status=404)).body)


def _file(path: Path, method: str, headers: Mapping[str, str], *, tag: str = "", kind: str | None = None) -> Answer:
    """A file or the part of it that was asked for; damaged, where ``kind`` says so."""
    spoilt = kind in {"broken-file", "truncated-file", "wrong-length"}
    etag = f'"{tag}{"-" + str(kind) if spoilt else ""}"'
    size = path.stat().st_size // (2 if kind == "truncated-file" else 1)
    base = {"content-type": TYPE[path.suffix], "accept-ranges": "bytes", "etag": etag}
    start, stop, status = 0, size, 200
    asked = _RANGE.fullmatch(headers.get("range", "").strip())
    if asked and any(asked.groups()) and headers.get("if-range", etag) == etag:
        start, stop = _span(asked[1], asked[2], size)
        if start >= stop:
            return Answer(416, b"", base | {"content-range": f"bytes */{size}"})
        status = 206
        base["content-range"] = f"bytes {start}-{stop - 1}/{size}"
    base["content-length"] = str(stop - start)
    if method == "HEAD":
        return Answer(status, b"", base)
    return Answer(status, _chunks(path, start, stop, noise=kind == "broken-file", cut=kind == "cut-connection"), base)


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _chunks(path: Path, start: int, stop: int, *, noise: bool, cut: bool) -> Iterator[bytes]:
    left = (stop - start) // (2 if cut else 1)
    with path.open("rb") as file:
        file.seek(start)
        while left > 0:
            chunk = file.read(min(CHUNK_BYTES, left))
            left -= len(chunk)
            yield chunk.translate(_NOISE) if noise else chunk
    if cut:
        raise Dropped("read")
