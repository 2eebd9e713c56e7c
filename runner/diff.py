"""A diff: which shots two versions of a storyboard do not share, what follows from that, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from . import pairs
from .brief import Brief, settings_of
from .errors import Problem
from .key import Change, explain
from .pipeline import Pipeline
from .plan import Decision, End, Plan, key_of
from .storyboard import Shot, Storyboard

Fate = Literal["added", "removed", "kept"]
Effect = Literal["direct", "inherited", "none"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two versions: what a person calls it, its commit (None: the work tree), and the storyboard's path."""

    name: str
    commit: str | None
    file: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a shot stands: its scene, and the shot before it there (None: it is the first)."""

    scene: str
    after: str | None

    def __str__(self) -> str:
        return f"after {self.after} in scene {self.scene}" if self.after else f"first in scene {self.scene}"


@dataclass(frozen=True, slots=True)
class ShotDiff:
    """What became of one shot."""

    shot: str
    fate: Fate
    old: Spot | None = None
    new: Spot | None = None
    was: str | None = None
    """What it was called, where it has another name now."""
    moved: bool = False
    fields: tuple[Change, ...] = ()
    """What is written otherwise: fields of the shot, with the storyboard's defaults; unrendered."""
    asked: tuple[Change, ...] = ()
    """What is asked otherwise: parts of the key, but for the frames of other shots."""
    words: tuple[Change, ...] = ()
    """The words of the templates that differ, rendered."""
    effect: Effect = "none"
    """``direct``: something else is asked for it. ``inherited``: only a frame that it begins or ends on may be another
    one, or is (``certain``). ``none``: no take is affected."""
    certain: bool = True
    through: tuple[str, ...] = ()
    """The shots whose frames it inherits that from."""
    decision: Decision | None = None
    """Its state in the newer version, with the takes known now; None where it was removed."""
    action: str = ""
    """Its prompt in a line."""
    takes: int = 0
    """Takes that are known of it."""
    paid: Decimal = Decimal(0)
    """USD that those cost."""
    usd: Decimal | None = Decimal(0)
    """USD that a run would spend on it at most; None for a model without a price."""

    @property
    def changed(self) -> bool:
        """Whether the same shot is written, or asked for, otherwise."""
        return bool(self.fields or self.asked)

    @property
    def told(self) -> bool:
        """Whether there is anything to tell."""
        return self.fate != "kept" or self.moved or self.was is not None or self.changed or self.effect != "none"

    @property
    def loud(self) -> tuple[Change, ...]:
        """What is asked otherwise, as people say it: where a frame is, rather than its digest; no slates."""
        own = tuple(change for change in self.fields if change.field == "clip")
        if any(change.old is None or change.new is None for change in own):
            return own  # all else follows from it
        ends = tuple(change for change in self.fields if change.field in _FRAMES)
        hidden = {_FRAMES[change.field] for change in ends}
        return (*ends, *(c for c in self.asked if c.field not in hidden and not c.field.startswith("slate.")))

    @property
    def quiet(self) -> tuple[Change, ...]:
        """What is written otherwise and shows in nothing that is asked."""
        asked = {change.field for change in self.asked}
        words = {change.field for change in self.words} if asked & {"prompt", "negative prompt"} else set()
        rest = (change for change in self.fields if change.field not in _FRAMES)
        return tuple(change for change in rest if not _shows(change.field, asked, words))


@dataclass(frozen=True, slots=True)
class Bill:
    """Money, in USD; None for a model without a price.

    ``best`` and ``worst`` bound what a run would spend now, ``was_best`` and ``was_worst`` what it would have with the
    older version, both with the takes known now; ``rest`` is what shots without any difference cost at most.
    ``rehearsal``: what drawings cost.
    """

    draws: bool
    to_make: int
    spent: Decimal
    best: Decimal | None
    worst: Decimal | None
    was_best: Decimal | None
    was_worst: Decimal | None
    rest: Decimal | None
    budget: Decimal | None
    was_budget: Decimal | None


@dataclass(frozen=True)
class Diff:
    """Everything that differs between two versions of a storyboard."""

    old: Side
    new: Side
    title: str
    existed: bool
    """Whether there was a storyboard before."""
    board: tuple[Change, ...]
    """Of the storyboard as a whole: values, title, budget, scenes, films ..."""
    pipeline: tuple[Change, ...]
    """Of the pipeline: provider, model, steps, and the digests of the files its commands declare."""
    shots: tuple[ShotDiff, ...]
    """Every shot of the newer version in file order; those that were removed where they stood."""
    bill: Bill
    warnings: tuple[Problem, ...] = ()

    @cached_property
    def told(self) -> tuple[ShotDiff, ...]:
        """The shots there is something to tell of."""
        return tuple(shot for shot in self.shots if shot.told)

    @property
    def empty(self) -> bool:
        """Whether the two versions say the same."""
        return not (self.board or self.pipeline or self.told)

    @cached_property
    def shared(self) -> tuple[Change, ...]:
        """What is asked otherwise of every shot that both versions have, in the same way."""
        kept = [shot for shot in self.shots if shot.fate == "kept"]
        if len(kept) < 2:
            return ()
        return tuple(change for change in kept[0].asked if all(change in shot.asked for shot in kept))


