"""A pipeline: how shots are made, as steps for each shot and for the film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from . import shipped
from .document import Document, Route, without
from .errors import Problem, StoryError, did_you_mean
from .schema import check

Scope = Literal["shot", "film"]


class Shape(Protocol):
    """What a pipeline must know of a kind of step: where it may stand, what it takes, what it gives."""

    @property
    def NAME(self) -> str: ...  # noqa: N802
    @property
    def SCOPES(self) -> frozenset[str]: ...  # noqa: N802
    @property
    def NEEDS(self) -> tuple[str, ...]: ...  # noqa: N802
    def gives(self, settings: Mapping[str, Any]) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a pipeline does."""

    name: str
    kind: str
    scope: Scope
    inputs: Mapping[str, str]
    """Input name to the step that gives it."""
    settings: Mapping[str, Any]
    route: Route


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked of a provider at once."""

    in_flight: int = 4
    per_minute: int = 60


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline, checked: steps stand in the order of their needs, and every input exists."""

    id: str
    title: str
    provider: str
    model: str
    limits: Limits
    shot: tuple[Step, ...]
    film: tuple[Step, ...]
    generate: str
    """The step that makes the clip."""
    clip: str
    """The step whose clip goes into the film."""
    handed: str
    """The step whose clip the frames are taken from that other shots begin on."""
    url: str | None
    hosts: tuple[str, ...]
    """Hosts, besides the provider's own, that clips may be fetched from."""
    document: Document
    folder: Path
    shipped: bool = field(default=False)

    def step(self, name: str) -> Step:
        return next(step for step in (*self.shot, *self.film) if step.name == name)


def find(name: str, project: Path) -> tuple[Path, bool]:
    """The file of a pipeline, and whether it is a shipped one: a name of a shipped pipeline, or a path."""
    folder = shipped.folder("pipelines")
    here = folder / f"{name}.yaml"
    if "/" not in name and here.is_file():
        return here, True
    path = project / name
    if path.is_file():
        return path, False
    names = sorted(p.stem for p in folder.glob("*.yaml"))
    near = did_you_mean(name, names)
    fact = f'pipeline "{name}" is neither shipped nor a file in the project'
    raise StoryError.of(fact, f"did you mean {near}?" if near else f"one of {', '.join(names)}, or a path")


def read(
    document: Document, kinds: Mapping[str, Shape], *, folder: Path, is_shipped: bool = False
) -> tuple[Pipeline | None, list[Problem]]:
    """The pipeline a document describes, and every problem of it.

    Where only settings are wrong they are left out and the rest is given, so that one slip doesn't hide the others.
    """
    faults = check(document.data, "pipeline.schema.json")
    problems = [document.problem(fault) for fault in faults]
    data = without(document.data, [fault.path for fault in faults])
    if not isinstance(data, dict) or not isinstance(data.get("shot"), dict):
        return None, problems
    reader = _Reader(document, data, kinds)
    reader.broken = any(fault.path[:1] in {("shot",), ("film",), ("gives",)} for fault in faults)
    shot, film = reader.steps("shot"), reader.steps("film")
    gives = reader.gives(shot)
    problems += reader.problems
    if gives is None or reader.broken or not all(isinstance(data.get(name), str) for name in _NEEDED):
        return None, problems
    generate, clip, handed = gives
    limits = data.get("limits") or {}
    return Pipeline(
        id=data.get("pipeline", ""),
        title=data.get("title", "") or data.get("pipeline", ""),
        provider=data["provider"],
        model=data["model"],
        limits=Limits(**{name: limits[name] for name in ("in_flight", "per_minute") if name in limits}),
        shot=shot,
        film=film,
        generate=generate,
        clip=clip,
        handed=handed,
        url=data.get("url"),
        hosts=tuple(data.get("hosts") or ()),
        document=document,
        folder=folder,
        shipped=is_shipped,
    ), problems


_NEEDED = ("provider", "model")


