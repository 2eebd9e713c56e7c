"""Takes: the attempts at a shot, kept for ever, and the record of them that lies beside the storyboard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from . import document
from .errors import Place, Problem, StoryError, in_order

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Take:
    """One attempt at a shot, with all that was measured when it was received."""

    take: int
    key: str
    clip: str
    """The digest of the clip's bytes."""
    provider: str
    model: str
    parts: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0
    frames: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By selector: index, time in seconds, digest of the pixels."""
    probe: Mapping[str, Any] = field(default_factory=dict)
    inspect: Mapping[str, Any] = field(default_factory=dict)
    task_uuid: str | None = None
    video_uuid: str | None = None
    seed: int | None = None
    usd: str | None = None
    response: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)
    """Fields a newer version wrote: kept as they are."""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it this take and no other: its key, its clip, and the provider's name for the result."""
        return self.key, self.clip, self.video_uuid or ""

    def as_data(self) -> dict[str, Any]:
        """Plain data in a stable order, without what is empty."""
        data = {name: getattr(self, name) for name in _FIELDS}
        kept = {name: value for name, value in data.items() if value not in (None, {}, "")}
        return {**kept, **self.unknown}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Take:
        if data.keys() <= _NAMES:
            return cls(**data)
        known = {name: data[name] for name in _FIELDS if name in data}
        return cls(**known, unknown={name: value for name, value in data.items() if name not in _FIELDS})


_FIELDS = (
    "take", "key", "clip", "bytes", "provider", "model", "task_uuid", "video_uuid", "seed", "usd",
    "parts", "words", "frames", "probe", "inspect", "response",
)  # fmt: skip


_NAMES = frozenset(_FIELDS)


@dataclass(frozen=True, slots=True)
class Circle:
    """The take that was chosen for a key: by the digest of its clip, or, for a drawing, by key and number."""

    clip: str | None = None
    drawn: tuple[str, int] | None = None

    def fits(self, take: Take) -> bool:
        return take.clip == self.clip if self.drawn is None else (take.key, take.take) == self.drawn


@dataclass(frozen=True, slots=True)
class Record:
    """What a shot's takes file says."""

    shot: str
    takes: tuple[Take, ...] = ()
    circled: Mapping[str, Circle] = field(default_factory=dict)
    """By key."""
    charges: tuple[Mapping[str, Any], ...] = ()
    """Failed calls that were charged: task_uuid, usd, why."""
    pinned: str | None = None
    """The digest of the frame that the shot goes on beginning with, whatever becomes of the shot before it."""
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def with_charge(self, uuid: str, usd: Decimal, why: str) -> Record:
        """The record with what a failed call was charged, once."""
        if any(charge.get("task_uuid") == uuid for charge in self.charges):
            return self
        return replace(self, charges=(*self.charges, {"task_uuid": uuid, "usd": str(usd), "why": why}))

    def with_circle(self, key: str, circle: Circle | None) -> Record:
        circled = {name: other for name, other in self.circled.items() if name != key}
        if circle is not None:
            circled[key] = circle
        return replace(self, circled=circled)

    def with_take(self, take: Take) -> Record:
        """The record with one more take; the same take is there once, as it is told last.

        Where the number is taken by another clip, the next free one is given.
        """
        others = [other for other in self.takes if other.identity != take.identity]
        same = [other for other in self.takes if other.identity == take.identity]
        kept = replace(take, take=same[0].take) if same else take
        return replace(self, takes=renumbered((*others, kept)))


def renumbered(takes: Iterable[Take]) -> tuple[Take, ...]:
    """Takes in order of their numbers; where two have the same, the greater clip digest gets the next free one."""
    found: dict[int, Take] = {}
    ordered = sorted(takes, key=lambda t: (t.take, t.clip, t.key))
    late = [take for take in ordered if found.setdefault(take.take, take) is not take]
    for take in late:
        number = next(n for n in count(take.take) if n not in found)
        found[number] = replace(take, take=number)
    return tuple(found[number] for number in sorted(found))


def chosen(takes: Sequence[Take], key: str, circled: Mapping[str, Circle]) -> tuple[Take | None, bool]:
    """The take that counts for a key, and whether a person circled it.

    The one circled for this key; else the only one with it; else the one with the lowest number.
    """
    mine = sorted((take for take in takes if take.key == key), key=lambda t: t.take)
    circle = circled.get(key)
    if circle is not None:
        for take in takes:
            if circle.fits(take):
                return take, True
    return (mine[0] if mine else None), False


def path(storyboard: Path, shot: str) -> Path:
    """The takes file of a shot: ``<stem>.takes/<shot>.yaml`` beside the storyboard."""
    return folder(storyboard) / f"{shot}.yaml"


def folder(storyboard: Path) -> Path:
    return storyboard.with_name(f"{storyboard.stem}.takes")


def read(file: Path, name: str) -> Record:
    """A takes file. Raises StoryError, naming the place, for anything it cannot mean."""
    if not file.is_file():
        return Record(file.stem)
    told = document.read_own(file, name)
    data = told.data
    if not isinstance(data, dict) or not isinstance(data.get("shot"), str):
        raise StoryError.of("this is no takes file: it names no shot", _RESTORE, Place(name, 1, 1))
    if data.get("matchcut", 1) != FORMAT:
        fact = f"this takes file has format {data['matchcut']}; this matchcut reads up to {FORMAT}"
        raise StoryError.of(fact, "a newer matchcut", told.place(("matchcut",)))
    if data["shot"] != file.stem:
        fact = f'these are the takes of shot "{data["shot"]}", in the file of shot "{file.stem}"'
        raise StoryError.of(fact, f"rename it to {data['shot']}.yaml, or restore it", told.place(("shot",)))
    reader = _Reader(told)
    found = reader.takes(data.get("takes"))
    circled = reader.circles(data.get("circled"), found)
    charges = reader.charges(data.get("charges"))
    pinned = reader.pinned(data.get("pinned"))
    if reader.problems:
        raise StoryError(in_order(reader.problems))
    unknown = {k: v for k, v in data.items() if k not in {"matchcut", "shot", "takes", "circled", "charges", "pinned"}}
    return Record(data["shot"], renumbered(found), circled, charges, pinned, unknown)


