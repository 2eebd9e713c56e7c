"""Who makes clips. To add one: a module here with a class that satisfies ports.Provider, and a line below."""

from __future__ import annotations

from importlib import import_module

from ..ports import Provider, Setting

PROVIDERS: dict[str, str] = {"animatic": "animatic.provider:Animatic", "runware": "runware.provider:Runware"}
"""By name: module and class. A provider is imported when it is wanted, with all it needs."""


def provider(name: str, setting: Setting) -> Provider:
    """The provider of this name. KeyError if there is none."""
    module, _, kind = PROVIDERS[name].partition(":")
    made: Provider = getattr(import_module(f"{__name__}.{module}"), kind)(setting)
    return made
