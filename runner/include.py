"""Includes: scenes and values that a storyboard takes in from other files, and how all of it becomes one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import document as documents
from .document import BYTES_MAX, Data, Document, Route, without
from .errors import Place, Problem, StoryError, did_you_mean
from .schema import check

FILES_MAX = 200
DEPTH_MAX = 16
"""How many files may stand between a storyboard and what is taken in."""

_SHARED = ("values", "prompt", "negative", "defaults")
_VARIED = (*_SHARED, "title", "pipeline", "aspect")
"""What a variant may say."""


@dataclass(frozen=True, slots=True)
class Source:
    """A storyboard's file with all that it takes in, each checked by its own schema; ``data`` is without faults."""

    document: Document
    data: Data
    problems: tuple[Problem, ...]
    whole: _Part | None = None
    """None where it takes nothing in."""
    broken: bool = False
    """Whether a file that it takes in could not be read."""

    def woven(self, overlays: Sequence[Route] = ()) -> tuple[Document, Data]:
        """One document of all files, and its data without faults; ``overlays``: where it says what a variant changes.

        A storyboard goes before its includes, a later include before an earlier one, a variant before all.
        """
        if self.whole is None and not overlays:
            return self.document, self.data
        whole = self.whole or _Part(self.document, self.data, "")
        clean, raw = _Weave(whole, overlays, raw=False), _Weave(whole, overlays, raw=True)
        files = {part.name: part.document for part in clean.parts if part is not whole}
        return Woven(self.document, raw.data, raw.origins, tuple(files.items())), clean.data


@dataclass(eq=False, slots=True)
class _Part:
    """One file, and the files it names: those under ``include``, and those it places among its scenes, by index."""

    document: Document
    data: Data
    name: str
    """Its path from the project's folder."""
    before: list[_Part] = field(default_factory=list)
    placed: dict[int, _Part] = field(default_factory=dict)


class Woven(Document):
    """Several files as one document: the data of all, and for each value the file it comes from."""

    def __init__(
        self, main: Document, data: Data, origins: dict[Route, tuple[Document, Route]],
        parts: tuple[tuple[str, Document], ...],
    ) -> None:  # fmt: skip
        self.file, self.text, self.data = main.file, main.text, data
        self.unquoted_zeros = main.unquoted_zeros
        self.parts = parts
        self._origins = origins

    def nodes(self, path: Sequence[str | int]) -> Iterator[tuple[Any, Any]]:
        own, route = _origin(self._origins, tuple(path))
        return own.nodes(route)

    def holder(self, path: Route) -> tuple[Document, Route]:
        return _origin(self._origins, path)

    def renewed(self, data: Data, texts: Mapping[Document, str]) -> Woven:
        """The same of files of which some have another text by now, and so other data."""
        new = {document: Document(document.file, text) for document, text in texts.items()}
        origins = {at: (new.get(document, document), route) for at, (document, route) in self._origins.items()}
        parts = tuple((name, new.get(document, document)) for name, document in self.parts)
        main = self._origins[()][0]
        return Woven(new.get(main, main), data, origins, parts)

    def place(self, path: Sequence[str | int]) -> Place:
        own, route = _origin(self._origins, tuple(path))
        return own.place(route)

    def key_place(self, path: Sequence[str | int]) -> Place:
        own, route = _origin(self._origins, tuple(path))
        return own.key_place(route)

    def place_of(self, path: Sequence[str | int], words: str, nth: int = 0) -> Place:
        own, route = _origin(self._origins, tuple(path))
        return own.place_of(route, words, nth)


def _origin(origins: dict[Route, tuple[Document, Route]], path: Route) -> tuple[Document, Route]:
    """The file a value comes from, and where it stands there."""
    for length in range(len(path), 0, -1):
        if (found := origins.get(path[:length])) is not None:
            return found[0], (*found[1], *path[length:])
    own, route = origins[()]
    return own, (*route, *path)


