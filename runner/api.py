"""The library: load, plan and run a storyboard from Python, without printing."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import config, cut, gather, lock, money, needs, takes
from . import rebuild as rebuild_
from . import rename as rename_
from . import variant as variants_
from .brief import Brief
from .buying import Patience, Stop
from .clock import RealClock
from .diff import Diff, Side, compare
from .errors import Problem, StoryError, did_you_mean, in_order
from .executors import EXECUTORS
from .finish import finish
from .git import repository
from .journal import Journal
from .load import Loaded, about, loads
from .load import load as _load
from .load import variants as _variants
from .money import Budget, Purse
from .perform import perform
from .plan import WHOLE, Decision, Part, Plan, with_warnings
from .ports import Clock, Executor, Setting
from .providers import provider as provider_of
from .rebuild import Rebuilt
from .rebuild import Side as RebuildSide
from .remote import SharedStore
from .rename import Renamed
from .revision import Revision, between, plan_at, renamed
from .saved import Saved, begin
from .shelf import shelf
from .store import LocalStore
from .trust import Trust, foreign
from .work import Desk, Event, Options, Outcome


def load(
    storyboard: str | Path,
    *,
    provider: str | None = None,
    out: str | Path | None = None,
    variant: str | None = None,
    allow_outside: bool = False,
    environ: Mapping[str, str] | None = None,
    part: Part = WHOLE,
) -> Loaded:
    """Read and check a storyboard with all that belongs to it. Reads only. ``part``: the shots that it is about.

    ``variant`` names one where the storyboard has several: ``variants`` gives their names. Raises StoryError with
    every problem, in file order.
    """
    environ = os.environ if environ is None else environ
    return _load(
        storyboard, provider=provider, out=out, variant=variant, allow_outside=allow_outside, environ=environ,
        part=part,
    )  # fmt: skip


def variants(storyboard: str | Path, *, allow_outside: bool = False) -> tuple[str, ...]:
    """The names of a storyboard's variants, in their order; none where it has no ``variants:``.

    Raises StoryError with every problem of its files and their names.
    """
    path = Path(storyboard)
    return _variants(path / "storyboard.yaml" if path.is_dir() else path, allow_outside=allow_outside)


def plan(
    storyboard: str | Path,
    *,
    provider: str | None = None,
    variant: str | None = None,
    allow_outside: bool = False,
    part: Part = WHOLE,
) -> Plan:
    """What a run would make, in what order, why, and what it would cost in USD. Reads only.

    Raises StoryError with every problem, in file order.
    """
    return load(storyboard, provider=provider, variant=variant, allow_outside=allow_outside, part=part).plan


def diff(
    storyboard: str | Path = "storyboard.yaml",
    revision: str = "HEAD",
    *,
    provider: str | None = None,
    variant: str | None = None,
    allow_outside: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Diff:
    """What changed since a git revision: shots, words, what follows, and what a run would cost in USD. Reads only.

    ``revision``: ``"main"`` is compared with the work tree, ``"main..idea"`` and ``"main...idea"`` (since they parted)
    with each other. The takes that count are those known here and now. Raises StoryError with every problem of both
    versions; those of a revision's files are placed as ``REV:path:line:col``.
    """
    path, environ = Path(storyboard), os.environ if environ is None else environ
    if path.is_dir():
        path /= "storyboard.yaml"
    git = repository(path.parent, environ)
    older, newer = between(git, revision)
    top = git.path(path)
    told: list[Problem] = []

    def planned(at: Revision | None, name: str) -> Plan | None:
        try:
            if at is None:
                return _load(
                    path, provider=provider, variant=variant, allow_outside=allow_outside, environ=environ
                ).plan  # fmt: skip
            return plan_at(
                at, name, path, provider=provider, variant=variant, allow_outside=allow_outside, environ=environ
            )  # fmt: skip
        except StoryError as error:
            told.extend(error.problems)
            return None

    new, was, before = planned(newer, top), top, None
    if new is not None and top not in older.tree:
        there = (lambda name: git.file(name).exists()) if newer is None else newer.tree.__contains__
        was = renamed(older, new.board.id, there) or top
    if was in older.tree:
        before = planned(older, was)
    if new is None or told:
        raise StoryError(in_order(told))
    now = Side("the work tree", None, top) if newer is None else Side(newer.name, newer.commit, top)
    return compare(before, new, (Side(older.name, older.commit, was), now))


def run(
    storyboard: str | Path | Loaded,
    *,
    provider: str | None = None,
    out: str | Path | None = None,
    variant: str | None = None,
    budget: Decimal | None = None,
    yes: bool = False,
    spend: bool = True,
    partial: bool = False,
    trust: bool = False,
    allow_outside: bool = False,
    allow_unpriced: bool = False,
    part: Part = WHOLE,
    saved: Saved | None = None,
    buy_again: bool = False,
    patience: Patience | None = None,
    tell: Callable[[Event], None] = lambda _: None,
) -> Outcome:
    """Make what is missing, then the film and its manifest. What is there already is not made again.

    ``budget`` is a ceiling in USD for all that the storyboard ever costs; the lowest of it, the storyboard's and
    MATCHCUT_BUDGET holds. Buying needs ``yes`` or a ceiling. ``spend=False`` buys nothing, and fetches what is in
    flight. ``buy_again``: clips that were bought and are nowhere to be had are bought again, as new takes. ``part``:
    the shots that it is about. ``saved``: a plan that somebody saw, carried out once, as long as nothing has changed,
    and up to what it said; pass the part and the provider it names. ``trust`` says that the pipeline's commands may run
    as they are now; it is remembered. ``tell`` is called with what happens. ``patience``: how long a purchase of
    unclear outcome is asked about; made for rehearsals with a service that answers sooner. Raises StoryError where
    nothing can be begun; what fails later stands in the outcome.
    """
    if isinstance(storyboard, Loaded):
        loaded = storyboard
    else:
        loaded = load(
            storyboard, provider=provider, out=out, variant=variant, allow_outside=allow_outside, part=part
        )  # fmt: skip
    settings = config.read(loaded.project.folder, loaded.plan.facts.environ)
    remembered = Trust(settings.home)
    if trust:
        remembered.add(loaded.pipeline, loaded.plan.facts.files)
    options = Options(partial=partial, trusted=remembered.has, spend=spend, resend=spend, again=buy_again and spend)
    ceiling = _ceiling(loaded, budget, settings.budget, saved)
    clock = RealClock()

    async def go(fresh: Loaded, executor: Executor) -> Outcome:
        if saved is not None:
            begin(saved, fresh)
        if spend and fresh.plan.spends and fresh.plan.facts.unread:
            raise StoryError(replace(problem, severity="error") for problem in fresh.plan.facts.unread.values())
        _addressed(fresh, remembered)
        provider = provider_of(fresh.lane.provider, setting(fresh, executor, clock, tell))
        journal = purse = None
        stop = Stop()
        try:
            if not fresh.lane.draws:
                work = fresh.plan.spends or (buy_again and any(one.buy for one in needs.missing(fresh)))
                if spend and ceiling is None and not yes and work:
                    fact = "this run may spend money, and nobody has said how much"
                    raise StoryError.of(fact, "--yes, --budget 12.00, or budget: in the storyboard", exit_code=4)
                journal = Journal(fresh.project.store.root / gather.JOURNAL)
                purse = Purse(ceiling, fresh.plan.facts.spent, allow_unpriced)
                for submit in journal.open(board=fresh.project.stem):
                    purse.hold(submit, journal.results(submit.uuid))
            with stoppable(stop if journal is not None else None):
                return await perform(
                    fresh, provider, executor, journal=journal, purse=purse, clock=clock, options=options,
                    patience=patience, place=_place(fresh), stop=stop, shared=_shared(fresh, settings), tell=tell,
                )  # fmt: skip
        finally:
            await provider.aclose()
            if journal is not None:
                journal.close()

    return _held(loaded, settings.jobs, go)


def _ceiling(loaded: Loaded, given: Decimal | None, own: Decimal | None, saved: Saved | None) -> Budget | None:
    """The budget that binds a run: the lowest of those that are set."""
    place = loaded.board.document.place(("budget",))
    again = "matchcut plan -o FILE makes a new one"
    return money.lowest(
        Budget(loaded.board.budget, "`budget:`", place) if loaded.board.budget is not None else None,
        Budget(given, "--budget") if given is not None else None,
        Budget(own, "MATCHCUT_BUDGET") if own is not None else None,
        Budget(saved.ceiling, f"the saved plan {saved.file}", remedy=again)
        if saved and saved.ceiling is not None
        else None,
    )


def report(
    storyboard: str | Path | Loaded,
    *,
    provider: str | None = None,
    out: str | Path | None = None,
    variant: str | None = None,
    allow_outside: bool = False,
) -> Outcome:
    """Put film, manifest and report together from what is there. Nothing is made."""
    if isinstance(storyboard, Loaded):
        loaded = storyboard
    else:
        loaded = load(storyboard, provider=provider, out=out, variant=variant, allow_outside=allow_outside)
    remembered = Trust(config.read(loaded.project.folder).home)

    async def go(fresh: Loaded, executor: Executor) -> Outcome:
        fresh.project.store.make()
        desk = Desk(fresh, executor, Options(trusted=remembered.has), lambda _: None, dict(fresh.plan.decisions))
        return await finish(desk)

    return _held(loaded, 1, go)


def circle(
    storyboard: str | Path, shot: str, take: str | None, *, variant: str | None = None, allow_outside: bool = False
) -> Plan:
    """Choose a take for a shot's present key, or none; the plan afterwards. Raises StoryError.

    ``variant`` may be left out where the shot is the same in all variants.
    """
    loaded = about(storyboard, shot, variant, allow_outside=allow_outside)
    key = _key(loaded, shot)
    if take is not None:
        return _circled(loaded, shot, key, _meant(loaded, shot, key, take))
    return _amended(loaded, shot, lambda record: record.with_circle(key, None), circled={key: None})


def _meant(loaded: Loaded, shot: str, key: str, wanted: str) -> takes.Take:
    """The take that a number, or the beginning of a clip's digest, means among those of a key. Raises StoryError."""
    mine = [take for take in loaded.plan.facts.by_key.get(key, ()) if take.key == key]
    older = takes.find(loaded.plan.facts.takes.get(shot, ()), wanted)
    if older and not takes.find(mine, wanted):
        fact = f"take {wanted} of shot {shot} was made for other words or frames than its present ones"
        last = loaded.plan.decisions[shot].take
        named = "" if last is not None and older == [last] else f" --take {wanted}"
        raise StoryError.of(fact, f"matchcut accept {shot}{named}, if it is right for these all the same")
    return _among(mine, shot, wanted, " for its present words and frames")


