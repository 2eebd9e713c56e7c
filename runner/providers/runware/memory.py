"""What the client learned and keeps between runs: small JSON files that may be deleted at any time."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

FORMAT = 1


class Memory:
    """One file. What cannot be read, or was written by a newer version, counts as empty, and what cannot be written is
    not kept: neither is worth a failure.
    """

    def __init__(self, place: Path) -> None:
        self._place = place

    def load(self) -> dict[str, Any]:
        try:
            found = json.loads(self._place.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(found, dict) or found.pop("matchcut", FORMAT) != FORMAT:
            return {}
        return found

    def save(self, data: dict[str, Any]) -> None:
        """Write the whole file beside its place and move it in."""
        with contextlib.suppress(OSError):
            self._place.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._place.parent, prefix=f".{self._place.name}.")
            try:
                with os.fdopen(handle, "w") as stream:
                    json.dump({**data, "matchcut": FORMAT}, stream, indent=1, sort_keys=True)
                Path(name).replace(self._place)
            finally:
                Path(name).unlink(missing_ok=True)
