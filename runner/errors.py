"""A problem: where it stands, what is the case, and the way out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file people write: 1-based line and column, 0 where only the file is known."""

    file: str
    line: int = 0
    col: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing the author can repair.

    ``fact`` says what is the case, ``remedy`` what to try (several lines are kept as they are), ``place`` where.
    A warning is told and does not stop anything; a note sums up, and is no problem of its own.
    """

    fact: str
    remedy: str | None = None
    place: Place | None = None
    severity: Severity = "error"

    def at(self, place: Place | None) -> Problem:
        """The same problem at a place, unless it already has one."""
        return self if self.place is not None or place is None else replace(self, place=place)

    def __str__(self) -> str:
        head = f"{self.place}: " if self.place else ""
        mark = "warning: " if self.severity == "warning" else ""
        tail = f"\n  try: {self.remedy}" if self.remedy else ""
        return f"{head}{mark}{self.fact}{tail}"


class StoryError(Exception):
    """What the author can repair: one or more problems, in file order. It is told without a traceback.

    ``exit_code`` is what the command ends with (2: the files are wrong, 1: something failed, 7: locked ...).
    """

    def __init__(self, problems: Iterable[Problem], *, exit_code: int = 2) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.exit_code = exit_code
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.problems, self.exit_code)

    @classmethod
    def of(cls, fact: str, remedy: str | None = None, place: Place | None = None, *, exit_code: int = 2) -> StoryError:
        """A StoryError with one problem."""
        return cls([Problem(fact, remedy, place)], exit_code=exit_code)


def _rebuild(problems: tuple[Problem, ...], exit_code: int) -> StoryError:
    return StoryError(problems, exit_code=exit_code)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems in file order, each told once; those without a place come last."""
    seen: dict[Problem, None] = dict.fromkeys(problems)
    return sorted(seen, key=lambda p: (p.place is None, p.place.file if p.place else "", p.place or Place("")))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to this one, if it is near enough to be a slip."""
    from difflib import get_close_matches

    words = list(known)
    folded = {w.casefold(): w for w in words}
    near = get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.7)
    return folded[near[0]] if near else None
