"""A storyboard: the shots, and which shot each one continues from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from .config import address
from .document import Data, Document, Route, without
from .errors import Place, Problem, did_you_mean
from .footage import REFUSED
from .schema import check

Origin = Literal["cut", "shot", "image", "url", "uuid"]
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}\Z")
SELECTOR = re.compile(r"first\Z|last\Z|sharpest\Z|[0-9]{1,4}(?:\.[0-9]{1,3})?s\Z")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
DEVICES = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))}
_OWN_FIELDS = frozenset(
    "shot title clip from to prompt negative duration takes review hold omit fit model with notes".split()
)
_KNOWN_WORDS = ("action", "camera", "lens", "size", "mood")
_SCENE_FIELDS = frozenset("scene title notes shots".split())


@dataclass(frozen=True, slots=True)
class Point:
    """What a shot begins on or must end on."""

    origin: Origin
    shot: str | None = None
    frame: str = "last"
    image: str | None = None

    def __str__(self) -> str:
        if self.origin == "shot":
            return f"{self.shot}" if self.frame == "last" else f"{self.shot}@{self.frame}"
        return self.image or "cut"


CUT = Point("cut")


@dataclass(frozen=True, slots=True)
class Shot:
    """One planned framing: a node of the graph."""

    id: str
    scene: str
    index: int
    begins: Point
    ends: Point | None
    route: Route
    duration: float | None = None
    takes: int = 1
    review: bool = False
    hold: bool = False
    omit: bool = False
    fit: Literal["crop", "pad"] | None = None
    model: str | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What ``with:`` says, by step; the storyboard's defaults are merged in."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The free words, unrendered."""
    prompt: str | None = None
    negative: str | tuple[str, ...] | None = None
    title: str = ""
    notes: Any = None
    clip: str | None = None
    """The path of the author's own clip, where no model makes one."""

    @property
    def parents(self) -> tuple[str, ...]:
        """The shots whose frames this one needs."""
        points = (self.begins, self.ends)
        return tuple(dict.fromkeys(p.shot for p in points if p is not None and p.shot is not None))


@dataclass(frozen=True, slots=True)
class Scene:
    """A place and a time."""

    id: str
    title: str
    fields: Mapping[str, Any]
    route: Route


@dataclass(frozen=True, slots=True)
class Film:
    """An order of shots: most storyboards have one."""

    id: str
    title: str
    shots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """One of several films of the same storyboard: its name, and what it has of each axis (``language: de``)."""

    name: str
    axes: Mapping[str, str]

    @property
    def routes(self) -> tuple[Route, ...]:
        """Where the storyboard says what is different, the weakest first."""
        return tuple(("variants", axis, value) for axis, value in self.axes.items())


@dataclass(frozen=True)
class Storyboard:
    """Everything a storyboard's file says, checked: ids are unique and every shot that is named exists."""

    id: str
    title: str
    pipeline: str
    aspect: str
    budget: Decimal | None
    values: Mapping[str, Any]
    prompt: str
    negative: str | tuple[str, ...] | None
    scenes: tuple[Scene, ...]
    shots: tuple[Shot, ...]
    films: tuple[Film, ...]
    document: Document
    variant: Variant | None = None
    store: str | None = None
    """The address of the shared store."""

    def shot(self, name: str) -> Shot:
        """The shot of this id. KeyError if there is none."""
        return self.by_id[name]

    @cached_property
    def by_id(self) -> dict[str, Shot]:
        return {shot.id: shot for shot in self.shots}

    @cached_property
    def _scenes(self) -> dict[str, Scene]:
        return {scene.id: scene for scene in self.scenes}

    def scene(self, name: str) -> Scene:
        """The scene of this id. KeyError if there is none."""
        return self._scenes[name]


