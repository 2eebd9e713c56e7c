"""matchcut status: the state of every shot in short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..load import Loaded, loads
from . import options
from .plan import absent, as_shot, as_variant, grand, headline, in_flight, not_here, stopped, sums, why


@click.command
@options.storyboard
@options.provider
@options.variants
@options.as_json
@options.outside
def command(
    storyboard: Path, provider: str | None, variants: tuple[str, ...], as_json: bool, allow_outside: bool
) -> int:
    """Show the state of every shot in short, and in a line each those that are not current."""
    found = loads(storyboard, variants=variants, provider=provider, allow_outside=allow_outside)
    if as_json:
        told = [_data(loaded) for loaded in found]
        options.say(told[0] if len(told) == 1 else {"variants": told})
        return 0
    for loaded in found:
        _show(loaded)
    for line in options.flights(found[0].plan):
        click.echo(line)
    click.echo(sums(found[0].plan, stopped=stopped(found[0])) if len(found) == 1 else grand(found))
    return 0


def _data(loaded: Loaded) -> dict[str, Any]:
    plan = loaded.plan
    shots = [as_shot(plan, shot.id) for shot in plan.board.shots]
    return {
        **as_variant(loaded), "shots": shots, "in_flight": in_flight(plan), "spent": float(plan.facts.spent),
        "not_here": not_here(loaded),
    }  # fmt: skip


def _show(loaded: Loaded) -> None:
    plan = loaded.plan
    counts: dict[str, int] = {}
    for decision in plan.decisions.values():
        counts[decision.state] = counts.get(decision.state, 0) + 1
    name = loaded.project.variant
    click.echo((click.style(f"{name}: ", bold=True) if name is not None else "") + headline(plan))
    told = (
        click.style(f"{count} {state}", fg=None if state == "current" else "yellow") for state, count in counts.items()
    )
    click.echo(", ".join(told))
    for shot in plan.board.shots:
        if plan.decisions[shot.id].state != "current":
            click.echo(f"  {shot.id}  {plan.decisions[shot.id].state}: {why(plan, shot.id)}")
    for line in absent(loaded):
        click.echo(line)