def _among(mine: Sequence[takes.Take], shot: str, wanted: str, what: str = "") -> takes.Take:
    found = takes.find(mine, wanted)
    if len(found) > 1:
        which = " or ".join(f"take {take.take} ({take.clip[:20]})" for take in found)
        raise StoryError.of(f"{wanted} may be {which} of shot {shot}", "its number, or more digits")
    if not found:
        have = ", ".join(f"{take.take}" for take in mine)
        remedy = f"one of: {have}" if have else "matchcut run makes it; `matchcut takes` lists what there is"
        raise StoryError.of(f"shot {shot} has no take {wanted}{what}", remedy)
    return found[0]


def rebuild(storyboard: str | Path, *, side: RebuildSide | None = None, force: bool = False) -> Rebuilt:
    """Make the takes files of a storyboard anew from what can be read of them, the journal and the store.

    The storyboard itself is not read. See ``runner.rebuild.rebuild`` for ``side`` and ``force``. Raises StoryError.
    """
    path = Path(storyboard)
    path = path / "storyboard.yaml" if path.is_dir() else path
    if not path.is_file() and not takes.folder(path).is_dir():
        raise StoryError.of(f"{path} does not exist")
    store = LocalStore(path.parent / ".matchcut")
    with lock.held(store.root, RealClock().now()):
        store.make()
        return rebuild_.rebuild(path, store, side=side, force=force)