class _Weave:
    """Lays files over each other, the weakest first. The data of a file is never changed."""

    def __init__(self, whole: _Part, overlays: Sequence[Route], *, raw: bool) -> None:
        self.raw = raw
        self.parts: list[_Part] = []
        self.shown: list[_Part] = []
        self.scenes: list[Data] = []
        main = self._data(whole)
        self.data: dict[str, Data] = {k: v for k, v in main.items() if k not in {*_SHARED, "scenes"}}
        self.origins: dict[Route, tuple[Document, Route]] = {(): (whole.document, ())}
        self._lay(whole)
        self.elsewhere = {id(other) for part in self.parts for other in part.placed.values()}
        self._show(whole)
        if self.scenes:
            self.data["scenes"] = self.scenes
        for route in overlays:
            value: Data = main
            for step in route:
                value = value[step]
            if isinstance(value, dict):
                self._over(whole.document, value, route, _VARIED)

    def _data(self, part: _Part) -> dict[str, Data]:
        data: dict[str, Data] = part.document.data if self.raw else part.data
        return data

    def _lay(self, part: _Part) -> None:
        if part in self.parts:
            return
        for other in (*part.before, *part.placed.values()):
            self._lay(other)
        self.parts.append(part)
        self._over(part.document, self._data(part), (), _SHARED)

    def _show(self, part: _Part) -> None:
        """The scenes of a file: first those of its includes, unless another place was given to them."""
        if part in self.shown:
            return
        self.shown.append(part)
        for other in part.before:
            if id(other) not in self.elsewhere:
                self._show(other)
        scenes = self._data(part).get("scenes")
        for n, scene in enumerate(scenes if isinstance(scenes, list) else ()):
            if n in part.placed:
                self._show(part.placed[n])
            else:
                self.origins["scenes", len(self.scenes)] = part.document, ("scenes", n)
                self.scenes.append(scene)

    def _over(self, document: Document, values: dict[str, Data], at: Route, names: Sequence[str]) -> None:
        for name in names:
            if name in values:
                self._put(self.data, (name,), values[name], document, (*at, name))

    def _put(self, holder: dict[str, Data], route: Route, value: Data, document: Document, at: Route) -> None:
        """Lay a value over what is there; mappings are merged, everything else is replaced."""
        name = str(route[-1])
        below = holder.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            theirs, there = _origin(self.origins, route)
            for key in below:
                self.origins.setdefault((*route, key), (theirs, (*there, key)))
            merged = holder[name] = dict(below)
            for key, item in value.items():
                self._put(merged, (*route, key), item, document, (*at, key))
        else:
            if isinstance(below, dict):
                for old in [old for old in self.origins if old[: len(route)] == route]:
                    del self.origins[old]
            holder[name] = value
        self.origins[route] = document, at


def read(document: Document, file: Path, *, allow_outside: bool = False) -> Source:
    """A storyboard's file, checked, with every file it takes in: the document is that of ``file``."""
    faults = check(document.data, "storyboard.schema.json")
    problems = [document.problem(fault) for fault in faults]
    data = without(document.data, [fault.path for fault in faults])
    if not isinstance(data, dict) or not any(True for _ in _named(data)):
        return Source(document, data, tuple(problems))
    reading = _Reading(file.parent, allow_outside, problems)
    whole = reading.part(document, data, file, (file.resolve(),))
    return Source(document, data, tuple(problems), whole, reading.broken)


def is_part(data: Data) -> bool:
    """Whether a file has nothing but what an included file may have, and lacks what makes a storyboard."""
    whole = {"storyboard", "pipeline"}
    return isinstance(data, dict) and bool(data) and not whole & data.keys() and not check(data, "include.schema.json")


def _named(data: dict[str, Data]) -> Iterator[tuple[Route, str]]:
    """Where a file names others, and which."""
    include = data.get("include")
    if isinstance(include, str):
        yield ("include",), include
    for n, name in enumerate(include if isinstance(include, list) else ()):
        if isinstance(name, str):
            yield ("include", n), name
    scenes = data.get("scenes")
    for n, scene in enumerate(scenes if isinstance(scenes, list) else ()):
        if isinstance(scene, dict) and isinstance(scene.get("include"), str) and "scene" not in scene:
            yield ("scenes", n, "include"), scene["include"]


