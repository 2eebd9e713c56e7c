"""The output folder: film, clips and frames under film names, written only where something changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .store import LocalStore, copy, hash_file, told, write

FORMAT = 1


class Outputs:
    """What stands in an output folder, by path relative to it.

    A file is believed to be as it was written only while its stamp (size, times of change, inode) is: else it is
    hashed.
    """

    def __init__(self, folder: Path, store: LocalStore, name: str) -> None:
        self.folder, self.store = folder, store
        self.memory = store.root / "outputs" / f"{name}.json"
        self.known: dict[str, dict[str, Any]] = _read(self.memory)
        self.now: dict[str, dict[str, Any]] = {}
        self.changed = 0
        """Files written or removed."""

    def is_there(self, name: str, digest: str) -> bool:
        """Whether a file stands there with these bytes."""
        path = self.folder / name
        stamp = _stamp(path)
        if stamp is None:
            return False
        told = (before for before in (self.now.get(name), self.known.get(name)) if before is not None)
        if any(before["digest"] == digest and before["stamp"] == stamp for before in told):
            return True
        return hash_file(path) == digest

    def place(self, name: str, digest: str, source: Path, **more: Any) -> None:
        """Put a file there; blocks are shared with the store where the file system can."""
        path = self.folder / name
        if not self.is_there(name, digest):
            with told(self.folder):
                copy(source, path)
            self.changed += 1
        self.now[name] = {"digest": digest, "stamp": _stamp(path), **more}

    def write(self, name: str, data: bytes) -> None:
        """Write a file unless these bytes stand there already."""
        digest = hashlib.sha256(data).hexdigest()
        if not self.is_there(name, digest):
            with told(self.folder):
                write(self.folder / name, data)
            self.changed += 1
        self.now[name] = {"digest": digest, "stamp": _stamp(self.folder / name)}

    def remembered(self, name: str, recipe: str) -> dict[str, Any] | None:
        """What was told of a file made by this recipe, if it still stands there."""
        before = self.known.get(name)
        if before is None or before.get("recipe") != recipe or not self.is_there(name, before["digest"]):
            return None
        return before

    def close(self) -> None:
        """Remove what an earlier run wrote and nobody changed since, and remember what stands there now."""
        for name, before in self.known.items():
            path = self.folder / name
            if name not in self.now and _stamp(path) == before["stamp"]:
                path.unlink(missing_ok=True)
                self.changed += 1
        if self.now != self.known:
            text = json.dumps({"matchcut": FORMAT, "files": self.now}, indent=1, sort_keys=True) + "\n"
            self.store.write(self.memory, text.encode())


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """What was remembered. It is a cache: what a newer version wrote is not believed, and files are hashed."""
    try:
        data = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(data, dict) or data.get("matchcut", FORMAT) != FORMAT:
        return {}
    files: dict[str, dict[str, Any]] = data["files"] if "matchcut" in data else data  # at first it said no format
    return files


def _stamp(path: Path) -> list[int] | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def clip_name(index: Mapping[str, int], scene: str, shot: str, take: int, suffix: str) -> str:
    """A clip under its film name: ``clips/030_020_0040_tk02.mp4`` stands third in the film's order."""
    return f"clips/{index[shot]:03d}_{scene}_{shot}_tk{take:02d}{suffix}"


def frame_name(scene: str, shot: str, take: int, selector: str) -> str:
    return f"frames/{scene}_{shot}_tk{take:02d}_{selector}.png"
