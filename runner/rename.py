"""A shot under another name: its id and every mention of it in the storyboard's text, and all that goes along."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import document, storyboard, takes
from .document import Document, Route
from .errors import Problem, StoryError, did_you_mean
from .include import Woven
from .store import LocalStore
from .storyboard import ID, Point, Shot, Storyboard
from .takes import Record

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")


@dataclass(frozen=True, slots=True)
class Renamed:
    """What a rename came to."""

    edited: bool
    """Whether the storyboard's text was changed: not where somebody had done that already."""
    record: Record
    """The takes under the new name."""
    purchases: int
    """Submits in the journal that go along."""
    prompts: tuple[str, ...]
    """Shots whose prompt changes with the name."""
    notes: tuple[str, ...] = ()


def edited(board: Storyboard, old: str, new: str, *, folder: Path) -> dict[str, str]:
    """The texts with a shot renamed, by path from the project's folder ("" is the storyboard): only its names change.

    Raises StoryError where that would say something else than before but for the name.
    """
    told = board.document
    if not ID.match(new) or new == "cut":
        raise StoryError.of(f'"{new}" cannot be the id of a shot', "letters, digits, - and _, at most 40")
    changes: dict[Document, dict[int, tuple[int, str]]] = {}
    for route, wanted in _mentions(told.data, old, new):
        own, _ = told.holder(route)
        *_, (_, node) = told.nodes(route)
        start, end = node.start_mark.index, node.end_mark.index
        # An alias stands at its anchor: once.
        changes.setdefault(own, {})[start] = end, _scalar(own.text[start:end], node.value, wanted)
    texts = {own: _changed(own.text, some) for own, some in changes.items()}
    _verify(board, texts, old, new, folder)
    names = {id(part): name for name, part in told.parts}
    return {names.get(id(own), ""): text for own, text in texts.items()}


def _changed(text: str, changes: Mapping[int, tuple[int, str]]) -> str:
    for start in sorted(changes, reverse=True):
        end, put = changes[start]
        text = text[:start] + put + text[end:]
    return text


def _mentions(data: Any, old: str, new: str) -> Iterator[tuple[Route, str]]:
    """Where a shot is named, and what is to stand there."""
    for n, scene in enumerate(data["scenes"]):
        for m, shot in enumerate(scene["shots"]):
            route: Route = ("scenes", n, "shots", m)
            if shot["shot"] == old:
                yield (*route, "shot"), new
            for end in ("from", "to"):
                yield from _point(shot.get(end), (*route, end), old, new)
    for n, film in enumerate(data.get("films") or []):
        for m, name in enumerate(film["shots"]):
            if name == old:
                yield ("films", n, "shots", m), new


def _point(raw: Any, route: Route, old: str, new: str) -> Iterator[tuple[Route, str]]:
    if isinstance(raw, Mapping) and raw.get("shot") == old:
        yield (*route, "shot"), new
    if isinstance(raw, str) and raw.partition("@")[0] == old:
        yield route, new + raw[len(old) :]


def _scalar(written: str, value: str, wanted: str) -> str:
    """A scalar as it is written, saying something else in the same style."""
    head = _PROPERTIES.match(written)
    properties = head[0] if head is not None else ""
    body = written[len(properties) :]
    for quote in ("'", '"'):
        if body == f"{quote}{value}{quote}":
            return f"{properties}{quote}{wanted}{quote}"
    plain = document.dump([wanted]).removeprefix("- ").rstrip("\n")
    if body == value:
        return properties + plain  # in quotes where it would be read as a number or so without them
    return f'{properties}"{wanted}"'


def _verify(board: Storyboard, texts: Mapping[Document, str], old: str, new: str, folder: Path) -> None:
    """Whether the new texts say what the old ones did, but for the name."""
    told = board.document
    if isinstance(told, Woven):
        after, problems = _reread(board, told, texts, old, new, folder)
    else:
        (text,) = texts.values()
        fresh = Document(told.file, text)
        after, problems = storyboard.read(fresh, is_file=lambda path: (folder / path).is_file())
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise StoryError(
            Problem(f'with "{new}" for "{old}": {problem.fact}', problem.remedy, problem.place) for problem in errors
        )
    shots = tuple(_renamed(shot, old, new) for shot in board.shots)
    films = tuple(replace(f, shots=tuple(new if shot == old else shot for shot in f.shots)) for f in board.films)
    want = replace(board, shots=shots, films=films)
    if after is None or replace(after, document=board.document) != want:
        fact = f'"{old}" cannot be renamed in the text: it shares an anchor with something that is no shot id'
        raise StoryError.of(fact, f'write "{new}" into the file by hand, and run this again')


