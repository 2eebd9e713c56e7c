"""What is handed in from above: who makes clips, where results are kept, where local work runs, and the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Slate:
    """What is written on a preview: which shot this is."""

    scene: str
    scene_title: str
    shot: str
    line: str

    def as_json(self) -> dict[str, str]:
        return {"scene": self.scene, "scene_title": self.scene_title, "shot": self.shot, "line": self.line}


@dataclass(frozen=True, slots=True)
class Order:
    """One submit: a request, the pictures at its two ends as files, and which takes it is to make."""

    shot: str
    key: str
    request: Mapping[str, Any]
    takes: tuple[int, ...]
    first: Path | None
    last: Path | None
    seconds: float
    fps: int
    slate: Slate


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a provider gives for a submitted task, by which its results are asked for."""

    id: str
    order: Order


@dataclass(frozen=True, slots=True)
class Made:
    """One result of a task: the clip is a file on this machine, still under a temporary name."""

    take: int
    clip: Path
    task_uuid: str | None = None
    video_uuid: str | None = None
    seed: int | None = None
    usd: str | None = None
    response: Mapping[str, Any] = field(default_factory=dict)


class ProviderError(Exception):
    """A provider's refusal or failure, in its own words, and what can be done about it."""

    def __init__(self, fact: str, remedy: str | None = None) -> None:
        self.fact, self.remedy = fact, remedy
        super().__init__(fact)


class Provider(Protocol):
    """Who makes clips."""

    @property
    def name(self) -> str: ...

    async def submit(self, order: Order) -> Ticket:
        """Ask for the takes of an order. Raises ProviderError."""
        ...

    def results(self, ticket: Ticket, into: Path) -> AsyncIterator[Made]:
        """The takes as they come, each fetched into a folder. Raises ProviderError."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work for a processor: an importable function and JSON arguments, paths and keys, never bytes."""

    key: str
    fn: str
    """As ``package.module:function``."""
    args: Mapping[str, Any]
    timeout_s: float = 3600.0


class TaskFailed(Exception):
    """The function of a job raised."""


class WorkerLost(Exception):
    """The process that ran a job died; the job may be run again."""


class Executor(Protocol):
    """Where local work runs."""

    def slots(self) -> int:
        """How many jobs run at once."""
        ...

    async def run(self, job: Job) -> dict[str, Any]:
        """One attempt at a job. Raises StoryError or TaskFailed as the function did, WorkerLost, TimeoutError."""
        ...

    async def aclose(self) -> None: ...


class Store(Protocol):
    """Where results are kept, by content."""

    def has(self, digest: str) -> bool: ...

    def path(self, digest: str) -> Path:
        """The file of an object."""
        ...

    def keep(self, source: Path, digest: str) -> Path:
        """Move a finished file in under its digest; what is there already stays."""
        ...

    def picture(self, digest: str) -> Path:
        """The PNG of a picture, by the digest of its pixels."""
        ...


class Clock(Protocol):
    """Time, handed in so that a test's clock is a number."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    async def sleep(self, seconds: float) -> None: ...
