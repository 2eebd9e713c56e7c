"""The cut: which frames of which clips a film shows, and how its shots meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from .facts import Facts
from .kinds.assemble import Entry
from .plan import Decision, Plan, Product, product_of
from .storyboard import Film, Point
from .takes import Take

_FILM = {"MP4": ".mp4", "MOV": ".mov", "WEBM": ".webm"}
_SUFFIX = {
    **_FILM,
    "MKV": ".mkv",
    "AVI": ".avi",
    "MPEGTS": ".ts",
    "MPEG": ".mpg",
    "MXF": ".mxf",
    "GIF": ".gif",
    "H264": ".h264",
}


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
    return _SUFFIX.get(str(probe.get("container")), ".mp4")


def film_suffix(probe: Mapping[str, Any]) -> str:
    """The ending of a film's file name, by its first clip: one of those that films are written as."""
    return _FILM.get(str(probe["container"]), ".mp4")


def _with_raw_head(product: Product, take: Take) -> Product:
    """A clip that a later step made frame by frame joins as the take's own clip does.

    It is the raw head that can be held against the frame it was given: a grade changes the one and not the other.
    """
    if product.clip == take.clip or product.probe.get("frames") != take.probe.get("frames"):
        return product
    ends = {name: take.inspect.get(name) for name in ("head", "foot")}
    return replace(product, inspect={**product.inspect, **ends})


def severed(plan: Plan, decisions: Mapping[str, Decision], facts: Facts) -> frozenset[str]:
    """The shots whose clip begins on another frame than the shot before them shows by now: held, kept, pinned, accepted
    ones, of which the shot before was made anew.
    """
    found = set()
    for name, decision in decisions.items():
        begins = plan.briefs[name].shot.begins
        if decision.take is None or begins.shot is None or (asked := given(decision.take)) is None:
            continue
        parent = decisions[begins.shot].take
        product = product_of(plan, plan.pipeline.handed, begins.shot, parent, facts) if parent is not None else None
        frame = product.frames.get(begins.frame) if product is not None else None
        if frame is None or frame["digest"] != asked:
            found.add(name)
    return frozenset(found)


def given(take: Take) -> str | None:
    """The digest of the frame that a take was asked to begin on."""
    first = ((take.parts.get("inputs") or {}).get("frameImages") or {}).get("first") or {}
    digest = first.get("pixels")
    return str(digest) if digest is not None else None


def entries(plan: Plan, film: Film, clips: Mapping[str, Product], severed: frozenset[str] = frozenset()) -> list[Entry]:
    """The film's entries; shots without a clip are left out.

    A clip is trimmed only where the very next entry continues from a frame inside it, and its head's frame counts as
    a repeat only where the entry before is what it continues from and the measurement says so.
    """
    follows = {name: plan.briefs[name].shot.begins for name in clips.keys() - severed}
    names = [name for name in film.shots if name in clips]
    made: list[Entry] = []
    for at, name in enumerate(names):
        product = clips[name]
        stop = int(product.probe["frames"])
        following = follows.get(names[at + 1]) if at + 1 < len(names) else None
        if following is not None and following.shot == name and following.frame not in ("first", "last"):
            frame = product.frames.get(following.frame)
            stop = int(frame["index"]) + 1 if frame else stop
        before = names[at - 1] if at else None
        turned = int(product.probe.get("rotation") or 0)
        made.append(Entry(name, product.clip, 0, stop, _repeats(follows.get(name), before, product), turned))
    return made


def _repeats(begins: Point | None, before: str | None, product: Product) -> bool:
    if begins is None or before is None or begins.shot != before or begins.frame == "first":
        return False
    head = product.inspect.get("head") or {}
    return bool(head.get("likeness") == "repeat")


def joins(
    plan: Plan, clips: Mapping[str, Product], shown: list[Entry], severed: frozenset[str] = frozenset()
) -> list[Join]:
    """Every meeting of two shots in a film, with what was measured there."""
    once = {entry.shot for entry in shown if entry.repeat}
    names = [entry.shot for entry in shown]
    made = []
    for tail, head in pairwise(names):
        continues = plan.briefs[head].shot.begins.shot == tail and head not in severed
        measured = clips[head].inspect.get("head") if continues else None
        made.append(Join(tail, head, continues, head in once, measured, _drift(plan, head, clips)))
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
