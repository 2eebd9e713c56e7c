"""A stage for tests: a small project on disk that can be run, and a provider whose clips a test decides."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import numpy as np

import runner
from runner.executors.local import Local
from runner.load import Loaded
from runner.media.write import Writer
from runner.perform import perform
from runner.ports import Answer, Made, Order, ProviderError, Ticket
from runner.work import Event, Options, Outcome

PIPELINE = """
pipeline: small
provider: animatic
model: matchcut:animatic
shot:
  clip: {uses: generate, with: {width: 640, height: 360, outputQuality: 60}}
  tail: {uses: frame, in: {clip: clip}, with: {at: last}}
  check: {uses: inspect, in: {clip: clip}}
film:
  cut: {uses: assemble}
  manifest: {uses: manifest}
  report: {uses: report}
"""

CHAIN = """
- {shot: "0010", action: A lamp burns in a window at night.}
- {shot: "0020", action: Rain runs down the glass.}
- {shot: "0030", action: The lamp goes out.}
"""


@dataclass
class Stage:
    """A project in a folder. ``shots`` is YAML, a list of shots of one scene."""

    folder: Path
    shots: str = CHAIN
    pipeline: str = PIPELINE
    more: str = ""
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.write(self.shots)
        (self.folder / "small.yaml").write_text(self.pipeline, encoding="utf-8")

    @property
    def file(self) -> Path:
        return self.folder / "storyboard.yaml"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def write(self, shots: str, more: str | None = None) -> None:
        """Write the storyboard anew with other shots."""
        self.shots, self.more = shots, self.more if more is None else more
        head = f"storyboard: stage\npipeline: small.yaml\ndefaults: {{duration: 1}}\n{dedent(self.more).strip()}\n"
        body = f'scenes:\n  - scene: "010"\n    shots:\n{indent(dedent(self.shots).strip(), "      ")}\n'
        self.file.write_text(head + body, encoding="utf-8")

    def change(self, old: str, new: str) -> None:
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, **options: Any) -> Outcome:
        self.events.clear()
        return runner.run(self.file, tell=self.events.append, **options)

    def perform(self, provider: Any, options: Options | None = None, loaded: Loaded | None = None) -> Outcome:
        """A run with a provider of the test's own; ``loaded``: on what was read before."""

        async def go() -> Outcome:
            executor = Local(2)
            try:
                return await perform(
                    loaded or runner.load(self.file), provider, executor, options=options, tell=self.events.append
                )
            finally:
                await executor.aclose()

        return asyncio.run(go())

    def plan(self) -> runner.Plan:
        return runner.plan(self.file)

    def states(self) -> dict[str, str]:
        return {name: decision.state for name, decision in self.plan().decisions.items()}

    def digests(self) -> dict[str, tuple[str, int]]:
        """Every file of the output folder with its digest and its time of change."""
        files = sorted(path for path in self.out.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.out)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in files
        }


@dataclass
class Pretend:
    """A provider that writes flat clips: of the colour a test gives for a shot, else of one that follows from its words."""

    colours: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    fails: frozenset[str] = frozenset()
    before: Callable[[Order], None] = lambda _: None
    orders: list[Order] = field(default_factory=list)
    name: str = "animatic"

    async def submit(self, order: Order, uuid: str) -> Ticket:
        self.before(order)
        if order.shot in self.fails:
            raise ProviderError("the model refused these words", "other words")
        self.orders.append(order)
        return Ticket(uuid, order)

    async def ask(self, uuid: str) -> Answer:
        return Answer(known=False)

    async def results(self, ticket: Ticket) -> AsyncIterator[Made | ProviderError]:
        for take in ticket.order.takes:
            yield Made(f"{ticket.order.shot} {take}", f"{ticket.uuid} {take}", response={"take": take})

    async def fetch(self, made: Made, into: Path) -> Path:
        shot, take = made.source.split()
        order = next(order for order in reversed(self.orders) if order.shot == shot)
        await asyncio.to_thread(self._write, order, int(take), into / "clip.mp4")
        return into / "clip.mp4"

    async def aclose(self) -> None:
        pass

    def _write(self, order: Order, take: int, path: Path) -> None:
        words = hashlib.sha256(f"{order.request['positivePrompt']} {take}".encode()).digest()
        colour = self.colours.get(order.shot, tuple(words[:3]))
        width, height = order.request["width"], order.request["height"]
        with Writer(path, width, height, order.fps, "MP4", quality=60) as writer:
            for _ in range(round(order.seconds * order.fps)):
                writer.write_rgb(np.full((height, width, 3), colour, np.uint8))
