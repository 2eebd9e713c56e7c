"""The desk of a run: what it was given, what it knows by now, and the hands that do local work."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from .errors import Problem
from .facts import Facts
from .kinds import exec  # noqa: A004
from .load import Loaded
from .plan import Decision, Plan
from .ports import Executor, Job, WorkerLost
from .store import LocalStore, copy, hash_file

LOST_MAX = 3
"""How often a job is run again after its process died."""

What = Literal["begun", "made", "done", "waiting", "blocked", "failed", "film", "note"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person may want to see: a shot (or "film") and what happened to it."""

    what: What
    shot: str
    text: str = ""
    take: int = 0


@dataclass(frozen=True, slots=True)
class Options:
    """``partial``: put a film together even where shots are missing, with slates for them."""

    partial: bool = False
    trusted: Callable[[str], bool] = lambda _: False
    """Whether a person trusts the command of this digest."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. ``made`` counts takes. ``exit_code`` is what the command ends with."""

    plan: Plan
    decisions: Mapping[str, Decision]
    facts: Facts
    made: int
    films: Sequence[Path]
    manifest: Path | None
    report: Path | None
    changed: int = 0
    """How many files in the output folder were written."""
    problems: Sequence[Problem] = ()

    @property
    def states(self) -> dict[str, str]:
        return {name: decision.state for name, decision in self.decisions.items()}

    @property
    def exit_code(self) -> int:
        states = set(self.states.values())
        if self.problems or "failed" in states:
            return 1
        return 5 if "waiting" in states else 0


@dataclass
class Desk:
    """One run. ``decisions``, ``takes`` and ``done`` grow while it goes on; ``facts`` shows them to the planner."""

    loaded: Loaded
    executor: Executor
    options: Options
    tell: Callable[[Event], None]
    decisions: dict[str, Decision] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        known = self.loaded.plan.facts
        self.takes = dict(known.takes)
        self.by_key: Any = known.by_key
        self.done: Any = known.done
        self.facts = replace(known, takes=self.takes)

    @property
    def plan(self) -> Plan:
        return self.loaded.plan

    @property
    def store(self) -> LocalStore:
        return self.loaded.project.store

    async def job(self, name: str, fn: str, args: Mapping[str, Any], timeout_s: float = 3600.0) -> dict[str, Any]:
        """A job, run again where its process died under it."""
        for attempt in range(1, LOST_MAX + 1):
            try:
                return await self.executor.run(Job(name, fn, args, timeout_s))
            except WorkerLost:
                if attempt == LOST_MAX:
                    raise
        raise AssertionError

    async def command(self, name: str, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, str]:
        """Run a command on stored clips; what it wrote is kept, and named by digest."""
        logs = self.store.root / "logs"
        with self.store.scratch() as folder:
            given = {n: str(_named(self.store, digest, folder, n)) for n, digest in inputs.items()}
            wrote = {n: str(folder / "out" / file) for n, file in settings["gives"].items()}
            (folder / "out").mkdir()
            logs.mkdir(exist_ok=True)
            order = exec.job(
                settings, inputs=given, outputs=wrote, pipeline=str(self.plan.pipeline.folder.resolve()),
                python=sys.executable, environ=self.facts.environ,
            )  # fmt: skip
            order |= {"folder": str(folder / "out"), "log": str(logs / f"{name}.txt")}
            await self.job(name, "runner.command:run", order, timeout_s=float(order["timeout"]) + 60)
            kept = {}
            for output, path in wrote.items():
                digest = await asyncio.to_thread(hash_file, Path(path))
                self.store.keep(Path(path), digest)
                kept[output] = digest
        return kept


def _named(store: LocalStore, digest: str, folder: Path, name: str) -> Path:
    """A stored clip under a name with its ending, since programs look at that."""
    with store.path(digest).open("rb") as stream:
        head = stream.read(64)
    suffix = ".webm" if head.startswith(b"\x1aE\xdf\xa3") else ".mov" if head[8:12] == b"qt  " else ".mp4"
    place = folder / f"{name}{suffix}"
    copy(store.path(digest), place)
    return place