def rename(storyboard: str | Path, old: str, new: str, *, allow_outside: bool = False) -> Renamed:
    """Give a shot another id: in the storyboard's text, its takes file, this machine's notes and the journal.

    Where the storyboard has the new id and not the old one, what is recorded goes along. The text is written first:
    whatever comes between, running the same again ends it. Raises StoryError, before anything is written where it
    cannot be done.
    """
    loaded = loads(storyboard, allow_outside=allow_outside)[0]
    file, store, stem = loaded.project.file, loaded.project.store, loaded.project.stem
    notes: list[str] = []
    with lock.held(store.root, RealClock().now()):
        store.make()
        found = loads(storyboard, allow_outside=allow_outside)  # a shot has the same id in all variants
        loaded = found[0]
        path = store.root / gather.JOURNAL
        books = Journal(path) if path.is_file() else None
        try:
            submits = books.submits(board=stem) if books is not None else []
            known = takes.path(file, old).is_file() or any(submit.shot == old for submit in submits)
            known |= any(board.partition("/")[0] == stem and old in store.noted(lane, board)
                         for lane, board in store.boards())  # fmt: skip
            edit = rename_.check(loaded.board, old, new, known=known)
            texts = rename_.edited(loaded.board, old, new, folder=loaded.project.folder) if edit else {}
            for name, text in texts.items():
                rename_.write(file.parent / name if name else file, text, store)
                notes += [f"{name} is changed: whatever else includes it has the new name too"] if name else []
            purchases = books.rename(stem, old, new) if books is not None else 0
        finally:
            if books is not None:
                books.close()
        store.move_notes(stem, old, new)
        record, moved = rename_.move_takes(file, old, new, store)
    before = _prompts(found)
    after = _prompts(loads(storyboard, allow_outside=allow_outside))
    prompts = (
        shot
        for (which, shot), prompt in after.items()
        if before.get((which, old if edit and shot == new else shot)) != prompt
    )
    return Renamed(edit, record, purchases, tuple(dict.fromkeys(prompts)), (*notes, *moved))


