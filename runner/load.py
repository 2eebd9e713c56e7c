"""File names in, a plan or all problems out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import card as cards_
from . import document, gather, pipeline, prompt, storyboard
from .card import Card
from .errors import Place, Problem, StoryError, did_you_mean, in_order
from .facts import Fit, Picture
from .kinds import KINDS
from .pipeline import Pipeline
from .plan import WHOLE, Lane, Part, Plan, make, scope, with_warnings
from .shelf import Shelf
from .store import LocalStore
from .storyboard import Storyboard

if TYPE_CHECKING:
    from .media.picture import Rgb

_MAKERS = ("animatic", "runware")


@dataclass(frozen=True, slots=True)
class Project:
    """Where a storyboard's files are: the project is the storyboard's folder."""

    file: Path
    out: Path
    store: LocalStore

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def stem(self) -> str:
        return self.file.stem


@dataclass(frozen=True, slots=True)
class Loaded:
    """A storyboard with everything that belongs to it, read and checked."""

    project: Project
    board: Storyboard
    pipeline: Pipeline
    cards: Mapping[str, Card]
    lane: Lane
    pictures: Gallery
    footage: Shelf
    plan: Plan
    part: Part = WHOLE


class Gallery:
    """The project's pictures, each looked at once."""

    def __init__(self, folder: Path, *, allow_outside: bool = False) -> None:
        self.folder, self.allow_outside = folder, allow_outside
        self._seen: dict[tuple[str, int, int, str], Picture | StoryError] = {}

    def look(self, path: str) -> Picture:
        return self._once((path, 0, 0, ""))

    def fitted(self, path: str, width: int, height: int, how: Fit) -> Picture:
        return self._once((path, width, height, how))

    def pixels(self, path: str, fit: tuple[int, int, Fit] | None = None) -> Rgb:
        """The picture itself. Raises StoryError."""
        from .media import picture

        try:
            rgb = picture.read(self.file(path))
        except StoryError as error:
            name = str(self.file(path))
            told = (Problem(p.fact.replace(name, path), p.remedy, p.place, p.severity) for p in error.problems)
            raise StoryError(told) from None
        return rgb if fit is None else picture.fit(rgb, *fit)

    def _once(self, name: tuple[str, int, int, Any]) -> Picture:
        if name not in self._seen:
            try:
                self._seen[name] = self._look(*name)
            except StoryError as error:
                self._seen[name] = error
        found = self._seen[name]
        if isinstance(found, StoryError):
            raise StoryError(found.problems)
        return found

    def _look(self, path: str, width: int, height: int, how: Any) -> Picture:
        from .media import picture

        rgb = self.pixels(path, (width, height, how) if how else None)
        size = self.file(path).stat().st_size
        return Picture(picture.digest(rgb), rgb.shape[1], rgb.shape[0], size)

    def file(self, path: str) -> Path:
        """A file of the project. Raises StoryError where it is missing or outside."""
        file = self.folder / path
        inside = file.resolve().is_relative_to(self.folder.resolve())
        if not inside and not self.allow_outside:
            fact = f"{path} is outside the project"
            raise StoryError.of(fact, "copy it into the storyboard's folder, or say --allow-outside")
        if not file.is_file():
            fact = f"{path} is a folder" if file.is_dir() else f"{path} does not exist"
            there = os.listdir(file.parent) if file.parent.is_dir() and not file.is_dir() else []
            near = did_you_mean(file.name, there)
            raise StoryError.of(fact, str(Path(path).with_name(near)) if near else None)
        return file