class _Reader:
    def __init__(self, document: Document, data: dict[str, Any], kinds: Mapping[str, Shape]) -> None:
        self.document, self.data, self.kinds = document, data, kinds
        self.problems: list[Problem] = []
        self.found: dict[str, Step] = {}
        self.broken = False
        """Whether the steps do not make a graph."""

    def tell(self, route: Route, fact: str, remedy: str | None = None) -> None:
        self.broken = True
        self.problems.append(Problem(fact, remedy, self.document.place(route)))

    def steps(self, scope: Scope) -> tuple[Step, ...]:
        raw = self.data.get(scope) or {}
        steps: dict[str, Step] = {}
        for name, value in raw.items():
            if not isinstance(value, dict) or "uses" not in value:
                self.broken = True
            elif (step := self._step(name, value, scope, raw)) is not None:
                steps[name] = step
        self.found.update(steps)
        return self._in_order(steps)

    def _step(self, name: str, raw: dict[str, Any], scope: Scope, beside: Mapping[str, Any]) -> Step | None:
        route: Route = (scope, name)
        kind = self.kinds.get(raw.get("uses", ""))
        if kind is None:
            near = did_you_mean(str(raw.get("uses")), self.kinds)
            fact = f'"{raw.get("uses")}" is no kind of step'
            self.tell((*route, "uses"), fact, f"did you mean {near}?" if near else f"one of {', '.join(self.kinds)}")
            return None
        if scope not in kind.SCOPES:
            home = " or ".join(sorted(kind.SCOPES))
            self.tell(
                (*route, "uses"), f"{kind.NAME} is a step of the {home}, not of the {scope}", f"put it under {home}:"
            )
            return None
        settings = raw.get("with") or {}
        faults = check(settings, f"kinds/{kind.NAME}.json")
        self.broken |= any(not fault.path for fault in faults)
        for fault in faults:
            inside: Route = (*route, "with", *fault.path) if "with" in raw else route
            place = self.document.key_place(inside) if fault.key else self.document.place(inside)
            self.problems.append(fault.at(place))
        settings = without(settings, [fault.path for fault in faults])
        inputs = dict(raw.get("in") or {})
        for wanted in kind.NEEDS:
            if wanted not in inputs:
                giver = next(
                    (n for n, v in beside.items() if isinstance(v, dict) and v.get("uses") == "generate"), None
                )
                if giver is None or scope == "film":
                    self.tell(route, f'step "{name}" ({kind.NAME}) needs a {wanted}', f"in: {{{wanted}: STEP}}")
                else:
                    inputs[wanted] = giver
        for wanted, giver in inputs.items():
            if giver != name:  # told as a circle
                self._input(route, name, wanted, giver, beside)
        return Step(name, kind.NAME, scope, inputs, settings, route)

    def _input(self, route: Route, name: str, wanted: str, giver: str, beside: Mapping[str, Any]) -> None:
        where: Route = (*route, "in", wanted)
        if giver not in beside:
            near = did_you_mean(giver, [n for n in beside if n != name])
            self.tell(where, f'step "{giver}" does not exist', f"did you mean {near}?" if near else None)
            return
        other = beside[giver]
        kind = self.kinds.get(other.get("uses", "")) if isinstance(other, dict) else None
        if kind is not None and not kind.gives(other.get("with") or {}):
            self.tell(
                where, f'step "{giver}" ({kind.NAME}) gives nothing that can be taken', "a step that gives a clip"
            )

    def _in_order(self, steps: dict[str, Step]) -> tuple[Step, ...]:
        """The steps in the order of their needs; a circle is told whole."""
        done: dict[str, Step] = {}
        trail: list[str] = []

        def visit(name: str) -> None:
            if name in done or name not in steps:
                return
            if name in trail:
                circle = " -> ".join([*trail[trail.index(name) :], name])
                self.tell(steps[name].route, f"these steps wait for each other: {circle}", "break the circle")
                return
            trail.append(name)
            for giver in steps[name].inputs.values():
                visit(giver)
            trail.pop()
            done[name] = steps[name]

        for name in steps:
            visit(name)
        return tuple(done.values())

    def gives(self, steps: tuple[Step, ...]) -> tuple[str, str, str] | None:
        """(step that generates, step whose clip counts, step whose clip frames are taken from)."""
        said = self.data.get("gives") or {}
        lost = {name: step for name, step in said.items() if step not in self.found}
        for name, step in lost.items():
            near = did_you_mean(step, self.found)
            self.tell(("gives", name), f'step "{step}" does not exist', f"did you mean {near}?" if near else None)
        if lost:
            return None
        makers = [step for step in steps if step.kind == "generate"]
        if len(makers) != 1:
            if self.broken:
                return None
            many = f"{len(makers)} steps generate" if makers else "no step generates a clip"
            self.tell(("shot",), f"{many}; a shot has exactly one", "clip: {uses: generate}")
            return None
        clip = said.get("clip", makers[0].name)
        lasts = [s for s in steps if s.kind == "frame" and s.settings.get("at", "last") == "last"]
        if "last" in said:
            lasts = [self.found[said["last"]]]
        if len(lasts) > 1:
            names = ", ".join(step.name for step in lasts)
            self.tell(
                ("shot",), f"{len(lasts)} steps take the last frame ({names})", f"gives: {{last: {lasts[0].name}}}"
            )
            return None
        handed = lasts[0].inputs.get("clip", clip) if lasts and lasts[0].kind == "frame" else clip
        return makers[0].name, clip, handed
