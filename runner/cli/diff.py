"""matchcut diff: what changed since a git revision."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..key import Change
from . import options
from .app import as_data, tell

if TYPE_CHECKING:
    from ..diff import Diff, ShotDiff, Side, Spot


@click.command
@click.argument("revision", metavar="[REV[..REV]]", default="HEAD")
@options.storyboard
@options.provider
@options.variant
@options.as_json
@click.option("--markdown", is_flag=True, help="For a pull request.")
@options.outside
def command(
    revision: str, storyboard: Path, provider: str | None, variant: str | None, as_json: bool, markdown: bool,
    allow_outside: bool,
) -> int:  # fmt: skip
    """Show what changed since git revision REV (default: HEAD): shots, words, what follows, and the cost.

    REV is compared with the work tree, A..B with each other, A...B from where they parted. Reads only.
    """
    from .. import api

    if revision.endswith((".yaml", ".yml")) or (Path(revision) / "storyboard.yaml").is_file():
        revision, storyboard = "HEAD", Path(revision)  # the one word was the storyboard
    if as_json and markdown:
        raise click.UsageError("either --json or --markdown")
    found = api.diff(storyboard, revision, provider=provider, variant=variant, allow_outside=allow_outside)
    if as_json:
        options.say(as_diff(found))
        return 0
    tell(found.warnings)
    if markdown:
        from .pull_request import text

        click.echo(text(found), nl=False)
    else:
        show(found)
    return 0


def show(diff: Diff) -> None:
    """The diff, for people."""
    from . import differences as said

    click.echo(f"{click.style(diff.title, bold=True)}: {_side(diff.old)} against {_side(diff.new)}")
    if diff.existed and diff.old.file != diff.new.file:
        click.echo(f"the storyboard was {diff.old.file}, is {diff.new.file}")
    click.echo(said.headline(diff))
    if diff.board:
        click.echo("\nstoryboard")
        _changes(diff.board)
    if diff.pipeline:
        click.echo("\npipeline")
        _changes(diff.pipeline)
    if diff.shared:
        click.echo("\nevery shot that was there")
        _changes(diff.shared)
    if diff.told:
        click.echo()
    for shot in diff.told:
        _shot(diff, shot)
    click.echo("\n" + " ".join(said.bill(diff)))


def _side(side: Side) -> str:
    if side.commit is None or side.commit.startswith(side.name):
        return side.name
    return f"{side.name} ({side.commit[:10]})"


def _shot(diff: Diff, shot: ShotDiff) -> None:
    from . import differences as said

    mark, colour = _mark(shot)
    after = "" if shot.decision is None else f" [{said.state(shot)}]"
    price = said.price(diff, shot)
    click.echo(
        f"{click.style(f'{mark} {shot.shot}', fg=colour, bold=True)}  {said.what(shot)}{after}  {price}".rstrip()
    )
    if shot.fate == "added" and shot.action:
        click.echo(f"    {shot.action}")
    told = [change for change in (*shot.loud, *shot.quiet) if change not in diff.shared]
    causes = said.causes(shot)
    _changes(told, {"prompt": f"prompt ({', '.join(causes)})"} if causes else {})


def _mark(shot: ShotDiff) -> tuple[str, str | None]:
    if shot.fate != "kept":
        return ("+", "green") if shot.fate == "added" else ("-", "red")
    return {"direct": ("~", "yellow"), "inherited": (">", "cyan"), "none": ("=", None)}[shot.effect]


def _changes(changes: tuple[Change, ...] | list[Change], names: dict[str, str] | None = None) -> None:
    from . import differences as said

    for change in changes:
        name = (names or {}).get(change.field, change.field)
        if isinstance(change.old, str) and isinstance(change.new, str) and " " in change.old + change.new:
            click.echo(f"    {name}: {options.wordwise(change.old, change.new)}")
        else:
            old, new = (said.value(change.field, value) for value in (change.old, change.new))
            click.echo(f"    {name}: {old} -> {new}")


def as_diff(diff: Diff) -> dict[str, Any]:
    """The diff as plain data. Money is in USD."""
    bill = diff.bill
    return {
        "diff": 1, "storyboard": diff.new.file, "title": diff.title, "existed": diff.existed, "empty": diff.empty,
        "old": _as_side(diff.old), "new": _as_side(diff.new),
        "board": _as_changes(diff.board), "pipeline": _as_changes(diff.pipeline),
        "shots": [_as_shot(shot) for shot in diff.shots],
        "cost": {
            "free": bill.draws, "to_make": bill.to_make, "spent": _usd(bill.spent),
            "run": _usd(bill.best), "worst": _usd(bill.worst),
            "was_run": _usd(bill.was_best), "was_worst": _usd(bill.was_worst), "same_shots": _usd(bill.rest),
            "budget": _usd(bill.budget), "was_budget": _usd(bill.was_budget),
        },
        "warnings": [as_data(problem) for problem in diff.warnings],
    }  # fmt: skip


def _as_side(side: Side) -> dict[str, Any]:
    return {"name": side.name, "commit": side.commit, "file": side.file}


def _as_shot(shot: ShotDiff) -> dict[str, Any]:
    decision = shot.decision
    return {
        "shot": shot.shot, "fate": shot.fate, "was": shot.was, "moved": shot.moved, "changed": shot.changed,
        "effect": shot.effect, "certain": shot.certain, "through": list(shot.through),
        "stood": _as_spot(shot.old), "stands": _as_spot(shot.new),
        "asked": _as_changes(shot.asked), "fields": _as_changes(shot.fields), "words": _as_changes(shot.words),
        "state": decision.state if decision else None, "reason": decision.reason if decision else None,
        "buy": decision.buy if decision else 0, "buy_certain": decision.certain if decision else True,
        "usd": _usd(shot.usd), "takes": shot.takes, "paid": _usd(shot.paid), "prompt": shot.action,
    }  # fmt: skip


def _as_spot(spot: Spot | None) -> dict[str, Any] | None:
    return None if spot is None else {"scene": spot.scene, "after": spot.after}


def _as_changes(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    return [{"field": change.field, "old": change.old, "new": change.new} for change in changes]


def _usd(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
