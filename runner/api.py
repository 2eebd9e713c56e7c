"""The library: load, plan and run a storyboard from Python, without printing."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from . import config, lock
from .errors import StoryError
from .executors import EXECUTORS
from .load import Loaded
from .load import load as _load
from .perform import perform
from .plan import Plan
from .providers import PROVIDERS
from .trust import Trust
from .work import Event, Options, Outcome


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
    partial: bool = False,
    trust: bool = False,
    allow_outside: bool = False,
    tell: Callable[[Event], None] = lambda _: None,
) -> Outcome:
    """Make what is missing, then the film and its manifest. What is there already is not made again.

    ``trust`` says that the pipeline's commands may run as they are now; it is remembered. ``tell`` is called with what
    happens. Raises StoryError where nothing can be begun; what fails later stands in the outcome.
    """
    if isinstance(storyboard, Loaded):
        loaded = storyboard
    else:
        loaded = load(storyboard, provider=provider, out=out, allow_outside=allow_outside)
    maker = PROVIDERS.get(loaded.lane.provider)
    if maker is None:
        fact = f"this matchcut has no {loaded.lane.provider} provider yet"
        raise StoryError.of(fact, "--provider animatic rehearses the storyboard for nothing", exit_code=1)
    settings = config.read(loaded.project.folder)
    remembered = Trust(settings.home)
    if trust:
        remembered.add(loaded.pipeline, loaded.plan.facts.files)
    with lock.held(loaded.project.store.root, time.time()):
        # What another run made while this one waited or read must be seen.
        loaded = _load(
            loaded.project.file, provider=loaded.lane.provider, out=loaded.project.out,
            allow_outside=loaded.pictures.allow_outside, environ=loaded.plan.facts.environ, name=loaded.board.document.file,
        )  # fmt: skip

        async def go() -> Outcome:
            executor = EXECUTORS["local"](settings.jobs)
            try:
                options = Options(partial=partial, trusted=remembered.has)
                return await perform(loaded, maker(executor), executor, options=options, tell=tell)
            finally:
                await executor.aclose()

        try:
            return asyncio.run(go())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
