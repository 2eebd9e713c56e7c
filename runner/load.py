"""File names in, a plan or all problems out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import bill, config, document, gather, include, pipeline, prompt, storyboard, variant
from . import card as cards_
from .card import Card
from .document import Document
from .errors import Problem, StoryError, did_you_mean, in_order
from .facts import Fit, Picture
from .kinds import KINDS
from .pipeline import Pipeline
from .plan import WHOLE, Lane, Part, Plan, make, scope, with_warnings
from .reel import Reel
from .store import LocalStore
from .storyboard import Storyboard, Variant

if TYPE_CHECKING:
    from .media.picture import Rgb

_MAKERS = ("animatic", "runware")


@dataclass(frozen=True, slots=True)
class Project:
    """Where a storyboard's files are: the project is the storyboard's folder."""

    file: Path
    out: Path
    store: LocalStore
    variant: str | None = None
    given: Path | None = None
    """The output folder that was asked for; a variant's is below it."""

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def stem(self) -> str:
        return self.file.stem

    @property
    def notebook(self) -> str:
        """Where the store notes what the shots were made with."""
        return gather.notebook(self.file, self.variant)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A storyboard with everything that belongs to it, read and checked."""

    project: Project
    board: Storyboard
    pipeline: Pipeline
    cards: Mapping[str, Card]
    lane: Lane
    pictures: Gallery
    footage: Reel
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
    variant: str | None = None,
    allow_outside: bool = False,
    environ: Mapping[str, str] = os.environ,
    name: str | None = None,
    part: Part = WHOLE,
    home: Path | None = None,
    lent: Callable[[str], Path | None] = lambda _: None,
) -> Loaded:
    """Read a storyboard, its pipeline and what is known of its takes, and plan it.

    ``provider="animatic"`` rehearses: the same graph, the same checks, free clips. ``variant`` names one where the
    storyboard has several. ``part`` says which shots it is about. ``home`` is the storyboard whose takes and store
    count, where another version of it is read; ``lent`` gives the clips that this version does not bring along.
    Reads only. Raises StoryError with every problem, in file order.
    """
    reading = _Reading(file, provider, out, allow_outside, environ, name, part, home, lent)
    wanted = reading.wanted([variant] if variant is not None else [])
    if len(wanted) > 1:
        raise _which([one.name for one in wanted], "this storyboard has several variants: one must be named")
    return reading.all(wanted)[0]


def loads(
    file: str | Path,
    *,
    variants: Sequence[str] = (),
    provider: str | None = None,
    out: str | Path | None = None,
    allow_outside: bool = False,
    environ: Mapping[str, str] = os.environ,
    part: Part = WHOLE,
) -> list[Loaded]:
    """The same for each variant of these names, in the storyboard's order; for all of them where none is named.

    A storyboard without variants gives one. Raises StoryError with every problem of all of them, in file order.
    """
    reading = _Reading(file, provider, out, allow_outside, environ, None, part)
    return reading.all(reading.wanted(variants))


def variants(file: Path, *, allow_outside: bool = False) -> tuple[str, ...]:
    """The names of a storyboard's variants, in their order; none where it has no ``variants:``.

    Raises StoryError with every problem of its files and their names.
    """
    source = include.read(document.read(file), file, allow_outside=allow_outside)
    found, told = variant.read(source.document, source.data)
    problems = in_order([*source.problems, *told])
    if any(problem.severity == "error" for problem in problems):
        raise StoryError(problems)
    return tuple(one.name for one in found)


def about(file: str | Path, shot: str, variant_: str | None = None, *, states: bool = False, **options: Any) -> Loaded:
    """A storyboard read for one shot: any of its variants will do where they ask for the very same there.

    ``states``: and say the same of it. Raises StoryError that lists the variants where they differ.
    """
    found = loads(file, variants=[variant_] if variant_ is not None else (), **options)
    if len({_asked(loaded, shot, states=states) for loaded in found}) > 1:
        names = [str(loaded.project.variant) for loaded in found]
        raise _which(names, f"shot {shot} is not the same in all variants: one must be named")
    return found[0]


def warnings(found: Sequence[Loaded]) -> list[Problem]:
    """What is told of several variants: each warning once, with the names of those that have it if not all do."""
    return variant.merged({str(loaded.project.variant): loaded.plan.warnings for loaded in found})


def _asked(loaded: Loaded, shot: str, *, states: bool) -> tuple[str, ...]:
    decision = loaded.plan.decisions.get(shot)
    if decision is None:
        return ()
    key = decision.key.digest if decision.key is not None else bill.intents(loaded.plan)[shot]
    return (key, decision.state, decision.reason) if states else (key,)


def _which(names: Sequence[str], why: str) -> StoryError:
    return variant.one_of(names, why)


class _Reading:
    """A storyboard's files, read once; what follows from them is worked out for each variant."""

    def __init__(
        self, file: str | Path, provider: str | None, out: str | Path | None, allow_outside: bool,
        environ: Mapping[str, str], name: str | None, part: Part, home: Path | None = None,
        lent: Callable[[str], Path | None] = lambda _: None,
    ) -> None:  # fmt: skip
        path = Path(file)
        self.path = path / "storyboard.yaml" if path.is_dir() else path
        self.provider, self.environ, self.part, self.home = provider, environ, part, home
        self.given = Path(out) if out is not None else None
        gallery = self.gallery = Gallery(self.path.parent, allow_outside=allow_outside)
        memory = (home or self.path).parent / ".matchcut" / "footage"
        self.reel = Reel(lambda name: lent(name) or gallery.file(name), memory)
        read = _read(self.path, name or str(self.path))
        if include.is_part(read.data):
            raise StoryError([_no_storyboard(self.path, read)])
        self.source = include.read(read, self.path, allow_outside=allow_outside)
        self.variants, told = variant.read(self.source.document, self.source.data)
        self.told = [*self.source.problems, *told, *(_settings(self.path.parent, environ) if home is None else ())]
        if not self.variants and any(p.severity == "error" for p in told):
            raise StoryError(in_order(self.told))

    def wanted(self, names: Sequence[str]) -> list[Variant]:
        return variant.chosen(self.variants, names)

    def all(self, wanted: Sequence[Variant]) -> list[Loaded]:
        if not wanted:
            return [self._one(None)]
        found: list[Loaded] = []
        told: dict[str, Sequence[Problem]] = {}
        for each in wanted:
            try:
                found.append(self._one(each))
                told[each.name] = found[-1].plan.warnings
            except StoryError as error:
                told[each.name] = error.problems
        if len(found) < len(wanted):
            # Who uses which value is not known as long as one of them cannot be read.
            sure = {name: [p for p in some if not p.fact.endswith(prompt.UNUSED)] for name, some in told.items()}
            raise StoryError(variant.merged(sure))
        return self._used(found)

    def _used(self, found: list[Loaded]) -> list[Loaded]:
        """Without the warning that a value is used by no shot, where another variant uses it or was not looked at."""
        names = (name for loaded in found for brief in loaded.plan.briefs.values() for name in brief.words.used)
        used = {name + prompt.UNUSED for name in names}
        whole = len(found) == len(self.variants)
        for n, loaded in enumerate(found):
            kept = tuple(
                p for p in loaded.plan.warnings if not p.fact.endswith(prompt.UNUSED) or (whole and p.fact not in used)
            )
            if kept != loaded.plan.warnings:
                found[n] = replace(loaded, plan=replace(loaded.plan, warnings=kept))
        return found

    def _one(self, which: Variant | None) -> Loaded:
        path, told = self.path, list(self.told)
        woven, data = self.source.woven(which.routes if which is not None else ())
        board, found = storyboard.of(
            woven, data, is_file=lambda name: _is_file(path.parent, name), variant=which, whole=not self.source.broken
        )
        told += found
        made = None
        if board is not None and board.pipeline:
            made, found = _pipeline(board, path.parent)
            told += found
        if board is None or made is None or not board.shots:
            told += prompt.render(board)[1] if board is not None else []
            if not any(p.severity == "error" for p in told):
                told.append(Problem("the storyboard has no shots", "scenes, with a shot at least", woven.place(())))
            raise StoryError(in_order(told))
        lane = _lane(made, self.provider, told)
        name = which.name if which is not None else None
        home = self.home or path
        store = LocalStore(home.parent / ".matchcut")
        project = Project(path, _out(path, lane, self.given, name), store, name, self.given)
        cards = _cards(board, made, path.parent, told)
        facts = gather.facts(board, made, lane, home, store, self.gallery, self.environ, told)
        facts = replace(facts, footage=self.reel)
        try:
            planned = make(board, made, cards, facts, lane, scope(board, self.part))
        except StoryError as error:
            raise StoryError(in_order([*told, *error.problems])) from None
        if any(problem.severity == "error" for problem in told):
            raise StoryError(in_order(told))
        planned = with_warnings(planned, [*told, *gather.orphans(planned, home)])
        return Loaded(project, board, made, cards, lane, self.gallery, self.reel, planned, self.part)


