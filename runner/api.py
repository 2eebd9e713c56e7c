"""The library: load, plan and run a storyboard from Python, without printing."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import config, gather, lock, money, needs, takes
from .buying import Patience, Stop
from .clock import RealClock
from .errors import Problem, StoryError, did_you_mean
from .executors import EXECUTORS
from .finish import finish
from .journal import Journal
from .load import Loaded
from .load import load as _load
from .money import Purse
from .perform import perform
from .plan import Plan
from .ports import Clock, Executor, Setting
from .providers import provider as provider_of
from .remote import SharedStore
from .shelf import shelf
from .trust import Trust, foreign
from .work import Desk, Event, Options, Outcome


def load(
    storyboard: str | Path,
    *,
    provider: str | None = None,
    out: str | Path | None = None,
    allow_outside: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read and check a storyboard with all that belongs to it. Reads only.

    Raises StoryError with every problem, in file order.
    """
    environ = os.environ if environ is None else environ
    return _load(storyboard, provider=provider, out=out, allow_outside=allow_outside, environ=environ)


def plan(storyboard: str | Path, *, provider: str | None = None, allow_outside: bool = False) -> Plan:
    """What a run would make, in what order, why, and what it would cost in USD. Reads only.

    Raises StoryError with every problem, in file order.
    """
    return load(storyboard, provider=provider, allow_outside=allow_outside).plan


def run(
    storyboard: str | Path | Loaded,
    *,
    provider: str | None = None,
    out: str | Path | None = None,
    budget: Decimal | None = None,
    yes: bool = False,
    spend: bool = True,
    partial: bool = False,
    trust: bool = False,
    allow_outside: bool = False,
    allow_unpriced: bool = False,
    buy_again: bool = False,
    patience: Patience | None = None,
    tell: Callable[[Event], None] = lambda _: None,
) -> Outcome:
    """Make what is missing, then the film and its manifest. What is there already is not made again.

    ``budget`` is a ceiling in USD for all that the storyboard ever costs; the lowest of it, the storyboard's and
    MATCHCUT_BUDGET holds. Buying needs ``yes`` or a ceiling. ``spend=False`` buys nothing, and fetches what is in
    flight. ``buy_again``: clips that were bought and are nowhere to be had are bought again, as new takes. ``trust``
    says that the pipeline's commands may run as they are now; it is remembered. ``tell`` is called with what
    happens. ``patience``: how long a purchase of unclear outcome is asked about; made for rehearsals with a service
    that answers sooner. Raises StoryError where nothing can be begun; what fails later stands in the outcome.
    """
    if isinstance(storyboard, Loaded):
        loaded = storyboard
    else:
        loaded = load(storyboard, provider=provider, out=out, allow_outside=allow_outside)
    settings = config.read(loaded.project.folder, loaded.plan.facts.environ)
    remembered = Trust(settings.home)
    if trust:
        remembered.add(loaded.pipeline, loaded.plan.facts.files)
    options = Options(partial=partial, trusted=remembered.has, spend=spend, resend=spend, again=buy_again and spend)
    ceiling = money.ceiling(budget, loaded.board.budget, settings.budget)
    clock = RealClock()

    async def go(fresh: Loaded, executor: Executor) -> Outcome:
        _addressed(fresh, remembered)
        provider = provider_of(fresh.lane.provider, setting(fresh, executor, clock, tell))
        journal = purse = None
        stop = Stop()
        try:
            if not fresh.lane.draws:
                work = fresh.plan.work or (buy_again and needs.missing(fresh.plan, fresh.project.store))
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


def report(
    storyboard: str | Path, *, provider: str | None = None, out: str | Path | None = None, allow_outside: bool = False
) -> Outcome:
    """Put film, manifest and report together from what is there. Nothing is made."""
    loaded = load(storyboard, provider=provider, out=out, allow_outside=allow_outside)
    remembered = Trust(config.read(loaded.project.folder).home)

    async def go(fresh: Loaded, executor: Executor) -> Outcome:
        fresh.project.store.make()
        desk = Desk(fresh, executor, Options(trusted=remembered.has), lambda _: None, dict(fresh.plan.decisions))
        return await finish(desk)

    return _held(loaded, 1, go)