def _prompts(found: Sequence[Loaded]) -> dict[tuple[str | None, str], tuple[Any, ...]]:
    """The rendered words of every shot, by variant and shot."""
    each = ((loaded.project.variant, loaded.plan.briefs.items()) for loaded in found)
    return {(variant, shot): _prompt(brief) for variant, briefs in each for shot, brief in briefs}


def _prompt(brief: Brief) -> tuple[Any, ...]:
    return brief.words.prompt, brief.words.negative


def accept(
    storyboard: str | Path,
    shot: str,
    take: str | None = None,
    *,
    variant: str | None = None,
    allow_outside: bool = False,
) -> Plan:
    """Say that a take made for other words or frames is right for the present ones; the plan afterwards.

    ``take``: by number or digest; None: the one that was in use last. Raises StoryError.
    """
    loaded = about(storyboard, shot, variant, allow_outside=allow_outside)
    key = _key(loaded, shot)
    mine = loaded.plan.facts.takes.get(shot, ())
    found = loaded.plan.decisions[shot].take if take is None else _among(mine, shot, take)
    if found is None:
        raise StoryError.of(f"shot {shot} has no take")
    if found.key == key:
        raise StoryError.of(
            f"take {found.take} of {shot} was made for these words and frames", f"matchcut circle {shot} {found.take}"
        )
    return _circled(loaded, shot, key, found)


