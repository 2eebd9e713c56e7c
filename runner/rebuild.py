"""Takes files made anew: from what can still be read of them, from the journal and from the store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from . import conflict, document, journal, takes
from . import key as keys
from .errors import Place, Problem, StoryError, in_order
from .footage import OWN
from .journal import Result, Submit
from .store import LocalStore
from .takes import Record, Take

Side = Literal["ours", "theirs"]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild came to, by shot. ``aside`` are damaged files that were kept beside under another name."""

    records: Mapping[str, Record]
    written: tuple[str, ...]
    """Shots whose file was made anew or completed."""
    aside: tuple[Path, ...] = ()
    torn: tuple[str, ...] = ()
    """Shots whose file was cut off, and is whole again as far as journal and store of this machine know."""
    ownerless: int = 0
    """Takes in the store of which nobody knows the shot. They count all the same: a take is found by its key."""


@dataclass
class _Found:
    """One takes file, as far as it can be read."""

    record: Record
    whole: bool = True
    """Whether a person's choices can be read in it, so that what this machine noted of them is not needed."""
    damage: list[Problem] = field(default_factory=list)
    choices: list[Problem] = field(default_factory=list)
    """Circles that only a person can settle."""
    rest: str | None = None
    """What stands behind the last whole entry of a file that was cut off; None where it was not."""


def rebuild(file: Path, store: LocalStore, *, side: Side | None = None, force: bool = False) -> Rebuilt:
    """Make the takes files of a storyboard anew. The project's lock must be held.

    Nothing is lost: what can be read stays, both sides of a merge conflict are joined, and what journal and store know
    is added. Where both sides circled another take, ``side`` says whose word counts. A file that cannot be read whole
    is refused, unless ``force`` says to keep it beside and go on. Raises StoryError before anything is written.
    """
    folder = takes.folder(file)
    remembered, ownerless = remember(file, store)
    found = {path.stem: _look(path, f"{folder.name}/{path.name}", side) for path in sorted(folder.glob("*.yaml"))}
    records: dict[str, Record] = {}
    problems: list[Problem] = []
    for shot in sorted({*found, *remembered}):
        one = found.get(shot)
        known = remembered.get(shot, Record(shot))
        if one is not None and one.whole:
            known = replace(known, circled={})
        if one is not None and one.rest is not None and not _explained(one, known):
            fact = "it is empty or cut off, and neither journal nor store know what stood in it"
            one.damage.append(Problem(fact, None, Place(f"{folder.name}/{shot}.yaml")))
            if force:  # a person said so: what can be read of the rest counts
                one.record = one.record.joined(_read(takes.path(file, shot).read_bytes(), shot, "").record)
        record = _bought(_completed(one.record if one is not None else Record(shot), known))
        if lost := record.unfounded:
            if one is not None and not force:
                problems += _unfounded(record, lost, f"{folder.name}/{shot}.yaml")
            record = replace(record, circled={key: c for key, c in record.circled.items() if key not in lost})
        records[shot] = replace(record, takes=tuple(_measured(take, store) for take in record.takes))
        if one is not None:
            problems += one.choices
            problems += [] if force else [_forcible(problem, shot) for problem in one.damage]
    if problems:
        raise StoryError(in_order(problems))
    aside = tuple(_put_aside(folder / f"{shot}.yaml") for shot, one in found.items() if one.damage)
    written = tuple(_written(file, store, records))
    torn = tuple(shot for shot in written if shot in found and found[shot].rest is not None)
    return Rebuilt(records, written, aside, torn, ownerless)


def _written(file: Path, store: LocalStore, records: Mapping[str, Record]) -> Iterator[str]:
    for shot, record in records.items():
        place, data = takes.path(file, shot), takes.text(record).encode()
        if not record.empty and not (place.is_file() and place.read_bytes() == data):
            store.write(place, data)
            yield shot


