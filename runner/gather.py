"""What is known before a plan is made: takes, what is in flight, what was spent. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

from . import journal, money, rebuild, takes
from .amount import usd as dollars
from .errors import Place, Problem, StoryError
from .facts import Facts, Flight, Pictures
from .footage import OWN
from .journal import ENDED, Result, Submit
from .money import Charge
from .pipeline import Pipeline
from .plan import Lane, Plan
from .store import LocalStore, hash_file
from .storyboard import Storyboard
from .takes import Record, Take

T = TypeVar("T")
JOURNAL = "journal.sqlite"
Books = tuple[list[Submit], list[Result]]
"""What a journal says."""


class Known(dict[str, T], Generic[T]):
    """What is looked up when it is first asked for."""

    def __init__(self, ask: Callable[[str], T | None]) -> None:
        super().__init__()
        self._ask = ask

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            found = self._ask(name)
            if found is None:
                return default
            self[name] = found
        return self[name]


def facts(
    board: Storyboard, made: Pipeline, lane: Lane, file: Path, store: LocalStore, pictures: Pictures,
    environ: Mapping[str, str], told: list[Problem],
) -> Facts:  # fmt: skip
    """Everything that planning asks for. What is wrong with a takes file is added to ``told``."""
    records = {} if lane.rehearsal else _records(file, told)
    have: dict[str, tuple[Take, ...]] = {}
    wanted: dict[str, dict[str, int]] = {}
    written: dict[str, tuple[Take, ...]] = {}
    if not lane.draws:
        for record in records.values():
            for take in record.takes:
                written[take.key] = (*written.get(take.key, ()), take)
    bare = {take.identity for record in records.values() for take in record.unreplaced}
    filed = {take.identity for some in written.values() for take in some}

    books: Books = ([], []) if lane.draws else journal.read(store.root / JOURNAL)
    paid = _in_journal(books)

    def ask(key: str) -> tuple[Take, ...] | None:
        if lane.draws:
            return store.drawn(key) or None
        here = (take for take in store.drawn(key, whole=False) if take.provider != OWN or store.has(take.clip))
        known = {take.identity: take for take in paid.get(key, ())}
        known |= {take.identity: take for take in here}
        known |= {take.identity: take for take in written.get(key, ())}
        every = sorted(known.values(), key=lambda take: take.take)
        alive = tuple(take for take in every if not take.lost)
        # Where nothing came in the place of what was written off, it counts: buying it again asks for a person's word.
        return alive or tuple(replace(take, lost=False) for take in every if take.identity in bare) or None

    unread: dict[str, Problem] = {}
    by_key: Known[tuple[Take, ...]] = Known(ask)
    flying = {} if lane.draws else flights(file, store, books, by_key)
    variant = board.variant.name if board.variant is not None else None
    notebooks = dict.fromkeys((file.stem, notebook(file, variant)))
    noted_shots = {book: store.noted(lane.provider, book) for book in notebooks}
    for shot in board.shots:
        noted: dict[str, Any] = {}
        for book in notebooks:
            if shot.id in noted_shots[book]:
                noted = _joined(noted, store.lane_of(lane.provider, book, shot.id))
        mine = records[shot.id].takes if shot.id in records and not lane.draws else ()
        keys = dict.fromkeys([*(take.key for take in mine if take.serves(variant)), *noted.get("keys", [])])
        found = tuple(take for key in keys for take in by_key.get(key, ()))
        if found:
            have[shot.id] = found
        unfiled = [take for take in found if take.identity not in filed and take.provider != OWN]
        missing = not takes.path(file, shot.id).exists()
        if unfiled and (missing or shot.id in records) and not lane.draws and shot.id not in flying:
            told.append(_unfiled(file, shot.id, len(unfiled)))
            if missing and any(store.lane_of(lane.provider, book, shot.id).get("circled") for book in notebooks):
                unread[shot.id] = told[-1] = _uncircled(told[-1])
        if noted:
            wanted[shot.id] = noted.get("wanted", {})
    bought = [] if lane.draws else charges(file, store, records, books)
    return Facts(
        takes=have,
        by_key=by_key,
        circled={name: record.circled for name, record in records.items()},
        pinned={name: record.pinned for name, record in records.items() if record.pinned is not None},
        wanted=wanted,
        orphans={name: record.takes for name, record in records.items() if name not in board.by_id},
        done=Known(store.done),
        spent=sum((charge.usd for charge in bought), Decimal(0)),
        sources=tuple(sorted({source for charge in bought for source in charge.sources})),
        flights=flying,
        pictures=pictures,
        environ=environ,
        files=_files(made, told),
        lost={name: tuple(take for take in record.takes if take.lost) for name, record in records.items()},
        unread=unread,
    )


def notebook(file: Path, variant: str | None) -> str:
    """Where the store notes what a storyboard's shots were made with: each variant has a place of its own."""
    return file.stem if variant is None else f"{file.stem}/{variant}"


