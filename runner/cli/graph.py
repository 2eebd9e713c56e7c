"""matchcut graph: which shot hands its frame to which."""

from __future__ import annotations

from pathlib import Path

import click

from .. import graphs
from ..exports import graph as drawings
from ..load import load
from ..store import told, write
from . import options

_FORMATS = {"mermaid": drawings.mermaid, "dot": drawings.dot, "svg": drawings.svg}


@click.command
@options.storyboard
@options.provider
@options.variant
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), help="Else as the file's name says, else mermaid.")
@click.option("-o", "file", type=click.Path(path_type=Path), metavar="FILE", help="Write a file instead of printing.")
@options.force
@options.outside
def command(
    storyboard: Path, provider: str | None, variant: str | None, form: str | None, file: Path | None,
    force: bool, allow_outside: bool,
) -> int:  # fmt: skip
    """Draw which shot hands its frame to which, with the state of each: mermaid, dot or svg."""
    options.vacant(file, force=force, ours=_drawn)
    plan = load(storyboard, provider=provider, variant=variant, allow_outside=allow_outside).plan
    named = {".svg": "svg", ".dot": "dot", ".gv": "dot"}.get(file.suffix if file else "", "mermaid")
    text = _FORMATS[form or named](graphs.of(plan, plan.decisions))
    if file is None:
        click.echo(text.rstrip("\n"))
        return 0
    with told(file.parent):
        write(file, text.encode())
    click.echo(f"wrote {file}")
    return 0


def _drawn(file: Path) -> bool:
    """Whether a file is a drawing that this command wrote."""
    try:
        with file.open(encoding="utf-8") as stream:
            return drawings.ours(stream.read(200))
    except (OSError, ValueError):
        return False
