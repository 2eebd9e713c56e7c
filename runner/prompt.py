"""A shot's words, rendered: values first, then the fields of scene and shot, then the prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .document import Document, Route
from .errors import Problem, did_you_mean
from .storyboard import Scene, Shot, Storyboard
from .template import NEWLINE, TEXT_MAX, Refused, filled, spoken, where

RESERVED = frozenset("shot scene storyboard values previous next variant range loop".split())

UNUSED = " is used by no shot"
"""What is told of a value."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a shot says, rendered."""

    prompt: str
    negative: str
    """Empty where nothing is excluded."""
    fields: Mapping[str, Any]
    used: Mapping[str, str]
    """The words that went in, by name: ``{"values.look": "amber light", "shot.action": …}``."""


class _Lost(str):
    """A text that cannot be rendered, which was told already. What it goes into is lost as well."""

    __slots__ = ()


def render(board: Storyboard) -> tuple[dict[str, Words], list[Problem]]:
    """The words of every shot by its id, and every problem met: errors, and values that nothing uses.

    A shot whose words have an error is left out.
    """
    room = _Room(board)
    room.problems.update(dict.fromkeys(room.reserved()))
    words = {shot.id: found for shot in board.shots if (found := room.words(shot)) is not None}
    if len(words) == len(board.shots) and not room.problems:
        room.problems.update(dict.fromkeys(room.unused()))
    return words, list(room.problems)


class Leaves(Mapping[str, Any]):
    """Fields whose texts are rendered when first asked for."""

    def __init__(
        self, room: _Room, name: str, raw: Mapping[str, Any], route: Route, scope: Callable[[], _Scope]
    ) -> None:
        self._room, self.name, self._raw, self.route, self._scope = room, name, raw, route, scope
        self._made: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        raw = self._raw[key]
        name, route = f"{self.name}.{key}", (*self.route, key)
        if key not in self._made:
            self._made[key] = self._make(raw, name, route)
        made = self._made[key]
        if type(made) is str or not isinstance(made, Mapping):
            self._room.note(name, route, made)
        return made

    def __contains__(self, key: object) -> bool:
        return key in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def _make(self, raw: Any, name: str, route: Route) -> Any:
        if isinstance(raw, str):
            return self._room.leaf(raw, name, route, self._scope())
        if isinstance(raw, dict):
            return Leaves(self._room, name, raw, route, self._scope)
        if isinstance(raw, list):
            return [self._make(item, f"{name}.{n}", (*route, n)) for n, item in enumerate(raw)]
        return raw


_Scope = Mapping[str, Any]


