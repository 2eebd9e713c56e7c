"""What a film needs of what was bought: which clips are here, which are not, and what buying them again would cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from . import cut, outputs
from .errors import Problem, StoryError
from .facts import Done
from .load import Loaded
from .plan import Plan, exec_key
from .store import LocalStore
from .takes import Take


@dataclass(frozen=True, slots=True)
class Missing:
    """A shot whose clip is not to be had: the takes of its key that are not here, and how many are still."""

    shot: str
    takes: tuple[Take, ...]
    buy: int
    usd: Decimal | None
    """What buying it again would cost; None for a model without a price."""


def takes_of(plan: Plan, *, everything: bool = False) -> dict[str, tuple[Take, ...]]:
    """The bought takes a film shows or tells of, by shot: the chosen one and the others of its key.

    ``everything``: all that the takes files tell of.
    """
    if plan.lane.draws:
        return {}
    found = {}
    for shot in plan.board.shots:
        chosen = plan.decisions[shot.id].take
        mine = plan.facts.takes.get(shot.id, ())
        if not everything:
            mine = tuple(take for take in mine if chosen is not None and take.key == chosen.key)
            mine = mine or ((chosen,) if chosen is not None else ())
        if mine:
            found[shot.id] = mine
    return found


def missing(plan: Plan, store: LocalStore) -> list[Missing]:
    """The shots of the film whose clips are not on this machine, in film order."""
    if plan.lane.draws:
        return []
    shown = {name for film in plan.board.films for name in film.shots}
    found = []
    for name, takes in takes_of(plan).items():
        decision = plan.decisions[name]
        used = decision.usable or decision.state == "waiting"  # what is made anew needs no clip of before
        if decision.take is None or name not in shown or not used or store.has(decision.take.clip):
            continue
        gone = tuple(take for take in takes if not store.has(take.clip))
        buy = max(0, decision.want - (len(takes) - len(gone)))
        one = plan.briefs[name].card.cost(plan.briefs[name].request)
        found.append(Missing(name, gone, buy, None if one is None else one * buy))
    return found


def problems(plan: Plan, found: Iterable[Missing], where: str) -> StoryError:
    """What is missing, shot by shot, with its price; ``where`` says where it was looked for."""
    some = list(found)
    costs = [one.usd for one in some]
    known = [usd for usd in costs if usd is not None]
    total = _usd(sum(known, Decimal(0))) if len(known) == len(costs) else "an unknown amount"
    told = []
    for one in some:
        takes = ", ".join(f"take {take.take} ({take.clip[:12]})" for take in one.takes)
        are = "was bought, and is" if len(one.takes) == 1 else "were bought, and are"
        again = "another take of the same words would count"
        if one.buy:
            again = f"buying {'it' if one.buy == 1 else 'them'} again would cost {_usd(one.usd)}"
        if follows := plan.follows(one.shot):
            again += f"; {', '.join(follows)} may follow"
        clips = "clip" if len(one.takes) == 1 else "clips"
        fact = f'shot "{one.shot}": the {clips} of {takes} {are} not on this machine{where}; {again}'
        place = plan.board.document.place((*plan.board.by_id[one.shot].route, "shot"))
        told.append(Problem(fact, None, place))
    many = len(some) > 1
    clips = f"the clips of {len(some)} shots are" if many else "the clip of 1 shot is"
    push = "matchcut store push where they were bought"
    push = push if where else f"`store:` in the storyboard, and {push}"
    remedy = f"{push}; then run again\nrun --buy-again, which buys {'them' if many else 'it'} again for {total}"
    return StoryError([*told, Problem(f"{clips} missing; nothing was done", remedy)], exit_code=4)


def _usd(amount: Decimal | None) -> str:
    if amount is None:
        return "an unknown amount"
    whole, _, cents = f"{amount.normalize():f}".partition(".")
    return f"${whole}.{cents.ljust(2, '0')}"


def copies(loaded: Loaded, shot: str, take: Take) -> Iterator[Path]:
    """Where a copy of a take's clip stands under its film name, if nobody touched it."""
    index = {s.id: s.index + 1 for s in loaded.board.shots}
    suffix = cut.suffix(take.probe)
    scene = loaded.board.by_id[shot].scene
    yield loaded.project.out / outputs.clip_name(index, scene, shot, take.take, suffix)


def commands_of(plan: Plan) -> Iterator[tuple[str, str, Take]]:
    """The results of the pipeline's commands that are not here: shot, key, and the take they are made of."""
    for name, decision in plan.decisions.items():
        for step in plan.pipeline.shot:
            if step.kind != "exec" or decision.take is None:
                continue
            key = exec_key(plan, step, name, decision.take, plan.facts)
            if key is not None and plan.facts.done.get(key) is None:
                yield name, key, decision.take


def outputs_of(done: Done) -> tuple[list[str], list[str]]:
    """Digests of the files a command gave, and of the frames taken out of them."""
    frames = [f["digest"] for receipt in done.receipts.values() for f in receipt.get("frames", {}).values()]
    return list(dict.fromkeys(done.outputs.values())), list(dict.fromkeys(frames))
