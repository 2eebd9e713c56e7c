"""What a film needs of what was bought: which clips are here, which are not, and what buying them again would cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from . import config, cut, outputs
from .errors import Problem, StoryError
from .facts import Done
from .load import Loaded
from .plan import Plan, exec_key
from .shelf import Shelf, shelf
from .store import hash_file
from .takes import Take


@dataclass(frozen=True, slots=True)
class Missing:
    """A shot whose clip is not to be had: the takes of its key that are not here, and how many are still."""

    shot: str
    takes: tuple[Take, ...]
    buy: int
    usd: Decimal | None
    """What buying it again would cost; None for a model without a price."""
    flying: int = 0
    """How many takes in its place are bought already, and still to be fetched."""

    @property
    def coming(self) -> bool:
        """Whether nothing is to be bought again: it was, and is fetched."""
        return bool(self.flying) and not self.buy


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


def missing(loaded: Loaded) -> list[Missing]:
    """The shots of the film whose clips are not on this machine, in film order. A copy in the output folder counts."""
    plan, store = loaded.plan, loaded.project.store
    if plan.lane.draws:
        return []
    shown = {name for film in plan.board.films for name in film.shots}
    found: list[Missing] = []
    counted: set[str] = set()
    for name, takes in takes_of(plan).items():
        decision = plan.decisions[name]
        used = decision.usable or decision.state == "waiting"  # what is made anew needs no clip of before
        if decision.take is None or name not in shown or not used or _back(loaded, name, decision.take):
            continue
        gone = tuple(take for take in takes if not store.has(take.clip))
        flights = [flight for some in plan.facts.flights.values() for flight in some]
        flying = sum(flight.takes for flight in flights if flight.key == decision.take.key)
        buy = max(0, decision.want - (len(takes) - len(gone)) - flying)
        if decision.take.key in counted:
            buy = 0  # a shot that asks for the very same is told before: they share their takes
        counted.add(decision.take.key)
        one = plan.briefs[name].card.cost(plan.briefs[name].request)
        found.append(Missing(name, gone, buy, None if one is None else one * buy, flying))
    return found


def _back(loaded: Loaded, name: str, take: Take) -> bool:
    if loaded.project.store.has(take.clip):
        return True
    return any(copy.is_file() and hash_file(copy) == take.clip for copy in copies(loaded, name, take))


def source(loaded: Loaded) -> Shelf | None:
    """Where a run looks for clips that are not here: the shared store, if one is named. Raises StoryError."""
    url = loaded.board.store or config.read(loaded.project.folder, loaded.plan.facts.environ).store
    return shelf(url, loaded.project.folder) if url is not None and not loaded.lane.draws else None


def problems(plan: Plan, found: Iterable[Missing], place: Shelf | None) -> StoryError:
    """What is missing, shot by shot, with its price; ``place`` is the shared store, where it is not either."""
    some = [one for one in found if not one.coming]
    where = f", nor in {place.url}" if place is not None and not place.gone else ""
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
        told.append(Problem(fact, None, plan.board.document.place((*plan.board.by_id[one.shot].route, "shot"))))
    clips = f"the clips of {len(some)} shots are" if len(some) > 1 else "the clip of 1 shot is"
    away = f"; the shared store {place.url} is not there: no such folder" if place is not None and place.gone else ""
    told.append(Problem(f"{clips} missing{away}; nothing was done", remedy(some, place), None, "note"))
    return StoryError(told, exit_code=4)


def remedy(found: Iterable[Missing], place: Shelf | None) -> str:
    """How missing clips come back, and what buying them again would cost."""
    some = list(found)
    push = "matchcut store push where they were bought; then run again"
    if place is None:
        push = f"`store:` in the storyboard, and {push}"
    elif place.gone:
        push = f"mount it, or see to `store:`; or {push}"
    them = "them" if len(some) > 1 else "it"
    return f"{push}\n  or run --buy-again, which buys {them} again for {total(some)}"


def total(found: Iterable[Missing]) -> str:
    """What buying everything again would cost, in words."""
    costs = [one.usd for one in found]
    known = [usd for usd in costs if usd is not None]
    return _usd(sum(known, Decimal(0))) if len(known) == len(costs) else "an unknown amount"


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
