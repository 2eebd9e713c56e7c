"""matchcut check: every problem at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ..load import Loaded, loads, warnings
from . import options
from .app import as_data, tell


@click.command
@options.storyboard
@options.provider
@options.variants
@options.as_json
@options.outside
def command(
    storyboard: Path, provider: str | None, variants: tuple[str, ...], as_json: bool, allow_outside: bool
) -> int:
    """Check a storyboard with its pipeline, words, pictures and takes: every problem at once. Reads only."""
    found = loads(storyboard, variants=variants, provider=provider, allow_outside=allow_outside)
    told = warnings(found)
    if as_json:
        options.say({"problems": [as_data(problem) for problem in told]})
        return 0
    tell(told)
    click.echo(f"{found[0].board.document.file}: {_size(found)}, no problems")
    return 0


def _size(found: Sequence[Loaded]) -> str:
    plans = [loaded.plan for loaded in found]
    seconds = sum(brief.seconds for plan in plans for brief in plan.briefs.values())
    size = f"{options.count(sum(len(plan.order) for plan in plans), 'shot')}, {seconds:g} s"
    return size if found[0].project.variant is None else f"{options.count(len(found), 'variant')}, {size}"
