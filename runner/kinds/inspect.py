"""inspect: measures a clip against what was asked and against the frames at its ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAME = "inspect"
SCOPES = frozenset({"shot"})
NEEDS = ("clip",)
DEPTH = 12
"""Shots in a chain after which small shifts of colour are worth a warning."""


def gives(settings: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG001 - the protocol's form
    return {}


def request(settings: Mapping[str, Any], *, depth: int) -> tuple[list[dict[str, Any]], bool]:
    """Findings that follow from the plan alone, and whether a finding of level error fails the shot."""
    most = settings.get("depth", DEPTH)
    findings = []
    if depth >= most:
        fact = f"{depth} shots stand before this one in its chain; small shifts of colour add up"
        findings.append({"level": "warning", "fact": fact})
    return findings, bool(settings.get("stop", False))