def _circled(loaded: Loaded, shot: str, key: str, take: takes.Take) -> Plan:
    """The plan after a take was chosen for a key."""
    if loaded.lane.draws:
        drawn = takes.Circle(drawn=(take.key, take.take))
        return _amended(loaded, shot, lambda record: record.with_circle(key, drawn), circled={key: drawn})
    circle = takes.Circle(clip=take.clip)

    def change(record: takes.Record) -> takes.Record:
        # Another shot that asks for the same may have had it made: a circle stands beside its take.
        there = any(circle.fits(mine) for mine in record.takes)
        return (record if there else record.with_take(take)).with_circle(key, circle)

    return _amended(loaded, shot, change, circled={key: circle})


def pin(
    storyboard: str | Path, shot: str, *, pinned: bool = True, variant: str | None = None, allow_outside: bool = False
) -> Plan:
    """Keep the frame that a shot's take begins on, whatever becomes of the shot before it; the plan afterwards.

    ``pinned`` False: it begins on what the storyboard says again. Raises StoryError.
    """
    loaded = about(storyboard, shot, variant, allow_outside=allow_outside)
    decision = _decision(loaded, shot)
    frame = None
    if pinned:
        frame = cut.given(decision.take) if decision.take is not None else None
        if frame is None:
            why = "begins on no frame" if decision.take is not None else "has no take yet"
            raise StoryError.of(f"{shot} {why}: there is nothing to keep", None)
    return _amended(loaded, shot, lambda record: replace(record, pinned=frame))


def _amended(
    loaded: Loaded,
    shot: str,
    change: Callable[[takes.Record], takes.Record],
    *,
    circled: Mapping[str, takes.Circle | None] | None = None,
) -> Plan:
    """The plan after a change of a shot's takes file; what is circled is noted in the store as well."""
    project, store, told = loaded.project, loaded.project.store, list[Problem]()
    file = takes.path(project.file, shot)
    with lock.held(store.root, RealClock().now()):
        store.make()
        record = takes.read(file, f"{file.parent.name}/{file.name}", told)
        store.replace(file, takes.text(replace(change(record), shot=shot)).encode())
        if circled is not None:
            noted = {key: None if circle is None else circle.as_data() for key, circle in circled.items()}
            store.note(loaded.lane.provider, project.stem, shot, circled=noted)
    after = load(project.file, variant=project.variant, allow_outside=loaded.pictures.allow_outside).plan
    return with_warnings(after, told)


def retake(
    storyboard: str | Path,
    shot: str,
    more: int = 1,
    *,
    provider: str | None = None,
    variant: str | None = None,
    allow_outside: bool = False,
) -> Plan:
    """Ask for more takes of a shot under its present key than there are, or will be; the plan afterwards.

    Raises StoryError.

    ``variant`` may be left out where the shot is the same in all variants.
    """
    loaded = about(storyboard, shot, variant, provider=provider, allow_outside=allow_outside)
    key = _key(loaded, shot)
    decision = loaded.plan.decisions[shot]
    flying = (f.takes for some in loaded.plan.facts.flights.values() for f in some if f.key == key)
    want = decision.have + sum(flying) + decision.buy + more
    with lock.held(loaded.project.store.root, RealClock().now()):
        loaded.project.store.make()
        # By key: every variant that asks for the very same shares the takes, and so the wish.
        loaded.project.store.note(loaded.lane.provider, loaded.project.stem, shot, wanted={key: want})
    return load(storyboard, provider=provider, variant=loaded.project.variant, allow_outside=allow_outside).plan


