"""How long clips usually take: what was seen of each model, remembered between runs."""

from __future__ import annotations

import time

from ...ports import Order
from .memory import Memory
from .pace import Learned, learn

KEEP_S = 1.0
"""How often it is written down at most: many clips end at once, and it is a hint, not a record."""


class Habits:
    """The last five durations by service, model and length of clip. ``durations.json`` holds them."""

    def __init__(self, memory: Memory, place: str) -> None:
        self._memory, self._place = memory, place
        self._kept: float | None = None
        self._known: dict[str, list[Learned]] | None = None

    def of(self, order: Order) -> list[Learned]:
        return self._all().get(self._name(order), [])

    def learn(self, order: Order, elapsed: float, before: float) -> None:
        """One more clip was seen finished at ``elapsed`` seconds, and unfinished at ``before``."""
        known = self._all()
        known[self._name(order)] = learn(self.of(order), elapsed, before)
        now = time.monotonic()
        if self._kept is None or now - self._kept >= KEEP_S:
            self._kept = now
            self.keep()

    def keep(self) -> None:
        """Write down what was learned, if anything was."""
        if self._kept is not None:
            self._memory.save({name: [list(pair) for pair in pairs] for name, pairs in self._all().items()})

    def _name(self, order: Order) -> str:
        return f"{self._place} {order.request.get('model', '')} {order.seconds:g}"

    def _all(self) -> dict[str, list[Learned]]:
        if self._known is None:
            self._known = {name: pairs for name, said in self._memory.load().items() if (pairs := _pairs(said))}
        return self._known


def _pairs(said: object) -> list[Learned]:
    """What a file says of one model; entries that make no sense are left out."""
    found = []
    for pair in said if isinstance(said, list) else []:
        if isinstance(pair, list) and len(pair) == 2 and all(type(part) in (int, float) for part in pair):
            before, took = float(pair[0]), float(pair[1])
            if 0 <= before <= took and 0 < took < 1e6:
                found.append((before, took))
    return found[-5:]
