"""A plan: what will be made, in what order, why, and how much it costs. Planning is pure and reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from . import key as keys
from .brief import Brief, briefs, picture_of, settings_of
from .card import Card
from .errors import Problem, StoryError, did_you_mean, in_order
from .facts import Facts
from .footage import OWN, Footage
from .kinds import exec, frame  # noqa: A004
from .pipeline import Pipeline, Step
from .storyboard import Point, Shot, Storyboard
from .takes import Take, chosen

State = Literal["missing", "current", "stale", "waiting", "unknown", "blocked", "failed"]


@dataclass(frozen=True, slots=True)
class Lane:
    """Whose takes count.

    ``maker`` is the provider as keys name it. In a rehearsal the animatic stands in for the pipeline's provider: only
    drawings count, and gates, circles and holds are passed by.
    """

    provider: str
    maker: str
    rehearsal: bool = False

    @property
    def draws(self) -> bool:
        return self.provider == "animatic"


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a storyboard that a person named; what is said together holds together.

    ``only`` these shots; ``until`` one, with all that it begins or ends on, however far back; ``start``: it and all
    that follows from it. ``keep_stale``: a stale take stays in use, wherever it is.
    """

    only: tuple[str, ...] = ()
    until: str | None = None
    start: str | None = None
    keep_stale: bool = False


WHOLE = Part()


@dataclass(frozen=True, slots=True)
class Scope:
    """The shots that a run is about. What lies outside is left as it is, and nothing is made for it."""

    shots: frozenset[str] | None = None
    """None: all."""
    keep_stale: bool = False

    def has(self, shot: str) -> bool:
        return self.shots is None or shot in self.shots


@dataclass(frozen=True, slots=True)
class End:
    """The frame at one end of a shot: the digest of its pixels, a reference, or why it is not known yet."""

    pixels: str | None = None
    ref: str | None = None
    path: str | None = None
    """Where the picture is, if people brought it."""
    unknown: str | None = None
    parent: str | None = None

    def in_key(self) -> dict[str, str]:
        return {"pixels": self.pixels} if self.pixels is not None else {"ref": self.ref or ""}


@dataclass(frozen=True, slots=True)
class Product:
    """A clip that a step gave for a shot, and what was measured of it."""

    clip: str
    frames: Mapping[str, Mapping[str, Any]]
    probe: Mapping[str, Any]
    inspect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """The state of a shot and what a run does about it.

    ``certain`` is False where the state hangs on a frame that is not made yet: then ``buy`` is the worst case and
    nothing is the best.
    """

    state: State
    reason: str
    first: End | None = None
    last: End | None = None
    key: keys.Key | None = None
    take: Take | None = None
    """The take that counts, if there is one."""
    circled: bool = False
    have: int = 0
    want: int = 1
    buy: int = 0
    certain: bool = True
    kept: bool = False
    """Whether a stale take stays in use."""
    later: int = 0
    """Takes that are made once a gate before it is passed, which this run does not see: at most."""
    left: bool = False
    """Whether it would be made, but for the scope of the run."""
    direct: bool = False
    """Whether its own words or pictures have changed. A stale shot of which they haven't inherits its staleness."""
    settled: bool = False
    """Whether the take that counts will be the same one when those that lack are made."""
    changes: tuple[keys.Change, ...] = ()
    due: tuple[str, ...] = ()
    """Local steps that have no result yet."""

    @property
    def accepted(self) -> bool:
        """Whether a person said that a take made for other words or frames is right for these."""
        return self.circled and self.take is not None and self.key is not None and self.take.key != self.key.digest

    @property
    def usable(self) -> bool:
        """Whether what follows may begin on this shot's frames now."""
        return self.take is not None and (self.state == "current" or self.kept or self.settled)


