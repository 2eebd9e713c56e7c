"""matchcut plan: what a run would make, why, and what it costs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from .. import bill, config, needs, saved
from ..load import Loaded, loads, warnings
from ..plan import Decision, End, Part, Plan
from ..store import told, write
from ..storyboard import Point, Shot
from . import options
from .app import as_data, tell


@click.command
@options.storyboard
@options.provider
@options.variants
@options.as_json
@options.outside
@options.only
@options.until
@options.start
@options.keep_stale
@click.option("--check", is_flag=True, help="End with 3 if a run would make anything, or lacks clips.")
@click.option(
    "-o", "output", metavar="FILE", type=click.Path(path_type=Path),
    help="Save the plan; `run --plan FILE` carries it out, once, if nothing has changed.",
)  # fmt: skip
@options.force
def command(
    storyboard: Path, provider: str | None, variants: tuple[str, ...], only: tuple[str, ...], until: str | None,
    start: str | None, output: Path | None, *, keep_stale: bool, as_json: bool, allow_outside: bool, check: bool,
    force: bool,
) -> int:  # fmt: skip
    """Show what a run would make, in what order, why, and what it costs. Reads only."""
    part = options.part(only, until, start, keep_stale=keep_stale)
    options.vacant(output, force=force, ours=saved.is_plan)
    found = loads(storyboard, variants=variants, provider=provider, allow_outside=allow_outside, part=part)
    if output is not None:
        save(found, output)
    if as_json:
        options.say(as_plan(found[0]) if len(found) == 1 else as_plans(found))
    else:
        tell(warnings(found))
        for loaded in found:
            show(loaded, alone=len(found) == 1)
        if len(found) > 1:
            for line in options.flights(found[0].plan):
                click.echo(line)
            click.echo(grand(found))
    if output is not None:
        words = ["matchcut", "run", *([] if storyboard == Path("storyboard.yaml") else [str(storyboard)])]
        click.echo(f"plan saved in {output}: {shlex.join([*words, '--plan', str(output)])} carries it out", err=as_json)
    return 3 if check and any(loaded.plan.work or stopped(loaded) for loaded in found) else 0


def save(found: Sequence[Loaded], output: Path) -> None:
    """Write a plan to be carried out later."""
    if len(found) > 1:
        raise click.UsageError("one variant's plan is saved: say --variant NAME")
    (loaded,) = found
    worst = totals(loaded.plan)["worst"]
    ceiling = None if worst is None else loaded.plan.facts.spent + worst
    with told(output.parent):
        write(output, saved.write(loaded, as_plan(loaded), ceiling))


def totals(plan: Plan) -> dict[str, Any]:
    """Sums over the shots, in seconds and USD: spent already, this run at least, and at most.

    What several shots ask for in the same words and frames is made once, and counts once.
    """
    costs = {name: plan.cost(name) for name in plan.order}
    told = bill.together([plan])
    bought = [plan.cost(name, bought=True) for name in plan.order]
    return {
        "shots": len(plan.order),
        "seconds": sum(plan.briefs[name].seconds for name in plan.order),
        "to_make": told.to_make,
        "to_take_in": sum(d.buy for name, d in plan.decisions.items() if plan.briefs[name].footage is not None),
        "spent": plan.facts.spent,
        "run": told.run,
        "worst": told.worst,
        "later": _sum([plan.cost(name, later=True) for name in plan.order]),
        "inherited": _sum([costs[name] for name in plan.order if inherited(plan.decisions[name])]),
        "if_bought": _sum(bought) if plan.lane.rehearsal else None,
        "budget": plan.board.budget,
    }


def inherited(decision: Decision) -> bool:
    """Whether a shot is stale because of others alone."""
    return decision.state == "stale" and not decision.direct


def _sum(costs: list[Decimal | None]) -> Decimal | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def show(loaded: Loaded, *, alone: bool = True) -> None:
    """The plan as a table. ``alone``: no other variant is shown beside it."""
    plan = loaded.plan
    rehearsal = plan.lane.rehearsal
    click.echo(click.style(titled(loaded), bold=True))
    click.echo(click.style(headline(plan), dim=True))
    head = ("shot", "begins on", "state", "s", "takes", "if bought" if rehearsal else "USD", "why")
    options.columns(head, (_row(plan, shot) for shot in plan.board.shots), right=(3, 4, 5), styled=2)
    for line in options.flights(plan) if alone else ():
        click.echo(line)
    for line in absent(loaded):
        click.echo(line)
    click.echo(sums(plan, alone=alone, stopped=stopped(loaded)) + ("" if alone else "\n"))


def stopped(loaded: Loaded) -> bool:
    """Whether a run would make nothing, since clips that were bought are nowhere to be had, as far as is known here."""
    lost = [one for one in needs.missing(loaded) if not one.coming]
    place = needs.source(loaded) if lost else None
    return bool(lost) and (place is None or place.gone)


def absent(loaded: Loaded) -> list[str]:
    """What a run will say of bought clips that are not on this machine, in lines."""
    found = needs.missing(loaded)
    lines = []
    if coming := [one.shot for one in found if one.coming]:
        lines.append(f"not here: {_clips(coming)}; bought again, and a run fetches that")
    lost = [one for one in found if not one.coming]
    if not lost:
        return lines
    place, names = needs.source(loaded), _clips([one.shot for one in lost])
    if place is not None and not place.gone:
        again = f"what is not there costs {needs.total(lost)} at most to buy again"
        return [*lines, f"not here: {names}; a run pulls what {place.url} has, and {again}"]
    away = f", and the shared store {place.url} is not there: no such folder" if place is not None else ""
    tail = "a run stops at that, and buys nothing"
    return [*lines, f"not here: {names}{away}; {tail}", f"  try: {needs.remedy(lost, place)}"]


def _clips(shots: Sequence[str]) -> str:
    return f"the {'clip' if len(shots) == 1 else 'clips'} of {', '.join(shots)}"


def not_here(loaded: Loaded) -> dict[str, Any]:
    """Bought clips that are not on this machine, as plain data; ``store`` is where a run looks for them."""
    found = needs.missing(loaded)
    place = needs.source(loaded) if found else None
    return {
        "store": None if place is None else place.url, "stops": stopped(loaded),
        "shots": [
            {"shot": one.shot, "clips": [take.clip for take in one.takes], "buy": one.buy, "in_flight": one.flying,
             "usd": None if one.usd is None else float(one.usd)}
            for one in found
        ],
    }  # fmt: skip


def titled(loaded: Loaded) -> str:
    """The film's title, and which variant of it."""
    title = loaded.board.title
    return title if loaded.project.variant is None else f"{title} · {loaded.project.variant}"


