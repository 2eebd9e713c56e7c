"""report: writes the report of the film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAME = "report"
SCOPES = frozenset({"film"})
NEEDS: tuple[str, ...] = ()


def gives(settings: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG001 - the protocol's form
    return {}
