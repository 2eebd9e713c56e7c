"""The clock of this machine."""

from __future__ import annotations

import asyncio
import time


class RealClock:
    """Satisfies ports.Clock."""

    def now(self) -> float:
        return time.time()

    def ticks(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
