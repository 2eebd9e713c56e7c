"""Facts: what is known when a plan is made, gathered before and read only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

from .errors import Problem, StoryError
from .footage import Footages, NoFootage
from .takes import Circle, Take

Fit = Literal["crop", "pad"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in the project: its size in pixels, its bytes on disk, the digest of its pixels."""

    digest: str
    width: int
    height: int
    bytes: int


class Pictures(Protocol):
    """Looks at the project's pictures, each once."""

    def look(self, path: str) -> Picture:
        """A picture. Raises StoryError where it is missing, unreadable or outside the project."""
        ...

    def fitted(self, path: str, width: int, height: int, how: Fit) -> Picture:
        """The same picture brought to a size."""
        ...


class NoPictures:
    """No picture is to be had."""

    def look(self, path: str) -> Picture:
        raise StoryError.of(f"{path} does not exist")

    def fitted(self, path: str, width: int, height: int, how: Fit) -> Picture:  # noqa: ARG002
        return self.look(path)


@dataclass(frozen=True, slots=True)
class Done:
    """What a local step gave, by the name of the output: the digest of a file, and what was measured of a clip."""

    key: str
    outputs: Mapping[str, str]
    receipts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flight:
    """A submit that has not ended: how many takes of which key, and whether anybody knows how it stands."""

    uuid: str
    key: str
    takes: int
    known: bool
    reason: str = ""
    usd: Decimal | None = None
    """What it was estimated to cost."""
    since: float | None = None
    """When it was sent, in seconds since 1970."""
    variant: str | None = None
    """The variant it was bought for."""


@dataclass(frozen=True, slots=True)
class Facts:
    """``takes`` are those of one lane, by shot, in the order they were made; ``by_key`` the same by key.

    ``wanted`` counts takes asked for by hand, by shot and key. ``done`` are local steps by key. ``spent`` is in USD.
    """

    takes: Mapping[str, tuple[Take, ...]] = field(default_factory=dict)
    by_key: Mapping[str, tuple[Take, ...]] = field(default_factory=dict)
    circled: Mapping[str, Mapping[str, Circle]] = field(default_factory=dict)
    pinned: Mapping[str, str] = field(default_factory=dict)
    """The pixels that a shot was told to go on beginning with, by shot."""
    wanted: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    orphans: Mapping[str, tuple[Take, ...]] = field(default_factory=dict)
    """Takes of shots that the storyboard does not have, by shot."""
    done: Mapping[str, Done] = field(default_factory=dict)
    spent: Decimal = Decimal(0)
    sources: tuple[str, ...] = ()
    """Which records say what was spent."""
    flights: Mapping[str, tuple[Flight, ...]] = field(default_factory=dict)
    """By shot."""
    pictures: Pictures = field(default_factory=NoPictures)
    footage: Footages = field(default_factory=NoFootage)
    environ: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """Digests of the files that steps declare, by path relative to the pipeline's folder."""
    lost: Mapping[str, tuple[Take, ...]] = field(default_factory=dict)
    """By shot: takes whose clips are nowhere any more. They are not among ``takes``."""
    unread: Mapping[str, Problem] = field(default_factory=dict)
    """By shot: why its circles are not known, though there were some. Nothing is bought on that ground."""