def _reread(
    board: Storyboard, told: Woven, texts: Mapping[Document, str], old: str, new: str, folder: Path
) -> tuple[Storyboard | None, list[Problem]]:
    """The storyboard of several files, or of one variant, with other texts; None where one says something else now."""
    data = deepcopy(told.data)
    wanted = {own: deepcopy(own.data) for own in texts}
    for route, put in list(_mentions(told.data, old, new)):
        own, there = told.holder(route)
        _put(data, route, put)
        _put(wanted[own], there, put)
    if any(Document(own.file, text).data != wanted[own] for own, text in texts.items()):
        return None, []
    fresh = told.renewed(data, texts)
    return storyboard.of(fresh, data, is_file=lambda path: (folder / path).is_file(), variant=board.variant)


def _put(data: Any, route: Route, value: str) -> None:
    *above, last = route
    for step in above:
        data = data[step]
    data[last] = value


def _renamed(shot: Shot, old: str, new: str) -> Shot:
    def point(end: Point) -> Point:
        return replace(end, shot=new) if end.shot == old else end

    ends = point(shot.ends) if shot.ends is not None else None
    return replace(shot, id=new if shot.id == old else shot.id, begins=point(shot.begins), ends=ends)


def check(board: Storyboard, old: str, new: str, *, known: bool) -> bool:
    """Whether the storyboard's text is to be edited: not where somebody has renamed the shot there already.

    ``known``: whether anything is recorded of the old name. Raises StoryError where there is nothing to rename.
    """
    ids = {shot.casefold(): shot for shot in board.by_id}
    if old == new:
        raise StoryError.of(f'"{old}" is its name already', "another one")
    if old in board.by_id:
        if ids.get(new.casefold(), old) != old:
            place = board.document.place((*board.by_id[ids[new.casefold()]].route, "shot"))
            raise StoryError.of(f'there is a shot "{ids[new.casefold()]}" already', "another name", place)
        return True
    near = did_you_mean(old, board.by_id)
    remedy = f"did you mean {near}?" if near else None
    if new not in board.by_id:
        raise StoryError.of(f'the storyboard has neither a shot "{old}" nor "{new}"', remedy)
    if not known:
        raise StoryError.of(f'the storyboard has no shot "{old}", and no takes of one are known', remedy)
    return False


def write(path: Path, text: str, store: LocalStore) -> None:
    """Write the storyboard's text with its byte order mark and its rights, behind a link as well."""
    path = path.resolve()
    mark = b"\xef\xbb\xbf" if path.read_bytes().startswith(b"\xef\xbb\xbf") else b""
    mode = path.stat().st_mode
    store.write(path, mark + text.encode())
    path.chmod(mode)


def move_takes(file: Path, old: str, new: str, store: LocalStore) -> tuple[Record, list[str]]:
    """The takes file goes along, joined with what the new name has already; what it says then, and what is to be told.

    It is written under the new name before the old one goes: whatever comes between, running again ends it.
    """
    source, place = takes.path(file, old), takes.path(file, new)
    there = takes.read(place, f"{place.parent.name}/{place.name}") if not _same(source, place) else Record(new)
    if not source.is_file():
        return there, []
    record = takes.read(source, f"{source.parent.name}/{source.name}")
    whole = replace(there.joined(record), shot=new)
    numbers = ((take, whole.same(take).take) for take in (*there.takes, *record.takes))
    notes = [f"clip {t.clip[:12]}, take {t.take}, is take {n} now" for t, n in numbers if n != t.take]
    if _same(source, place):  # the same name in another case, on a disk that takes no notice of it
        source.rename(place)
        source = place
    store.write(place, takes.text(whole).encode())
    if source != place:
        source.unlink()
    return whole, notes


def _same(source: Path, place: Path) -> bool:
    return source.exists() and place.exists() and place.samefile(source)