def _joined(first: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """What was noted of a shot before there were variants, and since."""
    keys = [key for key in first.get("keys", []) if key not in then.get("keys", [])]
    return {"keys": [*keys, *then.get("keys", [])], "wanted": {**first.get("wanted", {}), **then.get("wanted", {})}}


def charges(
    file: Path, store: LocalStore, records: Mapping[str, Record] | None = None, books: Books | None = None
) -> list[Charge]:
    """Everything that was ever charged for a storyboard, by task: takes files (orphans too), store and journal.

    ``records`` and ``books`` where they were read already.
    """
    records = _records(file, []) if records is None else records
    submits, results = books or journal.read(store.root / JOURNAL)
    submits = [submit for submit in submits if submit.board == file.stem]
    mine = {submit.uuid for submit in submits}
    told = [(name, take) for name, record in records.items() for take in record.takes]
    failed = {
        str(charge.get("task_uuid")): (name, Decimal(str(charge.get("usd", "0"))))
        for name, record in records.items()
        for charge in record.charges
    }
    return money.charges(told, submits, [result for result in results if result.uuid in mine], failed)


def flights(
    file: Path,
    store: LocalStore,
    books: Books | None = None,
    by_key: Mapping[str, tuple[Take, ...]] | None = None,
) -> dict[str, tuple[Flight, ...]]:
    """Every submit of a storyboard that has not ended, by shot.

    ``books``: the journal, where it was read already. ``by_key``: the takes that stand written down, of which the
    journal may not know the last ones yet.
    """
    submits, results = books or journal.read(store.root / JOURNAL)
    ended = {(result.uuid, result.video) for result in results if result.state == "recorded"}
    found: dict[str, tuple[Flight, ...]] = {}
    for submit in submits:
        if submit.board == file.stem and submit.state not in ENDED and submit.state != "intended":
            there = {video for uuid, video in ended if uuid == submit.uuid}
            known = () if by_key is None else by_key.get(submit.key, ())
            there |= {take.video_uuid or "" for take in known if take.task_uuid == submit.uuid}
            left = len(submit.takes) - len(there)
            flight = Flight(
                submit.uuid, submit.key, left, submit.state != "unknown", submit.reason, submit.estimate,
                submit.sent_at, submit.request.get("variant"),
            )  # fmt: skip
            found[submit.shot] = (*found.get(submit.shot, ()), flight)
    return found


def _in_journal(books: Books) -> dict[str, list[Take]]:
    """Every take that was received, as the journal tells of it, by key: bought once, whatever became of its records."""
    submits, results = books
    ended = {submit.uuid: submit for submit in submits if submit.state == "recorded"}
    found: dict[str, list[Take]] = {}
    for result in results:
        if result.clip is not None and result.uuid in ended:
            submit = ended[result.uuid]
            found.setdefault(submit.key, []).append(rebuild.from_journal(submit, result))
    return found


def _unfiled(file: Path, shot: str, number: int) -> Problem:
    what = f"{number} takes stand" if number > 1 else "a take stands"
    place = Place(f"{takes.folder(file).name}/{shot}.yaml")
    return Problem(f"{what} in the store or journal, and not in this file", "matchcut takes rebuild", place, "warning")


def _uncircled(problem: Problem) -> Problem:
    fact = f"{problem.fact}, which is gone: the circles that were in it do not count until it is made anew"
    return replace(problem, fact=fact)


def _records(file: Path, told: list[Problem]) -> dict[str, Record]:
    """Every takes file of a storyboard, those of shots it no longer has as well."""
    folder = takes.folder(file)
    if not folder.is_dir():
        return {}
    records = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            record = takes.read(path, f"{folder.name}/{path.name}", told)
            records[record.shot] = record
        except StoryError as error:
            told += error.problems
    return records


def orphans(plan: Plan, file: Path) -> Iterator[Problem]:
    """A warning for each takes file without a shot, with the shot it probably belongs to now."""
    bare = [shot.id for shot in plan.board.shots if not plan.facts.takes.get(shot.id)]
    for name, some in plan.facts.orphans.items():
        usd = sum((Decimal(take.usd) for take in some if take.usd), Decimal(0))
        cost = f"; the {dollars(usd)} they cost still count" if usd else ""
        fact = f'these are the takes of shot "{name}", which the storyboard does not have{cost}'
        likely = next((shot for shot in bare if _likely(plan, shot, some)), None)
        remedy = f"matchcut rename {name} {likely or 'NEW'}, if it has another name now"
        yield Problem(fact, remedy, Place(f"{takes.folder(file).name}/{name}.yaml"), "warning")


def _likely(plan: Plan, shot: str, some: tuple[Take, ...]) -> bool:
    """Whether takes were made for just what a shot asks for, or at least for the same prompt."""
    asked = plan.decisions[shot].key
    if asked is not None and any(take.key == asked.digest for take in some):
        return True
    prompts = [take.parts.get("request", {}).get("positivePrompt") for take in some]
    return plan.briefs[shot].request.get("positivePrompt") in prompts


def _files(made: Pipeline, told: list[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for step in (*made.shot, *made.film):
        for n, name in enumerate(step.settings.get("files", []) if step.kind == "exec" else []):
            path = made.folder / name
            if path.is_file():
                found[name] = hash_file(path)
            else:
                place = made.document.place((*step.route, "with", "files", n))
                told.append(Problem(f"{name} does not exist in the pipeline's folder", None, place))
    return found
