"""How alike two pictures are: whether a shot really begins on the frame it was given, and what its colours did.

Measured at most 320 pixels wide. The bounds are starting values from made pictures; a model redraws its first frame.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from . import picture
from .picture import Rgb

Verdict = Literal["repeat", "continuous", "suspect", "broken"]

WIDTH = 320
REPEAT_PSNR_DB = 34.0
REPEAT_SSIM = 0.95
CONTINUOUS_SSIM = 0.80
SUSPECT_SSIM = 0.50
PSNR_MAX_DB = 99.0
"""What two equal pictures are given, as JSON knows no infinity."""

_SSIM_WINDOW = 7
_LUMA = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two pictures compared: PSNR in dB and SSIM of the grey pictures, shift of mean luma and of mean red, green and
    blue in code values (ours minus theirs), and what follows for the join.
    """

    psnr: float
    ssim: float
    luma: float
    colour: tuple[float, float, float]
    likeness: Verdict

    def as_json(self) -> dict[str, Any]:
        """Plain data, as it stands in a takes file."""
        return {**asdict(self), "colour": list(self.colour)}


def compare(ours: Rgb, theirs: Rgb) -> Likeness:
    """A frame as it came back against the picture that was sent; pictures of other sizes are scaled first."""
    width = max(_SSIM_WINDOW, min(WIDTH, theirs.shape[1]))
    height = max(_SSIM_WINDOW, round(theirs.shape[0] * width / theirs.shape[1]))
    one, two = (grey(picture.scale(p, width, height)) for p in (ours, theirs))
    error = float(np.mean((one - two) ** 2))
    near = PSNR_MAX_DB if error == 0 else min(PSNR_MAX_DB, 10 * math.log10(255 * 255 / error))
    alike = ssim(one, two)
    shift = means(ours) - means(theirs)
    red, green, blue = (round(float(s), 4) for s in shift)
    return Likeness(
        psnr=round(near, 4),
        ssim=round(alike, 4),
        luma=round(float(shift @ _LUMA), 4),
        colour=(red, green, blue),
        likeness=verdict(near, alike),
    )


def verdict(psnr: float, alike: float) -> Verdict:
    """What likeness means for a join: the same picture again, the same scene going on, doubtful, or a jump."""
    if psnr >= REPEAT_PSNR_DB and alike >= REPEAT_SSIM:
        return "repeat"
    if alike >= CONTINUOUS_SSIM:
        return "continuous"
    return "suspect" if alike >= SUSPECT_SSIM else "broken"


def means(rgb: Rgb) -> NDArray[np.float64]:
    """Mean red, green and blue of a picture, 0 to 255."""
    height, width, _ = rgb.shape
    # Down first, as whole rows: an order of magnitude faster than three interleaved sums. Exact, as these are integers.
    columns = rgb.reshape(height, width * 3).sum(axis=0, dtype=np.uint32)
    return np.asarray(columns.reshape(width, 3).sum(axis=0, dtype=np.uint64) / (height * width))


def luma(rgb: Rgb) -> float:
    """Mean BT.709 luma of a picture, 0 to 255."""
    return float(means(rgb) @ _LUMA)


def grey(rgb: Rgb) -> NDArray[np.float64]:
    """The BT.709 luma of every pixel, 0 to 255."""
    return np.asarray(rgb @ _LUMA)


def ssim(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """Structural similarity of two grey pictures (Wang et al. 2004, windows of 7x7 pixels), at most 1."""
    mean1, mean2 = _windows(one), _windows(two)
    variance1, variance2 = _windows(one * one) - mean1**2, _windows(two * two) - mean2**2
    covariance = _windows(one * two) - mean1 * mean2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean1 * mean2 + c1) * (2 * covariance + c2)
    return float(np.mean(top / ((mean1**2 + mean2**2 + c1) * (variance1 + variance2 + c2))))


def _windows(grey_: NDArray[np.float64]) -> NDArray[np.float64]:
    size = _SSIM_WINDOW
    sums = np.pad(grey_, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    boxes = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    return np.asarray(boxes / (size * size))
