"""matchcut report: writes report.html anew from what is there."""

from __future__ import annotations

from pathlib import Path

import click

from .. import api
from . import options


@click.command
@options.storyboard
@options.provider
@options.out
@options.outside
def command(storyboard: Path, provider: str | None, out: Path | None, allow_outside: bool) -> int:
    """Write report.html (with film and manifest, where all shots are there) anew. Nothing is made or bought."""
    outcome = api.report(storyboard, provider=provider, out=out, allow_outside=allow_outside)
    click.echo(str(outcome.report or outcome.manifest or "the pipeline has no report step"))
    return 1 if outcome.problems else 0
