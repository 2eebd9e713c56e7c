"""Pairs: which shot of an older version is which one now, and which of them moved."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

from .storyboard import Point, Shot, Storyboard


def matched(old: Storyboard, new: Storyboard) -> dict[str, str]:
    """The older id of every newer one: the same, or that of the one shot which says the same under another name."""
    names = {shot.id: shot.id for shot in new.shots if shot.id in old.by_id}
    now = dict(names)
    gone = [(shot, _said(shot)) for shot in old.shots if shot.id not in names]
    come = [(shot, _said(shot)) for shot in new.shots if shot.id not in names]
    while True:  # a shot that begins on a renamed one is known for the same once that one is
        twins, rivals = _alike(gone, now), _alike(come, {})
        found = {mine[0]: twins[said][0] for said, mine in rivals.items() if len(mine) == len(twins.get(said, ())) == 1}
        if not found:
            return names
        names |= found
        now |= {before: after for after, before in found.items()}
        gone = [(shot, said) for shot, said in gone if shot.id not in now]
        come = [(shot, said) for shot, said in come if shot.id not in names]


def _said(shot: Shot) -> str:
    """All that a shot says but its id and its two ends."""
    said = {name: value for name, value in written(shot, {}).items() if name not in {"from", "to"}}
    return json.dumps(said, sort_keys=True, default=str)


def _alike(shots: Iterable[tuple[Shot, str]], names: Mapping[str, str]) -> dict[tuple[object, ...], list[str]]:
    """Ids of the shots that say the same."""
    found: dict[tuple[object, ...], list[str]] = {}
    for shot, said in shots:
        found.setdefault((said, renamed(shot.begins, names), renamed(shot.ends, names)), []).append(shot.id)
    return found


def scenes(old: Storyboard, new: Storyboard, names: Mapping[str, str]) -> dict[str, str]:
    """The newer id of every older scene: the same, or that of the new one that has all its shots."""
    kept = {scene.id for scene in old.scenes} & {scene.id for scene in new.scenes}
    found = {name: name for name in kept}
    homes: dict[str, set[str]] = {}
    for name, before in names.items():
        homes.setdefault(old.shot(before).scene, set()).add(new.shot(name).scene)
    for scene in old.scenes:
        into = homes.get(scene.id, set())
        if scene.id not in kept and len(into) == 1 and not into & {*kept, *found.values()}:
            found[scene.id] = next(iter(into))
    return found


def moved(old: Storyboard, new: Storyboard, names: Mapping[str, str], scenes: Mapping[str, str]) -> set[str]:
    """The fewest shots that must have moved: those in another scene, and those that break the order of the rest."""
    places = {
        shot.id: old.shot(names[shot.id]).index
        for shot in new.shots
        if shot.id in names and scenes.get(old.shot(names[shot.id]).scene) == shot.scene
    }
    stayed = _rising(places)
    return {name for name in names if name not in stayed}


def _rising(places: Mapping[str, int]) -> set[str]:
    """The names along a longest rising run of numbers."""
    tops: list[int] = []
    ends: list[str] = []
    before: dict[str, str | None] = {}
    for name, place in places.items():
        at = bisect_left(tops, place)
        before[name] = ends[at - 1] if at else None
        tops[at : at + 1], ends[at : at + 1] = [place], [name]
    found: set[str] = set()
    last = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


def written(shot: Shot, names: Mapping[str, str]) -> dict[str, Any]:
    """What a shot says, with the storyboard's defaults; other shots by their names of now."""
    said: dict[str, Any] = {
        **shot.fields, "title": shot.title or None, "duration": shot.duration, "takes": shot.takes,
        "review": shot.review, "hold": shot.hold, "omit": shot.omit, "fit": shot.fit, "model": shot.model,
        "prompt": shot.prompt, "negative": list(shot.negative) if isinstance(shot.negative, tuple) else shot.negative,
        "notes": shot.notes, "clip": shot.clip, "from": str(renamed(shot.begins, names)),
        "to": None if shot.ends is None else str(renamed(shot.ends, names)),
    }  # fmt: skip
    said |= {f"with.{step}.{name}": value for step, some in shot.settings.items() for name, value in some.items()}
    return {name: value for name, value in said.items() if value is not None}


def renamed(point: Point | None, names: Mapping[str, str]) -> Point | None:
    if point is None or point.shot is None or point.shot not in names:
        return point
    return Point(point.origin, names[point.shot], point.frame, point.image)
