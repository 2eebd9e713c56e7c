"""matchcut init: a storyboard that runs."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ..errors import StoryError
from ..store import told, write

_STARTER = Path(__file__).with_name("starter.yaml")

_IGNORE = "# What matchcut run makes: it can be made again from the storyboard and its takes.\nout/\n"


@click.command
@click.argument("folder", default=".", type=click.Path(path_type=Path))
def command(folder: Path) -> int:
    """Write a storyboard that runs into FOLDER. What is there already is never touched."""
    place = folder / "storyboard.yaml"
    if place.exists():
        raise StoryError.of(f"{place} is there already", "another folder")
    ignore = folder / ".gitignore"
    with told(folder):
        write(place, _STARTER.read_bytes())
        if not ignore.exists():
            write(ignore, _IGNORE.encode())
            click.echo(f"wrote {ignore}: films and clips stay out of git")
    click.echo(f"wrote {place}\n  try: matchcut run {shlex.quote(str(place))}")
    return 0
