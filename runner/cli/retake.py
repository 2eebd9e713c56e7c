"""matchcut retake: asks for one more take of a shot."""

from __future__ import annotations

from pathlib import Path

import click

from .. import api
from . import options


@click.command
@click.argument("shot")
@options.storyboard
@click.option("--takes", default=1, show_default=True, type=click.IntRange(1, 99), help="How many more.")
@options.provider
@options.variant
@options.outside
def command(
    shot: str, storyboard: Path, takes: int, provider: str | None, variant: str | None, allow_outside: bool
) -> int:
    """Ask for more takes of SHOT for the same words and frames; the next run makes them. What there is stays.

    Asked for twice, they are made twice.
    """
    after = api.retake(storyboard, shot, takes, provider=provider, variant=variant, allow_outside=allow_outside)
    decision = after.decisions[shot]
    cost = options.usd(after.cost(shot))
    click.echo(
        f"{shot}: {decision.want} takes wanted, {decision.have} there; the next run makes {decision.buy} ({cost})"
    )
    return 0
