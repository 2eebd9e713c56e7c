"""matchcut store: looks after the store."""

from __future__ import annotations

from pathlib import Path

import click

from ..store import LocalStore
from . import options
from .app import as_data, tell


@click.group
def command() -> None:
    """Look after the project's store."""


@command.command
@click.argument("project", default=".", type=click.Path(path_type=Path))
@options.as_json
def verify(project: Path, *, as_json: bool) -> int:
    """Hold every stored byte of PROJECT (a folder, or a storyboard in it) against its name. Reads only."""
    folder = project if project.is_dir() else project.parent
    store = LocalStore(folder / ".matchcut")
    problems = store.verify()
    count = len(list(store.objects.glob("*/*")))
    if as_json:
        options.say({"objects": count, "problems": [as_data(problem) for problem in problems]})
        return 1 if problems else 0
    tell(problems)
    whole = f", {options.count(len(problems), 'problem')}" if problems else ", all whole"
    click.echo(options.count(count, "object") + whole)
    return 1 if problems else 0
