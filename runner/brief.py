"""A brief: what is known of a shot before its frames are, and every problem that shows by then."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from . import card as cards_
from . import prompt
from .card import Card
from .document import Route
from .errors import Place, Problem, StoryError, did_you_mean
from .facts import Facts, Picture
from .footage import Footage
from .kinds import generate
from .pipeline import Pipeline, Step
from .ports import Slate
from .prompt import Words
from .schema import Fault, check
from .storyboard import Point, Shot, Storyboard
from .template import filled

SHAPE_OFF_MAX = 0.01
"""How far a picture's shape may be from the clip's, as a share, before it must be fitted."""

RATE_OFF_MAX = Fraction(1, 1000)
"""How far apart the rates of two clips may be, as a share, in a film that is put together by copying."""

_TOKEN = re.compile(r"(?<=/)(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[A-Za-z0-9_~=-]{20,}(?=/|\Z)")
"""A long part of a path, letters and digits in one, without a file's ending: whoever knows it may call there."""

DELIVERED = ("uploadEndpoint", "webhookURL")
"""Where a result is sent to: may name the shot, and never counts for a key."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What is known of a shot before its frames are: its model, its size, its words, its request."""

    shot: Shot
    card: Card
    width: int
    height: int
    words: Words
    request: Mapping[str, Any]
    slate: Slate
    depth: int
    root: str
    footage: Footage | None = None
    """The author's own clip; then the card is that of no model, and nothing is asked for."""

    @property
    def seconds(self) -> float:
        return float(self.card.seconds(self.request)) if self.footage is None else self.footage.seconds

    @property
    def rate(self) -> Fraction:
        """Frames a second: what the model makes, or what the author's own clip has."""
        return Fraction(self.card.fps) if self.footage is None else self.footage.fps


def briefs(
    board: Storyboard, pipeline: Pipeline, cards: Mapping[str, Card], facts: Facts
) -> tuple[dict[str, Brief], tuple[str, ...], list[Problem]]:
    """The brief of every shot, the shots in an order in which they can be made, and every problem."""
    briefing = _Briefing(board, pipeline, cards, facts)
    order = briefing.all()
    return briefing.briefs, order, briefing.problems


def picture_of(brief: Brief, path: str, facts: Facts) -> Picture:
    picture = facts.pictures.look(path)
    if brief.shot.fit and (picture.width, picture.height) != (brief.width, brief.height) and is_off(brief, picture):
        return facts.pictures.fitted(path, brief.width, brief.height, brief.shot.fit)
    return picture


def is_off(brief: Brief, picture: Picture) -> bool:
    """Whether a picture's shape is too far from the clip's to be sent as it is."""
    return abs(picture.width * brief.height / (picture.height * brief.width) - 1) > SHAPE_OFF_MAX


def delivered(request: Mapping[str, Any], shot: str) -> dict[str, Any]:
    """A request with the templates of its delivery fields filled in: ``{{ shot.id }}``."""
    made = dict(request)
    for name in DELIVERED:
        if isinstance(made.get(name), str):
            made[name] = filled(made[name], {"shot": {"id": shot}}) or made[name]
    return made