def read(
    document: Document, *, is_file: Callable[[str], bool] = lambda _: False
) -> tuple[Storyboard | None, list[Problem]]:
    """The storyboard a document describes, and every problem of it.

    What is wrong is left out and the rest is read on, so that one slip doesn't hide the others.
    ``is_file`` says whether a path in the project is a file.
    """
    faults = check(document.data, "storyboard.schema.json")
    problems = [document.problem(fault) for fault in faults]
    data = without(document.data, [fault.path for fault in faults])
    board, told = of(document, data, is_file=is_file)
    return board, problems + told


def of(
    document: Document,
    data: Data,
    *,
    is_file: Callable[[str], bool] = lambda _: False,
    variant: Variant | None = None,
    whole: bool = True,
) -> tuple[Storyboard | None, list[Problem]]:
    """The same of a document whose ``data`` was checked: what is at fault is left out of it, and told already.

    Not ``whole``: files it takes in could not be read, so a shot that is named may be in one of them.
    """
    if not isinstance(data, dict) or not isinstance(data.get("scenes"), list):
        return None, []
    reader = _Reader(document, data, is_file)
    reader.whole = whole
    board = reader.read(variant)
    return board, reader.problems


def _items(value: Any) -> list[tuple[int, dict[str, Any]]]:
    return [(n, item) for n, item in enumerate(value) if isinstance(item, dict)] if isinstance(value, list) else []


