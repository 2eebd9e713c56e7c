"""Who makes clips. To add one: a module here with a class that satisfies ports.Provider, and a line below."""

from __future__ import annotations

from collections.abc import Callable

from ..ports import Executor, Provider
from .animatic.provider import Animatic

PROVIDERS: dict[str, Callable[[Executor], Provider]] = {"animatic": Animatic}
