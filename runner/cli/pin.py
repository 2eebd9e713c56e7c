"""matchcut pin: a shot keeps the frame it begins on."""

from __future__ import annotations

from pathlib import Path

import click

from .. import api
from . import options
from .circle import tell_what_follows


@click.command
@click.argument("shot")
@options.storyboard
@click.option("--none", "none", is_flag=True, help="Begin on what the storyboard says again.")
@options.variant
@options.outside
def command(shot: str, storyboard: Path, variant: str | None, none: bool, allow_outside: bool) -> int:
    """Keep the frame that SHOT's take begins on, whatever becomes of the shot before it.

    It is written into the shot's takes file; the storyboard stays as it is.
    """
    after = api.pin(storyboard, shot, pinned=not none, variant=variant, allow_outside=allow_outside)
    decision = after.decisions[shot]
    click.echo(f"{shot} begins on what the storyboard says" if none else f"{shot} keeps the frame it begins on")
    click.echo(f"  it is {decision.state}: {decision.reason}")
    tell_what_follows(after, shot)
    return 0