def load(
    file: str | Path,
    *,
    provider: str | None = None,
    out: str | Path | None = None,
    allow_outside: bool = False,
    environ: Mapping[str, str] = os.environ,
    name: str | None = None,
    part: Part = WHOLE,
    home: Path | None = None,
    lent: Callable[[str], Path | None] = lambda _: None,
) -> Loaded:
    """Read a storyboard, its pipeline and what is known of its takes, and plan it.

    ``provider="animatic"`` rehearses: the same graph, the same checks, free clips. ``part`` says which shots it is
    about. ``home`` is the storyboard whose takes and store count, where another version of it is read;
    ``lent`` gives the clips that this version does not bring along. Reads only.
    Raises StoryError with every problem, in file order.
    """
    path = Path(file)
    if path.is_dir():
        path = path / "storyboard.yaml"
    told: list[Problem] = []
    board, found = storyboard.read(
        document.read(path, name or str(path)), is_file=lambda name: _is_file(path.parent, name)
    )
    told += found
    made = None
    if board is not None and board.pipeline:
        made, found = _pipeline(board, path.parent)
        told += found
    if board is None or made is None or not board.shots:
        told += prompt.render(board)[1] if board is not None else []
        if not any(p.severity == "error" for p in told):
            told.append(Problem("the storyboard has no shots", None, Place(str(path))))
        raise StoryError(in_order(told))
    lane = _lane(made, provider, told)
    home = home or path
    project = Project(path, _out(path, lane, out), LocalStore(home.parent / ".matchcut"))
    cards = _cards(board, made, path.parent, told)
    gallery = Gallery(path.parent, allow_outside=allow_outside)
    shelf = Shelf(lambda name: lent(name) or gallery.file(name), project.store.root / "footage")
    facts = gather.facts(board, made, lane, home, project.store, gallery, environ, told)
    facts = replace(facts, footage=shelf)
    try:
        planned = make(board, made, cards, facts, lane, scope(board, part))
    except StoryError as error:
        raise StoryError(in_order([*told, *error.problems])) from None
    if any(problem.severity == "error" for problem in told):
        raise StoryError(in_order(told))
    planned = with_warnings(planned, told)
    return Loaded(project, board, made, cards, lane, gallery, shelf, planned, part)


def _is_file(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file()
    except (OSError, ValueError):
        return False


def _pipeline(board: Storyboard, folder: Path) -> tuple[Pipeline | None, list[Problem]]:
    try:
        path, shipped = pipeline.find(board.pipeline, folder)
        text = document.read(path, path.name if shipped else board.pipeline)
    except StoryError as error:
        place = board.document.place(("pipeline",))
        return None, [problem.at(place) for problem in error.problems]
    return pipeline.read(text, KINDS, folder=path.parent, is_shipped=shipped)


def _lane(made: Pipeline, provider: str | None, told: list[Problem]) -> Lane:
    from .providers.animatic.version import MAKER

    wanted = provider or made.provider
    if wanted not in _MAKERS:
        near = did_you_mean(wanted, _MAKERS)
        place = None if provider else made.document.place(("provider",))
        remedy = f"did you mean {near}?" if near else f"one of {', '.join(_MAKERS)}"
        told.append(Problem(f'there is no provider "{wanted}"', remedy, place))
    elif wanted not in ("animatic", made.provider):
        fact = f"only the animatic can stand in for {made.provider}"
        told.append(Problem(fact, "--provider animatic, or another pipeline"))
    rehearsal = wanted == "animatic" and made.provider != "animatic"
    return Lane(wanted, MAKER if wanted == "animatic" else wanted, rehearsal)


def _out(path: Path, lane: Lane, out: str | Path | None) -> Path:
    if out is not None:
        return Path(out)
    folder = path.parent / "out"
    if path.stem != "storyboard":
        folder /= path.stem
    return folder / "animatic" if lane.rehearsal else folder


def _cards(board: Storyboard, made: Pipeline, folder: Path, told: list[Problem]) -> dict[str, Card]:
    cards = {card.id: card for card in cards_.cards()}
    for name in {made.model, *(shot.model for shot in board.shots if shot.model)}:
        if name.endswith(".json"):
            home = made.folder if name == made.model else folder
            try:
                cards[name] = cards_.from_file(home / name)
            except StoryError as error:
                told += error.problems
    return cards
