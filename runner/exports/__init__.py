"""How a film's record leaves. To add one: a module here with ``write``, a line below, a golden file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import Problem
from ..prompt import Words
from ..storyboard import Storyboard
from . import csv, report

EXPORTS: dict[str, Callable[[Mapping[str, Any], Mapping[str, bytes], str], bytes]] = {"report": report.write}

LISTS: dict[str, Callable[[Storyboard, Mapping[str, Words], Mapping[str, float]], str]] = {"csv": csv.write}
"""What a storyboard alone is enough for: its shots, their words by shot, their lengths in seconds by shot."""

LEFT_OUT: dict[str, Callable[[Storyboard], list[Problem]]] = {"csv": csv.left_out}
"""A warning for everything that a list has no place for."""
