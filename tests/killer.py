"""A run in a process of its own that may be killed at its nth commit to the journal, as SIGKILL does."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from runner import api, journal
from runner.buying import Patience
from runner.errors import StoryError

HASTY = Patience(register_s=0.6, ask_s=0.2)
"""For a stand-in that registers a task within a tenth of a second, as the defaults are for one that takes a second."""


def main() -> None:
    """``killer N STORYBOARD``: N > 0 dies before the nth commit, N < 0 right after it, 0 never."""
    trip = int(sys.argv[1])
    commit = journal.Journal._commit
    count = 0

    def counted(self: journal.Journal, batch: list[tuple[str, tuple[Any, ...]]]) -> None:
        nonlocal count
        count += 1
        if trip == count:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self, batch)
        if -trip == count:
            os.kill(os.getpid(), signal.SIGKILL)

    journal.Journal._commit = counted  # type: ignore[method-assign]
    try:
        outcome = api.run(Path(sys.argv[2]), patience=HASTY)
    except StoryError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.stderr.writelines(f"{problem}\n" for problem in outcome.problems)
    sys.exit(outcome.exit_code)


if __name__ == "__main__":
    main()
