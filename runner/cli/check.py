"""matchcut check: every problem at once."""

from __future__ import annotations

from pathlib import Path

import click

from ..load import load
from . import options
from .app import as_data, tell


@click.command
@options.storyboard
@options.provider
@options.as_json
@options.outside
def command(storyboard: Path, provider: str | None, as_json: bool, allow_outside: bool) -> int:
    """Check a storyboard with its pipeline, words, pictures and takes: every problem at once. Reads only."""
    loaded = load(storyboard, provider=provider, allow_outside=allow_outside)
    plan = loaded.plan
    if as_json:
        options.say({"problems": [as_data(problem) for problem in plan.warnings]})
        return 0
    tell(plan.warnings)
    seconds = sum(brief.seconds for brief in plan.briefs.values())
    click.echo(f"{plan.board.document.file}: {options.count(len(plan.order), 'shot')}, {seconds:g} s, no problems")
    return 0