def _settings(folder: Path, environ: Mapping[str, str]) -> Sequence[Problem]:
    """What is wrong with matchcut.toml, or with what the environment says in its place."""
    try:
        config.read(folder, environ)
    except StoryError as error:
        return error.problems
    return ()


def _read(path: Path, name: str) -> Document:
    """A storyboard's document. Raises StoryError; where there is no such file, with the way to one that is near."""
    try:
        return document.read(path, name)
    except StoryError as error:
        if os.path.lexists(path) or any(problem.remedy for problem in error.problems):
            raise
        folder = path.absolute().parent
        near = [
            *(each / "storyboard.yaml" for each in list(folder.parents)[:3]),
            *sorted(folder.glob("*/storyboard.yaml")),
        ]
        found = [os.path.relpath(each) for each in near if each.is_file()][:3]
        remedy = " or ".join(found) or "matchcut init writes one; or the path of a storyboard"
        raise StoryError(replace(problem, remedy=remedy) for problem in error.problems) from None


def _no_storyboard(path: Path, read: Document) -> Problem:
    """What is told of a file that other files take in. Looks for one that does."""
    fact = "this is a part of a storyboard, and none itself: it names no `storyboard` and no `pipeline`"
    for folder in list(path.absolute().parents)[:3]:
        for other in sorted(folder.glob("*.yaml")):
            name = Path(os.path.relpath(path.absolute(), folder)).as_posix()
            text = other.read_text(encoding="utf-8", errors="replace") if other.is_file() else ""
            if other != path.absolute() and "storyboard:" in text and name in text:
                shown = os.path.normpath(path.parent / os.path.relpath(other, path.absolute().parent))
                return Problem(fact, f"matchcut check {shown}, which takes it in", read.place(()))
    return Problem(fact, "check the storyboard that includes it", read.place(()))


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


def _out(path: Path, lane: Lane, given: Path | None, variant: str | None) -> Path:
    if given is not None:
        return given / variant if variant is not None else given
    folder = path.parent / "out"
    if path.stem != "storyboard":
        folder /= path.stem
    if variant is not None:
        folder /= variant
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
