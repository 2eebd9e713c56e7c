"""matchcut why: what changed since a shot was made."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import StoryError, did_you_mean
from ..key import Change, explain
from ..load import about
from ..plan import Plan
from . import options
from .plan import as_shot


@click.command
@click.argument("shot")
@options.storyboard
@options.provider
@options.variant
@options.as_json
@options.outside
def command(
    shot: str, storyboard: Path, provider: str | None, variant: str | None, as_json: bool, allow_outside: bool
) -> int:
    """Say why SHOT is made again, or why it is not: which field, old and new words, which frame."""
    plan = about(storyboard, shot, variant, states=True, provider=provider, allow_outside=allow_outside).plan
    known(plan, shot)
    decision = plan.decisions[shot]
    words = _words(plan, shot)
    if as_json:
        options.say({**as_shot(plan, shot), "words": [{"field": c.field, "old": c.old, "new": c.new} for c in words]})
        return 0
    click.echo(f"{shot} is {decision.state}: {decision.reason}")
    for change in (*decision.changes, *words):
        _show(change)
    if decision.key is not None:
        click.echo(f"  key {decision.key.digest[:16]}" + (f", take {decision.take.take}" if decision.take else ""))
    follows = plan.follows(shot)
    if follows:
        click.echo(f"  what begins on it: {', '.join(follows)}")
    return 0


def known(plan: Plan, shot: str) -> None:
    """Raises StoryError where the storyboard has no such shot."""
    if shot not in plan.decisions:
        near = did_you_mean(shot, plan.decisions)
        raise StoryError.of(f'shot "{shot}" does not exist', f"did you mean {near}?" if near else None)


def _words(plan: Plan, shot: str) -> list[Change]:
    """Which words of the templates are others than those the last take was made with."""
    decision = plan.decisions[shot]
    if decision.take is None or decision.state != "stale":
        return []
    return explain(decision.take.words, plan.briefs[shot].words.used)


def _show(change: Change) -> None:
    click.echo(f"  {click.style(change.field, bold=True)}")
    if isinstance(change.old, str) and isinstance(change.new, str) and " " in change.old + change.new:
        click.echo(f"    {options.wordwise(change.old, change.new)}")
    else:
        click.echo(f"    {click.style('- ' + options.value(change.old), fg='red')}")
        click.echo(f"    {click.style('+ ' + options.value(change.new), fg='green')}")
