"""Takes: the attempts at a shot, kept for ever, and the record of them that lies beside the storyboard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from . import conflict, document
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
    variants: tuple[str, ...] = ()
    """The variants that it was made for or has served; none where the storyboard had no variants."""
    lost: bool = False
    """Its clip is nowhere any more, and somebody had it bought again: it stays on the record and counts no more."""
    unknown: Mapping[str, Any] = field(default_factory=dict)
    """Fields a newer version wrote: kept as they are."""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it this take and no other: its key, its clip, and the provider's name for the result."""
        return self.key, self.clip, self.video_uuid or ""

    def serves(self, variant: str | None) -> bool:
        """Whether it belongs to the history of a variant (None: of a storyboard without any)."""
        return variant is None or not self.variants or variant in self.variants

    def as_data(self) -> dict[str, Any]:
        """Plain data in a stable order, without what is empty."""
        data = {name: getattr(self, name) for name in _FIELDS}
        kept = {n: value for n, value in data.items() if value not in (None, {}, "", ()) and value is not False}
        return {**kept, **self.unknown}

    def joined(self, other: Take) -> Take:
        """The same take, as two records tell of it: nothing that either knows is lost."""
        told: dict[str, Any] = {}
        for name in _FIELDS:
            mine, theirs = getattr(self, name), getattr(other, name)
            told[name] = {**theirs, **mine} if isinstance(mine, Mapping) else mine or theirs
        told["variants"] = _both(self, other)
        return Take(**told, unknown={**other.unknown, **self.unknown})

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Take:
        if data.keys() <= _NAMES and "variants" not in data:
            return cls(**data)
        known = {name: data[name] for name in _FIELDS if name in data}
        if "variants" in known:
            known["variants"] = tuple(known["variants"])
        return cls(**known, unknown={name: value for name, value in data.items() if name not in _FIELDS})


_FIELDS = (
    "take", "key", "clip", "bytes", "provider", "model", "variants", "task_uuid", "video_uuid", "seed", "usd",
    "parts", "words", "frames", "probe", "inspect", "response", "lost",
)  # fmt: skip


_NAMES = frozenset(_FIELDS)


@dataclass(frozen=True, slots=True)
class Circle:
    """The take that was chosen for a key: by the digest of its clip, or, for a drawing, by key and number."""

    clip: str | None = None
    drawn: tuple[str, int] | None = None

    def as_data(self) -> str | dict[str, Any] | None:
        """As it stands in a file."""
        return self.clip if self.drawn is None else {"key": self.drawn[0], "take": self.drawn[1]}

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

    @property
    def empty(self) -> bool:
        """Whether it says nothing at all."""
        return not (self.takes or self.circled or self.charges or self.pinned or self.unknown)

    @property
    def unfounded(self) -> list[str]:
        """Keys whose circle names a clip that is not among the takes."""
        clips = {take.clip for take in self.takes}
        return [key for key, circle in self.circled.items() if circle.drawn is None and circle.clip not in clips]

    @property
    def unreplaced(self) -> list[Take]:
        """Takes that are lost, and no later one is there."""
        last = max((take.take for take in self.takes if not take.lost), default=0)
        return [take for take in self.takes if take.lost and take.take > last]

    def with_charge(self, uuid: str, usd: Decimal, why: str) -> Record:
        """The record with what a failed call was charged, once."""
        if any(charge.get("task_uuid") == uuid for charge in self.charges):
            return self
        return replace(self, charges=_sorted((*self.charges, {"task_uuid": uuid, "usd": str(usd), "why": why})))

    def with_circle(self, key: str, circle: Circle | None) -> Record:
        circled = {name: other for name, other in self.circled.items() if name != key}
        if circle is not None:
            circled[key] = circle
        return replace(self, circled=circled)

    def with_take(self, take: Take) -> Record:
        """The record with one more take; the same take is there once, as it is told last.

        A take keeps its number for ever. Where a new one's is taken, it gets the next free one.
        """
        same = next((other for other in self.takes if other.identity == take.identity), None)
        if same is not None:
            unknown = {**same.unknown, **take.unknown}
            kept = replace(take, take=same.take, variants=_both(same, take), unknown=unknown)
            return replace(self, takes=tuple(kept if other is same else other for other in self.takes))
        numbers = {other.take for other in self.takes}
        number = next(n for n in count(take.take) if n not in numbers)
        takes = sorted((*self.takes, replace(take, take=number)), key=lambda t: t.take)
        return replace(self, takes=tuple(takes))

    def same(self, take: Take) -> Take:
        """A take as it stands in this record. StopIteration where it does not."""
        return next(other for other in self.takes if other.identity == take.identity)

    def joined(self, other: Record) -> Record:
        """Everything that either record says. Where both say something of the same, this one's word counts."""
        uuids = {charge.get("task_uuid") for charge in self.charges}
        more = (charge for charge in other.charges if charge.get("task_uuid") not in uuids)
        return Record(
            self.shot,
            renumbered(_once((*self.takes, *other.takes))),
            {**other.circled, **self.circled},
            _sorted((*self.charges, *more)),
            self.pinned or other.pinned,
            {**other.unknown, **self.unknown},
        )

    def with_variant(self, key: str, variant: str) -> Record:
        """The record in which the takes of a key serve one more variant; those that serve all stay as they are."""
        takes = (
            replace(take, variants=(*take.variants, variant)) if take.key == key and not take.serves(variant) else take
            for take in self.takes
        )
        return replace(self, takes=tuple(takes))