def _row(plan: Plan, shot: Shot) -> tuple[str, ...]:
    decision = plan.decisions[shot.id]
    price = options.usd(plan.cost(shot.id, bought=plan.lane.rehearsal))
    if not plan.lane.rehearsal:
        price = "" if not decision.buy else price if decision.certain else f"up to {price}"
    if decision.later:
        price = f"later {options.usd(plan.cost(shot.id, later=True))}"
    if plan.briefs[shot.id].footage is not None:
        price = "free" if decision.buy or plan.lane.rehearsal else ""
    begins = f"{shot.begins} … {shot.ends}" if shot.ends else shot.clip or str(shot.begins)
    takes = f"{decision.have or int(decision.accepted)}/{decision.want}"
    return shot.id, begins, decision.state, f"{plan.briefs[shot.id].seconds:g}", takes, price, why(plan, shot.id)


def headline(plan: Plan) -> str:
    """Pipeline, model and provider in a line."""
    who = f"rehearsed by {plan.lane.provider}" if plan.lane.rehearsal else f"by {plan.lane.provider}"
    asked = [brief.card.title for brief in plan.briefs.values() if brief.footage is None]
    if not asked:
        return f"{plan.pipeline.id}: own footage"
    return f"{plan.pipeline.id}: {', '.join(dict.fromkeys(asked))}, {who}"