def compare(old: Plan | None, new: Plan, sides: tuple[Side, Side]) -> Diff:
    """What differs between two versions of a storyboard. ``old`` is None where there was none. Pure."""
    comparison = _Comparison(old, new)
    return Diff(
        *sides,
        title=new.board.title,
        existed=old is not None,
        board=tuple(comparison.board()),
        pipeline=tuple(explain(_made(old), _made(new))) if old else (),
        shots=tuple(comparison.shots()),
        bill=comparison.bill(),
        warnings=new.warnings,
    )


class _Comparison:
    def __init__(self, old: Plan | None, new: Plan) -> None:
        self.old, self.new = old, new
        self.names: dict[str, str] = pairs.matched(old.board, new.board) if old else {}
        """The older id of each shot that both have, by its newer one."""
        self.now = {before: after for after, before in self.names.items()}
        self.scenes = pairs.scenes(old.board, new.board, self.names) if old else {}
        self.moved = pairs.moved(old.board, new.board, self.names, self.scenes) if old else set()
        self.found: dict[str, ShotDiff] = {}

    def shots(self) -> Iterator[ShotDiff]:
        for name in self.new.order:
            self.found[name] = self._kept(name) if name in self.names else self._added(name)
        behind: dict[str | None, Shot] = {}
        before: str | None = None
        for shot in self.old.board.shots if self.old else ():
            if shot.id not in self.now:
                behind[before] = shot
            before = shot.id
        yield from self._gone(behind, None)
        for shot in self.new.board.shots:
            yield self.found[shot.id]
            if shot.id in self.names:
                yield from self._gone(behind, self.names[shot.id])

    def _gone(self, behind: Mapping[str | None, Shot], before: str | None) -> Iterator[ShotDiff]:
        """The removed shots that stood behind another one."""
        while before in behind:
            yield self._removed(behind[before])
            before = behind[before].id

    def board(self) -> Iterator[Change]:
        if self.old is None:
            return
        old, new = self.old.board, self.new.board
        yield from explain(_whole(old), _whole(new))
        for scene in old.scenes:
            name = self.scenes.get(scene.id)
            if name != scene.id:
                yield Change(f"scenes.{scene.id}", scene.title or scene.id, name)
            if name is not None:
                other = new.scene(name)
                for change in explain({"title": scene.title, **scene.fields}, {"title": other.title, **other.fields}):
                    yield replace(change, field=f"scenes.{name}.{change.field}")
        for scene in new.scenes:
            if scene.id not in self.scenes.values():
                yield Change(f"scenes.{scene.id}", None, scene.title or scene.id)

    def bill(self) -> Bill:
        plan, old = self.new, self.old
        best, worst = _sums(plan, plan.order)
        was = _sums(old, old.order) if old else (Decimal(0), Decimal(0))
        rest = [name for name in plan.order if not self.found[name].told]
        return Bill(
            draws=plan.lane.draws,
            to_make=sum(decision.buy for decision in plan.decisions.values()),
            spent=plan.facts.spent, best=best, worst=worst, was_best=was[0], was_worst=was[1],
            rest=_sums(plan, rest)[1], budget=plan.board.budget, was_budget=old.board.budget if old else None,
        )  # fmt: skip

    def _added(self, name: str) -> ShotDiff:
        return ShotDiff(name, "added", new=_spot(self.new.board, name), effect="direct", **self._state(name))

    def _removed(self, shot: Shot) -> ShotDiff:
        assert self.old is not None
        old = self.old
        takes = old.facts.takes.get(shot.id, ())
        paid = sum((Decimal(take.usd) for take in takes if take.usd), Decimal(0))
        action = _line(old.briefs[shot.id])
        return ShotDiff(shot.id, "removed", old=_spot(old.board, shot.id), action=action, takes=len(takes), paid=paid)

    def _state(self, name: str) -> dict[str, Any]:
        takes = self.new.facts.takes.get(name, ())
        return {
            "decision": self.new.decisions[name], "usd": self.new.cost(name), "action": _line(self.new.briefs[name]),
            "takes": len(takes), "paid": sum((Decimal(take.usd) for take in takes if take.usd), Decimal(0)),
        }  # fmt: skip

    def _kept(self, name: str) -> ShotDiff:
        assert self.old is not None
        before, old, new = self.names[name], self.old, self.new
        one, other = old.board.shot(before), new.board.shot(name)
        asked = tuple(explain(_asked(old, before), _asked(new, name)))
        effect, certain, through = self._effect(before, name, asked)
        return ShotDiff(
            name, "kept", _spot(old.board, before), _spot(new.board, name),
            was=before if before != name else None, moved=name in self.moved,
            fields=tuple(explain(pairs.written(one, self.now), pairs.written(other, {}))), asked=asked,
            words=tuple(explain(old.briefs[before].words.used, new.briefs[name].words.used)),
            effect=effect, certain=certain, through=through, **self._state(name),
        )  # fmt: skip

    def _effect(self, before: str, name: str, asked: Sequence[Change]) -> tuple[Effect, bool, tuple[str, ...]]:
        """Whether what is asked for a shot differs, and whether by itself or through the frames of others."""
        assert self.old is not None
        if asked:
            return "direct", True, ()
        was, now = self.old.decisions[before], self.new.decisions[name]
        one, other = self.old.board.shot(before), self.new.board.shot(name)
        through: dict[str, bool] = {}
        for point, end, after, now_end in (
            (one.begins, was.first, other.begins, now.first), (one.ends, was.last, other.ends, now.last),
        ):  # fmt: skip
            if _same(end, now_end):
                continue
            if pairs.renamed(point, self.now) != after:
                return "direct", True, ()
            if after is not None and after.shot is not None and point is not None and point.shot is not None:
                known = end is not None and now_end is not None and not end.unknown and not now_end.unknown
                parent = self.found[after.shot]
                if known or parent.effect != "none" or self._handed(point.shot, after.shot):
                    through[after.shot] = through.get(after.shot, False) or known
        if not through:
            return "none", True, ()
        return "inherited", any(through.values()), tuple(through)

    def _handed(self, before: str, name: str) -> bool:
        """Whether other steps stand between a shot's clip and the frame that it hands on."""
        assert self.old is not None
        return _worked(self.old, before) != _worked(self.new, name)


