"""manifest: writes the manifest of the film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAME = "manifest"
SCOPES = frozenset({"film"})
NEEDS: tuple[str, ...] = ()


def gives(settings: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG001 - the protocol's form
    return {}
