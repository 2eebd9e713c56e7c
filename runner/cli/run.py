"""matchcut run: makes what is missing, then the film."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click

from .. import __version__, api, config, fast, gather, grounds, saved
from ..errors import Problem, StoryError
from ..load import Loaded
from ..plan import WHOLE
from ..work import Outcome
from . import options
from .app import as_data, tell
from .plan import as_shot, sums
from .progress import watched


@click.command
@options.storyboard
@options.provider
@options.out
@click.option(
    "--partial", is_flag=True, help="Put film.partial.mp4 together where shots are missing, with slates for them."
)
@click.option("--yes", is_flag=True, help="Spend what the plan says without asking.")
@click.option("--budget", metavar="USD", help="The most this storyboard may ever cost; the lowest budget holds.")
@click.option("--no-spend", is_flag=True, help="Buy nothing; fetch what is bought already.")
@click.option("--allow-unpriced", is_flag=True, help="Use models without a known price under a budget.")
@click.option("--trust", is_flag=True, help="The pipeline's commands may run as they are now.")
@options.only
@options.until
@options.start
@options.keep_stale
@click.option(
    "--plan",
    "planned",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Carry out a saved plan: once, if nothing has changed, up to what it says.",
)
@options.env
@options.outside
@options.as_json
def command(
    storyboard: Path, env: Path | None, provider: str | None, out: Path | None, budget: str | None,
    only: tuple[str, ...], until: str | None, start: str | None, planned: Path | None, *, partial: bool, yes: bool,
    no_spend: bool, allow_unpriced: bool, trust: bool, allow_outside: bool, keep_stale: bool, as_json: bool,
) -> int:  # fmt: skip
    """Make what is missing, then the film, its manifest and its report. What is there is not made again."""
    argv = sys.argv[1:]
    begun = fast.begin(argv)
    problems: list[Problem] = []
    ceiling = config.amount(budget, "--budget", problems)
    if problems:
        raise StoryError(problems)
    part = options.part(only, until, start, keep_stale=keep_stale)
    plan = None
    if planned is not None:
        if part != WHOLE or provider is not None:
            raise click.UsageError("a saved plan says itself which shots it is about, and who makes them")
        plan = saved.read(planned)
        part, provider = plan.part, plan.provider
    loaded = api.load(
        storyboard, provider=provider, out=out, allow_outside=allow_outside, environ=options.environ(env), part=part
    )
    if not as_json:
        tell(loaded.plan.warnings)
    if loaded.plan.work and not (loaded.lane.draws or as_json):
        click.echo(sums(loaded.plan), err=True)  # known before the first cent
    if not (yes or no_spend or as_json or plan):
        yes = agreed(loaded, ceiling)
    try:
        with watched(loaded.plan, quiet=as_json) as watch:
            outcome = api.run(
                loaded, budget=ceiling, yes=yes or plan is not None, spend=not no_spend, partial=partial, trust=trust,
                allow_unpriced=allow_unpriced, saved=plan, tell=watch,
            )  # fmt: skip
    except KeyboardInterrupt:
        leaving(loaded)
        raise
    if as_json:
        options.say(as_outcome(outcome))
        return outcome.exit_code
    tell(outcome.problems)
    message = summary(outcome)
    click.echo(message)
    if outcome.exit_code == 0 and not outcome.problems:
        remember(argv, loaded, outcome, begun, env)
    return outcome.exit_code


def leaving(loaded: Loaded) -> None:
    """Say what is in flight and paid for as a run is stopped."""
    if loaded.lane.draws:
        return
    facts = replace(loaded.plan.facts, flights=gather.flights(loaded.project.file, loaded.project.store))
    for line in options.flights(replace(loaded.plan, facts=facts)):
        click.echo(line, err=True)


def agreed(loaded: Loaded, budget: Decimal | None) -> bool:
    """Whether a person at a terminal agrees to what a paid run may spend; asked only where no budget is set."""
    plan = loaded.plan
    own = config.read(loaded.project.folder, plan.facts.environ).budget
    settled = any(b is not None for b in (budget, plan.board.budget, own))
    if plan.lane.draws or settled or not plan.work or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    click.confirm("Go on?", abort=True, err=True)
    return True


def summary(outcome: Outcome) -> str:
    """How a run ended, in a few lines."""
    states = list(outcome.states.values())
    if outcome.exit_code == 0 and not outcome.made and not outcome.changed:
        return nothing(outcome)
    lines = []
    for name, decision in outcome.decisions.items():
        if decision.state in ("waiting", "blocked", "unknown"):
            lines.append(f"{name} {decision.state}: {decision.reason}")
            if decision.state == "waiting":
                lines.append(f"  try: matchcut circle {name} 1, once you have looked at the takes in the report")
        elif outcome.made and decision.have > 1 and not decision.circled and decision.take is not None:
            others = f"{decision.have} takes; take {decision.take.take} counts until another is circled"
            lines.append(f"{name}: {others} (matchcut circle {name} TAKE)")
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    lines.append(f"{options.count(len(states), 'shot')}: {told}; {options.count(outcome.made, 'take')} made")
    lines += [str(path) for path in (*outcome.films, outcome.report) if path is not None]
    return "\n".join(lines)


def nothing(outcome: Outcome) -> str:
    where = outcome.films[0] if outcome.films else outcome.manifest
    shots = options.count(len(outcome.decisions), "shot")
    verb = "is" if len(outcome.decisions) == 1 else "are"
    return f"nothing to do: {shots} {verb} current" + (f" ({where})" if where else "")


def as_outcome(outcome: Outcome) -> dict[str, object]:
    """The outcome as plain data: every shot with its state."""
    plan = replace(outcome.plan, decisions=outcome.decisions, facts=outcome.facts)
    shots = [as_shot(plan, shot.id) for shot in plan.board.shots]
    return {
        "exit_code": outcome.exit_code, "made": outcome.made, "changed": outcome.changed, "shots": shots,
        "films": [str(path) for path in outcome.films],
        "manifest": str(outcome.manifest) if outcome.manifest else None,
        "report": str(outcome.report) if outcome.report else None,
        "problems": [as_data(problem) for problem in outcome.problems],
    }  # fmt: skip


def remember(argv: list[str], loaded: Loaded, outcome: Outcome, begun: int | None, env: Path | None = None) -> None:
    """Write down the stamps of the files that a run which had nothing to do stands on: the next one knows at once."""
    place = fast.place(argv)
    if place is None or begun is None or outcome.made or outcome.changed or any(outcome.facts.flights.values()):
        return
    if any(d.state != "current" for d in outcome.decisions.values()):
        return
    if any(step.settings.get("env") for step in (*loaded.pipeline.shot, *loaded.pipeline.film)):
        return  # their values count, and are not part of the record
    said = str(env or os.environ.get("MATCHCUT_ENV", ""))
    names, absent = grounds.named(loaded, outcome.plan, [Path(said)] if said else [])
    data = fast.record(argv, __version__, nothing(outcome), names, absent, begun)
    if data is not None:
        loaded.project.store.write(Path(place), data)
