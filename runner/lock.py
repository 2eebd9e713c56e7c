"""The lock: one run holds a project at a time."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from .errors import StoryError
from .store import told


@contextmanager
def held(folder: Path, now: float) -> Iterator[None]:
    """Hold a project while the block runs.

    Raises StoryError (exit 7) that names the process, the machine and the start of the run that holds it. The lock
    goes with its process: a killed run leaves none behind.
    """
    import fcntl

    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoryError.of(_holder(handle), "wait for it, or stop it", exit_code=7) from None
        started = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
        who = {"pid": os.getpid(), "host": socket.gethostname(), "started": started}
        with told(folder):
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(who).encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(handle: int) -> str:
    try:
        who = json.loads(os.pread(handle, 4096, 0))
        return f"another run holds this project: process {who['pid']} on {who['host']}, started {who['started']}"
    except (ValueError, KeyError):
        return "another run holds this project"
