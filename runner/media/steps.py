"""From frame to frame: where a clip is black, stands still, jumps or flashes.

Measured on every 8th pixel of the luma, which costs nothing beside decoding. A dissolve is not seen.
"""

from __future__ import annotations

from array import array
from collections import deque
from statistics import median

import av
import numpy as np
from numpy.typing import NDArray

from . import colour, decode

STRIDE_PX = 8
CUT_MAD = 12.0
CUT_RATIO = 8.0
CUT_NEIGHBOURS = 12
BLACK_LUMA = 24.0
"""A picture is black where no block of 8x8 pixels has a mean luma of this much (16 is black, 235 white)."""
FROZEN_MAD = 0.05
FROZEN_SHARE = 0.95

_MAYBE_BLACK = 48


class Steps:
    """Takes a clip's frames in order and tells, at the end, what happens between them. Keeps three small pictures."""

    def __init__(self) -> None:
        self._seen: deque[NDArray[np.int16]] = deque(maxlen=2)
        self._moved = array("d")
        self._over_two = array("d")
        self._black = array("b")

    def add(self, frame: av.VideoFrame) -> None:
        """The next frame."""
        small = _sampled(frame)
        if self._seen:
            self._moved.append(_difference(small, self._seen[-1]))
            self._over_two.append(_difference(small, self._seen[0]))
        self._seen.append(small)
        self._black.append(int(small.max()) < _MAYBE_BLACK and _is_black(frame))

    @property
    def frozen(self) -> float:
        """The share of steps in which nothing moves, 0 to 1."""
        return sum(m < FROZEN_MAD for m in self._moved) / len(self._moved) if self._moved else 0.0

    def black(self) -> list[tuple[int, int]]:
        """Runs of black frames: the number of the first, and of the first one after."""
        runs: list[tuple[int, int]] = []
        start: int | None = None
        for index, is_black in enumerate([*self._black, 0]):
            if is_black and start is None:
                start = index
            elif not is_black and start is not None:
                runs.append((start, index))
                start = None
        return runs

    def cuts(self) -> list[int]:
        """The numbers of the frames that a jump leads to; flashes are not cuts."""
        peaks, flashes = self._peaks(), set(self.flashes())
        return [p for p in peaks if p not in flashes and p - 1 not in flashes]

    def flashes(self) -> list[int]:
        """The numbers of single frames that fall out of an otherwise steady picture."""
        peaks = set(self._peaks())
        return [p for p in sorted(peaks) if p + 1 in peaks and self._over_two[p] <= CUT_MAD]

    def _peaks(self) -> list[int]:
        return [step + 1 for step, moved in enumerate(self._moved) if moved > CUT_MAD and self._stands_out(step)]

    def _stands_out(self, step: int) -> bool:
        half = CUT_NEIGHBOURS // 2
        around = [*self._moved[max(0, step - half) : step], *self._moved[step + 1 : step + 1 + half]]
        return self._moved[step] > CUT_RATIO * (median(around) if around else 0.0)


def _sampled(frame: av.VideoFrame) -> NDArray[np.int16]:
    """Every 8th pixel of every 8th row of the luma, 16 for black and 235 for white."""
    name = frame.format.name
    if name.startswith("yuv") and name.endswith("le") and frame.format.components[0].bits > 8:
        plane = frame.planes[0]
        deep = np.frombuffer(memoryview(plane), np.uint16).reshape(plane.height, plane.line_size // 2)
        small = (deep[::STRIDE_PX, : plane.width : STRIDE_PX] >> (frame.format.components[0].bits - 8)).astype(np.int16)
    else:
        small = decode.luma_of(frame)[::STRIDE_PX, ::STRIDE_PX].astype(np.int16)
    return _limited(small, frame)


def _limited(luma: NDArray[np.int16], frame: av.VideoFrame) -> NDArray[np.int16]:
    if frame.color_range == colour.FULL or frame.format.name.startswith("yuvj"):
        return np.asarray(16 + luma.astype(np.int32) * 219 // 255, dtype=np.int16)
    return luma


def _difference(one: NDArray[np.int16], two: NDArray[np.int16]) -> float:
    return float(np.abs(one - two).mean()) if one.shape == two.shape else 255.0


def _is_black(frame: av.VideoFrame) -> bool:
    luma = decode.luma_of(frame).astype(np.int16)
    height, width = (max(8, n // 8 * 8) for n in luma.shape)
    if min(luma.shape) < 8:
        return bool(_limited(luma, frame).mean() < BLACK_LUMA)
    blocks = luma[:height, :width].reshape(height // 8, 8, width // 8, 8).mean(axis=(1, 3))
    return bool(_limited(np.rint(blocks).astype(np.int16), frame).max() < BLACK_LUMA)
