"""matchcut report: writes report.html anew from what is there."""

from __future__ import annotations

from pathlib import Path

import click

from .. import api
from ..load import loads
from . import options


@click.command
@options.storyboard
@options.provider
@options.variants
@options.out
@options.outside
def command(
    storyboard: Path, provider: str | None, variants: tuple[str, ...], out: Path | None, allow_outside: bool
) -> int:
    """Write report.html (with film and manifest, where all shots are there) anew. Nothing is made or bought."""
    problems = 0
    for loaded in loads(storyboard, variants=variants, provider=provider, out=out, allow_outside=allow_outside):
        outcome = api.report(loaded)
        click.echo(str(outcome.report or outcome.manifest or "the pipeline has no report step"))
        problems += len(outcome.problems)
    return 1 if problems else 0
