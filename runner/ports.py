"""What is handed in from above: who makes clips, where results are kept, where local work runs, and the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Slate:
    """What is written on a preview: which shot this is."""

    scene: str
    scene_title: str
    shot: str
    line: str
    clear: tuple[float, ...] = ()
    """Seconds at which a frame is handed on: nothing may be written on it."""

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "scene": self.scene,
            "scene_title": self.scene_title,
            "shot": self.shot,
            "line": self.line,
        }
        return {**said, "clear": list(self.clear)} if self.clear else said

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Slate:
        return cls(**{**said, "clear": tuple(said.get("clear", ()))})


@dataclass(frozen=True, slots=True)
class Order:
    """One submit: a request, the pictures at its two ends, and which takes it is to make.

    ``request`` is what the storyboard and the pipeline ask for, delivery fields included, without taskUUID,
    numberResults and pictures: those are the provider's to write. ``first`` and ``last`` are PNG files, ``refs`` what
    stands for a picture that only the provider has: its URL or UUID, by position.
    """

    shot: str
    key: str
    request: Mapping[str, Any]
    takes: tuple[int, ...]
    first: Path | None
    last: Path | None
    seconds: float
    fps: int
    slate: Slate
    refs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a provider gives for a submitted task, by which its results are asked for: the task's UUID."""

    uuid: str
    order: Order


@dataclass(frozen=True, slots=True)
class Made:
    """One result of a task: what the provider says of a clip. ``source`` is a URL, or a file on this machine."""

    source: str
    video_uuid: str
    seed: int | None = None
    usd: Decimal | None = None
    response: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider says of a task when it is asked once.

    ``made`` are the results so far, ``failed`` the refusals among them. ``known`` is False where the provider says
    nothing of the task at all, which does not prove that it was never accepted.
    """

    made: tuple[Made, ...] = ()
    failed: tuple[ProviderError, ...] = ()
    known: bool = True
    progress: int | None = None


Trouble = Literal[
    "validation", "auth", "money", "rate", "safety", "timeout", "not found", "provider", "server", "unclear", "asset"
]
"""Classes of failure. ``unclear``: nobody knows whether the task was accepted. ``asset``: a clip cannot be fetched."""


class ProviderError(Exception):
    """A provider's refusal or failure: its own words, what can be done about it, and of what class it is.

    ``started``: whether the task may have been accepted (and so be charged). ``usd`` is what the provider says it cost.
    """

    def __init__(
        self,
        fact: str,
        remedy: str | None = None,
        *,
        trouble: Trouble = "provider",
        code: str | None = None,
        started: bool = False,
        usd: Decimal | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.retry_after = retry_after
        self.fact, self.remedy, self.trouble, self.code, self.started, self.usd = (
            fact,
            remedy,
            trouble,
            code,
            started,
            usd,
        )
        super().__init__(fact)


class Provider(Protocol):
    """Who makes clips."""

    @property
    def name(self) -> str: ...

    async def submit(self, order: Order, uuid: str) -> Ticket:
        """Ask for the takes of an order under a UUID that was written down before. One attempt.

        A UUID that the provider knows already counts as accepted. Raises ProviderError; ``unclear`` where nobody can
        say whether it was accepted.
        """
        ...

    async def ask(self, uuid: str) -> Answer:
        """What is known of a task now. Raises ProviderError where the provider cannot be asked."""
        ...

    def results(self, ticket: Ticket) -> AsyncIterator[Made | ProviderError]:
        """The results of an accepted task as they come, each once, refusals among them; ends when all have come.

        Waits as long as it takes. Raises ProviderError where asking has become pointless (money, auth).
        """
        ...

    async def fetch(self, made: Made, into: Path) -> Path:
        """A result's clip as a file in a folder, checked to be whole. Raises ProviderError (``asset``)."""
        ...

    async def aclose(self) -> None: ...


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


@dataclass(frozen=True, slots=True)
class Setting:
    """What a provider is given, once. ``scratch`` and ``hints`` are folders of the project.

    ``hints``: a file named by a task's UUID appears there when somebody says that the task is worth asking about.
    ``memory``: where the provider may keep what it learned (JSON files), never secrets.
    """

    executor: Executor
    clock: Clock
    scratch: Path
    hints: Path
    memory: Path
    environ: Mapping[str, str]
    url: str | None = None
    in_flight: int = 4
    per_minute: int = 60
    hosts: tuple[str, ...] = ()
    """Hosts, besides the provider's own, that clips may be fetched from."""
    tell: Callable[[str], None] | None = None
    """Called with a sentence, once in a while, when the provider's service is down and one waits for it."""


class Clock(Protocol):
    """Time, handed in so that a test's clock is a number."""

    def now(self) -> float:
        """Seconds since 1970, for what is written down."""
        ...

    def ticks(self) -> float:
        """Seconds that never jump, for what is waited for."""
        ...

    async def sleep(self, seconds: float) -> None: ...
