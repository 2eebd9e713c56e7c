"""matchcut schema: prints a schema."""

from __future__ import annotations

import click

from .. import shipped
from ..card import cards
from ..errors import StoryError, did_you_mean


@click.command
@click.argument("name", required=False)
def command(name: str | None) -> int:
    """Print a schema (storyboard, include, pipeline, manifest, plan, diff, a kind, a card), or the names of all."""
    folder = shipped.folder("schemas")
    files = {path.stem.removesuffix(".schema"): path for path in sorted(folder.rglob("*.json"))}
    if name is None:
        click.echo("\n".join(files))
        return 0
    by_id = {card.id: card.path for card in cards()} if name not in files else {}
    files |= by_id
    if name not in files:
        near = did_you_mean(name, files)
        raise StoryError.of(f'there is no schema "{name}"', f"did you mean {near}?" if near else ", ".join(files))
    click.echo(files[name].read_text(encoding="utf-8").rstrip("\n"))
    return 0
