"""A clip comes in: to a temporary name, checked, resumed where it broke off, moved into place when it is whole."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from ...ports import Clock, Made, ProviderError
from ...store import told
from .container import HEAD_BYTES, is_whole, suffix, what
from .hosts import Hosts
from .line import Line, retry_after

CLIP_BYTES_MAX = 2 * 1024**3
FETCH_S_MAX = 300.0
"""How long a clip that is not ready is asked for again: addresses may be handed out before the file is there."""
PAUSE_S_FIRST = 1.0
PAUSE_S_MAX = 30.0
REDIRECTS_MAX = 3
BATCH_BYTES = 1024 * 1024
_NOT_READY = frozenset({404, 408, 422, 425, 429})
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class _NotYet(Exception):
    """An attempt failed in a way that the next one may not. ``anew``: what came so far is of no use."""

    def __init__(self, fact: str, *, anew: bool = False, after: float | None = None) -> None:
        self.fact, self.anew, self.after = fact, anew, after
        super().__init__(fact)


@dataclass(slots=True)
class _Part:
    """The file that grows. ``mark`` names the version of the file that it is a part of (ETag, else Last-Modified)."""

    path: Path
    mark: str | None = None
    total: int | None = None

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self.mark, self.total = None, None


class Downloads:
    """Fetches clips, without the key: they are fetched by their addresses alone."""

    def __init__(self, line: Line, clock: Clock, hosts: Hosts) -> None:
        self._line, self._clock, self._hosts = line, clock, hosts

    async def fetch(self, made: Made, into: Path) -> Path:
        """The clip as a file in a folder. Raises ProviderError (``asset``), StoryError where the disk refuses."""
        name = made.video_uuid if _NAME.fullmatch(made.video_uuid) else _digest(made.video_uuid)
        part = _Part(into / f".{name}.{uuid.uuid4().hex[:8]}.part")
        try:
            with told(into):
                await asyncio.to_thread(into.mkdir, parents=True, exist_ok=True)
                if made.source.startswith("data:"):
                    await asyncio.to_thread(_unpack, made.source, part.path)
                    return await asyncio.to_thread(_landed, part.path, into / name)
                return await self._until_whole(made.source, part, into / name)
        except _NotYet as error:
            failure = _asset(error.fact)
        finally:
            with contextlib.suppress(OSError):
                part.path.unlink(missing_ok=True)
        raise failure

    async def _until_whole(self, source: str, part: _Part, place: Path) -> Path:
        begun, pause = self._clock.ticks(), PAUSE_S_FIRST
        while True:
            size = part.size
            try:
                await self._attempt(source, part)
                return await asyncio.to_thread(_landed, part.path, place)
            except _NotYet as error:
                missing = error
            if missing.anew:
                part.drop()
            if part.size > size:
                begun, pause = self._clock.ticks(), PAUSE_S_FIRST  # it moves: only standing still is limited
            wait = max(pause, missing.after or 0.0)
            if self._clock.ticks() + wait - begun > FETCH_S_MAX:
                raise _asset(f"{missing.fact}, for {FETCH_S_MAX / 60:.0f} minutes")
            await self._clock.sleep(wait)
            pause = min(pause * 2, PAUSE_S_MAX)

    async def _attempt(self, source: str, part: _Part) -> None:
        url = await self._hosts.check(source)
        failure: _NotYet
        try:
            for _ in range(REDIRECTS_MAX + 1):
                location = await self._get(url, part)
                if location is None:
                    return
                url = await self._hosts.check(location, url)
            raise _asset(f"the clip's address was redirected more than {REDIRECTS_MAX} times")
        except httpx.InvalidURL:
            failure = _NotYet("the clip's address is no URL")
        except (httpx.RequestError, httpx.StreamError) as error:
            said = self._line.secrets.clean(str(error)) or type(error).__name__
            failure = _NotYet(f"the clip cannot be fetched from {url.host}: {said}")
        raise failure

    async def _get(self, url: httpx.URL, part: _Part) -> str | None:
        """One GET into the part. The address that it is redirected to, or None when all has come."""
        have, headers = part.size, {}
        if have and part.mark:
            headers = {"Range": f"bytes={have}-", "If-Range": part.mark}
        async with self._line.client.stream("GET", url, headers=headers) as response:
            status = response.status_code
            if status in (301, 302, 303, 307, 308):
                return str(response.headers.get("Location", ""))
            if status == 416 and part.total is not None and have == part.total:
                return None
            self._judge(response, url.host)
            begin = _resumed_at(response, part, have) if status == 206 else 0
            self._remember(response, part, begin)
            await self._write(response, part, begin)
        if part.total is not None and part.size != part.total:
            raise _NotYet(f"the clip broke off at byte {part.size} of {part.total}", anew=part.size > part.total)
        return None

    def _judge(self, response: httpx.Response, host: str) -> None:
        status = response.status_code
        if status in _NOT_READY or status >= 500:
            after = retry_after(response, self._clock.now())
            raise _NotYet(f"{host} does not have the clip ready (HTTP {status})", after=after)
        if status in (412, 416):
            raise _NotYet(f"{host} has another file there now (HTTP {status})", anew=True)
        if status not in (200, 206):
            raise _asset(f"{host} does not give the clip (HTTP {status})")

    def _remember(self, response: httpx.Response, part: _Part, begin: int) -> None:
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        length = response.headers.get("Content-Length", "")
        part.total = begin + int(length) if length.isdecimal() and not encoded else None
        if part.total is not None and part.total > CLIP_BYTES_MAX:
            raise _too_large()
        tag = response.headers.get("ETag", "")
        mark = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
        part.mark = None if encoded else mark

    async def _write(self, response: httpx.Response, part: _Part, begin: int) -> None:
        """Append from a place on. What is no clip is seen at its first bytes and not read on."""
        batch, size = bytearray(), begin
        with part.path.open("r+b" if begin else "wb") as stream:
            stream.truncate(begin)
            stream.seek(begin)
            try:
                async for chunk in response.aiter_bytes():
                    batch += chunk
                    size += len(chunk)
                    if size > CLIP_BYTES_MAX:
                        raise _too_large()
                    if begin == 0 and size - len(chunk) < HEAD_BYTES <= size and suffix(bytes(batch)) is None:
                        raise _NotYet(f"what {response.url.host} gives is {what(bytes(batch))}", anew=True)
                    if len(batch) >= BATCH_BYTES:
                        await _flush(stream, batch)
            finally:
                stream.write(batch)


async def _flush(stream: BinaryIO, batch: bytearray) -> None:
    data = bytes(batch)
    batch.clear()
    await asyncio.to_thread(stream.write, data)


def _resumed_at(response: httpx.Response, part: _Part, have: int) -> int:
    """Where a 206 goes on, if that is where the part ends, of a file as long as before."""
    found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if found is None or int(found[1]) != have or not have:
        raise _NotYet("the server gave another part of the clip than was asked for", anew=True)
    if part.total is not None and found[3] != "*" and int(found[3]) != part.total:
        raise _NotYet("the clip has another length than before", anew=True)
    return have


def _landed(path: Path, place: Path) -> Path:
    """A file that came whole, moved to its name with the suffix that fits. Raises _NotYet."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    kind = suffix(head)
    if kind is None:
        raise _NotYet(f"what came is {what(head)}", anew=True)
    if not is_whole(path):
        raise _NotYet("the clip that came is cut off", anew=True)
    return path.replace(place.with_name(f"{place.name}{kind}"))


def _unpack(source: str, path: Path) -> None:
    """A data URI as a file. Raises _NotYet where it is none."""
    head, comma, data = source.partition(",")
    if len(data) > CLIP_BYTES_MAX // 3 * 4:
        raise _too_large()
    try:
        if not comma or not head.endswith(";base64"):
            raise ValueError(head)
        content = base64.b64decode(re.sub(r"\s", "", data), validate=True)
    except (ValueError, binascii.Error):
        raise _NotYet("the clip came within the answer, and is not base64") from None
    path.write_bytes(content)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _too_large() -> ProviderError:
    return _asset(f"the clip is larger than {CLIP_BYTES_MAX // 1024**3} GiB (CLIP_BYTES_MAX)")


def _asset(fact: str) -> ProviderError:
    remedy = "run again soon: the service is asked for the clip anew, nothing is bought; addresses die after some days"
    return ProviderError(fact, remedy, trouble="asset", started=True)
