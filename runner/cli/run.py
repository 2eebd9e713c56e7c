"""matchcut run: makes what is missing, then the film."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import click

from .. import __version__, api, config, fast, gather, grounds, saved
from ..errors import Problem, StoryError
from ..load import Loaded, loads, warnings
from ..plan import WHOLE
from ..work import Outcome
from . import options
from .app import as_data, tell
from .plan import as_shot, as_variant, grand, sums
from .progress import watched


@click.command
@options.storyboard
@options.provider
@options.variants
@options.out
@click.option(
    "--partial", is_flag=True, help="Put film.partial.mp4 together where shots are missing, with slates for them."
)
@click.option("--yes", is_flag=True, help="Spend what the plan says without asking.")
@click.option("--budget", metavar="USD", help="The most this storyboard may ever cost; the lowest budget holds.")
@click.option("--no-spend", is_flag=True, help="Buy nothing; fetch what is bought already.")
@click.option(
    "--buy-again",
    is_flag=True,
    help="Buy again what was bought and is nowhere to be had; --yes does not.",
)
@click.option("--allow-unpriced", is_flag=True, help="Use models without a known price under a budget.")
@click.option("--trust", is_flag=True, help="The pipeline's commands may run as they are now.")
@options.only
@options.until
@options.start
@options.keep_stale
@click.option(
    "--plan", "planned", metavar="FILE", type=click.Path(path_type=Path),
    help="Carry out a saved plan: once, if nothing has changed, up to what it says.",
)  # fmt: skip
@options.env
@options.outside
@options.as_json
def command(
    storyboard: Path, env: Path | None, provider: str | None, variants: tuple[str, ...], out: Path | None,
    budget: str | None, only: tuple[str, ...], until: str | None, start: str | None, planned: Path | None, *,
    partial: bool, yes: bool, no_spend: bool, buy_again: bool, allow_unpriced: bool, trust: bool, allow_outside: bool,
    keep_stale: bool, as_json: bool,
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
        if part != WHOLE or provider is not None or variants:
            raise click.UsageError("a saved plan says itself which shots it is about, and who makes them")
        plan = saved.read(planned)
        part, provider, variants = plan.part, plan.provider, (plan.variant,) if plan.variant is not None else ()
    found = loads(
        storyboard, variants=variants, provider=provider, out=out, allow_outside=allow_outside,
        environ=options.environ(env), part=part,
    )  # fmt: skip
    if not as_json:
        tell(warnings(found))
    if any(loaded.plan.work for loaded in found) and not (found[0].lane.draws or as_json):
        click.echo(sums(found[0].plan) if len(found) == 1 else grand(found), err=True)  # known before the first cent
    if not (yes or no_spend or as_json or plan):
        yes = agreed(found, ceiling)

    def make(loaded: Loaded) -> Outcome:
        with watched(loaded.plan, quiet=as_json) as watch:
            return api.run(
                loaded, budget=ceiling, yes=yes or plan is not None, spend=not no_spend, partial=partial, trust=trust,
                allow_unpriced=allow_unpriced, buy_again=buy_again, saved=plan, tell=watch,
            )  # fmt: skip

    ended = [_made(loaded, make, quiet=as_json, alone=len(found) == 1) for loaded in found]
    if as_json:
        whole = [as_variant(one.loaded) | one.as_data() for one in ended]
        options.say(whole[0] if len(whole) == 1 else {"exit_code": _code(ended), "variants": whole})
    elif all(one.outcome is not None and one.code == 0 and not one.outcome.problems for one in ended):
        remember(argv, [(one.loaded, one.outcome) for one in ended if one.outcome is not None], begun, env)
    return _code(ended)


_CODES = (2, 7, 6, 1, 4, 5)
"""What counts first where several variants end differently."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """How the run of one variant (or of the storyboard) ended: ``outcome`` is None where nothing could be begun."""

    loaded: Loaded
    outcome: Outcome | None
    code: int
    problems: Sequence[Problem] = ()

    def as_data(self) -> dict[str, object]:
        if self.outcome is not None:
            return as_outcome(self.outcome)
        return {"exit_code": self.code, "problems": [as_data(problem) for problem in self.problems]}


def _code(ended: Sequence[_Ended]) -> int:
    codes = {one.code for one in ended}
    return next((code for code in _CODES if code in codes), 0)


def _made(loaded: Loaded, make: Callable[[Loaded], Outcome], *, quiet: bool, alone: bool) -> _Ended:
    """One of several runs: what stops it stops the others only where it would stop them too."""
    head = "" if alone else f"{loaded.project.variant}: "
    if head and not quiet and loaded.plan.work:
        click.echo(click.style(head.strip(), bold=True), err=True)
    try:
        outcome = make(loaded)
    except KeyboardInterrupt:
        leaving(loaded)
        raise
    except StoryError as error:
        if alone or error.exit_code in (2, 7):
            raise
        if not quiet:
            tell(error.problems)
            click.echo(f"{head}not made")
        return _Ended(loaded, None, error.exit_code, error.problems)
    if not quiet:
        tell(outcome.problems)
        click.echo(summary(outcome, head))
    return _Ended(loaded, outcome, outcome.exit_code)


def leaving(loaded: Loaded) -> None:
    """Say what is in flight and paid for as a run is stopped."""
    if loaded.lane.draws:
        return
    facts = replace(loaded.plan.facts, flights=gather.flights(loaded.project.file, loaded.project.store))
    for line in options.flights(replace(loaded.plan, facts=facts)):
        click.echo(line, err=True)


def agreed(found: Sequence[Loaded], budget: Decimal | None) -> bool:
    """Whether a person at a terminal agrees to what a paid run may spend; asked only where no budget is set."""
    loaded, plan, work = found[0], found[0].plan, any(one.plan.spends for one in found)
    own = config.read(loaded.project.folder, plan.facts.environ).budget
    settled = any(b is not None for b in (budget, plan.board.budget, own))
    if plan.lane.draws or settled or not work or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    click.confirm("Go on?", abort=True, err=True)
    return True


def summary(outcome: Outcome, head: str = "") -> str:
    """How a run ended, in a few lines; ``head`` stands before the one that sums up."""
    states = list(outcome.states.values())
    if outcome.exit_code == 0 and not outcome.made and not outcome.changed:
        return head + nothing(outcome)
    lines = []
    variant = outcome.plan.board.variant
    named = "" if variant is None else f" --variant {variant.name}"
    for name, decision in outcome.decisions.items():
        if name in outcome.told and decision.state in ("blocked", "unknown"):
            continue  # with the problems
        if decision.state in ("waiting", "blocked", "unknown"):
            lines.append(f"{name} {decision.state}: {decision.reason}")
            if decision.state == "waiting":
                first, *more = _fitting(outcome, name) or ["TAKE"]
                others = f" (or {', '.join(more)})" if more else ""
                remedy = (
                    f"matchcut circle {name} {first}{named}{others}, once you have looked at the takes in the report"
                )
                lines.append(f"  try: {remedy}")
        elif outcome.made and decision.have > 1 and not decision.circled and decision.take is not None:
            others = f"{decision.have} takes; take {decision.take.take} counts until another is circled"
            lines.append(f"{name}: {others} (matchcut circle {name} TAKE{named})")
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    lines.append(f"{head}{options.count(len(states), 'shot')}: {told}; {options.count(outcome.made, 'take')} made")
    lines += [str(path) for path in (*outcome.films, outcome.report) if path is not None]
    return "\n".join(lines)


def _fitting(outcome: Outcome, shot: str) -> list[str]:
    """The numbers of the takes that a person may choose from: those made for the shot's present words and frames."""
    key = outcome.decisions[shot].key
    found = outcome.facts.by_key.get(key.digest, ()) if key is not None else ()
    return [str(number) for number in sorted({take.take for take in found})]


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


