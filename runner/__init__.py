"""matchcut: turns a storyboard written in YAML into a film.

``runner.load``, ``runner.plan``, ``runner.diff``, ``runner.run`` and ``runner.variants`` are the library. Everything
else is the spine it stands on, in floors: a module imports only from floors below its own, or within one set's own
folder.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
"""As in typing, which is not imported: that would cost as much as the interpreter's own start."""

__version__ = "2026.11.20"

__all__ = [
    "Diff", "Event", "Loaded", "Outcome", "Part", "Plan", "Problem", "StoryError",
    "diff", "load", "plan", "run", "variants",
]  # fmt: skip

FLOORS: dict[str, int] = {
    "errors": 0, "amount": 0, "fast": 0, "own": 0, "inline": 0, "shipped": 0, "template": 0, "clock": 0,
    "sheet": 0, "conflict": 0,
    "git": 1, "footage": 1,
    "document": 1, "schema": 1, "ports": 1, "sandbox": 1, "config": 1, "env": 1,
    "storyboard": 2, "pipeline": 2, "card": 2, "takes": 2, "key": 2, "include": 2,
    "media": 3, "variant": 3, "prompt": 3, "facts": 3, "pairs": 3,
    "exports": 4, "kinds": 4, "store": 4,
    "journal": 3, "money": 4,
    "brief": 5, "lock": 5, "command": 5, "outputs": 5, "trust": 5, "rebuild": 5, "rename": 5,
    "shelf": 5, "roots": 5, "reel": 5,
    "plan": 6, "imports": 6, "lease": 6, "prune": 6, "remote": 6,
    "diff": 7,
    "bill": 7, "cut": 7, "gather": 7, "graphs": 7, "executors": 6, "providers": 6,
    "load": 8, "manifest": 8,
    "work": 9, "saved": 9, "revision": 9, "needs": 9, "grounds": 9,
    "buying": 10, "receiving": 10, "placing": 10, "sharing": 10, "finish": 11,
    "perform": 12,
    "api": 13, "server": 13,
    "cli": 14,
}  # fmt: skip
"""The law of imports, held true by tests/test_floors.py."""

if TYPE_CHECKING:
    from types import ModuleType

    from .api import diff, load, plan, run, variants
    from .diff import Diff
    from .errors import Problem, StoryError
    from .load import Loaded
    from .plan import Part, Plan
    from .work import Event, Outcome
else:
    ModuleType = type(sys)

_HOMES = {
    "diff": "api", "load": "api", "plan": "api", "run": "api", "variants": "api", "Diff": "diff",
    "Problem": "errors", "StoryError": "errors",
    "Loaded": "load", "Part": "plan", "Plan": "plan", "Event": "work", "Outcome": "work",
}  # fmt: skip


def _public(name: str) -> property:
    def get(_: ModuleType) -> object:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

    # Importing the modules runner.load and runner.plan would put them in the functions' place: that is let pass.
    return property(get, lambda _, __: None)


class _Package(ModuleType):
    """The package itself: public names are imported when they are first asked for, so that starting costs nothing."""

    locals().update({name: _public(name) for name in _HOMES})


sys.modules[__name__].__class__ = _Package