def _forcible(problem: Problem, shot: str) -> Problem:
    remedy = (
        f"`git checkout` the file; or --force: it is kept as {shot}.yaml.bak, and what cannot be read of it is left out"
    )
    return replace(problem, remedy=remedy)


def _unfounded(record: Record, lost: Sequence[str], name: str) -> Iterator[Problem]:
    for key in lost:
        fact = f"clip {str(record.circled[key].clip)[:12]} is circled, and no file, journal or store has such a take"
        yield Problem(fact, "`git checkout` the file; or --force, which takes the circle away", Place(name))


def _put_aside(path: Path) -> Path:
    """Keep a file beside under a name that is free."""
    names = (path.with_name(f"{path.name}.bak{n or ''}") for n in range(10_000))
    free = next(name for name in names if not name.exists())
    path.rename(free)
    return free


# what the files say


def _look(path: Path, name: str, side: Side | None) -> _Found:
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return _Found(Record(path.stem), False, [Problem(f"it cannot be read: {error}", None, Place(name))])
    if takes.torn(text):
        return _salvaged(text, path.stem, name)
    conflicts = conflict.find(text)
    if not conflicts:
        return _read(raw, path.stem, name)
    if any(one.left_over for one in conflicts):
        left = next(one for one in conflicts if one.left_over)
        fact = f"a line of a merge conflict is left over here ({left.left_over})"
        return _Found(Record(path.stem), False, [Problem(fact, None, Place(name, left.line, 1))])
    ours, theirs = (_read(half.encode(), path.stem, name) for half in conflict.sides(text))
    return _joined(ours, theirs, side, Place(name, conflicts[0].line, 1))


def _read(raw: bytes, stem: str, name: str) -> _Found:
    try:
        told = document.parse(raw, name)
        if not isinstance(told.data, dict) or "shot" not in told.data:
            raise StoryError.of("this is no takes file: it names no shot", None, Place(name, 1, 1))
    except StoryError as error:
        return _Found(Record(stem), False, list(error.problems))
    record, problems = takes.look(told, stem, alone=False)
    damage = [problem for problem in problems if problem.severity == "error"]
    for n, take in enumerate(record.takes):
        if take.parts and keys.digest(take.parts) != take.key:
            fact = f"what is told of take {take.take} is not what its key was made of"
            damage.append(Problem(fact, None, told.place(("takes",))))
            record = replace(record, takes=(*record.takes[:n], replace(take, parts={}), *record.takes[n + 1 :]))
    return _Found(record, not damage, damage)


def _salvaged(text: str, stem: str, name: str) -> _Found:
    """A file that was cut off: what is whole of it, and the rest.

    Its last entry cannot be trusted, however well it reads; of the circles, each line that has an end can.
    """
    starts = [at.start() for at in _TOP.finditer(text)]
    last = text[starts[-1] :] if starts else text
    end = starts[-1] if starts else 0
    if last.startswith("circled:"):
        end = text.rindex("\n") + 1 if "\n" in last else end
    lines = text.split("\n")
    if lines[-1] and takes.END.startswith(lines[-1]):
        end = len(text) - len(lines[-1])  # the end itself is what is cut
    whole, rest = text[:end], "" if last.startswith("circled:") else text[end:]
    chosen = bool(starts) and not any(
        word.startswith(last.partition(":")[0]) for word in ("matchcut", "shot", "circled")
    )
    if not _SHOT.search(whole):
        return _Found(Record(stem), False, rest=rest)
    found = _read(whole.encode(), stem, name)
    return replace(found, whole=found.whole and chosen, rest=rest)


_TOP = re.compile(r"^[^\s#]", re.MULTILINE)
_SHOT = re.compile(r"^shot:", re.MULTILINE)
_FIELD = re.compile(r"^  (key|clip|task_uuid|video_uuid): ['\"]?([^'\"\s]*)", re.MULTILINE)


