"""A run that is killed at its nth commit to the journal, as SIGKILL does: run in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from runner import journal
from runner.cli.app import start


def main() -> None:
    """``killer N WORDS…``: N > 0 dies before the nth commit, N < 0 right after it."""
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
    sys.exit(start(sys.argv[2:]))


if __name__ == "__main__":
    main()
