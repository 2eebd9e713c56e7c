"""The desk of a run: what it was given, what it knows by now, and the hands that do local work and write it down."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Protocol

from . import takes
from .errors import Problem, StoryError
from .facts import Facts, Flight
from .footage import OWN
from .kinds import exec  # noqa: A004
from .load import Loaded
from .plan import Decision, Plan
from .ports import Executor, Job, Order, ProviderError, WorkerLost
from .store import LocalStore, copy, hash_file
from .takes import Record, Take

_CODES = (6, 1, 4, 5)
"""What counts first where several hold."""
LOST_MAX = 3
"""How often a job is run again after its process died."""

What = Literal["begun", "made", "done", "waiting", "blocked", "unknown", "failed", "film", "note"]


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
    spend: bool = True
    """False: nothing is bought. What is in flight already is fetched."""
    resend: bool = True
    """False: what may not have arrived is not sent again either; it is only asked for."""
    again: bool = False
    """Whether a person agreed that what was bought already, and is not to be had, is bought again."""


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
    told: frozenset[str] = frozenset()
    """The shots of which one of the problems tells."""

    @property
    def states(self) -> dict[str, str]:
        return {name: decision.state for name, decision in self.decisions.items()}

    codes: frozenset[int] = frozenset()

    @property
    def exit_code(self) -> int:
        states = set(self.states.values())
        holding = self.codes | {code for state, code in (("waiting", 5), ("unknown", 6)) if state in states}
        holding |= {1} if self.problems and not self.codes else set()
        return next((code for code in _CODES if code in holding), 0)


class Unknown(Exception):
    """Nobody knows how a submit ended, and it is too late to find out by sending it again."""


class Sharing(Protocol):
    """Who shares purchases with others is told of them."""

    async def sending(self, key: str) -> None:
        """The takes of a key are about to be bought. Raises StoryError where they must not be."""
        ...

    async def recorded(self, shot: str, take: Take) -> None:
        """A take was written down."""
        ...

    def fetched(self, shot: str, clip: str) -> bool:
        """Whether a clip that was damaged here came whole from where others find it. Called in any thread."""
        ...


@dataclass
class Desk:
    """One run. ``decisions``, ``takes`` and ``done`` grow while it goes on; ``facts`` shows them to the planner."""

    loaded: Loaded
    executor: Executor
    options: Options
    tell: Callable[[Event], None]
    decisions: dict[str, Decision] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)
    """Exit codes that hold."""
    told: set[str] = field(default_factory=set)
    """The shots of which one of the problems tells."""
    made: int = 0
    sharing: Sharing | None = None

    def __post_init__(self) -> None:
        known = self.loaded.plan.facts
        self.takes = dict(known.takes)
        self.flights = dict(known.flights)
        self.by_key: Any = known.by_key
        self.done: Any = known.done
        self.lost = dict(known.lost)
        self.mislaid: list[tuple[str, Take]] = []
        """Takes whose clips are nowhere, with their shots, each until another take is there in its place."""
        self.facts = replace(known, takes=self.takes, flights=self.flights, lost=self.lost)
        self.writing: dict[str, asyncio.Lock] = {}

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

    @property
    def stem(self) -> str:
        return self.loaded.project.stem

    @property
    def variant(self) -> str | None:
        return self.loaded.project.variant

    # what failed

    def fail(self, name: str, error: BaseException) -> str:
        """Tell a failure of a shot (or of "film"); the fact in short. Exit codes are gathered on the way."""
        if isinstance(error, StoryError):
            problems, code = list(error.problems), error.exit_code if error.exit_code in (4, 6) else 1
        elif isinstance(error, ProviderError):
            problems, code = [Problem(error.fact, error.remedy)], 4 if error.trouble == "money" else 1
        elif isinstance(error, Unknown):
            remedy = f"matchcut resolve {name}: it asks again, or takes your word"
            problems, code = [Problem(f"nobody knows how its purchase ended: {error}", remedy)], 6
        elif isinstance(error, TimeoutError):
            problems, code = [Problem("the work took too long and was stopped")], 1
        else:
            problems, code = [self._ours(name, error)], 1
        self.codes.add(code)
        self.told.add(name)
        shot = self.plan.board.by_id.get(name)
        place = self.plan.board.document.place((*shot.route, "shot")) if shot is not None else None
        head = {4: f'shot "{name}" is not bought', 6: f'shot "{name}"'}.get(code, f'shot "{name}" failed')
        head = "the film failed" if name == "film" else head
        self.problems += [replace(p, fact=f"{head}: {p.fact}", place=place) for p in problems]
        return problems[0].fact

    def _ours(self, name: str, error: BaseException) -> Problem:
        """A failure that is no fault of the author's: the whole of it goes to a log."""
        log = self.store.root / "logs" / f"{name}.txt"
        self.store.write(log, str(error).encode())
        said = str(error).strip().splitlines() or [type(error).__name__]
        return Problem(f"a fault in matchcut: {said[-1]}", f"report it, with .matchcut/logs/{log.name}")

    # clips

    async def receive(self, name: str, take: int, clip: Path, order: Order, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Decode a clip once: its digest, facts, frames and measurements. Pictures go into the store at once."""
        args = {
            "clip": str(clip), "frames": sorted(self.plan.selectors(name)), "asked": dict(asked),
            "first": str(order.first) if order.first else None, "last": str(order.last) if order.last else None,
            "into": str(self.store.pictures), "contacts": str(self.store.contacts),
        }  # fmt: skip
        return await self.job(f"{name} take {take}: receive", "runner.media.receive:receive", args)

    async def keep_clip(self, clip: Path, got: Mapping[str, Any]) -> None:
        """Move a received clip into the store."""
        await asyncio.to_thread(self.store.keep, clip, got["digest"])

    async def record(self, name: str, take: Take) -> Take:
        """Write a take down: in the store, and where it was bought in the shot's takes file. As it stands there."""
        new = all(other.identity != take.identity for other in self.by_key.get(take.key, ()))
        async with self.writing.setdefault(name, asyncio.Lock()):
            take = await asyncio.to_thread(self._record, name, take)
        if new and take.provider != OWN:
            await self._replaced(name, take)
        if take.serves(self.variant):
            self.takes[name] = _with(self.takes.get(name, ()), take)
        self.by_key[take.key] = _with(self.by_key.get(take.key, ()), take)
        if self.sharing is not None:
            await self.sharing.recorded(name, take)
        return take

    async def lose(self, name: str, take: Take) -> None:
        """Write down that the clip of a take is nowhere any more. The take stays on the record and counts no more."""
        await self._lost(name, take)
        self._forget(name, take)

    def mislay(self, name: str, take: Take) -> None:
        """Count a take no more in this run: its clip is nowhere. It is written down as lost once another is there."""
        self._forget(name, take)
        self.mislaid.append((name, take))

    async def _replaced(self, name: str, new: Take) -> None:
        """A take is there in the place of one that is nowhere: of its key, or of its shot, which may have another key
        by now, since what it begins on was made again as well."""
        same = [one for one in self.mislaid if one[1].key == new.key]
        mine = same or [one for one in self.mislaid if one[0] == name]
        if mine:
            self.mislaid.remove(mine[0])
            await self._lost(*mine[0])

    async def _lost(self, name: str, take: Take) -> None:
        async with self.writing.setdefault(name, asyncio.Lock()):
            await asyncio.to_thread(self._record, name, replace(take, lost=True))

    def _forget(self, name: str, take: Take) -> None:
        for shot, mine in self.takes.items():
            self.takes[shot] = tuple(other for other in mine if other.identity != take.identity)
        self.by_key[take.key] = tuple(t for t in self.by_key.get(take.key, ()) if t.identity != take.identity)
        self.lost[name] = (*self.lost.get(name, ()), take)

    def _record(self, name: str, take: Take) -> Take:
        def keep(take: Take) -> None:
            self.store.record(take)
            if take.serves(self.variant):
                self.store.note(self.plan.lane.provider, self.loaded.project.notebook, name, key=take.key)

        if self.plan.lane.draws or take.provider == OWN:  # what is in the project needs no record beside it
            keep(take)
            return take
        try:
            new = self._amended(name, lambda record: record.with_take(take))
        except StoryError:
            keep(take)  # it is paid for: it is not lost, whatever is wrong with the file
            raise
        take = new.same(take)
        keep(take)
        self._write(name, new)
        return take

    async def adopt(self, name: str, take: Take) -> None:
        """What was bought for another variant serves this one too: it is written down as a part of its history."""
        variant = self.variant
        if variant is None or take.serves(variant):
            return

        def write() -> None:
            self._write(name, self._amended(name, lambda record: record.with_variant(take.key, variant)))

        async with self.writing.setdefault(name, asyncio.Lock()):
            await asyncio.to_thread(write)
        mine = self.takes.get(name, ())
        self.takes[name] = (*mine, *(t for t in self.by_key.get(take.key, ()) if t not in mine))

    def _amended(self, name: str, change: Callable[[Record], Record]) -> Record:
        """A shot's takes file as it will be. What its next write changes besides is told."""
        told: list[Problem] = []
        file = takes.path(self.loaded.project.file, name)
        record = takes.read(file, f"{file.parent.name}/{file.name}", told)
        for problem in told:
            self.tell(Event("note", name, problem.fact))
        return change(replace(record, shot=name))

    def _write(self, name: str, record: Record) -> None:
        self.store.replace(takes.path(self.loaded.project.file, name), takes.text(record).encode())

    async def charged(self, name: str, uuid: str, usd: Decimal, why: str) -> None:
        """Book what a failed call was charged in the shot's takes file."""
        async with self.writing.setdefault(name, asyncio.Lock()):
            await asyncio.to_thread(
                lambda: self._write(name, self._amended(name, lambda record: record.with_charge(uuid, usd, why)))
            )

    # what is in flight

    def flying(self, name: str, flight: Flight) -> None:
        """A submit of a shot is in flight, or nobody knows."""
        others = [other for other in self.flights.get(name, ()) if other.uuid != flight.uuid]
        self.flights[name] = (*others, flight)

    def landed(self, name: str, uuid: str) -> None:
        """A submit has ended."""
        self.flights[name] = tuple(other for other in self.flights.get(name, ()) if other.uuid != uuid)

    # commands

    async def command(self, name: str, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, str]:
        """Run a command on stored clips; what it wrote is kept, and named by digest."""
        logs = self.store.root / "logs"
        with self.store.scratch() as scratch:
            folder = scratch.absolute()  # the command runs elsewhere
            given = {n: str(_named(self.store, digest, folder, n)) for n, digest in inputs.items()}
            wrote = {n: str(folder / "out" / file) for n, file in settings["gives"].items()}
            (folder / "out").mkdir()
            logs.mkdir(exist_ok=True)
            order = exec.job(
                settings, inputs=given, outputs=wrote, pipeline=str(self.plan.pipeline.folder.resolve()),
                python=sys.executable, environ=self.facts.environ,
            )  # fmt: skip
            order |= {"folder": str(folder / "out"), "log": str((logs / f"{name}.txt").absolute())}
            await self.job(name, "runner.command:run", order, timeout_s=float(order["timeout"]) + 60)
            return await asyncio.to_thread(self._kept, wrote)

    def _kept(self, wrote: Mapping[str, str]) -> dict[str, str]:
        kept = {output: hash_file(Path(path)) for output, path in wrote.items()}
        for output, path in wrote.items():
            self.store.keep(Path(path), kept[output])
        return kept


def _with(known: Sequence[Take], take: Take) -> tuple[Take, ...]:
    """Some takes and one more, which goes in the place of what was known of it before."""
    if any(other.identity == take.identity for other in known):
        return tuple(take if other.identity == take.identity else other for other in known)
    return (*known, take)


def _named(store: LocalStore, digest: str, folder: Path, name: str) -> Path:
    """A stored clip under a name with its ending, since programs look at that."""
    with store.path(digest).open("rb") as stream:
        head = stream.read(64)
    suffix = ".webm" if head.startswith(b"\x1aE\xdf\xa3") else ".mov" if head[8:12] == b"qt  " else ".mp4"
    place = folder / f"{name}{suffix}"
    copy(store.path(digest), place)
    return place
