"""Where local work runs. To add one: a module here with a class that satisfies ports.Executor, and a line below."""

from __future__ import annotations

from collections.abc import Callable

from ..ports import Executor
from .local import Local

EXECUTORS: dict[str, Callable[[int], Executor]] = {"local": Local}
