"""The reel: the author's own clips, each looked at once and remembered for as long as its file stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from .errors import Problem, StoryError
from .footage import Footage
from .store import hash_file, told, write

TICK_NS = 20_000_000
"""Nanoseconds within which a file may change twice and have the same time."""
_PICTURES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".exr", ".dpx", ".heic", ".avif"))


class Reel:
    """Clips of a project, by their paths in the storyboard.

    What was found out of a file is believed while its stamp is the same, and older than the record of it. Looking only
    reads; ``remember`` writes what was looked at into ``memory``, a folder.
    """

    def __init__(self, find: Callable[[str], Path], memory: Path) -> None:
        self.find, self.memory = find, memory
        self._seen: dict[str, Footage | StoryError] = {}
        self._stamps: dict[str, str] = {}
        """Of files that were read, as they were before that."""

    def look(self, path: str) -> Footage:
        """A clip. Raises StoryError."""
        if path not in self._seen:
            try:
                self._seen[path] = self._look(path)
            except StoryError as error:
                self._seen[path] = error
        found = self._seen[path]
        if isinstance(found, StoryError):
            raise StoryError(found.problems)
        return found

    def remember(self, path: str) -> None:
        """Write down what was found out of a file, if it is still the same. Raises StoryError where that can't be.

        A file that was too new for its stamp to be believed when it was looked at is looked at again.
        """
        if isinstance(self._seen.get(path), Footage) and path not in self._stamps and not self._record(path).is_file():
            self._seen.pop(path)
            self.look(path)
        found, stamp = self._seen.get(path), self._stamps.pop(path, None)
        if isinstance(found, Footage) and stamp is not None and stamp == stamp_of(str(self.find(path))):
            data = {"stamp": stamp, "footage": asdict(found)}
            with told(self.memory):
                write(self._record(path), (json.dumps(data, indent=1) + "\n").encode())

    def forget(self, path: str) -> None:
        """A file was not what was known of it."""
        self._seen.pop(path, None)
        self._stamps.pop(path, None)
        self._record(path).unlink(missing_ok=True)

    def _look(self, path: str) -> Footage:
        if "://" in path:
            raise StoryError.of(
                f"{path} is an address, and a clip is a file in the project", "fetch it, and name the file"
            )
        file = self.find(path)
        known = self._known(path, file)
        if known is not None:
            return known
        stamp = stamp_of(str(file), time.time_ns() - TICK_NS)
        found = _read(path, file)
        if stamp not in {"-", "?"}:
            self._stamps[path] = stamp
        return found

    def _known(self, path: str, file: Path) -> Footage | None:
        record = self._record(path)
        try:
            data = json.loads(record.read_bytes())
            known = data["stamp"] == stamp_of(str(file), record.stat().st_mtime_ns)
            return Footage(**data["footage"]) if known else None
        except (OSError, ValueError, KeyError, TypeError):  # whatever was there is found out again
            return None

    def _record(self, path: str) -> Path:
        return self.memory / f"{hashlib.sha256(path.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"


def stamp_of(name: str, written: int | None = None) -> str:
    """A file's stamp; "-" where there is none, "?" where it is not older than the record of it, in nanoseconds."""
    try:
        found = os.stat(name)  # noqa: PTH116
    except OSError:
        return "-"
    if written is not None and (found.st_ctime_ns >= written or found.st_mtime_ns >= written):
        return "?"
    return f"{found.st_size}.{found.st_mtime_ns}.{found.st_ctime_ns}.{found.st_ino}"


def _read(path: str, file: Path) -> Footage:
    """All that planning asks of a clip. Its packets are read, and one picture; what lies between is seen on receipt."""
    from .media import probe

    try:
        found = probe.ordinary(str(file))
        digest = hash_file(file)
    except StoryError as error:
        raise renamed(error, str(file), path) from None
    except OSError as error:
        raise StoryError.of(f"{path} can't be read: {error.strerror}", "check the permissions of the file") from None
    return Footage(digest, found.bytes, found.width, found.height, found.rate, found.frames, found.duration)


def renamed(error: StoryError, name: str, path: str) -> StoryError:
    """The same, of a file as the storyboard calls it."""
    if Path(path).suffix.lower() in _PICTURES:
        return StoryError.of(f"{path} is a picture, not a clip", f"from: {path}, in a shot that a model makes")
    told = [Problem(p.fact.replace(name, path), p.remedy, p.place, p.severity) for p in error.problems]
    return StoryError(told, exit_code=error.exit_code)