def unsigned(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request as it is written down: what is signed into the addresses of its delivery fields is cut, and a part of
    their paths that looks like a token is covered.
    """
    addresses = {name: request[name] for name in DELIVERED if isinstance(request.get(name), str)}
    return {**request, **{name: _TOKEN.sub("…", text.split("?")[0]) for name, text in addresses.items()}}


def settings_of(step: Step, shot: Shot | None) -> dict[str, Any]:
    """A step's settings, with what the shot says instead."""
    return {**step.settings, **(shot.settings.get(step.name, {}) if shot is not None else {})}


@dataclass
class _Briefing:
    board: Storyboard
    pipeline: Pipeline
    cards: Mapping[str, Card]
    facts: Facts
    problems: list[Problem] = field(default_factory=list)
    checked: dict[str, list[Fault]] = field(default_factory=dict)
    briefs: dict[str, Brief] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Parameters of the model that nobody may set, told where somebody did."""
    unsized: set[str] = field(default_factory=set)
    """Shots whose size is told already."""

    def tell(self, place: Place | None, fact: str, remedy: str | None = None) -> None:
        self.problems.append(Problem(fact, remedy, place))

    @cached_property
    def clear(self) -> dict[str, tuple[float, ...]]:
        """The times inside each shot at which others take a frame."""
        found: dict[str, set[float]] = {}
        for shot in self.board.shots:
            for point in (shot.begins, shot.ends):
                if point is not None and point.shot is not None and point.frame.endswith("s"):
                    found.setdefault(point.shot, set()).add(float(point.frame[:-1]))
        return {name: tuple(sorted(times)) for name, times in found.items()}

    def all(self) -> tuple[str, ...]:
        """Make every brief and note every problem; the shots in an order in which they can be made."""
        words, told = prompt.render(self.board)
        self.problems += told
        order = self._order()
        self._steps()
        for name in order:
            brief = self._brief(self.board.by_id[name], words.get(name))
            if brief is not None:
                self.briefs[name] = brief
        self._films()
        return order

    def _order(self) -> tuple[str, ...]:
        """Shots so that parents come first: the order of the file where it will do, else of the graph."""
        seen: set[str] = set()
        for shot in self.board.shots:
            if not seen.issuperset(shot.parents):
                return self._sorted()
            seen.add(shot.id)
        return tuple(shot.id for shot in self.board.shots)

    def _sorted(self) -> tuple[str, ...]:
        import networkx as nx

        graph: Any = nx.DiGraph()
        graph.add_nodes_from(shot.id for shot in self.board.shots)
        graph.add_edges_from((parent, shot.id) for shot in self.board.shots for parent in shot.parents)
        index = {shot.id: shot.index for shot in self.board.shots}
        rings = [ring for ring in nx.strongly_connected_components(graph) if len(ring) > 1]
        rings += [{name} for name in nx.nodes_with_selfloops(graph)]
        for ring in sorted(rings, key=lambda names: min(index[name] for name in names)):
            start = min(ring, key=lambda name: index[name])
            self._circle(_circle(nx, graph.subgraph(ring), start))
        if rings:
            return ()
        return tuple(nx.lexicographical_topological_sort(graph, key=lambda name: index[name]))

    def _circle(self, names: list[str]) -> None:
        route = self.board.by_id[names[1]].route
        for parent, name in pairwise([*names[-2:-1], *names]):  # the first that was written down
            shot = self.board.by_id[name]
            word = "from" if shot.begins.shot == parent else "to"
            if self._has((*shot.route, word)):
                route = (*shot.route, word)
                break
        fact = f"these shots wait for each other: {' -> '.join(names)}"
        self.tell(self.board.document.place(route), fact, "let one of them begin with `from: cut` or a picture")

    def _has(self, route: Route) -> bool:
        data: Any = self.board.document.data
        for step in route:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def _steps(self) -> None:
        """Settings that shots give to steps: the step must exist, its kind must know them."""
        steps = {step.name: step for step in (*self.pipeline.shot, *self.pipeline.film)}
        routes: list[tuple[Route, Mapping[str, Any]]] = [(("defaults", "with"), {})]
        routes += [((*shot.route, "with"), shot.settings) for shot in self.board.shots if shot.settings]
        for route, settings in routes:
            said = settings or (self.board.document.data.get("defaults") or {}).get("with") or {}
            for name, values in said.items():
                if not self._has((*route, name)):
                    continue
                where = self.board.document.key_place((*route, name))
                if name not in steps:
                    near = did_you_mean(name, steps)
                    remedy = f"did you mean {near}?" if near else f"one of {', '.join(steps)}"
                    self.tell(where, f'the pipeline has no step "{name}"', remedy)
                    continue
                if steps[name].kind == "exec":
                    fact = f'step "{name}" runs a command; what it runs stands in the pipeline alone'
                    self.tell(where, fact, f"a pipeline of your own with {name} as it is to be")
                    continue
                for fault in check(values, f"kinds/{steps[name].kind}.json"):
                    self.refused |= {str(fault.path[0])} if fault.path and name == self.pipeline.generate else set()
                    inside: Route = (*route, name, *fault.path)
                    document = self.board.document
                    self.problems.append(fault.at(document.key_place(inside) if fault.key else document.place(inside)))

    def _card(self, shot: Shot) -> Card | None:
        name = shot.model or self.pipeline.model
        card = self.cards.get(name)
        if card is None:
            near = did_you_mean(name, self.cards)
            remedy = f"did you mean {near}?" if near else f"one of {', '.join(sorted(self.cards))}"
            own = shot.model is not None
            if own and self._has((*shot.route, "model")):
                place = self.board.document.place((*shot.route, "model"))
            elif own:
                place = self.board.document.place(("defaults", "model"))
            else:
                place = self.pipeline.document.place(("model",))
            self.tell(place, f'there is no card for model "{name}"', remedy)
            return None
        makers = {other.provider for other in self.cards.values()}
        if card.provider != self.pipeline.provider and self.pipeline.provider in makers:
            fact = (
                f"{card.title} ({card.id}) is made by {card.provider}, but this pipeline asks {self.pipeline.provider}"
            )
            route: Route = (*shot.route, "model") if self._has((*shot.route, "model")) else ("defaults", "model")
            place = self.board.document.place(route) if shot.model else self.pipeline.document.place(("model",))
            offered = sorted(other.id for other in self.cards.values() if other.provider == self.pipeline.provider)
            self.tell(place, fact, " or ".join(offered))
            return None
        return card

    def _own(self, shot: Shot, clip: str, words: Words | None) -> Brief | None:
        """The brief of the author's own footage: what its file is."""
        try:
            found = self.facts.footage.look(clip)
        except StoryError as error:
            place = self.board.document.place((*shot.route, "clip"))
            self.problems += [problem.at(place) for problem in error.problems]
            return None
        told, scene = words or Words("", "", {}, {}), self.board.scene(shot.scene)
        line = str(told.fields.get("action", "")).strip().split("\n")[0]
        slate = Slate(scene.id, scene.title, shot.id, line or clip, self.clear.get(shot.id, ()))
        return Brief(shot, cards_.own(), found.width, found.height, told, {}, slate, 0, shot.id, found)

    def _brief(self, shot: Shot, words: Words | None) -> Brief | None:
        if shot.clip is not None:
            return self._own(shot, shot.clip, words)
        card = self._card(shot)
        if card is None:
            return None
        step = self.pipeline.step(self.pipeline.generate)
        settings = {name: value for name, value in settings_of(step, shot).items() if name not in self.refused}
        size = self._size(shot, card, settings)
        if size is None:
            return None
        told = words or Words("xx", "", {}, {})
        request = generate.request(
            model=card.id,
            prompt=told.prompt,
            negative=told.negative,
            width=size[0],
            height=size[1],
            seconds=shot.duration,
            settings=settings,
        )
        self._request(shot, card, request, words)
        parent = self.briefs.get(shot.begins.shot) if shot.begins.shot else None
        scene = self.board.scene(shot.scene)
        line = str(told.fields.get("action", told.prompt)).strip().split("\n")[0]
        brief = Brief(
            shot, card, request["width"], request["height"], told, request,
            Slate(scene.id, scene.title, shot.id, line, self.clear.get(shot.id, ())),
            parent.depth + 1 if parent else 0,
            parent.root if parent else shot.id,
        )  # fmt: skip
        self._ends(brief)
        return brief

    def _size(self, shot: Shot, card: Card, settings: Mapping[str, Any]) -> tuple[int, int] | None:
        if "width" in settings and "height" in settings:
            return settings["width"], settings["height"]
        if self.board.aspect != "auto":
            size = card.size_for(self.board.aspect)
            if size is None:
                offered = ", ".join(dict.fromkeys(s.aspect for s in card.sizes))
                route: Route = ("aspect",) if self._has(("aspect",)) else shot.route
                fact = f"{card.title} ({card.id}) has no size of the shape {self.board.aspect}"
                self.tell(self.board.document.place(route), fact, offered)
                return None
            return size.width, size.height
        parent = self.briefs.get(shot.begins.shot or "")
        if parent is not None:
            near = card.nearest(parent.width, parent.height)
            return near.width, near.height
        if shot.begins.origin == "image" and shot.begins.image is not None:
            try:
                picture = self.facts.pictures.look(shot.begins.image)
            except StoryError:
                return card.sizes[0].width, card.sizes[0].height  # told where the picture is looked at
            near = card.nearest(picture.width, picture.height)
            return near.width, near.height
        return card.sizes[0].width, card.sizes[0].height

    def _upload(self, shot: Shot, request: Mapping[str, Any]) -> None:
        """Several results that are sent to one place overwrite each other there."""
        target = request.get("uploadEndpoint")
        if isinstance(target, str) and (shot.takes > 1 or ("{{" not in target and len(self.board.shots) > 1)):
            why = (
                f'shot "{shot.id}" wants {shot.takes} takes'
                if shot.takes > 1
                else "several shots have the same address"
            )
            fact = f"{why}: their clips overwrite each other at uploadEndpoint"
            remedy = "takes: 1" if shot.takes > 1 else "{{ shot.id }} in the address"
            self.problems.append(Problem(fact, remedy, self.board.document.place(shot.route), "warning"))

    def _request(self, shot: Shot, card: Card, request: Mapping[str, Any], words: Words | None) -> None:
        """Check a request by its card; equal requests but for their words are checked once."""
        words_of = {"positivePrompt", "negativePrompt"}
        bare = {name: value for name, value in request.items() if name not in words_of and not _from_outside(value)}
        self._upload(shot, request)
        bare = delivered(bare, "0000")  # as it is sent, for some shot: the check is the same for all
        name = f"{card.id} {json.dumps(bare, sort_keys=True, default=str)}"
        if name not in self.checked:
            self.checked[name] = card.check_fields(bare)
        faults = list(self.checked[name])
        for field_ in ("positivePrompt", "negativePrompt"):
            if words is not None and field_ in request:
                faults += _words(card, field_, words)
        for fault in faults:
            name = str(fault.path[0]) if fault.path else ""
            if name in {"width", "height"}:
                self.unsized.add(shot.id)
            if fault.key and fault.remedy is None and (near := did_you_mean(name, card.fields)):
                fault = replace(fault, remedy=near)  # noqa: PLW2901
            self.problems.append(fault.at(self._place(shot, name, fault)))

    def _place(self, shot: Shot, field_: str, fault: Fault) -> Place:
        """Where a parameter of a request was written: in the shot, in its defaults, or in the pipeline."""
        step = self.pipeline.generate
        rest = fault.path[1:]
        routes: list[Route] = [(*shot.route, "with", step, field_, *rest), ("defaults", "with", step, field_, *rest)]
        own = {
            "duration": ["duration"],
            "positivePrompt": ["prompt", "action"],
            "negativePrompt": ["negative"],
        }.get(field_, [])
        routes = [*((*shot.route, name) for name in own), *(("defaults", name) for name in own), *routes]
        routes += [("aspect",)] if field_ in {"width", "height"} else []
        routes += [(own[0],)] if own else []
        for route in routes:
            if self._has(route):
                document = self.board.document
                return document.key_place(route) if fault.key else document.place(route)
        document = self.pipeline.document
        found = [n for n, (_, node) in enumerate(document.nodes(("shot", step, "with", field_))) if node is not None]
        if len(found) == 5:
            inside: Route = ("shot", step, "with", field_, *rest)
            return document.key_place(inside) if fault.key else document.place(inside)
        return self.board.document.place((*shot.route, "shot"))

    def _ends(self, brief: Brief) -> None:
        shot, card = brief.shot, brief.card
        for name, point, position in (("from", shot.begins, "first"), ("to", shot.ends, "last")):
            if point is None or point.origin == "cut":
                continue
            where: Route = (*shot.route, name) if self._has((*shot.route, name)) else shot.route
            if not card.accepts(position):
                self._refused(brief, where, position, point)
            elif point.origin == "image":
                self._look(brief, where, point.image or "")
            elif point.origin == "shot":
                self._shape(brief, where, point)
                self._time(where, point)

    def _refused(self, brief: Brief, where: Route, position: str, point: Point) -> None:
        card = brief.card
        others = [c for c in self.cards.values() if c.provider == card.provider and c.accepts(position)]
        taken = " and ".join(card.positions) or "no"
        does = "ends" if position == "last" else "begins"
        fact = f'shot "{brief.shot.id}" {does} on "{point}", but {card.id} accepts a {taken} frame only'
        word = "to" if position == "last" else "from"
        one = f"model {others[0].id} ({others[0].sizes[0].name}), or drop `{word}`" if others else f"drop `{word}`"
        self.tell(self.board.document.place(where), fact, one)

    def _look(self, brief: Brief, where: Route, path: str) -> None:
        try:
            picture = self.facts.pictures.look(path)
        except StoryError as error:
            self.problems += [problem.at(self.board.document.place(where)) for problem in error.problems]
            return
        off = is_off(brief, picture)
        fits = off and brief.shot.fit is not None
        limits, card = brief.card.picture, brief.card
        misread = self._has((*brief.shot.route, "fit")) or self._has(("defaults", "fit"))
        if off and not fits and not misread:
            fact = f"{path} is {picture.width}x{picture.height}, of another shape than {brief.width}x{brief.height}"
            self.tell(self.board.document.place(where), fact, "fit: crop, or fit: pad")
        if fits:
            return
        if not all(limits.side_min <= side <= limits.side_max for side in (picture.width, picture.height)):
            takes = f"{card.title} takes {limits.side_min} to {limits.side_max} pixels a side"
            fact = f"{path} is {picture.width}x{picture.height}; {takes}"
            self.tell(self.board.document.place(where), fact, f"{brief.width}x{brief.height}")
        elif picture.bytes > limits.bytes_max:
            fact = f"{path} has {picture.bytes / 1e6:.1f} MB; {card.title} takes up to {limits.bytes_max / 1e6:.0f} MB"
            self.tell(self.board.document.place(where), fact, "a smaller file")

    def _shape(self, brief: Brief, where: Route, point: Point) -> None:
        other = self.briefs.get(point.shot or "")
        own = other is not None and other.footage is not None
        if own and self._worked(self.pipeline.handed):
            return
        if other is not None and is_off(brief, Picture("", other.width, other.height, 0)):
            fact = (
                f'shot "{brief.shot.id}" is {brief.width}x{brief.height}, but the frame of "{other.shot.id}" '
                f"is {other.width}x{other.height}"
            )
            same = "a clip of that shape" if own else "the same aspect"
            self.tell(self.board.document.place(where), fact, f"{same}, or `from: cut`")
        elif other is not None and own:
            self._sides(brief, where, other)

    def _sides(self, brief: Brief, where: Route, other: Brief) -> None:
        """The sides of a frame that comes out of the author's own clip, in pixels."""
        limits = brief.card.picture
        if not all(limits.side_min <= side <= limits.side_max for side in (other.width, other.height)):
            takes = f"{brief.card.title} takes {limits.side_min} to {limits.side_max} pixels a side"
            fact = f'the frame of "{other.shot.id}" is {other.width}x{other.height}; {takes}'
            self.tell(self.board.document.place(where), fact, f"a clip of {brief.width}x{brief.height}")

    def _worked(self, name: str) -> bool:
        """Whether a command stands between a shot's clip and what a step gives: it may have brought it to shape."""
        step = self.pipeline.step(name)
        while step.kind not in {"generate", "exec"} and "clip" in step.inputs:
            step = self.pipeline.step(step.inputs["clip"])
        return step.kind == "exec"

    def _time(self, where: Route, point: Point) -> None:
        other = self.briefs.get(point.shot or "")
        if other is not None and point.frame.endswith("s") and float(point.frame[:-1]) > other.seconds:
            fact = f'"{point}" lies beyond the end of shot "{other.shot.id}", which lasts {other.seconds:g} s'
            self.tell(
                self.board.document.place(where), fact, f"{other.shot.id}@last, or a time up to {other.seconds:g}s"
            )

    def _films(self) -> None:
        conform = [step for step in self.pipeline.film if step.kind == "assemble" and step.settings.get("conform")]
        if conform:
            return
        worked = self._worked(self.pipeline.clip)
        for number, film in enumerate(self.board.films):
            named = (self.briefs.get(name) for name in film.shots if name not in self.unsized)
            shown = [brief for brief in named if brief is not None and not (worked and brief.footage)]
            sizes: dict[str, str] = {}
            rates: dict[Fraction, str] = {}
            for brief in shown:
                sizes.setdefault(f"{brief.width}x{brief.height}", brief.shot.id)
                if not any(abs(brief.rate / rate - 1) <= RATE_OFF_MAX for rate in rates):
                    rates.setdefault(brief.rate, brief.shot.id)
            if len(sizes) > 1:
                self._mixed(number, f"shots of {len(sizes)} sizes", sizes)
            elif len(rates) > 1 and any(brief.footage for brief in shown):
                told = {f"{float(rate):.5g} frames a second": name for rate, name in rates.items()}
                self._mixed(number, f"shots of {len(rates)} rates", told)

    def _mixed(self, film: int, what: str, kinds: Mapping[str, str]) -> None:
        """A film whose shots are of several kinds, each with the first shot that is one."""
        told = ", ".join(f'{kind} ("{name}")' for kind, name in kinds.items())
        shots = [self.board.by_id[name] for name in kinds.values()]
        odd = next((shot for shot in shots if shot.clip is not None), shots[1])
        route: Route = (*odd.route, "model" if odd.clip is None else "clip")
        if self._has(("films", film)):
            route = ("films", film, "shots")
        remedy = "cut: {uses: assemble, with: {conform: fit}} in the pipeline"
        self.tell(self.board.document.place(route), f"the film has {what}: {told}", remedy)


_SPOKEN = {"positivePrompt": "the prompt", "negativePrompt": "the negative prompt"}


def _from_outside(value: Any) -> bool:
    """Whether a setting is ``{env: NAME}``: it comes from the environment when it is sent, and is written nowhere."""
    return isinstance(value, Mapping) and set(value) == {"env"} and isinstance(value["env"], str)


def _words(card: Card, name: str, words: Words) -> list[Fault]:
    """What is wrong with the length of a prompt, counted as it is sent."""
    text = words.prompt if name == "positivePrompt" else words.negative
    rule = card.field(name) or {}
    most = rule.get("maxLength", len(text))
    if rule.get("minLength", 0) <= len(text) <= most:
        return []
    longest = max(words.used, key=lambda word: len(words.used[word]), default=None)
    remedy = "say what happens" if name == "positivePrompt" else "leave it out"
    if len(text) > most:
        own = longest is not None and name == "positivePrompt"
        remedy = f"shorten {longest}, which has {len(words.used[str(longest)])}" if own else "shorten it"
    faults = card.check_fields({name: text})
    return [replace(fault, fact=fault.fact.replace(name, _SPOKEN[name], 1), remedy=remedy) for fault in faults]


def _circle(nx: Any, ring: Any, start: str) -> list[str]:
    """A circle of the graph, whole, beginning and ending with one shot."""
    if ring.has_edge(start, start):
        return [start, start]
    for child in sorted(ring.successors(start)):
        return [start, *nx.shortest_path(ring, child, start)]
    return [start, start]
