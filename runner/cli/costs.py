"""matchcut costs: what was spent, by shot, model and day, beside what was estimated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import click

from .. import gather
from ..load import loads
from ..money import Charge
from . import options
from .plan import in_flight

_BY: dict[str, Callable[[Charge], str]] = {
    "task": lambda charge: charge.uuid,
    "shot": lambda charge: charge.shot,
    "model": lambda charge: charge.model or "unknown",
    "day": lambda charge: datetime.fromtimestamp(charge.at, UTC).date().isoformat() if charge.at else "unknown",
}


@click.command
@options.storyboard
@click.option("--by", type=click.Choice(list(_BY)), default="shot", show_default=True, help="How to add up.")
@options.as_json
def command(storyboard: Path, by: str, as_json: bool) -> int:
    """Show what a storyboard has cost beside what was estimated: from takes files and journal, each task once."""
    loaded = loads(storyboard)[0]  # what was spent is that of all variants
    found = gather.charges(loaded.project.file, loaded.project.store)
    spent = sum((charge.usd for charge in found), Decimal(0))
    budget = loaded.board.budget
    if as_json:
        options.say({"usd": float(spent), "budget": None if budget is None else float(budget),
                     "charges": [_data(charge) for charge in found], "in_flight": in_flight(loaded.plan)})  # fmt: skip
        return 0
    groups: dict[str, list[Charge]] = {}
    for charge in found:
        groups.setdefault(_BY[by](charge), []).append(charge)
    rows = [
        (name, str(len(mine)), _estimate(mine), options.usd(_sum(mine)), _where(mine))
        for name, mine in sorted(groups.items())
    ]
    options.columns((by, "tasks", "estimated", "spent", "told by"), rows, right=(1, 2, 3))
    for line in options.flights(loaded.plan):
        click.echo(line)
    left = f" of {options.usd(budget)}" if budget is not None else ""
    flying = [flight.usd for some in loaded.plan.facts.flights.values() for flight in some]
    known = None if None in flying else sum((usd for usd in flying if usd is not None), Decimal(0))
    aside = f"; about {options.usd(known)} more in flight" if flying else ""
    click.echo(f"spent {options.usd(spent)}{left}{aside}")
    return 0


def _sum(charges: Iterable[Charge]) -> Decimal:
    return sum((charge.usd for charge in charges), Decimal(0))


def _estimate(charges: list[Charge]) -> str:
    known = [charge.estimate for charge in charges if charge.estimate is not None]
    return options.usd(sum(known, Decimal(0))) if len(known) == len(charges) else "?"


def _where(charges: list[Charge]) -> str:
    failed = sum(charge.failed for charge in charges)
    sources = ", ".join(sorted({source for charge in charges for source in charge.sources}))
    return sources + (f"; {failed} failed" if failed else "")


def _data(charge: Charge) -> dict[str, object]:
    return {
        "task_uuid": charge.uuid, "shot": charge.shot, "model": charge.model, "usd": float(charge.usd),
        "estimate": None if charge.estimate is None else float(charge.estimate), "at": charge.at,
        "sources": list(charge.sources), "failed": charge.failed,
    }  # fmt: skip