def _sorted(charges: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    return tuple(sorted(charges, key=lambda charge: str(charge.get("task_uuid", ""))))


def _once(takes: Iterable[Take]) -> list[Take]:
    """Each take once, with the number it has where it is told first."""
    found: dict[tuple[str, str, str], Take] = {}
    for take in takes:
        before = found.get(take.identity)
        found[take.identity] = take if before is None else before.joined(take)
    return list(found.values())


def _both(one: Take, other: Take) -> tuple[str, ...]:
    """The variants that either of two records of a take knows; none where one of them serves all."""
    return tuple(dict.fromkeys((*one.variants, *other.variants))) if one.variants and other.variants else ()


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
        for take in (*mine, *takes):  # the same clip may have been made for other words as well
            if circle.fits(take):
                return take, True
    return (mine[0] if mine else None), False


def path(storyboard: Path, shot: str) -> Path:
    """The takes file of a shot: ``<stem>.takes/<shot>.yaml`` beside the storyboard."""
    return folder(storyboard) / f"{shot}.yaml"


def folder(storyboard: Path) -> Path:
    return storyboard.with_name(f"{storyboard.stem}.takes")


def read(file: Path, name: str, told: list[Problem] | None = None) -> Record:
    """A takes file. Raises StoryError, naming the place, for anything it cannot mean.

    What is only worth telling is added to ``told``: numbers that stand twice after a merge.
    """
    if not file.is_file():
        return Record(file.stem)
    try:
        raw = file.read_bytes()
        if fact := torn(raw.decode("utf-8-sig", "replace")):
            raise StoryError.of(fact, _REBUILD, Place(name, raw.rstrip().count(b"\n") + 1, 1))
        found = document.parse_own(raw, name)
    except OSError as error:
        raise StoryError.of(f"{name} cannot be read: {error.strerror}") from None
    except StoryError as error:
        raise StoryError(_conflicted(error.problems)) from None
    record, problems = look(found, file.stem)
    if any(problem.severity == "error" for problem in problems):
        raise StoryError(in_order(problem for problem in problems if problem.severity == "error"))
    if told is not None:
        told += problems
    return record


def look(found: document.Document, stem: str, *, alone: bool = True) -> tuple[Record, list[Problem]]:
    """What can be made out of a takes file, and what is wrong with it. ``stem``: the shot its name says.

    Not ``alone``: what is circled may be among takes that are told elsewhere. Raises StoryError for a newer format,
    the takes of another shot, or no takes file at all.
    """
    data, name = found.data, found.file
    if not isinstance(data, dict) or not isinstance(data.get("shot"), str):
        raise StoryError.of("this is no takes file: it names no shot", _RESTORE, Place(name, 1, 1))
    version = data.get("matchcut", FORMAT)
    if type(version) is not int or version != FORMAT:
        fact = f"this takes file has format {version}; this matchcut reads up to {FORMAT}"
        raise StoryError.of(fact, "a newer matchcut", found.place(("matchcut",)))
    if data["shot"] != stem:
        fact = f'these are the takes of shot "{data["shot"]}", in the file of shot "{stem}"'
        remedy = f"rename the file back to {data['shot']}.yaml; `matchcut rename {data['shot']} {stem}` moves it"
        raise StoryError.of(fact, remedy, found.place(("shot",)))
    reader = _Reader(found)
    raw = reader.takes(data.get("takes"))
    sound = not reader.problems
    circled = reader.circles(data.get("circled"))
    charges = reader.charges(data.get("charges"))
    takes = renumbered(_once(raw))
    reader.numbers(raw, takes)
    unknown = {k: v for k, v in data.items() if k not in {"matchcut", "shot", "takes", "circled", "charges", "pinned"}}
    record = Record(data["shot"], takes, circled, charges, reader.pinned(data.get("pinned")), unknown)
    for key in record.unfounded if sound and alone else ():
        fact = (
            f"clip {str(circled[key].clip)[:12]} is circled, but it is not among the takes: an approval of another clip"
        )
        reader.tell(("circled", key), fact, "restore its take, or delete this line and circle again")
    return record, reader.problems


def torn(text: str) -> str:
    """What is told of a takes file that is not there to its end; "" where it is, or was never to have one.

    A file of both sides of a merge is no torn one. Files of before the end was written down have none.
    """
    if not text.strip():
        return "this takes file is empty"
    ours = text.startswith(_BEGIN) or _BEGIN.startswith(text)
    if not ours or text.rstrip().splitlines()[-1] == END or conflict.find(text):
        return ""
    return f"this takes file is cut off or damaged: it does not end with the line `{END}`"


def _conflicted(problems: Iterable[Problem]) -> list[Problem]:
    """Takes of both sides of a merge are to be kept: keeping one side would lose what the other has bought."""
    remedy = "matchcut takes rebuild: it keeps the takes of both sides"
    return [replace(p, remedy=remedy) if p.fact.startswith("a merge conflict") else p for p in problems]


_BEGIN = "# Written by matchcut, down to the line"
END = "# end"
"""The last line: a file that was cut off may well be YAML still, and say less than was bought."""
HEAD = f"{_BEGIN} `{END}`. Keep it in git: it says what was bought and which take is circled.\n"
_REBUILD = "matchcut takes rebuild, or `git checkout` the file"
_RESTORE = "`git checkout` the file"
_MUST = ("take", "key", "clip", "provider", "model")
_SHAPES: dict[str, tuple[type, str]] = {
    **dict.fromkeys(("take", "bytes", "seed"), (int, "a whole number")),
    **dict.fromkeys(("parts", "words", "frames", "probe", "inspect", "response"), (dict, "a mapping")),
    **dict.fromkeys(("key", "clip", "provider", "model", "task_uuid", "video_uuid", "usd"), (str, "text")),
    "variants": (list, "a list of names"),
    "lost": (bool, "true or false"),
}


class _Reader:
    def __init__(self, told: document.Document) -> None:
        self.told = told
        self.problems: list[Problem] = []
        self.whole: list[int] = []
        """Where in the list the takes stand that are whole."""

    def tell(self, route: document.Route, fact: str, remedy: str | None = _RESTORE) -> None:
        self.problems.append(Problem(fact, remedy, self.told.place(route)))

    def takes(self, raw: Any) -> list[Take]:
        if not isinstance(raw, list | None):
            self.tell(("takes",), "takes must be a list")
            return []
        self.whole = [n for n, take in enumerate(raw or []) if self._whole(take, ("takes", n))]
        return [Take.from_data((raw or [])[n]) for n in self.whole]

    def _whole(self, raw: Any, route: document.Route) -> bool:
        if not isinstance(raw, dict):
            self.tell(route, "a take must be a mapping")
            return False
        missing = [name for name in _MUST if name not in raw]
        if missing:
            self.tell(route, f"a take without {', '.join(missing)}")
        odd = [name for name, (shape, _) in _SHAPES.items() if name in raw and type(raw[name]) is not shape]
        if "variants" in raw and "variants" not in odd and not all(isinstance(name, str) for name in raw["variants"]):
            odd.append("variants")
        for name in odd:
            self.tell((*route, name), f"{name} of a take must be {_SHAPES[name][1]}")
        if "take" not in odd and raw.get("take", 1) < 1:
            self.tell((*route, "take"), "takes are numbered from 1")
            odd.append("take")
        if "usd" not in odd and not _USD.match(raw.get("usd", "0")):
            self.tell((*route, "usd"), 'usd of a take must be an amount, as in "0.9240"')
            odd.append("usd")
        frames = raw.get("frames", {})
        for name, frame in frames.items() if isinstance(frames, dict) else ():
            if not isinstance(frame, dict) or not isinstance(frame.get("digest"), str):
                self.tell((*route, "frames", name), f"the {name} frame of a take must have a digest")
                odd.append(name)
        return not missing and not odd

    def numbers(self, raw: Sequence[Take], takes: Sequence[Take]) -> None:
        """Tell the takes that get another number, since theirs stands twice."""
        now = {take.identity: take.take for take in takes}
        for n, take in enumerate(raw):
            if now[take.identity] != take.take:
                fact = (
                    f"take number {take.take} stands twice: clip {take.clip[:12]} becomes take {now[take.identity]} "
                    "when this file is next written"
                )
                place = self.told.place(("takes", self.whole[n], "take"))
                self.problems.append(Problem(fact, None, place, "warning"))

    def circles(self, raw: Any) -> dict[str, Circle]:
        if not isinstance(raw, dict | None):
            self.tell(("circled",), "circled must be a mapping of keys to clips")
            return {}
        found = {key: as_circle(value) for key, value in (raw or {}).items()}
        for key, circle in found.items():
            if circle is None:
                self.tell(("circled", key), "a circle names a clip digest, or a drawing's key and take")
        return {key: circle for key, circle in found.items() if circle is not None}

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
        whole: list[Mapping[str, Any]] = []
        for n, charge in enumerate(raw or []):
            said = charge.get("usd") if isinstance(charge, dict) else None
            if isinstance(said, str) and _USD.match(said):
                whole.append(charge)
            else:
                self.tell(("charges", n), 'a charge must say what it cost, as in usd: "0.9240"')
        return _sorted(whole)


_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_USD = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")


def as_circle(raw: Any) -> Circle | None:
    """A circle from what stands in a file; None where that is none."""
    if isinstance(raw, str):
        return Circle(clip=raw)
    if isinstance(raw, dict) and isinstance(raw.get("key"), str) and type(raw.get("take")) is int:
        return Circle(drawn=(raw["key"], raw["take"]))
    return None


def text(record: Record) -> str:
    """The takes file of a record: stable order and form, so that a rewrite without change gives the same bytes."""
    circled = {key: circle.as_data() for key, circle in sorted(record.circled.items())}
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
    return f"{HEAD}{document.dump(_plain(data))}{END}\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def find(takes: Sequence[Take], wanted: str) -> list[Take]:
    """The takes a person may mean: by number, or by six or more digits of a clip's digest. More than one: unclear."""
    if wanted.isdigit() and len(wanted) < 6:
        return [take for take in takes if take.take == int(wanted)]
    same = [take for take in takes if len(wanted) >= 6 and take.clip.startswith(wanted.lower())]
    return same[:1] if len({take.clip for take in same}) == 1 else same
