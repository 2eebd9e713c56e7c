"""generate: has the provider make a shot's clip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAME = "generate"
SCOPES = frozenset({"shot"})
NEEDS: tuple[str, ...] = ()


def gives(settings: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG001 - the protocol's form
    return {"clip": "clip"}


def request(
    *,
    model: str,
    prompt: str,
    negative: str,
    width: int,
    height: int,
    seconds: float | None,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """The model's request without its pictures and without what only its delivery needs.

    Settings go before ``width`` and ``height``, which come of the aspect; the shot's own length goes before settings.
    """
    made: dict[str, Any] = {"taskType": "videoInference", "model": model, "positivePrompt": prompt}
    if negative:
        made["negativePrompt"] = negative
    made |= {"width": width, "height": height, **settings}
    if seconds is not None:
        made["duration"] = seconds
    return made