class _Reader:
    def __init__(self, document: Document, data: dict[str, Any], is_file: Callable[[str], bool]) -> None:
        self.document, self.data, self.is_file = document, data, is_file
        self.problems: list[Problem] = []
        self.ids: dict[str, str] = {}
        self.doubles: set[Route] = set()
        """Where an id stands that another shot has already."""
        self.refused: set[str] = set()
        """Ids that were told already for what is wrong with them: who names them is not told as well."""

        self.whole = True

    def tell(self, route: Route, fact: str, remedy: str | None = None, *, key: bool = False) -> None:
        place = self.document.key_place(route) if key else self.document.place(route)
        self.problems.append(Problem(fact, remedy, place))

    def warn(self, place: Place, fact: str, remedy: str | None = None) -> None:
        self.problems.append(Problem(fact, remedy, place, "warning"))

    def read(self, variant: Variant | None) -> Storyboard:
        data = self.data
        self._zeros()
        free = {k: v for k, v in (data.get("defaults") or {}).items() if k not in _OWN_FIELDS}
        self._near_misses(free, _OWN_FIELDS, ("defaults",))
        self._collect_ids()
        scenes: list[Scene] = []
        shots: list[Shot] = []
        for n, raw in _items(data["scenes"]):
            if not isinstance(raw.get("scene"), str):
                continue
            route: Route = ("scenes", n)
            fields = {k: v for k, v in raw.items() if k not in _SCENE_FIELDS}
            self._near_misses(fields, _SCENE_FIELDS, route)
            scenes.append(Scene(raw["scene"], raw.get("title", ""), fields, route))
            before: str | None = None
            for m, shot in _items(raw.get("shots")):
                if isinstance(shot.get("shot"), str) and (*route, "shots", m, "shot") not in self.doubles:
                    shots.append(self._shot(shot, raw["scene"], len(shots), before, (*route, "shots", m)))
                    before = shot["shot"]
        return Storyboard(
            id=data.get("storyboard", ""),
            title=data.get("title", "") or data.get("storyboard", ""),
            pipeline=data.get("pipeline", ""),
            aspect=data.get("aspect", "16:9"),
            budget=None if (budget := data.get("budget")) is None else Decimal(str(budget)),
            values=data.get("values") or {},
            prompt=data.get("prompt", "{{ shot.action }}"),
            negative=_negative(data.get("negative")),
            scenes=tuple(scenes),
            shots=tuple(shots),
            films=self._films(shots),
            document=self.document,
            variant=variant,
            store=self._store(data.get("store")),
        )

    def _store(self, url: str | None) -> str | None:
        if url is not None and (fault := address(url)) is not None:
            self.tell(("store",), *fault)
            return None
        return url

    def _zeros(self) -> None:
        for zeros in (document.unquoted_zeros for document in (self.document, *dict(self.document.parts).values())):
            if not zeros:
                continue
            text, place = zeros[0]
            more = f" (and {len(zeros) - 1} more)" if len(zeros) > 1 else ""
            fact = f"{text} is not in quotes{more}: matchcut keeps it as text, other YAML readers make it a number"
            self.warn(place, fact, f'"{text}"')

    def _collect_ids(self) -> None:
        seen: dict[str, dict[str, tuple[str, Route]]] = {"scene": {}, "shot": {}}
        for n, scene in _items(self.data["scenes"]):
            self._collect(seen["scene"], "scene", scene.get("scene"), ("scenes", n, "scene"))
            for m, shot in _items(scene.get("shots")):
                self._collect(seen["shot"], "shot", shot.get("shot"), ("scenes", n, "shots", m, "shot"))
        self.ids = {name: name for name, _ in seen["shot"].values()}
        for _, scene in _items(self.document.data["scenes"]):
            names = (str(shot.get("shot")) for _, shot in _items(scene.get("shots")))
            self.refused |= {name for name in names if name not in self.ids}

    def _collect(self, seen: dict[str, tuple[str, Route]], what: str, name: Any, route: Route) -> None:
        if not isinstance(name, str):
            return
        folded = name.casefold()
        if is_device(name):
            self.tell(route, f'"{name}" is the name of a device on Windows and cannot be a file name', f'"{name}-1"')
        if folded in seen:
            other, where = seen[folded]
            first = self.document.place(where)
            there = f"in line {first.line}" if first.file == self.document.place(route).file else f"at {first}"
            same = "" if other == name else f' as "{other}" (ids are unique whatever the case)'
            self.tell(route, f'{what} "{name}" is there already {there}{same}', "another id")
            self.doubles.add(route)
            return
        seen[folded] = name, route

    def _near_misses(self, fields: Mapping[str, Any], own: frozenset[str], route: Route) -> None:
        for name in fields:
            near = did_you_mean(name, own) if name not in _KNOWN_WORDS else None
            if near and near != name:
                place = self.document.key_place((*route, name))
                self.warn(place, f'"{name}" is a free word for the templates, and very near to `{near}`', near)

    def _shot(self, raw: dict[str, Any], scene: str, index: int, before: str | None, route: Route) -> Shot:
        defaults = self.data.get("defaults") or {}
        clip = raw.get("clip")
        if clip is not None:
            self._own(raw, route)
            raw = {name: value for name, value in raw.items() if name not in REFUSED}
            defaults = {name: value for name, value in defaults.items() if name == "with" or name not in REFUSED}
        have = {**{k: v for k, v in defaults.items() if k != "with"}, **raw}
        fields = {k: v for k, v in have.items() if k not in _OWN_FIELDS}
        self._near_misses({k: v for k, v in raw.items() if k not in _OWN_FIELDS}, _OWN_FIELDS, route)
        begins = self._point(raw["from"], (*route, "from")) if "from" in raw else None
        if begins is None:
            begins = Point("shot", before) if before is not None and clip is None else CUT
        return Shot(
            id=raw["shot"],
            scene=scene,
            index=index,
            begins=begins,
            ends=self._end(raw, route),
            route=route,
            duration=have.get("duration"),
            takes=int(have.get("takes", 1)),
            review=have.get("review", False),
            hold=have.get("hold", False),
            omit=raw.get("omit", False),
            fit=have.get("fit"),
            model=have.get("model"),
            settings=_merged(defaults.get("with") or {}, raw.get("with") or {}),
            fields=fields,
            prompt=raw.get("prompt"),
            negative=_negative(raw.get("negative")),
            title=raw.get("title", ""),
            notes=raw.get("notes"),
            clip=clip,
        )

    def _own(self, raw: dict[str, Any], route: Route) -> None:
        """What a shot of the author's own footage says that it cannot mean."""
        for name in raw:
            if name in REFUSED:
                why, remedy = REFUSED[name]
                self.tell(
                    (*route, name), f'shot "{raw["shot"]}" is own footage and has no `{name}`: {why}', remedy, key=True
                )

    def _end(self, raw: dict[str, Any], route: Route) -> Point | None:
        if "to" not in raw:
            return None
        point = self._point(raw["to"], (*route, "to"))
        return None if point is None or point.origin == "cut" else point

    def _point(self, raw: Any, route: Route) -> Point | None:
        if isinstance(raw, dict):
            if "image" in raw:
                return self._image(raw["image"], (*route, "image"))
            if "shot" not in raw:
                return None
            frame = raw.get("frame", "last")
            frame = frame if isinstance(frame, str) else f"{frame:g}s"
            return self._known(raw["shot"], frame, (*route, "shot"))
        if not isinstance(raw, str):
            return None
        if raw == "cut":
            return CUT
        if "://" in raw or UUID.match(raw) or raw.startswith("data:"):
            return self._image(raw, route)
        name, _, selector = raw.partition("@")
        if name in self.ids or (ID.match(name) and not self.is_file(raw)):
            if name in self.ids and self.is_file(raw):
                long = f'from: {{shot: "{name}"}} or from: {{image: {raw}}}'
                self.tell(route, f'"{raw}" is both a shot and a file', long)
                return None
            if selector and not SELECTOR.match(selector):
                self.tell(
                    route, f'"{selector}" names no frame of shot "{name}"', "first, last, sharpest or a time like 2.5s"
                )
                return None
            return self._known(name, selector or "last", route)
        return self._image(raw, route)

    def _known(self, name: str, frame: str, route: Route) -> Point | None:
        if name in self.ids:
            return Point("shot", name, frame)
        if name not in self.refused and self.whole:
            near = did_you_mean(name, self.ids)
            self.tell(route, f'shot "{name}" does not exist', f'did you mean "{near}"?' if near else None)
        return None

    def _image(self, text: str, route: Route) -> Point | None:
        if text.startswith("data:"):
            self.tell(route, "a picture is given by its path or address, not as data", "save it as a file")
            return None
        if "://" in text:
            if not text.lower().startswith(("https://", "http://")):
                self.tell(route, f'"{text}" is not an address a model can fetch', "one that begins with https://")
                return None
            return Point("url", image=text)
        if UUID.match(text):
            return Point("uuid", image=text.lower())
        return Point("image", image=text)

    def _films(self, shots: list[Shot]) -> tuple[Film, ...]:
        title = self.data.get("title", "") or self.data.get("storyboard", "")
        if "films" not in self.data:
            return (Film("film", title, tuple(shot.id for shot in shots if not shot.omit)),)
        films: list[Film] = []
        for n, raw in _items(self.data["films"]):
            if not isinstance(raw.get("film"), str):
                continue
            if any(film.id.casefold() == raw["film"].casefold() for film in films):
                self.tell(("films", n, "film"), f'film "{raw["film"]}" is there already', "another id")
            names = []
            for m, name in enumerate(raw.get("shots") or []):
                if isinstance(name, str) and self._known(name, "last", ("films", n, "shots", m)) is not None:
                    names.append(name)
            films.append(Film(raw["film"], raw.get("title", "") or title, tuple(names)))
        return tuple(films)


def is_device(name: str) -> bool:
    """Whether Windows keeps this name for a device, so that no file can have it."""
    return name.casefold() in DEVICES


def _negative(raw: Any) -> str | tuple[str, ...] | None:
    return tuple(raw) if isinstance(raw, list) else raw


def _merged(weak: Mapping[str, Any], strong: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {step: {**weak.get(step, {}), **strong.get(step, {})} for step in {**weak, **strong}}
