"""Chance that can be repeated: all dice of a picture are thrown by the shot's key, its take and what they are for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Chance:
    """Where the random numbers of one take come from; equal in every process and on every machine."""

    key: str
    take: int

    def of(self, purpose: str) -> np.random.Generator:
        """A generator for one purpose. Its stream does not depend on what else was drawn before."""
        seed = hashlib.sha256(f"{self.key}\0{self.take}\0{purpose}".encode()).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))

    def shot(self, purpose: str) -> np.random.Generator:
        """Like ``of``, but the same for all takes of a shot."""
        return Chance(self.key, 0).of(purpose)


def smooth(t: float) -> float:
    """0 to 1 with no speed at either end (the quintic of Perlin), clipped outside."""
    t = min(1.0, max(0.0, t))
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0)


def sway(turns: float) -> float:
    """A sine over whole turns, made of additions and products alone so that every processor gives the same bits."""
    x = turns - float(int(turns)) if turns >= 0 else turns - float(int(turns)) + 1.0
    x = 4.0 * x
    if x >= 2.0:
        return -_hump(x - 2.0)
    return _hump(x)


def _hump(x: float) -> float:
    """sin(x * pi / 2) for x in 0 to 2 (largest error 0.0002)."""
    y = x - 1.0
    q = y * y
    return 1.0 - q * (1.2336977 - q * (0.2536673 - q * 0.0199696))
