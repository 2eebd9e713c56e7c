"""What every kind of step says of itself. A kind describes work and never acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Kind(Protocol):
    """A module of this folder."""

    @property
    def NAME(self) -> str:  # noqa: N802
        """As ``uses:`` has it."""
        ...

    @property
    def SCOPES(self) -> frozenset[str]:  # noqa: N802
        """Where it may stand: ``shot``, ``film``."""
        ...

    @property
    def NEEDS(self) -> tuple[str, ...]:  # noqa: N802
        """The inputs it cannot do without; a shot's generate step gives them where ``in:`` does not say."""
        ...

    def gives(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        """What it gives, by name: ``clip`` or ``frame``."""
        ...
