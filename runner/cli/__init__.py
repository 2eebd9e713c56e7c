"""The command. To add a command: a module here with a click command called ``command``, and a line in app.py."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """The console script's entry: what has nothing to do is answered before anything heavy is imported."""
    from .. import __version__, fast

    said = fast.answer(sys.argv[1:], __version__)
    if said is not None:
        try:
            print(said, flush=True)
        finally:
            os._exit(0)  # nothing is open, and taking the interpreter apart would take longer than the answer
    import gc

    # A plan makes a million small things and drops few of them: to search them for what was dropped is in vain.
    gc.set_threshold(0 if sys.argv[1:2] == ["plan"] else 100_000, 20)
    from .app import start

    return start()