def circle(storyboard: str | Path, shot: str, take: str | None, *, allow_outside: bool = False) -> Plan:
    """Choose a take for a shot's present key, or none; the plan afterwards. Raises StoryError."""
    loaded = load(storyboard, allow_outside=allow_outside)
    key = _key(loaded, shot)
    file = takes.path(loaded.project.file, shot)
    record = takes.read(file, f"{file.parent.name}/{file.name}")
    chosen: takes.Circle | None = None
    if take is not None:
        mine = [t for t in loaded.plan.facts.by_key.get(key, ()) if t.key == key]
        found = takes.find(mine, take)
        if found is None:
            have = ", ".join(str(t.take) for t in mine) or "none"
            raise StoryError.of(f"shot {shot} has no take {take} for its present words and frames", f"one of: {have}")
        chosen = takes.Circle(drawn=(found.key, found.take)) if loaded.lane.draws else takes.Circle(clip=found.clip)
    with lock.held(loaded.project.store.root, RealClock().now()):
        loaded.project.store.make()
        loaded.project.store.write(file, takes.text(replace(record.with_circle(key, chosen), shot=shot)).encode())
    return load(storyboard, allow_outside=allow_outside).plan


def retake(
    storyboard: str | Path, shot: str, more: int = 1, *, provider: str | None = None, allow_outside: bool = False
) -> Plan:
    """Ask for more takes of a shot under its present key; the plan afterwards. Raises StoryError."""
    loaded = load(storyboard, provider=provider, allow_outside=allow_outside)
    key = _key(loaded, shot)
    want = max(loaded.plan.decisions[shot].want, loaded.plan.decisions[shot].have + more)
    with lock.held(loaded.project.store.root, RealClock().now()):
        loaded.project.store.make()
        loaded.project.store.note(loaded.lane.provider, loaded.project.stem, shot, wanted={key: want})
    return load(storyboard, provider=provider, allow_outside=allow_outside).plan


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
    allow_outside: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Outcome | None:
    """Settle the purchases of a shot of which nobody knows how they ended.

    Asks the provider again. ``resend``: sends the same once more where it says nothing. ``give_up``: it is not asked
    for any more (None is given then). Nothing else is bought. Raises StoryError.
    """
    loaded = load(storyboard, allow_outside=allow_outside, environ=environ)
    flights = loaded.plan.facts.flights.get(shot, ())
    if not flights:
        raise StoryError.of(f"nothing of shot {shot} is in flight", "matchcut status")
    path = loaded.project.store.root / gather.JOURNAL
    settings = config.read(loaded.project.folder, loaded.plan.facts.environ)

    async def go(fresh: Loaded, executor: Executor) -> Outcome:
        clock = RealClock()
        _addressed(fresh, Trust(settings.home))
        provider = provider_of(fresh.lane.provider, setting(fresh, executor, clock))
        journal = Journal(path)
        try:
            for submit in journal.open(board=fresh.project.stem):
                if resend and submit.shot == shot and submit.state == "unknown":
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
                if submit.shot == shot:
                    await journal.became(submit.uuid, "given up", "a person said so")
        finally:
            journal.close()

    if give_up:
        with lock.held(loaded.project.store.root, RealClock().now()):
            asyncio.run(drop())
        return None
    return _held(loaded, settings.jobs, go)


def _key(loaded: Loaded, shot: str) -> str:
    decision = loaded.plan.decisions.get(shot)
    if decision is None:
        near = did_you_mean(shot, loaded.plan.decisions)
        raise StoryError.of(f'shot "{shot}" does not exist', f"did you mean {near}?" if near else None)
    if decision.key is None:
        remedy = "run first (a rehearsal is another lane: its takes are not circled)"
        raise StoryError.of(f"{shot} has no key yet: {decision.reason}", remedy, exit_code=1)
    return decision.key.digest


def _held(loaded: Loaded, jobs: int, go: Callable[[Loaded, Executor], Coroutine[Any, Any, Outcome]]) -> Outcome:
    """Do something while the project is held, on facts gathered after it was."""
    with lock.held(loaded.project.store.root, RealClock().now()):
        fresh = _load(
            loaded.project.file, provider=loaded.lane.provider, out=loaded.project.out,
            allow_outside=loaded.pictures.allow_outside, environ=loaded.plan.facts.environ,
            name=loaded.board.document.file,
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
