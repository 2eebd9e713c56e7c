"""Footage: a clip that the author brought, where another shot has a model make one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from .errors import StoryError

OWN = "own"
"""The provider and the model of a take that nobody made."""

_FRAME = "it begins with its own first frame"
_WORDS = "no model reads its words"
_ONE = "there is one take of it"

REFUSED: Mapping[str, tuple[str, str]] = {
    "from": (_FRAME, "drop `from`"),
    "to": ("it ends with its own last frame", "drop `to`"),
    "prompt": (_WORDS, "`action`, which stays in the shot list"),
    "negative": (_WORDS, "drop `negative`"),
    "duration": ("it is as long as its file", "drop `duration`, or a file that was cut to length"),
    "takes": (_ONE, "drop `takes`, or other files as shots of their own"),
    "review": (_ONE, "drop `review`"),
    "hold": (_ONE, "drop `hold`: it stays as long as its file does"),
    "fit": ("its pictures stay as they are", "cut: {uses: assemble, with: {conform: fit}} in the pipeline"),
    "model": ("no model makes it", "drop `model`, or drop `clip`"),
    "with": ("no model makes it", "drop `with`, or settings in the pipeline"),
}
"""The fields that a shot with a clip cannot have: why, and what to do."""


@dataclass(frozen=True, slots=True)
class Footage:
    """A clip in the project: the digest and number of its bytes, its size as shown in pixels, its frames and length.

    ``rate`` is frames a second, written like ``24/1``; of a clip of changing rate it is the mean.
    """

    digest: str
    bytes: int
    width: int
    height: int
    rate: str
    frames: int
    seconds: float

    @property
    def fps(self) -> Fraction:
        return Fraction(self.rate)


class Footages(Protocol):
    """Looks at the author's clips, each once."""

    def look(self, path: str) -> Footage:
        """A clip. Raises StoryError where it is missing, no whole clip, or outside the project."""
        ...


class NoFootage:
    """No clip is to be had."""

    def look(self, path: str) -> Footage:
        raise StoryError.of(f"{path} does not exist")
