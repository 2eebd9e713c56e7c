"""matchcut store: looks after the store."""

from __future__ import annotations

from pathlib import Path

import click

from ..store import LocalStore
from .app import tell


@click.group
def command() -> None:
    """Look after the project's store."""


@command.command
@click.argument("folder", default=".", type=click.Path(path_type=Path, exists=True, file_okay=False))
def verify(folder: Path) -> int:
    """Hold every stored byte against its name. Reads only."""
    store = LocalStore(folder / ".matchcut")
    problems = store.verify()
    tell(problems)
    count = len(list(store.objects.glob("*/*")))
    click.echo(f"{count} objects" + (f", {len(problems)} problems" if problems else ", all whole"))
    return 1 if problems else 0
