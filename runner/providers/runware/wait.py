"""Waiting for a task: sleeping until it is worth asking, waking when somebody says so, and sitting out an outage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...ports import Clock, ProviderError

WAIT_S_MAX = 86400.0
"""A task that is not done a day after this run began to wait for it is left to a person."""
UNHEARD_S_MAX = 3600.0
"""An accepted task that the service says nothing of at all, for so long, is left to a person."""
BARE_S_MAX = 600.0
"""A clip that is said to be done and has no address for so long is counted as lost."""
LOOK_S = 0.5
"""How often a sleeper looks for a hint."""
DOWN_S_FIRST = 2.0
DOWN_S_MAX = 60.0
TELL_S = 300.0
"""How often it is told that one still waits for a service that is down."""

SAT_OUT = frozenset({"server", "rate", "unclear", "timeout"})


class Hints:
    """Files named by tasks' UUIDs: somebody says that a task is worth asking about. A hint is never a result."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, uuid: str) -> bool:
        """Whether there is one; it is gone then."""
        try:
            (self._folder / uuid).unlink()
        except FileNotFoundError:
            return False
        except OSError:
            return False  # one that cannot be removed would be seen for ever
        return True


async def sleep_until(clock: Clock, due: float, hints: Hints, uuid: str) -> None:
    """Until the clock's ticks reach ``due``, or a hint comes."""
    while not hints.take(uuid) and (left := due - clock.ticks()) > 0:
        await clock.sleep(min(left, LOOK_S))


@dataclass(slots=True)
class Outage:
    """A service that cannot be asked: growing pauses, and a word about it once in a while."""

    since: float | None = None
    _times: int = 0
    _told: float = 0.0

    def pause(self, error: ProviderError, now: float, tell: Callable[[str], None] | None) -> float:
        """One more failure at a time of the clock: the seconds to wait before the next question."""
        if self.since is None:
            self.since, self._told = now, now - TELL_S
        wait = max(min(DOWN_S_FIRST * 2.0**self._times, DOWN_S_MAX), error.retry_after or 0.0)
        self._times = min(self._times + 1, 16)
        if self._times > 1 and tell is not None and now - self._told >= TELL_S:
            self._told = now
            minutes = round((now - self.since) / 60)
            length = f" for {minutes} min" if minutes else ""
            tell(f"waiting{length}: {error.fact}; what was bought is not lost")
        return wait