def _explained(found: _Found, known: Record) -> bool:
    """Whether journal and store know what stood where a file was cut off."""
    rest = found.rest or ""
    if not rest.startswith("-"):
        word = rest.partition(":")[0].strip()
        if not rest or word.startswith("#") or any(name.startswith(word) for name in ("matchcut", "shot", "circled")):
            return not (known.empty and found.record.empty)
        return bool("takes".startswith(word) and known.takes) or bool("charges".startswith(word) and known.charges)
    more = [take for take in known.takes if _twin(take, found.record.takes) is None]
    said = _FIELD.findall(rest)
    if any(all((getattr(take, name) or "").startswith(text) for name, text in said) for take in more):
        return True
    told = rest.removeprefix("-").strip().removeprefix("task_uuid:").strip(" '\"").partition("\n")[0]
    uuids = [str(charge.get("task_uuid")) for charge in known.charges]
    there = {charge.get("task_uuid") for charge in found.record.charges}
    return any(uuid.startswith(told.rstrip("'\"")) for uuid in uuids if uuid not in there)


def _completed(record: Record, known: Record) -> Record:
    """A record with all that is known, each take as journal and store tell of it: a file may have lost a part."""
    there = {take.identity for take in record.takes}
    same = {take.identity: take for take in known.takes if take.identity in there}
    others = [take for take in known.takes if take.identity not in there]
    found = []
    for take in record.takes:
        twin = same.get(take.identity) or _twin(take, others)
        others = [other for other in others if other is not twin]
        found.append(take if twin is None else _told_by(twin, take))
    told = {charge.get("task_uuid"): charge for charge in known.charges}
    charges = tuple({**charge, **told.get(charge.get("task_uuid"), {})} for charge in record.charges)
    return replace(record, takes=tuple(found), charges=charges).joined(replace(known, takes=tuple(others)))


def _twin(take: Take, others: Sequence[Take]) -> Take | None:
    """The same take as another record tells of it, where one of them may have lost the end of what it said."""

    def fits(other: Take) -> bool:
        names = [(take.task_uuid or "", other.task_uuid or ""), (take.video_uuid or "", other.video_uuid or "")]
        one = take.key == other.key or (names[0][0] != "" and names[0][0] == names[0][1])
        return one and take.clip == other.clip and all(b.startswith(a) for a, b in names)

    return min(filter(fits, others), key=lambda other: other.take != take.take, default=None)


def _told_by(twin: Take, take: Take) -> Take:
    """A take as the store tells of it; its number, and what is said of it since, are those of its file."""
    if not twin.probe and take.probe and take.identity == twin.identity:
        return take.joined(twin)  # the journal alone knows nothing of how its clip is, and no more of what it cost
    whole = replace(twin, take=take.take).joined(take)
    return replace(whole, variants=take.variants if not twin.probe else whole.variants)


def _bought(record: Record) -> Record:
    """Without own footage: what is in the project needs no record beside it."""
    return replace(record, takes=tuple(take for take in record.takes if take.provider != OWN))


def _joined(ours: _Found, theirs: _Found, side: Side | None, place: Place) -> _Found:
    """Both sides of a conflict: every take and charge of either, and the circles where they do not contradict."""
    first, second = (theirs, ours) if side == "theirs" else (ours, theirs)
    choices = []
    mine, other = ours.record.circled, theirs.record.circled
    for key in mine.keys() & other.keys() if side is None else ():
        if mine[key] != other[key]:
            fact = f"the two sides circle another take: clip {_told(mine[key])} or clip {_told(other[key])}"
            remedy = "matchcut takes rebuild --ours, or --theirs; `matchcut circle` changes it afterwards"
            choices.append(Problem(fact, remedy, place))
    damage = list(dict.fromkeys([*ours.damage, *theirs.damage]))
    return _Found(first.record.joined(second.record), ours.whole and theirs.whole, damage, choices)


def _told(circle: takes.Circle) -> str:
    return circle.clip[:12] if circle.clip else f"{circle.drawn}"


# what journal and store know