def setting(
    loaded: Loaded, executor: Executor, clock: Clock, tell: Callable[[Event], None] = lambda _: None
) -> Setting:
    """What the provider of a storyboard is given."""
    store, pipeline = loaded.project.store, loaded.pipeline
    store.make()
    return Setting(
        executor, clock, store.temporary, store.root / "hints", store.root / "memory", loaded.plan.facts.environ,
        pipeline.url, pipeline.limits.in_flight, pipeline.limits.per_minute, pipeline.hosts,
        lambda text: tell(Event("note", "", text)),
    )  # fmt: skip


SEND_S_MAX = 10.0
"""How long a run that is asked to stop hears out what is on its way to the provider."""


@contextmanager
def stoppable(stop: Stop | None) -> Iterator[None]:
    """While the block runs, the first Ctrl-C stops what buys, in order; the second one leaves at once."""
    if stop is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, work = asyncio.get_running_loop(), asyncio.current_task()
    assert work is not None
    leaving: list[asyncio.Task[None]] = []

    async def leave() -> None:
        with suppress(TimeoutError):  # the journal says what was on its way; the next run asks for it
            await asyncio.wait_for(stop.quiet(), SEND_S_MAX)
        work.cancel()

    def asked() -> None:
        stop.asked = True
        if leaving:
            work.cancel()
        else:
            leaving.append(loop.create_task(leave()))

    try:
        loop.add_signal_handler(signal.SIGINT, asked)
    except NotImplementedError:  # where signals are not of this kind, Ctrl-C leaves at once
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _addressed(loaded: Loaded, trust: Trust) -> None:
    """Where the key goes, a person has said so: in the environment, or by trusting the pipeline's address."""
    if loaded.lane.draws or loaded.plan.facts.environ.get("MATCHCUT_RUNWARE_URL"):
        return
    address = foreign(loaded.pipeline.url)
    if address is not None and not trust.has(address):
        fact = f"this pipeline sends the key to {loaded.pipeline.url}, which is not the service's own address"
        place = loaded.pipeline.document.place(("url",))
        raise StoryError([Problem(fact, "--trust, if you know who that is", place)], exit_code=4)


def shared_store(storyboard: str | Path | Loaded) -> SharedStore | None:
    """The shared store of a storyboard: its own, or the one in matchcut.toml. Raises StoryError."""
    loaded = storyboard if isinstance(storyboard, Loaded) else load(storyboard)
    return _shared(loaded, config.read(loaded.project.folder, loaded.plan.facts.environ))


def _shared(loaded: Loaded, settings: config.Config) -> SharedStore | None:
    url = loaded.board.store or settings.store
    if url is None or loaded.lane.draws:
        return None
    return SharedStore(shelf(url, loaded.project.folder), loaded.project.store)


def _place(loaded: Loaded) -> str:
    """Host of the provider, where it is not the usual one."""
    address = loaded.plan.facts.environ.get("MATCHCUT_RUNWARE_URL") or loaded.pipeline.url
    return (urlsplit(address).hostname or address) if address else ""