_RESTORE = "`git checkout` the file"
_MUST = ("take", "key", "clip", "provider", "model")
_SHAPES: dict[str, tuple[type, str]] = {
    **dict.fromkeys(("take", "bytes", "seed"), (int, "a whole number")),
    **dict.fromkeys(("parts", "words", "frames", "probe", "inspect", "response"), (dict, "a mapping")),
    **dict.fromkeys(("key", "clip", "provider", "model", "task_uuid", "video_uuid", "usd"), (str, "text")),
}


class _Reader:
    def __init__(self, told: document.Document) -> None:
        self.told = told
        self.problems: list[Problem] = []

    def tell(self, route: document.Route, fact: str, remedy: str | None = _RESTORE) -> None:
        self.problems.append(Problem(fact, remedy, self.told.place(route)))

    def takes(self, raw: Any) -> list[Take]:
        if not isinstance(raw, list | None):
            self.tell(("takes",), "takes must be a list")
            return []
        return [Take.from_data(take) for n, take in enumerate(raw or []) if self._whole(take, ("takes", n))]

    def _whole(self, raw: Any, route: document.Route) -> bool:
        if not isinstance(raw, dict):
            self.tell(route, "a take must be a mapping")
            return False
        missing = [name for name in _MUST if name not in raw]
        if missing:
            self.tell(route, f"a take without {', '.join(missing)}")
        odd = [name for name, (shape, _) in _SHAPES.items() if name in raw and type(raw[name]) is not shape]
        for name in odd:
            self.tell((*route, name), f"{name} of a take must be {_SHAPES[name][1]}")
        frames = raw.get("frames", {})
        for name, frame in frames.items() if isinstance(frames, dict) else ():
            if not isinstance(frame, dict) or not isinstance(frame.get("digest"), str):
                self.tell((*route, "frames", name), f"the {name} frame of a take must have a digest")
                odd.append(name)
        return not missing and not odd

    def circles(self, raw: Any, found: Sequence[Take]) -> dict[str, Circle]:
        whole = not self.problems
        if not isinstance(raw, dict | None):
            self.tell(("circled",), "circled must be a mapping of keys to clips")
            return {}
        circled: dict[str, Circle] = {}
        for key, value in (raw or {}).items():
            circle = _circle(value)
            if circle is None:
                self.tell(("circled", key), "a circle names a clip digest, or a drawing's key and take")
            elif circle.drawn is None and not any(circle.fits(take) for take in found):
                if whole:
                    fact = f"clip {value[:12]} is circled, but it is not among the takes: an approval of another clip"
                    self.tell(("circled", key), fact, "restore its take, or delete this line and circle again")
            else:
                circled[key] = circle
        return circled

    def pinned(self, raw: Any) -> str | None:
        if raw is not None and not (isinstance(raw, str) and _DIGEST.match(raw)):
            self.tell(
                ("pinned",), "pinned must be the digest of a frame", "`matchcut pin` writes it; or delete this line"
            )
            return None
        return raw

    def charges(self, raw: Any) -> tuple[Mapping[str, Any], ...]:
        if not isinstance(raw, list | None):
            self.tell(("charges",), "charges must be a list")
            return ()
        for n, charge in enumerate(raw or []):
            said = charge.get("usd") if isinstance(charge, dict) else None
            if not isinstance(said, str) or not _USD.match(said):
                self.tell(("charges", n), 'a charge must say what it cost, as in usd: "0.9240"')
        return tuple(raw or [])


_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_USD = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")


def _circle(raw: Any) -> Circle | None:
    if isinstance(raw, str):
        return Circle(clip=raw)
    if isinstance(raw, dict) and isinstance(raw.get("key"), str) and type(raw.get("take")) is int:
        return Circle(drawn=(raw["key"], raw["take"]))
    return None


def text(record: Record) -> str:
    """The takes file of a record: stable order and form, so that a rewrite without change gives the same bytes."""
    circled = {
        key: circle.clip if circle.drawn is None else {"key": circle.drawn[0], "take": circle.drawn[1]}
        for key, circle in sorted(record.circled.items())
    }
    data: dict[str, Any] = {"matchcut": FORMAT, "shot": record.shot}
    if circled:
        data["circled"] = circled
    if record.pinned is not None:
        data["pinned"] = record.pinned
    if record.takes:
        data["takes"] = [take.as_data() for take in record.takes]
    if record.charges:
        data["charges"] = [dict(charge) for charge in record.charges]
    data.update(record.unknown)
    head = "# Written by matchcut. Keep it in git: it says what was bought and which take is circled.\n"
    return head + document.dump(_plain(data))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def find(takes: Sequence[Take], wanted: str) -> Take | None:
    """The take a person means: by number, or by six or more digits of its clip's digest."""
    if wanted.isdigit() and len(wanted) < 6:
        return next((take for take in takes if take.take == int(wanted)), None)
    same = [take for take in takes if len(wanted) >= 6 and take.clip.startswith(wanted.lower())]
    return same[0] if len(same) == 1 else None