def remember(file: Path, store: LocalStore) -> tuple[dict[str, Record], int]:
    """What journal and store know of a storyboard's shots; and how many takes belong to none that they know."""
    board = file.stem
    submits, results = journal.read(store.root / "journal.sqlite")
    by_uuid = {submit.uuid: submit for submit in submits}
    notes: dict[str, list[dict[str, Any]]] = {}
    for lane, book in store.boards():
        for name in sorted(store.noted(lane, book)) if book.partition("/")[0] == board else ():
            notes.setdefault(name, []).append(store.lane_of(lane, book, name))
    by_key = {key: shot for shot, noted in notes.items() for one in noted for key in one.get("keys", [])}
    records: dict[str, Record] = {}
    ownerless = 0
    there: set[tuple[str | None, str | None]] = set()

    def add(shot: str, take: Take) -> None:
        records[shot] = records.get(shot, Record(shot)).with_take(take)

    for take in store.all_takes():
        if take.provider.partition("@")[0] in ("animatic", OWN):
            continue  # drawings are repeatable and free, own footage lies in the project: in the store alone
        there.add((take.task_uuid, take.video_uuid))
        submit = by_uuid.get(take.task_uuid or "")
        shot = submit.shot if submit is not None else by_key.get(take.key)
        if submit is not None and submit.board != board:
            continue
        if shot is None:
            ownerless += 1
        else:
            add(shot, take)
    for result in results:
        submit = by_uuid[result.uuid]
        if submit.board == board and result.clip is not None and (result.uuid, result.video) not in there:
            add(submit.shot, from_journal(submit, result))
    for submit in submits:
        if submit.board == board and submit.usd:
            record = records.get(submit.shot, Record(submit.shot))
            records[submit.shot] = record.with_charge(submit.uuid, submit.usd, submit.reason)
    for shot, noted in notes.items():
        for one in noted:
            records[shot] = _circled(records.get(shot, Record(shot)), one.get("circled", {}))
    return records, ownerless


def _circled(record: Record, noted: Mapping[str, Any]) -> Record:
    for key, said in noted.items():
        circle = takes.as_circle(said)
        if circle is not None and (circle.drawn is not None or any(circle.fits(take) for take in record.takes)):
            record = record.with_circle(key, circle)
    return record


def from_journal(submit: Submit, result: Result) -> Take:
    """A take as it was asked for and billed; nothing of how its clip is."""
    said, usd = submit.request, result.usd
    if usd is None and submit.estimate is not None:
        usd = submit.estimate / Decimal(len(submit.takes))
    return Take(
        take=result.take, key=submit.key, clip=result.clip or "", provider=submit.lane, model=submit.model,
        parts=said.get("parts", {}), words=said.get("words", {}), task_uuid=submit.uuid, video_uuid=result.video,
        seed=result.seed, usd=None if usd is None else str(usd), response=dict(result.response),
    )  # fmt: skip


def _measured(take: Take, store: LocalStore) -> Take:
    """A take that says nothing of how its clip is, measured now, if the clip is here."""
    if take.probe or not store.has(take.clip):
        return take
    from .media.receive import receive

    asked = take.parts.get("request", {})
    ends = take.parts.get("inputs", {}).get("frameImages", {})
    pictures = {name: store.picture(end["pixels"]) for name, end in ends.items() if "pixels" in end}
    order: dict[str, Any] = {
        "clip": str(store.path(take.clip)), "frames": [], "into": str(store.pictures), "contact": None,
        "asked": {"seconds": asked.get("duration"), **{name: asked.get(name) for name in ("width", "height")}},
        **{name: str(path) for name, path in pictures.items() if path.is_file()},
    }  # fmt: skip
    try:
        got = receive(order)
    except StoryError:
        return take  # no clip that can be decoded: what was asked and paid stands in the file all the same
    return replace(
        take, bytes=got["bytes"], frames={**got["frames"], **take.frames}, probe=got["probe"], inspect=got["inspect"]
    )