@dataclass
class _Room:
    """Where templates meet: everything that is in reach, and what was used of it."""

    board: Storyboard
    used: dict[str, str] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)
    trail: list[tuple[str, Route]] = field(default_factory=list)
    needs: dict[Route, dict[str, str]] = field(default_factory=dict)
    """What went into each rendered text, by its place."""
    problems: dict[Problem, None] = field(default_factory=dict)
    lost: bool = False
    """Whether something that the text at hand needs could not be rendered."""
    shot: Shot | None = None
    """The one whose words are being rendered."""
    around: tuple[Shot, _Scope] | None = None
    """What is in reach of a shot, of the one asked for last."""

    @property
    def document(self) -> Document:
        return self.board.document

    @cached_property
    def values(self) -> Leaves:
        return Leaves(self, "values", self.board.values, ("values",), lambda: self.common)

    @cached_property
    def common(self) -> _Scope:
        about = {"id": self.board.id, "title": self.board.title, "aspect": self.board.aspect}
        own = {"values": self.values, "storyboard": about}
        if (variant := self.board.variant) is not None:
            own["variant"] = {"name": variant.name, **variant.axes}
        return _Layered(own, self.values)

    @cached_property
    def scenes(self) -> dict[str, Leaves]:
        return {scene.id: self._scene(n, scene) for n, scene in enumerate(self.board.scenes, 1)}

    def _scene(self, number: int, scene: Scene) -> Leaves:
        raw = {**scene.fields, "id": scene.id, "scene": scene.id, "title": scene.title, "number": number}
        leaves = Leaves(self, "scene", raw, scene.route, lambda: _Layered({"scene": leaves}, self.common))
        return leaves

    @cached_property
    def shots(self) -> dict[str, Leaves]:
        return {shot.id: self._shot(shot) for shot in self.board.shots}

    def _shot(self, shot: Shot) -> Leaves:
        own = {"id": shot.id, "shot": shot.id, "scene": shot.scene, "title": shot.title, "number": shot.index + 1}
        raw = {**shot.fields, **own, **({} if shot.duration is None else {"duration": shot.duration})}
        return Leaves(self, "shot", raw, shot.route, lambda: self.scope(shot))

    def scope(self, shot: Shot) -> _Scope:
        if self.around is None or self.around[0] is not shot:  # it is asked for again and again while one is rendered
            own = {"shot": self.shots[shot.id], "scene": self.scenes[shot.scene], **self._neighbours(shot)}
            self.around = shot, _Layered(own, self.common)
        return self.around[1]

    def _neighbours(self, shot: Shot) -> dict[str, Leaves | None]:
        found: dict[str, Leaves | None] = {}
        for name, n in (("previous", shot.index - 1), ("next", shot.index + 1)):
            other = self.board.shots[n] if 0 <= n < len(self.board.shots) else None
            found[name] = self.shots[other.id] if other is not None and other.scene == shot.scene else None
        return found

    def words(self, shot: Shot) -> Words | None:
        """The words of a shot; None where they have an error, which is noted."""
        self.used, self.shot, self.lost = {}, shot, False
        if shot.clip is not None:  # no model reads them
            return self._unsaid(shot)
        scope = self.scope(shot)
        at: Route = (*shot.route, "prompt") if shot.prompt is not None else ("prompt",)
        template = self.board.prompt if shot.prompt is None else shot.prompt
        if shot.prompt is None and "prompt" not in self.document.data and "action" not in shot.fields:
            if not {"action", "prompt", "clip"} & {*self._raw(shot.route)}:  # else it is told what is wrong with them
                fact = f'shot "{shot.id}" has neither action nor prompt'
                self.tell(Problem(fact, "action: what happens", self.document.place(shot.route)))
            return None
        prompt = self.leaf(template, "prompt", at, scope, top=True).strip()
        negative = self._negative(shot, scope)
        used = dict(self.used)
        fields = self._fields(shot)
        return None if self.lost else Words(prompt, negative, fields, {name: used[name] for name in sorted(used)})

    def _unsaid(self, shot: Shot) -> Words | None:
        """The words of a shot that are for people and for its neighbours alone."""
        fields = self._fields(shot)
        return None if self.lost else Words("", "", fields, {})

    def _fields(self, shot: Shot) -> dict[str, Any]:
        return {name: self._plain(self.shots[shot.id][name]) for name in shot.fields}

    def tell(self, problem: Problem) -> None:
        self.problems[problem] = None
        self.lost = True

    def _negative(self, shot: Shot, scope: _Scope) -> str:
        own = shot.negative is not None
        raw = shot.negative if own else self.board.negative
        at: Route = (*shot.route, "negative") if own else ("negative",)
        if raw is None:
            return ""
        if isinstance(raw, str):
            return self.leaf(raw, "negative", at, scope, top=True).strip()
        texts = [self.leaf(t, "negative", (*at, n), scope, top=True).strip() for n, t in enumerate(raw)]
        return ", ".join(filter(None, texts))

    def _plain(self, made: Any) -> Any:
        if type(made) is str or not isinstance(made, Mapping):
            return made
        return {key: self._plain(made[key]) for key in made}

    def note(self, name: str, route: Route, made: Any) -> None:
        """A word is used by the text that is being rendered, with all the words it was made of."""
        self.ever.add(name)
        into = self.needs.setdefault(self.trail[-1][1], {}) if self.trail else self.used
        if type(made) is str:  # by far the most
            into.update(self.needs.get(route, {}))
            into[name] = made
            return
        for n, item in enumerate(made if isinstance(made, list) else ()):
            into.update(self.needs.get((*route, n), {}))
            self.lost |= isinstance(item, _Lost)
        self.lost |= isinstance(made, _Lost)
        into.update(self.needs.get(route, {}))
        try:
            into[name] = spoken(made)
        except ValueError:
            return  # a list of mappings has no words of its own: their fields are noted when they are used

    def leaf(self, raw: str, name: str, route: Route, scope: _Scope, *, top: bool = False) -> str:
        """A text, rendered. Plain text and bare ``{{ a.b }}`` need no compiled template."""
        if "{" not in raw:
            return NEWLINE.sub("\n", raw)
        if (name, route) in self.trail:
            names = [n for n, _ in self.trail[self.trail.index((name, route)) :]]
            fact = f"these words need each other: {' -> '.join([*names, name])}"
            self.tell(Problem(fact, "write one of them out", self.document.place(self._spot(route))))
            return _Lost()
        before, self.lost = self.lost, False
        if not top:
            self.trail.append((name, route))
        try:
            text = self._filled(raw, route, scope)
        finally:
            if not top:
                self.trail.pop()
        if len(text) > TEXT_MAX:
            fact = f"the text is longer than {TEXT_MAX:,} characters (text_max)"
            self.tell(Problem(fact, "shorten it", self.document.place(self._spot(route))))
        lost, self.lost = self.lost, self.lost or before
        return _Lost() if lost else text

    def _filled(self, raw: str, route: Route, scope: _Scope) -> str:
        text = filled(raw, scope)
        if text is not None:
            return text
        from .sandbox import compiled, refusals

        try:
            return compiled(raw).render(scope)
        except Refused as first:
            lost = self.lost
            for refused in refusals(raw, scope, first):
                named = refused.name is not None and isinstance(refused.holder, Leaves | None)
                if named or not lost:  # what else fails may fail for the word that was lost
                    self.tell(self._refused(refused, raw, route, scope))
        return _Lost()

    def _refused(self, refused: Refused, raw: str, route: Route, scope: _Scope) -> Problem:
        spot = self._spot(route)
        place = self.document.place_of(spot, *where(raw, refused))
        fact, near = refused.fact, None
        if refused.name is not None:
            near = did_you_mean(refused.name, refused.known or [*scope])
        if refused.name == "variant" and refused.holder is None:
            refused.remedy = "variants: in the storyboard, or leave it out"
        if isinstance(refused.holder, Leaves):
            fact = f'{refused.holder.name} has no "{refused.name}"'
        if isinstance(refused.holder, Leaves) and refused.holder.name in {"shot", "scene"}:
            holder = refused.holder
            fact = f'{holder.name} "{holder["id"]}" has no "{refused.name}", which a template asks for'
            refused.remedy = f'{refused.name}: …, or {{{{ {holder.name}.{refused.name}|default("") }}}}'
            shared = spot[0] in {"prompt", "negative", "values", "defaults"}
            others = self.board.shots if holder.name == "shot" else self.board.scenes
            if shared and not any(refused.name in other.fields for other in others):
                fact = f'no {holder.name} has "{refused.name}", which this template asks for'
            elif shared and self.shot is not None and holder.route in {self.shot.route, self.shot.route[:2]}:
                place = self.document.place(holder.route)  # one of many that have the template
                if near is not None and near in self._raw(holder.route):
                    return Problem(fact, f"{refused.name}, not {near}", self.document.key_place((*holder.route, near)))
        return Problem(fact, f"did you mean {near}?" if near else refused.remedy, place)

    def _spot(self, route: Route) -> Route:
        """Where a text was written: what a shot does not say itself stands in the defaults."""
        if route[2:3] == ("shots",) and len(route) > 4 and route[4] not in self._raw(route[:4]):
            return ("defaults", *route[4:])
        return route

    def _raw(self, route: Route) -> Mapping[str, Any]:
        raw: Any = self.document.data
        for step in route:
            raw = raw[step]
        found: Mapping[str, Any] = raw
        return found

    def reserved(self) -> Iterator[Problem]:
        for name in self.board.values:
            if name in RESERVED:
                place = self.document.key_place(("values", name))
                yield Problem(f'"{name}" has a meaning of its own in templates', "another name", place)

    def unused(self) -> Iterator[Problem]:
        for name, route in _leaf_names("values", self.board.values, ("values",)):
            if name not in self.ever:
                place = self.document.key_place(route)
                yield Problem(f"{name}{UNUSED}", "delete it, or use it in a template", place, "warning")


class _Layered(Mapping[str, Any]):
    """Names in reach: one's own first, then those beneath."""

    def __init__(self, own: Mapping[str, Any], beneath: Mapping[str, Any]) -> None:
        self.own, self.beneath = own, beneath

    def __getitem__(self, name: str) -> Any:
        return self.own[name] if name in self.own else self.beneath[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from (name for name in self.beneath if name not in self.own)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in self.beneath


def _leaf_names(name: str, raw: Any, route: Route) -> Iterator[tuple[str, Route]]:
    if isinstance(raw, dict):
        for key, value in raw.items():
            yield from _leaf_names(f"{name}.{key}", value, (*route, key))
    else:
        yield name, route
