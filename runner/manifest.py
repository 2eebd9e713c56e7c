"""The manifest: how every frame of a film came to be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from .brief import Brief, delivered, unsigned
from .cut import Join
from .facts import Facts
from .footage import OWN
from .kinds.assemble import Entry
from .plan import Decision, End, Plan, Product
from .storyboard import Film, Point, Storyboard
from .takes import Take

FORMAT = 1


@dataclass(frozen=True, slots=True)
class FilmMade:
    """A film with its cut; ``file`` is what joining gave (digest, bytes, frames, duration, copied, notes, path)."""

    film: Film
    entries: Sequence[Entry]
    joins: Sequence[Join]
    file: Mapping[str, Any] = field(default_factory=dict)
    slates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Told:
    """What a manifest is made of, besides the plan."""

    decisions: Mapping[str, Decision]
    facts: Facts
    clips: Mapping[str, Product]
    films: Sequence[FilmMade]
    clip_paths: Mapping[tuple[str, int], str]
    """By shot and take."""
    final_paths: Mapping[str, str]
    frame_paths: Mapping[tuple[str, str], str]
    """By shot and selector."""
    libraries: Mapping[str, str]


def make(plan: Plan, told: Told, *, partial: bool = False) -> dict[str, Any]:
    """The manifest as plain data, by schemas/manifest.schema.json."""
    board, pipeline = plan.board, plan.pipeline
    shots = [_shot(plan, told, shot.id) for shot in board.shots]
    takes = [take for shot in board.shots for take in _takes(told, shot.id)]
    drawn = plan.lane.draws and bool(told.clips)
    made: dict[str, Any] = {
        "manifest": FORMAT,
        "storyboard": {
            "id": board.id, "title": board.title, "file": board.document.file.rpartition("/")[2],
            "digest": hashlib.sha256(board.document.text.encode()).hexdigest(),
        },
        **_variant(board), **_includes(board),
        "pipeline": {
            "id": pipeline.id, "title": pipeline.title,
            "digest": hashlib.sha256(pipeline.document.text.encode()).hexdigest(),
            "provider": pipeline.provider, "model": pipeline.model,
        },
        "provider": plan.lane.provider,
        "rehearsal": plan.lane.rehearsal,
        **({"partial": True} if partial else {}),
        **({"drawn_with": dict(sorted(told.libraries.items()))} if drawn else {}),
        "scenes": [{"scene": scene.id, "title": scene.title} for scene in board.scenes],
        "shots": shots,
        "films": [_film(plan, told, film) for film in told.films],
        "totals": _totals(plan, told, takes),
    }  # fmt: skip
    return made


def _variant(board: Storyboard) -> dict[str, Any]:
    variant = board.variant
    return {} if variant is None else {"variant": {"name": variant.name, "axes": dict(variant.axes)}}


def _includes(board: Storyboard) -> dict[str, Any]:
    """The files that the storyboard takes in, by path."""
    made = [
        {"path": name, "digest": hashlib.sha256(document.text.encode()).hexdigest()}
        for name, document in sorted(board.document.parts, key=lambda part: part[0])
    ]
    return {"includes": made} if made else {}


def text(manifest: Mapping[str, Any]) -> bytes:
    """The manifest's file."""
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def _takes(told: Told, shot: str) -> list[Take]:
    """The takes of a shot; of own footage only the one in use, since others are known to this machine alone."""
    used = told.decisions[shot].take
    mine = told.facts.takes.get(shot, ())
    return [take for take in mine if take.provider != OWN or (used is not None and take.key == used.key)]


def _totals(plan: Plan, told: Told, takes: Sequence[Take]) -> dict[str, Any]:
    seconds = sum(float(product.probe.get("duration", 0)) for product in told.clips.values())
    totals: dict[str, Any] = {
        "shots": len(plan.board.shots),
        "made": len(told.clips),
        "seconds": round(seconds, 4),
        "takes": len(takes),
        "usd": float(sum((Decimal(take.usd) for take in takes if take.usd), Decimal(0))),
    }
    if plan.lane.rehearsal:
        costs = [plan.cost(shot.id, bought=True) for shot in plan.board.shots]
        known = [cost for cost in costs if cost is not None]
        totals["usd_if_bought"] = float(sum(known, Decimal(0))) if len(known) == len(costs) else None
    return totals


def _shot(plan: Plan, told: Told, name: str) -> dict[str, Any]:
    brief, decision = plan.briefs[name], told.decisions[name]
    shot = brief.shot
    made: dict[str, Any] = {"shot": name, "scene": shot.scene}
    if shot.title:
        made["title"] = shot.title
    if shot.notes is not None:
        made["notes"] = shot.notes
    made |= {"fields": dict(brief.words.fields), "state": decision.state, "reason": decision.reason}
    made |= {"prompt": brief.words.prompt, "negative": brief.words.negative}
    made["from"] = _end(shot.begins, decision.first)
    if shot.ends is not None:
        made["to"] = _end(shot.ends, decision.last)
    made |= {"depth": brief.depth, "root": brief.root, "wanted": decision.want, "seconds": brief.seconds}
    if plan.lane.rehearsal:
        cost = plan.cost(name, bought=True)
        made["usd_if_bought"] = None if cost is None else float(cost)
    made |= _maker(plan, brief, decision)
    if decision.key is not None:
        made["key"] = decision.key.digest
    if decision.take is not None and decision.take.probe:  # else nothing is known yet of how its clip is
        made |= _take(plan, told, name, decision, decision.take)
    return made