def why(plan: Plan, name: str) -> str:
    """The reason of a decision, and what follows from it."""
    decision = plan.decisions[name]
    words = decision.reason + ("; not part of this run" if decision.left else "")
    if inherited(decision) and decision.certain and not decision.kept:
        words = f"inherited: {words}"
    if decision.due and not decision.buy:
        words += f"; to do here: {', '.join(decision.due)}"
    if decision.state == "stale" and decision.certain and decision.buy:
        follows = plan.follows(name)
        words += f"; {', '.join(follows)} may follow" if follows else ""
    return words


def sums(plan: Plan, *, alone: bool = True, stopped: bool = False) -> str:
    """The totals in a line or two; not ``alone``: without what all variants have in common.

    ``stopped``: clips are missing, and nothing is made before they are here.
    """
    told = totals(plan)
    shots = f"{options.count(told['shots'], 'shot')}, {told['seconds']:g} s"
    if not plan.work:
        head = f"{shots}. " + ("Nothing can be made: clips are missing." if stopped else "Nothing to make.")
    else:
        head = f"{shots}. {options.count(told['to_make'], 'take')} to make."
        if told["to_take_in"]:
            head = f"{head[:-1]}, {options.count(told['to_take_in'], 'clip')} of your own to take in."
    if plan.lane.draws:
        free = "Free: drawn on this machine."
        return (
            f"{head} {free} It would cost {options.usd(told['if_bought'])} at {plan.pipeline.provider}."
            if plan.lane.rehearsal
            else f"{head} {free}"
        )
    best, worst = options.usd(told["run"]), options.usd(told["worst"])
    run = best if best == worst else f"{best} to {worst}"
    if told["inherited"]:
        run += f" ({options.usd(told['inherited'])} of it for what only follows from other shots)"
    if told["later"]:
        run += f", and up to {options.usd(told['later'])} once what waits is circled"
    if not alone:
        return f"{head} This variant {run}."
    told_by = f" ({', '.join(plan.facts.sources)})" if plan.facts.sources else ""
    budget = _budget(plan, told["run"], told["worst"])
    return f"{head} Spent {options.usd(told['spent'])}{told_by}, this run {run}.{budget}"


def _budget(plan: Plan, best: Decimal | None, worst: Decimal | None) -> str:
    """The budget that is known before a run, and whether it is enough for what is spent, in flight, and to be spent."""
    own = config.amount(plan.facts.environ.get("MATCHCUT_BUDGET"), "MATCHCUT_BUDGET", [])
    known = [budget for budget in (plan.board.budget, own) if budget is not None]
    if not known:
        return ""
    flying = sum((f.usd or Decimal(0) for some in plan.facts.flights.values() for f in some), Decimal(0))
    named = " (MATCHCUT_BUDGET)" if min(known) != plan.board.budget else ""
    enough = options.enough(min(known), plan.facts.spent + flying, best, worst)
    return f" Budget {options.usd(min(known))}{named}{enough}"


def grand(found: Sequence[Loaded]) -> str:
    """What all variants come to, where a take that several of them ask for counts once."""
    plans = [loaded.plan for loaded in found]
    told = bill.together(plans)
    head = f"{options.count(told.variants, 'variant')}, {options.count(told.shots, 'shot')}."
    if any(stopped(loaded) for loaded in found):
        head += " Clips are missing."
    elif not any(plan.work for plan in plans):
        head += " Nothing to make."
    else:
        shared = f" ({told.shared} for more than one variant)" if told.shared else ""
        head += f" {options.count(told.to_make, 'take')} to make in all{shared}."
    lane = plans[0].lane
    if lane.draws:
        bought = f" It would cost {options.usd(told.if_bought)} at {plans[0].pipeline.provider}."
        return f"{head} Free: drawn on this machine." + (bought if lane.rehearsal else "")
    best, worst = options.usd(told.run), options.usd(told.worst)
    run = best if best == worst else f"{best} to {worst}"
    budget = _budget(plans[0], told.run, told.worst)
    told_by = f" ({', '.join(plans[0].facts.sources)})" if plans[0].facts.sources else ""
    return f"{head} Spent {options.usd(told.spent)}{told_by}, this run {run}.{budget}"


