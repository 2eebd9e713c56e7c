"""matchcut import: a shot list becomes a storyboard."""  # noqa: N999 - a command's module has the command's name, and is imported by it

from __future__ import annotations

import shlex
from pathlib import Path

import click

from .. import imports
from ..errors import StoryError, did_you_mean
from ..store import told, write
from . import options
from .app import as_data, tell


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "kind", type=click.Choice(list(imports.IMPORTS)), help="Else as the file's name says.")
@click.option("--pipeline", default="animatic", show_default=True, metavar="NAME", help="What is to make the shots.")
@click.option("-o", "out", type=click.Path(path_type=Path), metavar="FILE", help="Write a file instead of printing.")
@options.force
@options.as_json
def command(file: Path, kind: str | None, pipeline: str, out: Path | None, force: bool, as_json: bool) -> int:
    """Make a storyboard of a shot list (CSV) or a screenplay (Fountain). Tells what could not be carried over."""
    folder = out.parent if out is not None else Path()
    options.vacant(out, force=force)
    target = imports.target.find(pipeline, folder)
    made = imports.read(
        _bytes(file), str(file), kind or imports.kind_of(file), target, is_file=lambda name: _inside(folder, name)
    )
    text = imports.page.written(made.data, file.name)
    if out is not None:
        with told(out.parent):
            write(out, text.encode())
    if as_json:
        place = {"wrote": str(out)} if out is not None else {"text": text}
        problems = [as_data(problem) for problem in made.problems]
        options.say({**place, "storyboard": made.data, "problems": problems})
        return 0
    tell(made.problems)
    if out is None:
        click.echo(text.rstrip("\n"))
        return 0
    shots, scenes = options.count(made.shots, "shot"), options.count(len(made.data["scenes"]), "scene")
    changed = f"; {options.count(len(made.problems), 'thing')} to look at above" if made.problems else ""
    click.echo(f"wrote {out}: {shots} in {scenes}{changed}\n  try: matchcut check {shlex.quote(str(out))}")
    return 0


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(imports.BYTES_MAX + 1)
    except FileNotFoundError:
        there = file.parent.iterdir() if file.parent.is_dir() else ()
        lists = [each.name for each in there if each.suffix in imports.SUFFIXES]
        near = did_you_mean(file.name, lists) or (lists[0] if len(lists) == 1 else None)
        remedy = str(file.with_name(near)) if near else "the path of a shot list (CSV) or a screenplay (Fountain)"
        raise StoryError.of(f"{file} does not exist", remedy) from None
    except IsADirectoryError:
        raise StoryError.of(f"{file} is a folder", "the list in it") from None
    except OSError as error:
        raise StoryError.of(f"{file} cannot be read: {error.strerror}") from None


def _inside(folder: Path, name: str) -> bool:
    """Whether a path names a file of the project."""
    try:
        path = (folder / name).resolve()
        return path.is_file() and path.is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return False
