"""matchcut rename: gives a shot another id."""

from __future__ import annotations

from pathlib import Path

import click

from .. import api
from . import options


@click.command
@click.argument("old")
@click.argument("new")
@options.storyboard
@options.outside
def command(old: str, new: str, storyboard: Path, allow_outside: bool) -> int:
    """Rename shot OLD to NEW: in the storyboard's text, its takes file, and what this machine knows of it.

    Comments, order and quotes in the text stay as they are. What was bought stays current: a take is found by what was
    asked, and the id is no part of that. Where the text has NEW already and OLD no more, the takes go along.
    """
    done = api.rename(storyboard, old, new, allow_outside=allow_outside)
    what = [options.count(len(done.record.takes), "take")] if done.record.takes else []
    what += [options.count(done.purchases, "purchase") + " in the journal"] if done.purchases else []
    text = "" if done.edited else ", as the storyboard has it already"
    along = f" ({', '.join(what)} went along)" if what else ""
    click.echo(f"{old} is {new} now{text}{along}")
    for note in done.notes:
        click.echo(f"  {note}")
    if done.prompts:
        click.echo(f"  the name stands in the prompt of {', '.join(done.prompts)}: made for other words now")
        click.echo(f"  try: `matchcut plan` shows what that costs; `matchcut rename {new} {old}` undoes it")
    return 0
