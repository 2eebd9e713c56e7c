"""The ledger: every task that was accepted and what it was charged, kept over restarts where a file is given."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..errors import StoryError
from .jobs import Job

FORMAT = 1


class Ledger:
    """What the stand-in would have charged, USD. A task is in the file before anybody hears that it was accepted."""

    def __init__(self, path: Path | None = None, world: object = None) -> None:
        """``world``: what costs follow from besides the requests. A file of another world is refused: StoryError."""
        self.jobs: dict[str, list[Job]] = {}
        self._charged = Decimal(0)
        self._keeps = path is not None
        told = json.dumps(world)
        with ExitStack() as stack:
            try:
                self._file = stack.enter_context(closing(sqlite3.connect(path or ":memory:", isolation_level=None)))
                kept = _opened(self._file, told)
            except sqlite3.DatabaseError as bad:
                raise StoryError.of(f"{path} can't be a ledger: {bad}", "--state with another file") from bad
            if kept != told:
                raise StoryError.of(
                    f"{path} was written by a server with another seed or other troubles: {kept}",
                    "the same --seed, --trouble and --trouble-kinds, or another --state",
                )
            stack.pop_all()

    def kept(self) -> Iterator[tuple[dict[str, Any], int, float]]:
        """Tasks that a server before this one accepted: request, which generation of its UUID, and when."""
        for request, nth, accepted in self._file.execute("SELECT request, nth, accepted FROM tasks ORDER BY rowid"):
            yield json.loads(request), nth, accepted

    def accept(self, job: Job) -> None:
        """Write an accepted task down, and charge it."""
        if self._keeps:
            row = (json.dumps(job.request), job.nth, job.accepted)
            self._file.execute("INSERT INTO tasks VALUES (?, ?, ?)", row)
        self.recall(job)

    def recall(self, job: Job) -> None:
        """A task that is written down already."""
        self.jobs.setdefault(job.uuid.lower(), []).append(job)
        self._charged += job.usd

    def known(self, uuid: str) -> list[Job]:
        """The generations of a UUID: none, one, or more where it came twice before it was registered."""
        return self.jobs.get(uuid.lower(), [])

    def all(self) -> list[Job]:
        return [job for jobs in self.jobs.values() for job in jobs]

    def total(self) -> Decimal:
        """All that was charged, USD."""
        return self._charged

    def as_json(self, status: Callable[[Job], str]) -> dict[str, Any]:
        """``total`` and ``tasks`` in order of acceptance, amounts in USD."""
        tasks = [
            {
                "taskUUID": job.uuid, "model": job.card.id, "numberResults": len(job.pieces),
                "cost": float(job.usd), "status": status(job),
            }
            for job in sorted(self.all(), key=lambda each: each.accepted)
        ]  # fmt: skip
        return {"total": float(self._charged), "tasks": tasks}

    def clear(self) -> None:
        """Forget everything, in the file too."""
        self.jobs.clear()
        self._charged = Decimal(0)
        self._file.execute("DELETE FROM tasks")

    def close(self) -> None:
        self._file.close()


def _opened(file: sqlite3.Connection, told: str) -> str:
    """Make the tables where there are none; the world that the file is of."""
    (version,) = file.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        fact = f"this ledger has format {version}; this matchcut reads up to {FORMAT}"
        raise StoryError.of(fact, "a newer matchcut, or --state with another file")
    file.execute(f"PRAGMA user_version = {FORMAT}")
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = NORMAL")
    file.execute("CREATE TABLE IF NOT EXISTS tasks (request TEXT NOT NULL, nth INTEGER, accepted REAL)")
    file.execute("CREATE TABLE IF NOT EXISTS world (told TEXT NOT NULL)")
    file.execute("INSERT INTO world SELECT ? WHERE NOT EXISTS (SELECT * FROM world)", (told,))
    (kept,) = file.execute("SELECT told FROM world").fetchone()
    return str(kept)
