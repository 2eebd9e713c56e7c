"""What is seen while a run goes on: a line a shot in flight and the whole with an estimate, or plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ..plan import Plan
from ..work import Event

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextmanager
def watched(plan: Plan, *, quiet: bool = False) -> Iterator[Callable[[Event], None]]:
    """A function that shows events while the block runs."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _Bars(plan) as bars:
            yield bars.see
    else:
        yield _Lines(plan).see


class _Lines:
    """Plain lines, for logs."""

    def __init__(self, plan: Plan) -> None:
        self.known = set(plan.decisions)
        self.work = expected(plan)
        self.begun: dict[str, float] = {}
        self.count = 0

    def see(self, event: Event) -> None:
        now = time.monotonic()
        if event.what == "begun":
            self.begun.setdefault(event.shot, now)
            self.work |= {event.shot} & self.known  # what is bought again, or fetched, was in no plan
        elif event.what == "done" and event.shot in self.begun:
            self.count += 1
            click.echo(
                f"[{self.count}/{len(self.work)}] {event.shot} made in {now - self.begun[event.shot]:.1f} s", err=True
            )
        elif event.what in ("failed", "blocked", "waiting", "unknown"):
            click.echo(ended(event), err=True)
        elif event.what == "note":
            click.echo(noted(event), err=True)


def expected(plan: Plan) -> set[str]:
    """The shots that a run will have something to do for, as far as that is known before."""
    flying = {shot for shot, some in plan.facts.flights.items() if any(flight.known for flight in some)}
    return {name for name, d in plan.decisions.items() if d.buy or d.due} | (flying & plan.decisions.keys())


def noted(event: Event) -> str:
    """A note as it is shown: of a shot, or of the whole run."""
    return f"{event.shot}: {event.text}" if event.shot else event.text


def ended(event: Event) -> str:
    """How a shot ended that was not made."""
    return f"{event.shot} {event.what}" + (f": {event.text}" if event.text else "")


class _Bars:
    """Bars in a terminal."""

    def __init__(self, plan: Plan) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            Task,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text

        class Left(TimeRemainingColumn):
            """How long the whole still takes; of a single shot nobody knows."""

            def render(self, task: Task) -> Text:
                known = task.total is not None and task.time_remaining is not None
                return Text("left ", style="bright_black") + super().render(task) if known else Text()

        self.plan = plan
        self.seconds = {name: brief.seconds for name, brief in plan.briefs.items()}
        self.work = expected(plan)
        self.progress: Progress = Progress(
            SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description}"), BarColumn(bar_width=28),
            TextColumn("{task.fields[told]}"), TimeElapsedColumn(), Left(), transient=True,
        )  # fmt: skip
        self.shots: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self.progress.start()
        self.count = 0
        self.whole = self.progress.add_task("[bold]film", total=self._total(), told=self._told())
        return self

    def _total(self) -> float:
        """Seconds of clips, and a little for joining them."""
        return (sum(self.seconds[name] for name in self.work) or 1) * 1.05

    def _told(self) -> str:
        return f"{self.count}/{len(self.work)} shots"

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def see(self, event: Event) -> None:
        if event.what == "note":
            self.progress.console.print(noted(event), highlight=False, markup=False)
        elif event.what == "begun" and event.shot not in self.shots and event.shot in self.seconds:
            self.shots[event.shot] = self.progress.add_task(
                f"shot {event.shot}", total=None, told=f"{self.seconds[event.shot]:g} s"
            )
            self.work.add(event.shot)  # what is bought again, or fetched, was in no plan
            self.progress.update(self.whole, total=self._total(), told=self._told())
        elif event.what == "made" and event.shot in self.shots:
            self.progress.update(self.shots[event.shot], told=f"take {event.take}")
        elif event.what in ("done", "failed", "blocked", "waiting", "unknown") and event.shot in self.seconds:
            if event.shot in self.shots:
                self.progress.remove_task(self.shots.pop(event.shot))
            if event.shot in self.work:
                self.count += 1
                self.progress.update(self.whole, advance=self.seconds[event.shot], told=self._told())
            if event.what != "done":
                self.progress.console.print(ended(event), highlight=False, markup=False)
            if self.count == len(self.work):
                self.progress.update(self.whole, description="[bold]joining the film")
