"""What every kind of shot list is read into: scenes and shots in their own words, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import Place, Problem


@dataclass(frozen=True, slots=True)
class Entry:
    """One shot of a list.

    ``number`` is what the list calls it, "" where it is not numbered. ``words`` are its fields by the names that a
    storyboard has for them, as they were written; ``seconds`` is the length. ``places`` says where each stands.
    """

    place: Place
    number: str
    words: Mapping[str, str]
    seconds: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)

    def at(self, name: str) -> Place:
        return self.places.get(name, self.place)


@dataclass(frozen=True, slots=True)
class Group:
    """The shots of one scene, which has at least one."""

    place: Place
    number: str
    words: Mapping[str, str]
    shots: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ShotList:
    """A list as it was read, and a warning for everything that it says and that is not in here."""

    scenes: tuple[Group, ...]
    problems: tuple[Problem, ...] = ()
    title: str = ""
    notes: Any = None
    prompt: str = ""
    """What a prompt begins with besides the shot's own words, as a template."""


class Import(Protocol):
    """Reads one kind of list. ``name`` is what messages call the file. Raises StoryError where it is no such list."""

    def __call__(self, text: str, name: str) -> ShotList: ...


def warning(place: Place, fact: str, remedy: str | None = None) -> Problem:
    """What is told and stops nothing."""
    return Problem(fact, remedy, place, "warning")


def shown(text: str, most: int = 60) -> str:
    """Words of a list in a message: one line, and not too long."""
    line = " ".join(text.split())
    return f'"{line}"' if len(line) <= most else f'"{line[: most - 1]}…"'
