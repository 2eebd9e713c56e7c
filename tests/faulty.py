"""A shelf that fails, truncates and corrupts at random, from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runner.shelf import Folder, Sheet


@dataclass
class Faulty:
    """Stands before a folder. ``rate`` is the share of calls in which something goes wrong."""

    inner: Folder
    seed: int
    rate: float = 0.3
    faults: list[str] = field(default_factory=list)
    url: str = "faulty://"
    conditional: bool = True
    gone: bool = False

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def _wrong(self, *kinds: str) -> str | None:
        if self.chance.random() >= self.rate:
            return None
        kind = self.chance.choice(kinds)
        self.faults.append(kind)
        return kind

    def _spoilt(self, data: bytes, kind: str | None) -> bytes:
        if not data:
            return data  # the end of a file: there is nothing to spoil
        if kind == "truncates":
            return data[: self.chance.randrange(len(data))]
        if kind == "corrupts":
            at = self.chance.randrange(len(data))
            return data[:at] + bytes([data[at] ^ self.chance.randrange(1, 256)]) + data[at + 1 :]
        return data

    def size(self, name: str) -> int | None:
        if self._wrong("fails"):
            raise OSError("it fails")
        return self.inner.size(name)

    def read(self, name: str, start: int, end: int) -> bytes:
        kind = self._wrong("fails", "truncates", "corrupts")
        if kind == "fails":
            raise TimeoutError("it is too slow")
        return self._spoilt(self.inner.read(name, start, end), kind)

    def put(self, name: str, source: Path) -> bool:
        return self.create(name, source.read_bytes())

    def create(self, name: str, data: bytes) -> bool:
        if self.inner.size(name) is not None:
            return False
        kind = self._wrong("fails", "fails after", "truncates", "corrupts")
        if kind == "fails":
            raise OSError("it fails")
        made = self.inner.create(name, self._spoilt(data, kind))
        if kind == "fails after":
            raise ConnectionResetError("it fails")
        return made

    def get(self, name: str) -> Sheet | None:
        if self._wrong("fails"):
            raise OSError("it fails")
        return self.inner.get(name)

    def replace(self, name: str, data: bytes, sheet: Sheet) -> bool:
        if self._wrong("fails"):
            raise OSError("it fails")
        return self.inner.replace(name, data, sheet)

    def remove(self, name: str) -> None:
        if self._wrong("fails"):
            raise OSError("it fails")
        self.inner.remove(name)

    def move(self, name: str, to: str) -> None:
        if self._wrong("fails"):
            raise OSError("it fails")
        self.inner.move(name, to)

    def names(self, folder: str) -> Iterator[tuple[str, int]]:
        if self._wrong("fails"):
            raise OSError("it fails")
        yield from self.inner.names(folder)
