"""Variants: the same storyboard several times, in other languages or shapes, each with a film of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod

from .document import Data, Document, Route
from .errors import Problem, StoryError, did_you_mean, in_order
from .storyboard import ID, Variant, is_device

VARIANTS_MAX = 100

_NO_AXES = ("exclude", "only")
_FOLDERS = frozenset({"animatic", "clips", "frames"})
"""What else stands in an output folder."""


def read(document: Document, data: Data) -> tuple[tuple[Variant, ...], list[Problem]]:
    """The variants of a storyboard whose ``data`` was checked, in their order, and every problem of their names."""
    given = data.get("variants") if isinstance(data, dict) else None
    if not isinstance(given, dict):
        return (), []
    return _Reader(document, given).read()


class _Reader:
    def __init__(self, document: Document, given: dict[str, Data]) -> None:
        self.document, self.given = document, given
        self.axes = {name: list(values) for name, values in given.items() if name not in _NO_AXES and values}
        self.problems: list[Problem] = []

    def tell(self, route: Route, fact: str, remedy: str | None, *, key: bool = False) -> None:
        place = self.document.key_place(route) if key else self.document.place(route)
        self.problems.append(Problem(fact, remedy, place))

    def read(self) -> tuple[tuple[Variant, ...], list[Problem]]:
        if not self.axes:
            if self.document.data["variants"].keys() <= {*_NO_AXES}:
                self.tell(("variants",), "variants has no axis", "language: {en: {}, de: {}}", key=True)
            return (), self.problems
        count = prod(len(values) for values in self.axes.values())
        if count > VARIANTS_MAX:
            fact = f"these are {count:,} variants; at most {VARIANTS_MAX} are made (variants_max)"
            self.tell(("variants",), fact, "fewer axes, or another storyboard", key=True)
        every = list(islice(product(*self.axes.values()), VARIANTS_MAX))
        made = [Variant("-".join(values), dict(zip(self.axes, values, strict=True))) for values in every]
        left = self._chosen(made)
        if not left:
            route = ("variants", "exclude" if "exclude" in self.given else "only")
            self.tell(route, "no variant is left", None, key=True)
        self._names(left)
        return tuple({variant.name.casefold(): variant for variant in reversed(left)}.values())[::-1], self.problems

    def _chosen(self, made: list[Variant]) -> list[Variant]:
        names = [variant.name for variant in made]
        for word in _NO_AXES:
            for n, name in enumerate(self.given.get(word) or ()):
                if isinstance(name, str) and name not in names:
                    near = did_you_mean(name, names)
                    remedy = f"did you mean {near}?" if near else f"one of {_listed(names)}"
                    self.tell(("variants", word, n), f'there is no variant "{name}"', remedy)
        only, out = self.given.get("only"), self.given.get("exclude") or ()
        return [v for v in made if v.name not in out and (only is None or v.name in only)]

    def _names(self, made: list[Variant]) -> None:
        seen: dict[str, Variant] = {}
        for variant in made:
            axis, value = list(variant.axes.items())[-1]
            route: Route = ("variants", axis, value)
            first = seen.setdefault(variant.name.casefold(), variant)
            if first is not variant:
                fact = f'two variants are named "{first.name}": {_spelt(first)}, and {_spelt(variant)}'
                self.tell(route, fact, "another name", key=True)
            elif not ID.match(variant.name):
                self.tell(route, f'the name "{variant.name}" is longer than 40 letters', "shorter names", key=True)
            elif is_device(variant.name):
                fact = f'"{variant.name}" is the name of a device on Windows and cannot be a folder'
                self.tell(route, fact, f"{variant.name}-1", key=True)
            elif variant.name.casefold() in _FOLDERS:
                fact = f'"{variant.name}" is the name of another folder beside the variants\''
                self.tell(route, fact, "another name", key=True)


def _spelt(variant: Variant) -> str:
    return ", ".join(f"{axis} {value}" for axis, value in variant.axes.items())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" … ({len(names)} in all)" if len(names) > 8 else "")


def chosen(have: Sequence[Variant], names: Iterable[str]) -> list[Variant]:
    """The variants of these names, in the storyboard's order; all where none is named. Raises StoryError."""
    wanted = list(names)
    known = [variant.name for variant in have]
    for name in wanted:
        if not known:
            raise StoryError.of("this storyboard has no variants", "run without --variant")
        if name not in known:
            near = did_you_mean(name, known)
            raise StoryError.of(f'there is no variant "{name}"', f"did you mean {near}?" if near else _listed(known))
    return [variant for variant in have if not wanted or variant.name in wanted]


def one_of(names: Sequence[str], why: str) -> StoryError:
    """What is told where one variant must be named."""
    return StoryError.of(why, f"--variant {names[0]}, or another of {_listed(names)}")


def merged(told: Mapping[str, Iterable[Problem]]) -> list[Problem]:
    """The problems of several variants, by name: each once, and where not all have it, with the names of those."""
    found: dict[Problem, list[str]] = {}
    for name, problems in told.items():
        for problem in dict.fromkeys(problems):
            found.setdefault(problem, []).append(name)
    return in_order(_named(found, len(told)))


def _named(found: Mapping[Problem, list[str]], count: int) -> Iterator[Problem]:
    for problem, names in found.items():
        whole = len(names) == count
        yield problem if whole else replace(problem, fact=f"{problem.fact} (in {_listed(names)})")