def resolve(
    storyboard: str | Path,
    shot: str,
    *,
    resend: bool = False,
    give_up: bool = False,
    variant: str | None = None,
    allow_outside: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Outcome | None:
    """Settle the purchases of a shot of which nobody knows how they ended.

    Asks the provider again. ``resend``: sends the same once more where it says nothing. ``give_up``: it is not asked
    for any more (None is given then). Nothing else is bought. Raises StoryError.
    """
    loaded, mine = _flying(storyboard, shot, variant, allow_outside=allow_outside, environ=environ)
    path = loaded.project.store.root / gather.JOURNAL
    settings = config.read(loaded.project.folder, loaded.plan.facts.environ)

    async def go(fresh: Loaded, executor: Executor) -> Outcome:
        clock = RealClock()
        _addressed(fresh, Trust(settings.home))
        provider = provider_of(fresh.lane.provider, setting(fresh, executor, clock))
        journal = Journal(path)
        try:
            for submit in journal.open(board=fresh.project.stem):
                asked = submit.shot == shot and submit.request.get("variant") in mine
                if resend and asked and submit.state == "unknown":
                    await journal.resent(submit.uuid, clock.now())
            purse = Purse(None, fresh.plan.facts.spent)
            return await perform(
                fresh, provider, executor, journal=journal, purse=purse, clock=clock,
                options=Options(spend=False, resend=resend), place=_place(fresh), shared=_shared(fresh, settings),
            )  # fmt: skip
        finally:
            await provider.aclose()
            journal.close()

    async def drop() -> None:
        journal = Journal(path)
        try:
            for submit in journal.open(board=loaded.project.stem):
                if submit.shot == shot and submit.request.get("variant") in mine:
                    await journal.became(submit.uuid, "given up", "a person said so")
        finally:
            journal.close()

    if give_up:
        with lock.held(loaded.project.store.root, RealClock().now()):
            asyncio.run(drop())
        return None
    return _held(loaded, settings.jobs, go)


def _flying(
    storyboard: str | Path, shot: str, variant: str | None, *, allow_outside: bool, environ: Mapping[str, str] | None
) -> tuple[Loaded, set[str | None]]:
    """A storyboard of which a shot is in flight, and the variants meant: the one, and those that are no more.

    Raises StoryError.
    """
    environ = os.environ if environ is None else environ
    found = loads(storyboard, variants=[variant] if variant else (), allow_outside=allow_outside, environ=environ)
    known = [loaded.project.variant for loaded in found]
    meant = {flight.variant for flight in found[0].plan.facts.flights.get(shot, ())}
    meant &= {None, variant} if variant is not None else meant
    if not meant:
        raise StoryError.of(f"nothing of shot {shot} is in flight", "matchcut status")
    bought = [str(name) for name in known if name is not None and name in meant]
    if len(bought) > 1:
        raise variants_.one_of(bought, f"shot {shot} was bought for several variants: one must be named")
    return found[known.index(bought[0]) if bought else 0], meant


def _decision(loaded: Loaded, shot: str) -> Decision:
    """The decision of a shot whose takes a person may choose from. Raises StoryError for any other."""
    decision = loaded.plan.decisions.get(shot)
    if decision is None:
        near = did_you_mean(shot, loaded.plan.decisions)
        raise StoryError.of(f'shot "{shot}" does not exist', f"did you mean {near}?" if near else None)
    own = loaded.board.shot(shot)
    if own.clip is not None:
        fact = f"shot {shot} is own footage ({own.clip}): it has one take, and begins with its own first frame"
        raise StoryError.of(fact, "another file at its `clip`", loaded.board.document.place((*own.route, "clip")))
    return decision


def _key(loaded: Loaded, shot: str) -> str:
    decision = _decision(loaded, shot)
    if decision.key is None:
        remedy = "run first (a rehearsal is another lane: its takes are not circled)"
        raise StoryError.of(f"{shot} has no key yet: {decision.reason}", remedy, exit_code=1)
    return decision.key.digest


def _asked_out(loaded: Loaded) -> Path | None:
    return loaded.project.given if loaded.project.variant is not None else loaded.project.out


def _held(loaded: Loaded, jobs: int, go: Callable[[Loaded, Executor], Coroutine[Any, Any, Outcome]]) -> Outcome:
    """Do something while the project is held, on facts gathered after it was."""
    with lock.held(loaded.project.store.root, RealClock().now()):
        fresh = _load(
            loaded.project.file, provider=loaded.lane.provider, out=_asked_out(loaded), variant=loaded.project.variant,
            allow_outside=loaded.pictures.allow_outside, environ=loaded.plan.facts.environ,
            name=loaded.board.document.file, part=loaded.part,
        )  # fmt: skip

        async def working() -> Outcome:
            executor = EXECUTORS["local"](jobs)
            try:
                return await go(fresh, executor)
            finally:
                await executor.aclose()

        try:
            return asyncio.run(working())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