def _maker(plan: Plan, brief: Brief, decision: Decision) -> dict[str, Any]:
    """Who made a shot's clip, and what was asked; of own footage, where it is."""
    own = brief.footage
    if own is None or brief.shot.clip is None:
        return {"model": brief.card.id, "provider": plan.lane.provider, "request": _request(brief, decision)}
    path = Path(brief.shot.clip)
    name = path.name if path.is_absolute() else path.as_posix()
    return {"model": OWN, "provider": OWN, "footage": {"path": name, "digest": own.digest}}


def _request(brief: Brief, decision: Decision) -> dict[str, Any]:
    """The request as sent, pictures by digest."""
    frames = []
    for position, end in (("first", decision.first), ("last", decision.last)):
        if end is not None and (end.pixels or end.ref):
            frames.append({"image": f"sha256:{end.pixels}" if end.pixels else end.ref, "frame": position})
    return {
        **unsigned(delivered(brief.request, brief.shot.id)),
        **({"inputs": {"frameImages": frames}} if frames else {}),
    }


def _end(point: Point, end: End | None) -> dict[str, Any]:
    made: dict[str, Any] = {"origin": point.origin}
    if point.shot is not None:
        made |= {"shot": point.shot, "frame": point.frame}
    if point.image is not None:
        made["image"] = point.image.split("?")[0] if point.origin == "url" else point.image
    if end is not None and end.pixels is not None:
        made["digest"] = end.pixels
    return made


def _take(plan: Plan, told: Told, name: str, decision: Decision, take: Take) -> dict[str, Any]:
    made: dict[str, Any] = {"take": take.take, "circled": decision.circled}
    made |= {"task_uuid": take.task_uuid, "video_uuid": take.video_uuid, "seed": take.seed}
    made["usd"] = None if take.usd is None else float(Decimal(take.usd))
    if take.response:
        made["response"] = dict(take.response)
    made["clip"] = _clip(take.clip, take.bytes, take.probe, told.clip_paths.get((name, take.take)))
    product = told.clips.get(name)
    if product is not None and product.clip != take.clip:
        made["final"] = _clip(
            product.clip, int(product.probe.get("bytes", 0)), product.probe, told.final_paths.get(name)
        )
    made["frames"] = {}
    wanted = {"first", "last", *plan.selectors(name)}
    for selector, frame in sorted(take.frames.items()):
        if take.provider == OWN and selector not in wanted:
            continue  # another clone, which never needed it, is to write the same
        path = told.frame_paths.get((name, selector))
        made["frames"][selector] = {**frame, **({"path": path} if path else {})}
    made["inspect"] = dict(take.inspect)
    mine = sorted(_takes(told, name), key=lambda t: (t.take, t.key, t.clip))
    others = [t for t in mine if (t.key, t.take, t.clip) != (take.key, take.take, take.clip)]
    if others:
        made["alternates"] = [_alternate(told, name, other) for other in others]
    return made


def _alternate(told: Told, name: str, take: Take) -> dict[str, Any]:
    path = told.clip_paths.get((name, take.take)) if take.key == _key(told, name) else None
    made = {"take": take.take, "clip": take.clip, "key": take.key, "seed": take.seed}
    return {**made, "usd": None if take.usd is None else float(Decimal(take.usd)), **({"path": path} if path else {})}


def _key(told: Told, name: str) -> str | None:
    key = told.decisions[name].key
    return key.digest if key is not None else None


def _clip(digest: str, size: int, probe: Mapping[str, Any], path: str | None) -> dict[str, Any]:
    names = ("container", "codec", "width", "height", "rate", "frames", "duration", "colour")
    made: dict[str, Any] = {"digest": digest, "bytes": size or int(probe.get("bytes", 0))}
    if path:
        made = {"path": path, **made}
    return {**made, **{name: probe[name] for name in names if name in probe}}


def _film(plan: Plan, told: Told, made: FilmMade) -> dict[str, Any]:
    told_film: dict[str, Any] = {"film": made.film.id, "title": made.film.title}
    told_film |= {name: value for name, value in made.file.items() if name != "recipe"}
    entries = []
    at = 0.0
    for entry in made.entries:
        start = entry.start + (1 if entry.repeat else 0)
        shown: dict[str, Any] = {"shot": entry.shot, "in": start, "out": entry.stop, "at": round(at, 4)}
        if entry.shot in made.slates:
            shown["slate"] = True
        entries.append(shown)
        at += (entry.stop - start) / _rate(told, plan, entry.shot)
    told_film["entries"] = entries
    told_film["joins"] = [_join(join) for join in made.joins]
    return told_film


def _rate(told: Told, plan: Plan, shot: str) -> float:
    product = told.clips.get(shot)
    if product is None:
        return float(plan.briefs[shot].rate)
    above, _, below = str(product.probe["rate"]).partition("/")
    return int(above) / int(below or 1)


def _join(join: Join) -> dict[str, Any]:
    made: dict[str, Any] = {"tail": join.tail, "head": join.head, "continues": join.continues}
    if join.continues:
        made["shown_once"] = join.shown_once
    if join.measured is not None:
        made["measured"] = dict(join.measured)
    if join.drift is not None:
        made["drift"] = dict(join.drift)
    return made
