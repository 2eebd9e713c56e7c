"""matchcut accept: a clip is right for other words than it was made for."""

from __future__ import annotations

from pathlib import Path

import click

from .. import api
from ..takes import find
from . import options
from .circle import tell_what_follows


@click.command
@click.argument("shot")
@options.storyboard
@click.option(
    "--take", metavar="TAKE", help="Another than the last one: its number, or six or more digits of its digest."
)
@options.variant
@options.outside
def command(shot: str, storyboard: Path, variant: str | None, take: str | None, allow_outside: bool) -> int:
    """Say that SHOT's take is right for its present words and frames, though it was made for others.

    Nothing is made again for them then. It is written into the shot's takes file; `circle SHOT --none` takes it back.
    """
    after = api.accept(storyboard, shot, take, variant=variant, allow_outside=allow_outside)
    chosen = after.decisions[shot].take
    assert chosen is not None
    same = [other for other in after.facts.takes.get(shot, ()) if other.clip == chosen.clip]
    named = next(iter(find(same, take)), chosen) if take is not None else chosen
    clip = f"{named.clip[:8]}" + (f", the same clip as take {chosen.take}" if named.take != chosen.take else "")
    click.echo(f"{shot}: take {named.take} ({clip}) is accepted for its present words and frames")
    tell_what_follows(after, shot)
    return 0
