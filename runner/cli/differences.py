"""How a diff is told: the sentences that text and Markdown share."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ..diff import Bill, Diff, ShotDiff
from ..key import Change
from . import options


def headline(diff: Diff) -> str:
    """How many shots are which."""
    if not diff.existed:
        return f"{diff.new.file} did not exist at {diff.old.name}: {options.count(len(diff.shots), 'shot')}, all new"
    counts = {
        "added": sum(shot.fate == "added" for shot in diff.shots),
        "removed": sum(shot.fate == "removed" for shot in diff.shots),
        "renamed": sum(shot.was is not None for shot in diff.shots),
        "moved": sum(shot.moved for shot in diff.shots),
        "changed": sum(shot.changed for shot in diff.shots),
        "following": sum(shot.effect == "inherited" for shot in diff.shots),
    }
    told = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    same = sum(not shot.told for shot in diff.shots)
    if not told:
        return f"{options.count(same, 'shot')}, none of which differs"
    return f"{told}; {same} the same" if same else told


def what(shot: ShotDiff) -> str:
    """What became of a shot, in a phrase or several."""
    said = []
    if shot.fate == "added":
        said.append(f"added, {shot.new}")
    if shot.fate == "removed":
        said.append(f"removed, was {shot.old}")
        if shot.takes:
            paid = f" ({options.usd(shot.paid)})" if shot.paid else ""
            said.append(f"{options.count(shot.takes, 'take')}{paid} kept")
    if shot.was is not None:
        said.append(f"renamed, was {shot.was}")
    if shot.moved:
        said.append(f"moved, was {shot.old}, is {shot.new}")
    if shot.loud:
        said.append(f"{_names(shot.loud)} changed")
    elif shot.effect == "direct" and shot.fate == "kept":
        said.append("its slate changed")
    if shot.quiet:
        said.append(f"{_names(shot.quiet)} changed")
    if shot.effect == "inherited":
        through = " and ".join(shot.through)
        said.append(f"another frame of {through}" if shot.certain else f"its frame may change with {through}")
    elif shot.fate == "kept" and shot.effect == "none":
        said.append("no take is affected")
    return "; ".join(said)


def _names(changes: Iterable[Change]) -> str:
    return ", ".join(dict.fromkeys(change.field for change in changes))


def value(field: str, said: Any) -> str:
    """One side of a change, on a line."""
    if field == "budget" and isinstance(said, float):
        return options.usd(Decimal(str(said)))
    return " ".join(options.value(said).split())


def price(diff: Diff, shot: ShotDiff) -> str:
    """What a run spends on a shot now; empty where that is nothing."""
    decision = shot.decision
    if decision is None or not decision.buy or diff.bill.draws:
        return ""
    return options.usd(shot.usd) if decision.certain else f"up to {options.usd(shot.usd)}"


def state(shot: ShotDiff) -> str:
    """The state of a shot in the newer version."""
    return shot.decision.state if shot.decision is not None else ""


def bill(diff: Diff) -> list[str]:
    """What it costs, in sentences."""
    told = diff.bill
    if told.draws:
        many = options.count(told.to_make, "take")
        return [f"A run would now draw {many}, for nothing." if told.to_make else "A run would have nothing to make."]
    now = "nothing" if told.worst == 0 else between(told.best, told.worst)
    many = f" for {options.count(told.to_make, 'take')}" if told.to_make else ""
    said = [f"A run would now spend {now}{many}"]
    if diff.existed:
        was = "nothing" if told.was_worst == 0 else between(told.was_best, told.was_worst)
        said[0] += f"; as it was at {diff.old.name}, {was}"
    said[0] += "."
    if told.rest and diff.told:
        said.append(f"{options.usd(told.rest)} of that is for shots that do not differ.")
    said.append(f"Spent so far: {options.usd(told.spent)}.")
    if told.budget is not None:
        said.append(_budget(diff, told, told.budget))
    elif told.was_budget is not None:
        said.append(f"There is no budget any more; it was {options.usd(told.was_budget)}.")
    return said


def _budget(diff: Diff, told: Bill, budget: Decimal) -> str:
    was = "" if not diff.existed or told.was_budget == budget else f", was {_or_none(told.was_budget)}"
    return f"Budget {options.usd(budget)}{was}{options.enough(budget, told.spent, told.best, told.worst)}"


def _or_none(budget: Decimal | None) -> str:
    return "none" if budget is None else options.usd(budget)


def between(best: Decimal | None, worst: Decimal | None) -> str:
    """A span of money."""
    return options.usd(best) if best == worst else f"{options.usd(best)} to {options.usd(worst)}"


def causes(shot: ShotDiff) -> list[str]:
    """The values whose words changed a prompt; not the shot's own fields, which show in it."""
    if not any(change.field in {"prompt", "negative prompt"} for change in shot.asked):
        return []
    return [change.field for change in shot.words if change.field.startswith("values.")]
