"""The cut: which frames of which clips a film shows, and how its shots meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from .facts import Facts
from .kinds.assemble import Entry
from .plan import Decision, Plan, Product, product_of
from .storyboard import Film
from .takes import Take

_SUFFIX = {"MP4": ".mp4", "MOV": ".mov", "WEBM": ".webm"}


@dataclass(frozen=True, slots=True)
class Join:
    """Where one shot's tail meets the next one's head."""

    tail: str
    head: str
    continues: bool
    shown_once: bool
    measured: Mapping[str, Any] | None
    drift: Mapping[str, Any] | None


def products(plan: Plan, decisions: Mapping[str, Decision], facts: Facts) -> dict[str, Product]:
    """The clip of every shot that has one to show: the chosen take's, or what later steps made of it."""
    found = {name: product(plan, name, decision, facts) for name, decision in decisions.items()}
    return {name: clip for name, clip in found.items() if clip is not None}


def product(plan: Plan, name: str, decision: Decision, facts: Facts) -> Product | None:
    """The clip that a shot has to show, if there is one."""
    if decision.take is None or not (decision.usable or decision.state == "waiting"):
        return None
    found = product_of(plan, plan.pipeline.clip, name, decision.take, facts)
    return found and _with_raw_head(found, decision.take)


def suffix(probe: Mapping[str, Any]) -> str:
    """The ending of a clip's file name."""
    return _SUFFIX.get(str(probe["container"]), ".mp4")


def _with_raw_head(product: Product, take: Take) -> Product:
    """A clip that a later step made frame by frame joins as the take's own clip does.

    It is the raw head that can be held against the frame it was given: a grade changes the one and not the other.
    """
    if product.clip == take.clip or product.probe.get("frames") != take.probe.get("frames"):
        return product
    ends = {name: take.inspect.get(name) for name in ("head", "foot")}
    return replace(product, inspect={**product.inspect, **ends})


def entries(plan: Plan, film: Film, clips: Mapping[str, Product]) -> list[Entry]:
    """The film's entries; shots without a clip are left out.

    A clip is trimmed only where the very next entry continues from a frame inside it, and its head's frame counts as
    a repeat only where the entry before is what it continues from and the measurement says so.
    """
    names = [name for name in film.shots if name in clips]
    made: list[Entry] = []
    for at, name in enumerate(names):
        product = clips[name]
        stop = int(product.probe["frames"])
        following = plan.briefs[names[at + 1]].shot.begins if at + 1 < len(names) else None
        if following is not None and following.shot == name and following.frame not in ("first", "last"):
            frame = product.frames.get(following.frame)
            stop = int(frame["index"]) + 1 if frame else stop
        before = names[at - 1] if at else None
        made.append(Entry(name, product.clip, 0, stop, before is not None and _repeats(plan, before, name, clips)))
    return made


def _repeats(plan: Plan, before: str, name: str, clips: Mapping[str, Product]) -> bool:
    begins = plan.briefs[name].shot.begins
    if begins.shot != before or begins.frame == "first":
        return False
    head = clips[name].inspect.get("head") or {}
    return bool(head.get("likeness") == "repeat")


def joins(plan: Plan, clips: Mapping[str, Product], shown: list[Entry]) -> list[Join]:
    """Every meeting of two shots in a film, with what was measured there."""
    once = {entry.shot for entry in shown if entry.repeat}
    names = [entry.shot for entry in shown]
    made = []
    for tail, head in pairwise(names):
        begins = plan.briefs[head].shot.begins
        measured = clips[head].inspect.get("head") if begins.shot == tail else None
        made.append(Join(tail, head, begins.shot == tail, head in once, measured, _drift(plan, head, clips)))
    return made


def _drift(plan: Plan, name: str, clips: Mapping[str, Product]) -> dict[str, Any] | None:
    """How far the picture has moved from the chain's root: last frames, in code values."""
    root = plan.briefs[name].root
    if root == name or root not in clips or plan.lane.draws:  # a drawing turns into a picture of its own, by design
        return None
    mine, theirs = clips[name].inspect, clips[root].inspect
    if "means" not in mine or "means" not in theirs:
        return None
    colour = [round(a - b, 4) for a, b in zip(mine["means"]["last"], theirs["means"]["last"], strict=True)]
    return {"luma": round(mine["luma"]["last"] - theirs["luma"]["last"], 4), "colour": colour}
