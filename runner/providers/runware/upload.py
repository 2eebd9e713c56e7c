"""Pictures of this machine on their way to the service: uploaded once, then named by the number it gave them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from ...ports import Clock, ProviderError
from ...store import told
from .line import Line, NoAnswer
from .memory import Memory
from .wire import text

INLINE_BYTES_MAX = 1024 * 1024
"""A picture up to this size goes along with the request; a larger one is uploaded first, once."""

PICTURE_BYTES_MAX = 20 * 1024 * 1024
"""The most that the models take, by the service's page on them."""

SIDE_PX_MAX = 2048
"""The service scales down what is uploaded larger: such a picture goes along as it is."""

UPLOAD_ALIVE_S = 30 * 86400.0 - 3600.0
"""The service forgets an upload 30 days after its last use; an hour less, since clocks differ."""


class Uploads:
    """What stands for a picture in a request: a UUID, or the picture itself as a data URI.

    ``uploads.json`` keeps, by the digest of a file, the UUID it has, when it was last used, and at which service.
    """

    def __init__(self, line: Line, memory: Memory, clock: Clock) -> None:
        self._line, self._memory, self._clock = line, memory, clock
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def stands_for(self, picture: Path) -> str:
        """Raises ProviderError (nothing was started)."""
        with told(picture.parent):
            data = await asyncio.to_thread(picture.read_bytes)
        if len(data) > PICTURE_BYTES_MAX:
            fact = f"the picture {picture.name[:12]} has {len(data) / 2**20:.1f} MiB, the service takes 20 MiB at most"
            raise ProviderError(fact, "a smaller picture", trouble="validation")
        if len(data) <= INLINE_BYTES_MAX or max(_size(data)) > SIDE_PX_MAX:
            return _inline(data)
        digest = hashlib.sha256(data).hexdigest()
        async with self._one_at_a_time[digest]:
            known = self._known(digest)
            found = known or await self._upload(data)
            if found is None:
                return _inline(data)
            self._keep(digest, found)
            return found

    def forget(self, uuids: Iterable[str]) -> None:
        """These are gone: the next submit uploads anew."""
        gone = set(uuids)
        old = self._memory.load()
        new = {key: entry for key, entry in old.items() if not (isinstance(entry, dict) and entry.get("uuid") in gone)}
        if new != old:
            self._memory.save(new)

    def _known(self, digest: str) -> str | None:
        entry = self._memory.load().get(digest)
        if not isinstance(entry, dict) or entry.get("host") != self._line.place:
            return None
        uuid, used = entry.get("uuid"), entry.get("last_used")
        if not isinstance(uuid, str) or not isinstance(used, int | float):
            return None
        # A clock that was set back is believed as far as a day.
        return uuid if -86400 < self._clock.now() - used < UPLOAD_ALIVE_S else None

    def _keep(self, digest: str, uuid: str) -> None:
        now = self._clock.now()
        entry = {"uuid": uuid, "last_used": round(now), "host": self._line.place}
        alive = {
            key: other
            for key, other in self._memory.load().items()
            if isinstance(other, dict)
            and isinstance(other.get("last_used"), int | float)
            and now - other["last_used"] < UPLOAD_ALIVE_S
        }
        self._memory.save({**alive, digest: entry})

    async def _upload(self, data: bytes) -> str | None:
        """The UUID the service gives it; None where it takes no uploads (the picture then goes along)."""
        uuid = str(uuid4())
        image = _inline(data)
        failure: ProviderError
        try:
            envelope = await self._line.post([{"taskType": "imageUpload", "taskUUID": uuid, "image": image}])
        except NoAnswer as error:
            failure = error.of_a_question(started=False)
        else:
            for item in envelope.items_of(uuid):
                if (found := text(item.get("imageUUID")) or text(item.get("mediaUUID"))) is not None:
                    return found
            faults = envelope.faults_of(uuid)
            if not faults or faults[0].rule.trouble in ("validation", "not found", "provider"):
                return None
            failure = faults[0].error(self._line.secrets, started=False, retry_after=envelope.retry_after)
        raise failure


def _inline(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def _size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG in pixels, from its header."""
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