def _asked(plan: Plan, name: str) -> Mapping[str, Any]:
    """The parts of a shot's key that are known without another shot's frame."""
    brief, decision = plan.briefs[name], plan.decisions[name]
    shot = brief.shot
    first = decision.first if shot.begins.origin != "shot" else None
    last = decision.last if shot.ends is not None and shot.ends.origin != "shot" else None
    return key_of(plan, brief, first, last).parts


def _same(one: End | None, other: End | None) -> bool:
    """Whether both are known to be the same frame."""
    if one is None or other is None:
        return one is other
    return not one.unknown and not other.unknown and one.in_key() == other.in_key()


def _worked(plan: Plan, name: str) -> list[Any]:
    """The steps from a shot's clip to the frame that it hands on."""
    step, found = plan.pipeline.step(plan.pipeline.handed), []
    while step.kind != "generate":
        settings = settings_of(step, plan.board.shot(name))
        files = {file: plan.facts.files.get(file) for file in settings.get("files", [])}
        found.append((step.kind, settings, files, tuple(step.inputs)))
        if "clip" not in step.inputs:
            break
        step = plan.pipeline.step(step.inputs["clip"])
    return found


def _line(brief: Brief) -> str:
    return " ".join((brief.words.prompt or f"own footage: {brief.shot.clip}").split())


def _spot(board: Storyboard, name: str) -> Spot:
    shot = board.shot(name)
    before = board.shots[shot.index - 1] if shot.index else None
    return Spot(shot.scene, before.id if before is not None and before.scene == shot.scene else None)


_FRAMES = {"from": "first frame", "to": "last frame", "clip": "clip"}
"""What is written, and what is asked for it: told by where it is, rather than by its digest."""


def _shows(field_: str, asked: set[str], words: set[str]) -> bool:
    """Whether a field that was written otherwise shows among what is asked otherwise."""
    if field_ in asked or f"shot.{field_}" in words:
        return True
    if field_.startswith("with."):
        return field_.split(".", 2)[-1] in asked
    shown = {"prompt": {"prompt"}, "negative": {"negative prompt"}, "fit": {"first frame", "last frame"}}
    return bool(shown.get(field_, set()) & asked)


# The storyboard and the pipeline as a whole


def _whole(board: Storyboard) -> dict[str, Any]:
    own = board.document.data
    said: dict[str, Any] = {
        "storyboard": board.id, "title": board.title, "pipeline": board.pipeline, "aspect": board.aspect,
        "budget": None if board.budget is None else float(board.budget), "values": board.values, "prompt": board.prompt,
        "negative": list(board.negative) if isinstance(board.negative, tuple) else board.negative,
        "notes": own.get("notes"),
        "films": {film.id: list(film.shots) for film in board.films} if "films" in own else {},
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def _made(plan: Plan) -> dict[str, Any]:
    made: Pipeline = plan.pipeline
    steps = {
        scope: {s.name: {"uses": s.kind, "in": s.inputs, "with": s.settings} for s in some}
        for scope, some in (("shot", made.shot), ("film", made.film))
    }
    said = {
        "provider": made.provider, "model": made.model, "url": made.url, "hosts": list(made.hosts),
        "limits": {"in_flight": made.limits.in_flight, "per_minute": made.limits.per_minute},
        "gives": {"clip": made.clip, "last": made.handed}, **steps, "files": plan.facts.files,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def _sums(plan: Plan, names: Iterable[str]) -> tuple[Decimal | None, Decimal | None]:
    """What a run spends on some shots at least and at most, in USD."""
    best = worst = Decimal(0)
    for name in names:
        cost = plan.cost(name)
        if cost is None:
            return None, None
        worst += cost
        best += cost if plan.decisions[name].certain else 0
    return best, worst
