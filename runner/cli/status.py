"""matchcut status: the state of every shot in short."""

from __future__ import annotations

from pathlib import Path

import click

from ..load import load
from . import options
from .plan import as_shot, headline, in_flight, sums, why


@click.command
@options.storyboard
@options.provider
@options.as_json
@options.outside
def command(storyboard: Path, provider: str | None, as_json: bool, allow_outside: bool) -> int:
    """Show the state of every shot in short, and in a line each those that are not current."""
    plan = load(storyboard, provider=provider, allow_outside=allow_outside).plan
    if as_json:
        shots = [as_shot(plan, shot.id) for shot in plan.board.shots]
        options.say({"shots": shots, "in_flight": in_flight(plan), "spent": float(plan.facts.spent)})
        return 0
    counts: dict[str, int] = {}
    for decision in plan.decisions.values():
        counts[decision.state] = counts.get(decision.state, 0) + 1
    click.echo(headline(plan))
    told = (
        click.style(f"{count} {state}", fg=None if state == "current" else "yellow") for state, count in counts.items()
    )
    click.echo(", ".join(told))
    for shot in plan.board.shots:
        if plan.decisions[shot.id].state != "current":
            click.echo(f"  {shot.id}  {plan.decisions[shot.id].state}: {why(plan, shot.id)}")
    for line in options.flights(plan):
        click.echo(line)
    click.echo(sums(plan))
    return 0