def as_plans(found: Sequence[Loaded]) -> dict[str, Any]:
    """The plans of several variants as plain data; in their sums a take that several ask for counts once."""
    told = asdict(bill.together([loaded.plan for loaded in found]))
    return {
        "plan": 1, "storyboard": found[0].board.id,
        "variants": [as_plan(loaded) for loaded in found],
        "totals": {name: float(value) if isinstance(value, Decimal) else value for name, value in told.items()},
    }  # fmt: skip


def as_plan(loaded: Loaded) -> dict[str, Any]:
    """The plan as plain data."""
    plan = loaded.plan
    told = {name: float(value) if isinstance(value, Decimal) else value for name, value in totals(plan).items()}
    return {
        "plan": 1,
        "storyboard": plan.board.id, **as_variant(loaded), "title": plan.board.title, "pipeline": plan.pipeline.id,
        "part": as_part(loaded.part),
        "provider": plan.lane.provider, "rehearsal": plan.lane.rehearsal, "order": list(plan.order),
        "shots": [as_shot(plan, shot.id) for shot in plan.board.shots],
        "tasks": [{"id": t.id, "shot": t.shot, "uses": t.kind, "needs": list(t.needs)} for t in plan.tasks],
        "totals": told, "in_flight": in_flight(plan), "not_here": not_here(loaded),
        "warnings": [as_data(problem) for problem in plan.warnings],
    }  # fmt: skip


def as_part(part: Part) -> dict[str, Any]:
    """The part of a storyboard that a person named, as plain data."""
    return {"only": list(part.only), "until": part.until, "from": part.start, "keep_stale": part.keep_stale}


def as_variant(loaded: Loaded) -> dict[str, Any]:
    """Which variant it is, where there are any."""
    return {} if loaded.project.variant is None else {"variant": loaded.project.variant}


def in_flight(plan: Plan) -> list[dict[str, Any]]:
    """What was submitted and has not ended, as plain data. Money in USD, times in seconds since 1970."""
    return [
        {"shot": shot, **({"variant": flight.variant} if flight.variant else {}),
         "task_uuid": flight.uuid, "takes": flight.takes, "known": flight.known, "since": flight.since,
         "estimate": None if flight.usd is None else float(flight.usd), "reason": flight.reason}
        for shot, some in plan.facts.flights.items()
        for flight in some
    ]  # fmt: skip


def as_shot(plan: Plan, name: str) -> dict[str, Any]:
    """One shot of the plan as plain data. Money is in USD."""
    brief, decision = plan.briefs[name], plan.decisions[name]
    cost, bought = plan.cost(name), plan.cost(name, bought=True)
    return {
        "shot": name, "scene": brief.shot.scene, "state": decision.state, "reason": decision.reason,
        "certain": decision.certain, "kept": decision.kept, "left": decision.left, "direct": decision.direct,
        "key": decision.key.digest if decision.key else None,
        "take": decision.take.take if decision.take else None, "circled": decision.circled,
        "have": decision.have, "want": decision.want, "buy": decision.buy,
        "later": decision.later, "due": list(decision.due),
        "model": brief.card.id, "clip": brief.shot.clip,
        "width": brief.width, "height": brief.height, "seconds": brief.seconds,
        "usd": None if cost is None else float(cost), "usd_if_bought": None if bought is None else float(bought),
        "from": _end(brief.shot.begins, decision.first), "to": _end(brief.shot.ends, decision.last),
        "follows": list(plan.follows(name)), "unknown": unknown(decision),
        "changes": [{"field": c.field, "old": c.old, "new": c.new} for c in decision.changes],
        "prompt": brief.words.prompt, "negative": brief.words.negative,
    }  # fmt: skip


def unknown(decision: Decision) -> list[str]:
    """What cannot be known before something is made."""
    return [end.unknown for end in (decision.first, decision.last) if end is not None and end.unknown]


def _end(point: Point | None, end: End | None) -> dict[str, Any] | None:
    if point is None:
        return None
    return {"origin": point.origin, "shot": point.shot, "frame": point.frame if point.shot else None,
            "image": point.image, "digest": end.pixels if end else None}  # fmt: skip
