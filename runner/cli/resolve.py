"""matchcut resolve: settles a purchase of which nobody knows how it ended."""

from __future__ import annotations

from pathlib import Path

import click

from .. import api
from . import options
from .app import tell
from .run import summary


@click.command
@click.argument("shot")
@options.storyboard
@click.option(
    "--resend",
    is_flag=True,
    help="Send the same request under the same UUID again. It may be charged twice if the service has forgotten it.",
)
@click.option("--give-up", is_flag=True, help="Stop asking for it; the next run may buy the shot anew.")
@options.variant
@options.env
@options.outside
def command(
    shot: str, storyboard: Path, variant: str | None, env: Path | None, *, resend: bool, give_up: bool,
    allow_outside: bool,
) -> int:  # fmt: skip
    """Settle what was bought for SHOT and is of unknown outcome: asks the service again, or takes your word."""
    if resend and give_up:
        raise click.UsageError("either --resend or --give-up")
    outcome = api.resolve(
        storyboard, shot, resend=resend, give_up=give_up, variant=variant, allow_outside=allow_outside,
        environ=options.environ(env),
    )  # fmt: skip
    if outcome is None:
        click.echo(f"{shot}: given up; the next run may buy it anew")
        return 0
    tell(outcome.problems)
    click.echo(summary(outcome))
    return outcome.exit_code
