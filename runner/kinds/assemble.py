"""assemble: puts the film together from the shots' clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAME = "assemble"
SCOPES = frozenset({"film"})
NEEDS: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One shot in a film: its clip, the frames shown of it, and whether its head repeats the frame before it.

    ``turned``: degrees clockwise by which a player turns the stored pictures.
    """

    shot: str
    clip: str
    start: int
    stop: int
    repeat: bool = False
    turned: int = 0


def gives(settings: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG001 - the protocol's form
    return {"clip": "clip"}


def recipe(entries: Sequence[Entry], settings: Mapping[str, Any], size: tuple[int, int], rate: str) -> dict[str, Any]:
    """What the film is made of and how: the same recipe gives the same film."""
    return {
        "entries": [
            {
                "clip": e.clip,
                "in": e.start,
                "out": e.stop,
                "repeat": e.repeat,
                **({"turned": e.turned} if e.turned else {}),
            }
            for e in entries
        ],
        "method": settings.get("repeat", "squeeze"),
        "conform": settings.get("conform"),
        "width": size[0],
        "height": size[1],
        "rate": rate,
    }
