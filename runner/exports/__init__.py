"""How a film's record leaves. To add one: a module here with ``write``, a line below, a golden file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import report

EXPORTS: dict[str, Callable[[Mapping[str, Any], Mapping[str, bytes], str], bytes]] = {"report": report.write}
