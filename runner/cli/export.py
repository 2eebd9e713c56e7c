"""matchcut export: the shots as a list for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from ..exports import LEFT_OUT, LISTS
from ..load import loads
from ..plan import Plan
from ..store import told, write
from ..variant import one_of
from . import options
from .app import tell

_MARK = "\ufeff"
"""Spreadsheets take a file without it for another encoding."""


@click.command
@options.storyboard
@click.option("--as", "form", type=click.Choice(list(LISTS)), required=True, help="What to write.")
@click.option("-o", "file", type=click.Path(path_type=Path), metavar="FILE", help="Write a file instead of printing.")
@options.force
@options.variant
@options.outside
def command(
    storyboard: Path, form: str, file: Path | None, variant: str | None, *, force: bool, allow_outside: bool
) -> int:
    """Write the shots as a list: csv, for a spreadsheet, with templates filled in. Tells what a list can't hold."""
    options.vacant(file, force=force)
    found = loads(storyboard, variants=() if variant is None else [variant], allow_outside=allow_outside)
    texts = list(dict.fromkeys(_listed(loaded.plan, form) for loaded in found))
    if len(texts) > 1:
        names = [str(loaded.project.variant) for loaded in found]
        raise one_of(names, "the list is not the same in all variants: one must be named")
    plan, text = found[0].plan, texts[0]
    tell(LEFT_OUT[form](plan.board))
    if file is None:
        click.echo(text.replace("\r\n", "\n").rstrip("\n"))
        return 0
    with told(file.parent):
        write(file, (_MARK + text).encode())
    click.echo(f"wrote {file}: {options.count(len(plan.board.shots), 'shot')}")
    return 0


def _listed(plan: Plan, form: str) -> str:
    words = {name: brief.words for name, brief in plan.briefs.items()}
    return LISTS[form](plan.board, words, {name: brief.seconds for name, brief in plan.briefs.items()})
