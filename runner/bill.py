"""A bill: what several variants of a storyboard cost together, where what they share is counted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from . import key as keys
from .plan import End, Plan
from .storyboard import Point


@dataclass(frozen=True, slots=True)
class Bill:
    """Sums over all variants, in takes and USD. None: the price of a model is not known."""

    variants: int
    shots: int
    to_make: int
    shared: int
    """How many takes to make serve more than one variant."""
    spent: Decimal
    run: Decimal | None
    """What this run costs at least."""
    worst: Decimal | None
    if_bought: Decimal | None
    budget: Decimal | None


@dataclass(slots=True)
class _Item:
    """What is asked for once, by however many variants."""

    variants: int = 0
    buy: int = 0
    certain: int = 0
    bought: int = 0
    one: Decimal | None = None


def together(plans: Sequence[Plan]) -> Bill:
    """The bill of the plans of one storyboard's variants, which all know the same takes."""
    items: dict[str, _Item] = {}
    for plan in plans:
        seen: set[str] = set()
        for shot, name in intents(plan).items():
            decision, brief = plan.decisions[shot], plan.briefs[shot]
            if brief.footage is not None:
                continue  # it is there, and costs nothing
            item = items.setdefault(name, _Item())
            item.variants += name not in seen
            seen.add(name)
            item.buy = max(item.buy, decision.buy)
            item.certain = max(item.certain, decision.buy if decision.certain else 0)
            item.bought = max(item.bought, brief.shot.takes)
            item.one = brief.card.cost(brief.request)
    draws = plans[0].lane.draws
    every = list(items.values())
    return Bill(
        variants=len(plans),
        shots=sum(len(plan.order) for plan in plans),
        to_make=sum(item.buy for item in every),
        shared=sum(item.buy for item in every if item.variants > 1),
        spent=plans[0].facts.spent,
        run=Decimal(0) if draws else _sum([(item.one, item.certain) for item in every]),
        worst=Decimal(0) if draws else _sum([(item.one, item.buy) for item in every]),
        if_bought=_sum([(item.one, item.bought) for item in every]) if plans[0].lane.rehearsal else None,
        budget=plans[0].board.budget,
    )


def _sum(costs: Sequence[tuple[Decimal | None, int]]) -> Decimal | None:
    known = [one * count for one, count in costs if one is not None and count]
    return None if any(one is None and count for one, count in costs) else sum(known, Decimal(0))


def intents(plan: Plan) -> Mapping[str, str]:
    """What each shot asks for, as far as that is known: equal for two shots that will have the same key.

    It is the key where that is known; else the digest of the request, and of what those shots ask for whose frames are
    not made yet.
    """
    found: dict[str, str] = {}
    for name in plan.order:
        decision, brief = plan.decisions[name], plan.briefs[name]
        if decision.key is not None:
            found[name] = decision.key.digest
            continue
        found[name] = keys.make(
            provider=plan.lane.maker,
            request=brief.request,
            delivery=brief.card.delivery,
            first=_end(plan, found, brief.shot.begins, decision.first),
            last=_end(plan, found, brief.shot.ends, decision.last),
            slate=brief.slate.as_json() if plan.lane.draws else None,
        ).digest
    return found


def _end(plan: Plan, found: Mapping[str, str], point: Point | None, end: End | None) -> dict[str, str] | None:
    if point is None or end is None:
        return None
    if end.unknown is None:
        return end.in_key()
    handed = plan.pipeline.step(plan.pipeline.handed)
    # What a command makes of a clip is told apart by its pipeline: two that differ may still agree, and cost less.
    made = plan.pipeline.document.text if handed.kind == "exec" else ""
    return {"shot": found.get(point.shot or "", ""), "frame": point.frame, "made": made}
