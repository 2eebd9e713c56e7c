"""matchcut circle: chooses a take of a shot."""

from __future__ import annotations

from pathlib import Path

import click

from .. import api
from ..plan import Plan
from . import options
from .app import tell


@click.command
@click.argument("shot")
@click.argument("take", required=False)
@options.storyboard
@click.option("--none", "none", is_flag=True, help="Take the choice back.")
@options.variant
@options.outside
def command(shot: str, take: str | None, storyboard: Path, none: bool, variant: str | None, allow_outside: bool) -> int:
    """Choose TAKE of SHOT, by its number or by six or more digits of its clip's digest.

    The choice is written into the shot's takes file beside the storyboard; it belongs in git.
    """
    if none and take is not None:  # the one word beside the shot is the storyboard then
        storyboard, take = Path(take), None
    if none == (take is not None):
        raise click.UsageError("say which take, or --none")
    after = api.circle(storyboard, shot, take, variant=variant, allow_outside=allow_outside)
    tell([problem for problem in after.warnings if "stands twice" in problem.fact])
    click.echo(f"{shot}: take {take} is circled" if take else f"{shot}: no take is circled")
    tell_what_follows(after, shot)
    return 0


def tell_what_follows(after: Plan, shot: str) -> None:
    """Which shots are to be made again after a choice, what that costs, and which ones wait for a choice."""
    stale = [name for name in after.follows(shot) if after.decisions[name].buy]
    if stale:
        costs = [after.cost(name) for name in stale]
        total = options.usd(sum(cost for cost in costs if cost is not None)) if None not in costs else "?"  # type: ignore[arg-type]
        click.echo(f"  what follows is to be made again: {', '.join(stale)} ({total} at most)")
    for name in after.follows(shot):
        if after.decisions[name].state == "waiting":
            click.echo(f"  {name} waits: {after.decisions[name].reason}")
