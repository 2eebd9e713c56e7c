"""Takes: the attempts at a shot, kept for ever, and the record of them that lies beside the storyboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import document
from .errors import Place, Problem, StoryError

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

    def as_data(self) -> dict[str, Any]:
        """Plain data in a stable order, without what is empty."""
        data = {name: getattr(self, name) for name in _FIELDS}
        kept = {name: value for name, value in data.items() if value not in (None, {}, "")}
        return {**kept, **self.unknown}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Take:
        known = {name: data[name] for name in _FIELDS if name in data}
        return cls(**known, unknown={name: value for name, value in data.items() if name not in _FIELDS})


_FIELDS = (
    "take", "key", "clip", "bytes", "provider", "model", "task_uuid", "video_uuid", "seed", "usd",
    "parts", "words", "frames", "probe", "inspect", "response",
)  # fmt: skip


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
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def with_circle(self, key: str, circle: Circle | None) -> Record:
        circled = {name: other for name, other in self.circled.items() if name != key}
        if circle is not None:
            circled[key] = circle
        return replace(self, circled=circled)

    def with_take(self, take: Take) -> Record:
        """The record with one more take; the same clip under the same key is there once.

        Raises nothing: where the number is taken by another clip, the next free one is given.
        """
        if any(other.clip == take.clip and other.key == take.key for other in self.takes):
            return self
        return replace(self, takes=renumbered((*self.takes, take)))


def renumbered(takes: Iterable[Take]) -> tuple[Take, ...]:
    """Takes in order of their numbers; where two have the same, the greater clip digest gets the next free one."""
    found: list[Take] = []
    used: set[int] = set()
    for take in sorted(takes, key=lambda t: (t.take, t.clip)):
        number = take.take
        while number in used:
            number += 1
        used.add(number)
        found.append(take if number == take.take else replace(take, take=number))
    return tuple(sorted(found, key=lambda t: t.take))


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
    told = document.read(file, name)
    data = told.data
    problems: list[Problem] = []
    if not isinstance(data, dict) or not isinstance(data.get("shot"), str):
        raise StoryError.of("this is no takes file: it names no shot", "`git checkout` the file", Place(name, 1, 1))
    if data.get("matchcut", 1) != FORMAT:
        fact = f"this takes file has format {data['matchcut']}; this matchcut reads up to {FORMAT}"
        raise StoryError.of(fact, "a newer matchcut", told.place(("matchcut",)))
    found: list[Take] = []
    for n, raw in enumerate(data.get("takes") or []):
        missing = [f for f in ("take", "key", "clip", "provider", "model") if not isinstance(raw, dict) or f not in raw]
        if missing:
            problems.append(Problem(f"a take without {', '.join(missing)}", "restore it", told.place(("takes", n))))
        else:
            found.append(Take.from_data(raw))
    circled: dict[str, Circle] = {}
    for key, raw in (data.get("circled") or {}).items():
        circle = _circle(raw)
        if circle is None:
            problems.append(
                Problem("a circle names a clip digest, or a drawing's key and take", None, told.place(("circled", key)))
            )
        elif circle.drawn is None and not any(circle.fits(take) for take in found):
            fact = f"the circled take of key {key[:12]} has a clip that is not among the takes: an approval of another clip"
            problems.append(Problem(fact, f"matchcut circle {data['shot']} TAKE", told.place(("circled", key))))
        else:
            circled[key] = circle
    if problems:
        raise StoryError(problems)
    unknown = {k: v for k, v in data.items() if k not in {"matchcut", "shot", "takes", "circled"}}
    return Record(data["shot"], renumbered(found), circled, unknown)


def _circle(raw: Any) -> Circle | None:
    if isinstance(raw, str):
        return Circle(clip=raw)
    if isinstance(raw, dict) and isinstance(raw.get("key"), str) and isinstance(raw.get("take"), int):
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
    if record.takes:
        data["takes"] = [take.as_data() for take in record.takes]
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
