"""frame: takes one frame out of a clip, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAME = "frame"
SCOPES = frozenset({"shot"})
NEEDS = ("clip",)


def gives(settings: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG001 - the protocol's form
    return {"frame": "frame"}


def request(settings: Mapping[str, Any]) -> str:
    """The selector: first, last, sharpest, or a time such as ``2.5s``."""
    at = settings.get("at", "last")
    return at if isinstance(at, str) else f"{at:g}s"