def remember(argv: list[str], ended: Sequence[tuple[Loaded, Outcome]], begun: int | None, env: Path | None) -> None:
    """Write down the stamps of the files that a run which had nothing to do stands on: the next one knows at once."""
    place = fast.place(argv)
    if place is None or begun is None:
        return
    for _, outcome in ended:
        idle = not (outcome.made or outcome.changed or any(outcome.facts.flights.values()))
        if not idle or any(decision.state != "current" for decision in outcome.decisions.values()):
            return
    pipelines = [loaded.pipeline for loaded, _ in ended]
    if any(step.settings.get("env") for pipeline in pipelines for step in (*pipeline.shot, *pipeline.film)):
        return  # their values count, and are not part of the record
    said = str(env or os.environ.get("MATCHCUT_ENV", ""))
    grounded = [grounds.named(loaded, outcome.plan, [Path(said)] if said else []) for loaded, outcome in ended]
    names = list(dict.fromkeys(name for here, _ in grounded for name in here))
    absent = list(dict.fromkeys(name for _, gone in grounded for name in gone))
    heads = ["" if len(ended) == 1 else f"{loaded.project.variant}: " for loaded, _ in ended]
    told = "\n".join(head + nothing(outcome) for head, (_, outcome) in zip(heads, ended, strict=True))
    data = fast.record(argv, __version__, told, names, absent, begun)
    if data is not None:
        ended[0][0].project.store.write(Path(place), data)