@dataclass
class _Reading:
    """Reads each file once, and notes what is wrong with it and with who names it."""

    folder: Path
    allow_outside: bool
    problems: list[Problem]
    parts: dict[Path, _Part | None] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    """Where the scenes of a file were placed."""
    bytes: int = 0
    broken: bool = False

    def part(self, document: Document, data: Data, path: Path, trail: tuple[Path, ...]) -> _Part:
        """A file that was read; ``trail``: itself and those that lead to it, the storyboard first."""
        made = _Part(document, data, self._name(trail[-1]))
        self.bytes += len(document.text)
        for route, named in _named(data):
            place = document.place(route)
            try:
                other = self._other(named, Path(os.path.normpath(path.parent / named)), place, trail)
            except StoryError as error:
                self.problems += [problem.at(place) for problem in error.problems]
                self.broken = True
                continue
            if other is None:
                continue
            if len(route) < 3:
                made.before.append(other)
            elif id(other) in self.places:
                first = self.places[id(other)]
                where = f"in line {first.line}" if first.file == place.file else f"at {first}"
                self.problems.append(
                    Problem(f"the scenes of {named} are placed already {where}", "keep one of them", place)
                )
            else:
                self.places[id(other)] = place
                made.placed[int(route[1])] = other
        return made

    def _other(self, named: str, path: Path, place: Place, trail: tuple[Path, ...]) -> _Part | None:
        """A file that another one names; None where what is wrong with it is told. Raises StoryError."""
        if "://" in named:
            raise StoryError.of(f"{named} is an address: what is included is a file", "a copy of it in the project")
        real = path.resolve()
        if real in trail:
            ring = [*trail[trail.index(real) :], real]
            names = " -> ".join(self._name(each) for each in ring)
            raise StoryError.of(f"these files take each other in: {names}", "take this one out")
        if not self.allow_outside and not real.is_relative_to(self.folder.resolve()):
            fact = f"{named} is outside the project"
            raise StoryError.of(fact, "copy it into the storyboard's folder, or say --allow-outside")
        if not path.is_file():
            raise _missing(named, path)
        if real not in self.parts:
            self._limits(trail)
            self.parts[real] = None  # until it is read: what is wrong with it is told once
            self.parts[real] = self._read(path, named, place, (*trail, real))
        return self.parts[real]

    def _limits(self, trail: tuple[Path, ...]) -> None:
        if len(trail) > DEPTH_MAX:
            raise StoryError.of(f"files are taken in more than {DEPTH_MAX} deep (depth_max)", "fewer steps")
        if len(self.parts) >= FILES_MAX:
            raise StoryError.of(f"more than {FILES_MAX} files are taken in (files_max)", "fewer and larger files")
        if self.bytes > BYTES_MAX:
            fact = f"the files are larger than {BYTES_MAX // 1024**2} MiB together (bytes_max)"
            raise StoryError.of(fact, "two storyboards")

    def _read(self, path: Path, named: str, place: Place, trail: tuple[Path, ...]) -> _Part | None:
        shown = os.path.normpath(Path(place.file).parent / named)
        document = documents.read(path, shown)
        faults = check(document.data, "include.schema.json")
        self.problems += [document.problem(fault) for fault in faults]
        data = without(document.data, [fault.path for fault in faults])
        return self.part(document, data, path, trail) if isinstance(data, dict) else None

    def _name(self, path: Path) -> str:
        return Path(os.path.relpath(path, self.folder.resolve())).as_posix()


def _missing(named: str, path: Path) -> StoryError:
    """What is told where there is no such file."""
    if path.is_dir():
        return StoryError.of(f"{named} is a folder", "a file in it")
    known = [each.name for each in path.parent.iterdir() if each.is_file()] if path.parent.is_dir() else []
    near = did_you_mean(path.name, known)
    return StoryError.of(f"{named} does not exist", Path(named).with_name(near).as_posix() if near else None)