@dataclass(frozen=True, slots=True)
class Task:
    """One step for one shot, or for the film (``shot`` is None)."""

    id: str
    shot: str | None
    step: str
    kind: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Every shot with its decision, in the order in which they can be made."""

    board: Storyboard
    pipeline: Pipeline
    lane: Lane
    facts: Facts
    briefs: Mapping[str, Brief]
    decisions: Mapping[str, Decision]
    order: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()
    scope: Scope = Scope()

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        return children(self.board)

    def follows(self, shot: str) -> tuple[str, ...]:
        """The shots that begin or end, however far on, on this one's frames; in file order."""
        found = _reached(shot, self.children)
        return tuple(s.id for s in self.board.shots if s.id in found and s.id != shot)

    def cost(self, shot: str, *, bought: bool = False, later: bool = False) -> Decimal | None:
        """USD that this run spends on a shot at most; ``bought``: what all its takes cost from the model's provider;
        ``later``: what is spent on it once the gates before it are passed.
        """
        brief, decision = self.briefs[shot], self.decisions[shot]
        if brief.footage is not None or (self.lane.draws and not bought):
            return Decimal(0)
        one = brief.card.cost(brief.request)
        return (
            None if one is None else one * (brief.shot.takes if bought else decision.later if later else decision.buy)
        )

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(_tasks(self.board, self.pipeline))

    @property
    def work(self) -> bool:
        """Whether a run would make anything, as far as that is known."""
        return any(d.buy or d.due for d in self.decisions.values())

    @property
    def spends(self) -> bool:
        """Whether a run would do more than take the author's own clips in."""
        return any(d.buy or d.due for name, d in self.decisions.items() if self.briefs[name].footage is None)

    def selectors(self, shot: str) -> set[str]:
        """The frames that other shots, or this one's own steps, want of its clip besides its first and last."""
        return self.asked(shot) - {"first", "last"}

    def asked(self, shot: str) -> set[str]:
        """The frames that other shots, or this one's own steps, want of its clip."""
        found = set(self._wanted.get(shot, ()))
        for step in self.pipeline.shot if shot in self.board.by_id else ():
            if step.kind == "frame":
                found.add(frame.request(settings_of(step, self.board.by_id[shot])))
        return found

    @cached_property
    def _wanted(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for shot in self.board.shots:
            for point in (shot.begins, shot.ends):
                if point is not None and point.shot is not None:
                    found.setdefault(point.shot, set()).add(point.frame)
        return found


def children(board: Storyboard) -> dict[str, tuple[str, ...]]:
    """The shots that need a frame of each shot."""
    found: dict[str, list[str]] = {}
    for shot in board.shots:
        for parent in shot.parents:
            found.setdefault(parent, []).append(shot.id)
    return {name: tuple(names) for name, names in found.items()}


def _tasks(board: Storyboard, pipeline: Pipeline) -> Iterator[Task]:
    for shot in board.shots:
        for step in pipeline.shot:
            needs = [f"{shot.id}.{giver}" for giver in step.inputs.values()]
            if step.name == pipeline.generate:
                needs += [f"{parent}.{pipeline.handed}" for parent in shot.parents]
            yield Task(f"{shot.id}.{step.name}", shot.id, step.name, step.kind, tuple(dict.fromkeys(needs)))
    for step in pipeline.film:
        if step.inputs:
            needs = [f"film.{giver}" for giver in step.inputs.values()]
        elif step.kind == "assemble":
            needs = [f"{shot.id}.{pipeline.clip}" for shot in board.shots]
        else:
            needs = [f"film.{other.name}" for other in pipeline.film if other.kind == "assemble"]
        yield Task(f"film.{step.name}", None, step.name, step.kind, tuple(needs))


def scope(board: Storyboard, part: Part) -> Scope:
    """The shots of a part. Raises StoryError for those that do not exist."""
    names = [*part.only, *(name for name in (part.until, part.start) if name is not None)]
    unknown = [name for name in dict.fromkeys(names) if name not in board.by_id]
    if unknown:
        near = {name: did_you_mean(name, board.by_id) for name in unknown}
        raise StoryError(
            Problem(f'shot "{name}" does not exist', f"did you mean {near[name]}?" if near[name] else None)
            for name in unknown
        )
    sets = [frozenset(part.only)] if part.only else []
    if part.until is not None:
        sets.append(_reached(part.until, {shot.id: shot.parents for shot in board.shots}))
    if part.start is not None:
        sets.append(_reached(part.start, children(board)))
    shots = frozenset.intersection(*sets) if sets else None
    if shots is not None and not shots:
        raise StoryError.of("no shot is in all of these parts", "one of --only, --until and --from alone")
    return Scope(shots, part.keep_stale)


def _reached(shot: str, ways: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    found, todo = {shot}, [shot]
    while todo:
        new = [name for name in ways.get(todo.pop(), ()) if name not in found]
        found.update(new)
        todo += new
    return frozenset(found)


def make(
    board: Storyboard,
    pipeline: Pipeline,
    cards: Mapping[str, Card],
    facts: Facts,
    lane: Lane,
    scope: Scope = Scope(),
) -> Plan:
    """The plan of a storyboard. Raises StoryError with every problem, in file order."""
    made, order, told = briefs(board, pipeline, cards, facts)
    problems = in_order(told)
    if any(problem.severity == "error" for problem in problems):
        raise StoryError(problems)
    decisions: dict[str, Decision] = {}
    plan = Plan(board, pipeline, lane, facts, made, decisions, order, tuple(problems), scope)
    for name in order:
        decisions[name] = decide(plan, name, decisions, facts)
    return plan


def with_warnings(plan: Plan, problems: Iterable[Problem]) -> Plan:
    """The same plan with more to tell."""
    return replace(plan, warnings=tuple(in_order([*plan.warnings, *problems])))


def decide(plan: Plan, shot: str, decisions: Mapping[str, Decision], facts: Facts) -> Decision:
    """The one decision that planning and running share: the state of a shot, given those of its parents."""
    decision = _decide(plan, shot, decisions, facts)
    if (decision.buy or decision.due) and not plan.scope.has(shot):
        return replace(decision, buy=0, due=(), left=True, certain=True)
    if lost := lacking(decision, decisions):
        reason = f"{lost[0]} has no frame for it, and is not part of this run"
    elif any(_stuck(plan, name, decisions[name]) for name in _open(decision)):
        reason = decision.reason
    else:
        return decision
    if not decision.buy:
        return decision
    return replace(decision, state="blocked", reason=reason, buy=0, later=0 if lost else decision.buy, certain=True)


def lacking(decision: Decision, decisions: Mapping[str, Decision]) -> list[str]:
    """The shots whose frames are not there for this one, and which are not part of the run."""
    return [name for name in _open(decision) if decisions[name].left]


def _open(decision: Decision) -> list[str]:
    """The shots of which a frame is wanted that is not there yet."""
    ends = (decision.first, decision.last)
    return [end.parent for end in ends if end is not None and end.unknown and end.parent is not None]


def _stuck(plan: Plan, name: str, decision: Decision) -> bool:
    """Whether a run gives nothing for sure to those that begin on a shot whose frame is not there."""
    if decision.usable:
        return False
    return decision.state in ("waiting", "blocked", "failed") or _gated(plan, name, decision)


def _gated(plan: Plan, name: str, decision: Decision) -> bool:
    """Whether a shot will wait for a circled take once it is made."""
    if plan.lane.rehearsal or not plan.board.by_id[name].review:
        return False
    circles = plan.facts.circled.get(name, {})
    return not circles if decision.key is None else decision.key.digest not in circles


def _decide(plan: Plan, shot: str, decisions: Mapping[str, Decision], facts: Facts) -> Decision:
    brief = plan.briefs[shot]
    if brief.footage is not None:
        return _received(plan, brief, brief.footage, facts)
    pinned = None if plan.lane.rehearsal else facts.pinned.get(shot)
    if pinned is not None and brief.shot.begins.origin in ("shot", "image"):
        first: End | None = End(pixels=pinned, parent=brief.shot.begins.shot)
    else:
        first = _end(plan, brief, brief.shot.begins, decisions, facts)
    last = _end(plan, brief, brief.shot.ends, decisions, facts) if brief.shot.ends is not None else None
    history = facts.takes.get(shot, ())
    unknown = [end for end in (first, last) if end is not None and end.unknown]
    if unknown:
        return _foresee(plan, brief, history, first, last, unknown)
    return _settle(plan, brief, key_of(plan, brief, first, last), first, last, facts)


def key_of(plan: Plan, brief: Brief, first: End | None, last: End | None) -> keys.Key:
    """The key of a shot that begins and ends on these frames."""
    if brief.footage is not None:
        return keys.own(brief.footage.digest)
    return keys.make(
        provider=plan.lane.maker,
        request=brief.request,
        delivery=brief.card.delivery,
        first=first.in_key() if first else None,
        last=last.in_key() if last else None,
        slate=brief.slate.as_json() if plan.lane.draws else None,
    )


def _received(plan: Plan, brief: Brief, footage: Footage, facts: Facts) -> Decision:
    """The author's own clip: the same take in every lane, whatever was drawn or bought for the shot before."""
    shot, asked = brief.shot, keys.own(footage.digest)
    take, _ = chosen(facts.by_key.get(asked.digest, ()), asked.digest, {})
    if take is not None:
        due = tuple(_due(plan, brief, take, facts))
        return Decision("current", "own footage, as its file is", key=asked, take=take, have=1, due=due)
    history = facts.takes.get(shot.id, ())
    if not history:
        return Decision("missing", "never taken in: own footage", key=asked, buy=1)
    old = _latest(plan, shot, history)
    changes = tuple(keys.explain(old.parts, asked.parts))
    reason = "its file changed" if old.provider == OWN else "it is own footage now"
    common: dict[str, Any] = {"key": asked, "take": old, "direct": True, "changes": changes}
    if held := _held(plan, shot):
        return Decision("stale", f"{reason}; {held}", kept=True, **common)
    return Decision("stale", reason, buy=1, **common)


def _settle(plan: Plan, brief: Brief, asked: keys.Key, first: End | None, last: End | None, facts: Facts) -> Decision:
    shot = brief.shot
    mine = _once((*facts.takes.get(shot.id, ()), *facts.by_key.get(asked.digest, ())))
    rehearsal = plan.lane.rehearsal
    circles = {} if rehearsal else facts.circled.get(shot.id, {})
    take, circled = chosen(mine, asked.digest, circles)
    have = sum(take.key == asked.digest for take in mine)
    by_hand = facts.wanted.get(shot.id, {}).get(asked.digest, 0)
    want = max(1 if rehearsal else shot.takes, by_hand)
    common: dict[str, Any] = {"first": first, "last": last, "key": asked, "have": have, "want": want}
    if take is not None and (have >= want or (circled and not by_hand)):
        due = tuple(_due(plan, brief, take, facts))
        if shot.review and not circled and not rehearsal:
            fact = f"{have} take{'s' if have > 1 else ''} made; one must be circled"
            return Decision("waiting", fact, take=take, due=due, **common)
        reason = "the gate is passed with take 1" if shot.review and rehearsal else "its take fits its words and frames"
        if circled and take.key != asked.digest:
            reason = f"take {take.take}, made for other words or frames, was accepted for these"
        return Decision("current", reason, take=take, circled=circled, due=due, **common)
    flights = [flight for some in facts.flights.values() for flight in some if flight.key == asked.digest]
    if lost := [flight for flight in flights if not flight.known]:
        reason = f"was submitted, and nobody knows how it ended (task {lost[0].uuid})"
        return Decision("unknown", reason, take=take, circled=circled, **common)
    if flying := sum(flight.takes for flight in flights):
        reason = f"{flying} of {want} takes bought and still to be fetched"
        return Decision("missing", reason, take=take, circled=circled, buy=max(0, want - have - flying), **common)
    if have:
        reason = f"{have} of {want} takes made"
        settled = circled or not shot.review or rehearsal
        return Decision("missing", reason, take=take, circled=circled, buy=want - have, settled=settled, **common)
    history = facts.takes.get(shot.id, ())
    if not history:
        return Decision("missing", "never made", buy=want, certain=not _comes_held(plan, shot), **common)
    old = take or _latest(plan, shot, history)  # it was accepted, and more takes were asked for besides
    changes = tuple(keys.explain(old.parts, asked.parts))
    reason = _changed(changes)
    given = {name for name, end in (("first frame", first), ("last frame", last)) if end is not None and end.parent}
    common |= {"changes": changes, "direct": any(change.field not in given for change in changes)}
    if held := _held(plan, shot):
        return Decision("stale", f"{reason}; {held}", take=old, kept=True, **common)
    return Decision("stale", reason, take=old, buy=want, **common)


def _held(plan: Plan, shot: Shot) -> str:
    """Why a stale take stays in use, if it does."""
    if shot.hold and not plan.lane.rehearsal:
        return "held"
    return "kept" if plan.scope.keep_stale else ""


def _comes_held(plan: Plan, shot: Shot) -> bool:
    """Whether a take made for other words is still to be fetched, and may then stay in use."""
    return bool(_held(plan, shot) and plan.facts.flights.get(shot.id))


def _foresee(
    plan: Plan, brief: Brief, history: tuple[Take, ...], first: End | None, last: End | None, unknown: list[End]
) -> Decision:
    shot = brief.shot
    want = 1 if plan.lane.rehearsal else shot.takes
    reason = "; ".join(dict.fromkeys(str(end.unknown) for end in unknown))
    # More may have been asked for by hand under the key that comes of it.
    by_hand = plan.facts.wanted.get(shot.id, {}).items()
    buy = max([want, *(n - len(plan.facts.by_key.get(key, ())) for key, n in by_hand)])
    common: dict[str, Any] = {"first": first, "last": last, "want": want}
    if not history:
        sure = buy == want and not _comes_held(plan, shot)
        return Decision("missing", f"never made; {reason}", buy=buy, certain=sure, **common)
    old = _latest(plan, shot, history)
    asked = key_of(plan, brief, None, None)
    ends = ("first frame", "last frame")
    common["direct"] = any(change.field not in ends for change in keys.explain(old.parts, asked.parts))
    if held := _held(plan, shot):
        return Decision("stale", f"{reason}; {held}", take=old, kept=True, **common)
    return Decision("stale", reason, take=old, buy=buy, certain=False, **common)


def _latest(plan: Plan, shot: Shot, history: tuple[Take, ...]) -> Take:
    """The take that was in use last: the one made last, or circled among those made with it."""
    key = history[-1].key
    take, _ = chosen(history, key, {} if plan.lane.rehearsal else plan.facts.circled.get(shot.id, {}))
    return take or history[-1]


def _changed(changes: tuple[keys.Change, ...]) -> str:
    names = list(dict.fromkeys(change.field for change in changes))
    if not names:
        return "it was made by another version"
    return f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''} changed"


def _once(takes: Iterable[Take]) -> list[Take]:
    return list({(take.key, take.take, take.clip): take for take in takes}.values())


def _end(plan: Plan, brief: Brief, point: Point, decisions: Mapping[str, Decision], facts: Facts) -> End | None:
    if point.origin == "cut":
        return None
    if point.origin in ("url", "uuid"):
        return End(ref=(point.image or "").split("?")[0])
    if point.origin == "image":
        assert point.image is not None
        return End(pixels=picture_of(brief, point.image, facts).digest, path=point.image)
    assert point.shot is not None
    decision = decisions[point.shot]
    named = f"the {point.frame} frame of {point.shot}"
    if not decision.usable or decision.take is None:
        why = {
            "waiting": f"{point.shot} waits for a circled take",
            "failed": f"{point.shot} failed",
            "blocked": f"{point.shot} is blocked",
        }.get(decision.state, f"{named} is not made yet")
        if decision.state in ("missing", "stale") and _gated(plan, point.shot, decision):
            why = f"{point.shot} will wait for a circled take"
        return End(unknown=why, parent=point.shot)
    product = product_of(plan, plan.pipeline.handed, point.shot, decision.take, facts)
    if product is None:
        return End(unknown=f"{named} is not made yet", parent=point.shot)
    found = product.frames.get(point.frame)
    if found is None:
        return End(unknown=f"{named} has not been taken out yet", parent=point.shot)
    return End(pixels=found["digest"], parent=point.shot)


def product_of(plan: Plan, step: str, shot: str, take: Take, facts: Facts) -> Product | None:
    """The clip a step gives for a shot whose take is known; None where it is still to be made."""
    found = plan.pipeline.step(step)
    if found.kind == "generate":
        return Product(take.clip, take.frames, take.probe, take.inspect)
    if found.kind != "exec":
        giver = found.inputs.get("clip")
        return product_of(plan, giver, shot, take, facts) if giver else None
    named = exec_key(plan, found, shot, take, facts)
    done = facts.done.get(named) if named is not None else None
    if done is None:
        return None
    output = "clip" if "clip" in done.outputs else next(iter(done.outputs))
    receipt = done.receipts.get(output, {})
    return Product(
        done.outputs[output], receipt.get("frames", {}), receipt.get("probe", {}), receipt.get("inspect", {})
    )


def exec_key(plan: Plan, step: Step, shot: str, take: Take, facts: Facts) -> str | None:
    """The key of a command's result for a shot; None where what it takes is still to be made."""
    inputs: dict[str, str] = {}
    for name, giver in step.inputs.items():
        product = product_of(plan, giver, shot, take, facts)
        if product is None:
            return None
        inputs[name] = product.clip
    return exec.fingerprint(settings_of(step, plan.board.shot(shot)), inputs, facts.environ, facts.files)


def _due(plan: Plan, brief: Brief, take: Take, facts: Facts) -> Iterator[str]:
    for step in plan.pipeline.shot:
        if step.kind == "exec" and product_of(plan, step.name, brief.shot.id, take, facts) is None:
            yield step.name
        elif step.kind == "frame":
            product = product_of(plan, step.name, brief.shot.id, take, facts)
            if product is not None and frame.request(settings_of(step, brief.shot)) not in product.frames:
                yield step.name
