"""The pipeline that a list is imported for: what its model accepts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from .. import card as cards
from .. import document, pipeline
from ..card import Card
from ..errors import StoryError, in_order
from ..kinds import KINDS


@dataclass(frozen=True, slots=True)
class Target:
    """What a storyboard of one pipeline may say. Lengths in seconds, of prompts in characters."""

    pipeline: str
    model: str
    durations: tuple[Decimal, ...] | None
    """Those that are offered; None where any between the bounds is."""
    shortest: Decimal
    longest: Decimal
    step: Decimal
    usual: Decimal
    prompt_min: int
    prompt_max: int
    fps: int
    ends: bool
    """Whether a shot may be made to end on a frame."""

    def nearest(self, seconds: Decimal) -> Decimal:
        """The length that is offered and nearest to this one; of two as near, the shorter."""
        if self.durations is not None:
            return min(self.durations, key=lambda one: (abs(one - seconds), one))
        steps = (seconds / self.step).to_integral_value("ROUND_HALF_DOWN")
        return min(max(steps * self.step, self.shortest), self.longest)

    def offered(self) -> str:
        if self.durations is not None:
            return ", ".join(f"{one.normalize():f}" for one in self.durations)
        return f"{self.shortest:f} to {self.longest:f} in steps of {self.step:f}"


def find(name: str, folder: Path) -> Target:
    """The target of this name: a shipped pipeline, or a path from the folder. Raises StoryError."""
    path, shipped = pipeline.find(name, folder)
    made, problems = pipeline.read(
        document.read(path, path.name if shipped else name), KINDS, folder=path.parent, is_shipped=shipped
    )
    if made is None or any(problem.severity == "error" for problem in problems):
        raise StoryError(in_order(problems))
    own = made.model.endswith(".json")
    return of(name, cards.from_file(made.folder / made.model) if own else cards.load(made.model))


def of(name: str, card: Card) -> Target:
    """The target that a model's card makes of a pipeline."""
    length: Any = card.field("duration") or {}
    prompt: Any = card.field("positivePrompt") or {}
    durations = card.durations()
    offered = None if durations is None else tuple(sorted(Decimal(str(one)) for one in durations))
    shortest = Decimal(str(length.get("minimum", 1)))
    usual = length.get("default", durations[0] if durations else max(shortest, Decimal(5)))
    return Target(
        pipeline=name,
        model=card.id,
        durations=offered,
        shortest=shortest,
        longest=Decimal(str(length.get("maximum", 3600))),
        step=Decimal(str(length.get("multipleOf", "0.001"))),
        usual=Decimal(str(usual)),
        prompt_min=prompt.get("minLength", 1),
        prompt_max=prompt.get("maxLength", 100_000),
        fps=card.fps,
        ends=card.accepts("last"),
    )
