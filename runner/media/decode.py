"""One frame of a clip, exactly: the first, the last, the sharpest of the end, or the one shown at a time.

The answer is always that of a full decode. A seek is used only where it provably gives the same picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ..errors import StoryError
from . import clip, colour, picture
from .clip import Moments
from .picture import Rgb

SHARPEST_S = Fraction(1, 2)
"""How much of the end of a clip ``sharpest`` chooses from, in seconds."""

_SECONDS = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame of a clip: its number from 0, seconds from the first frame, the picture and the picture's digest."""

    index: int
    time: float
    rgb: Rgb
    digest: str


def frame(path: str, selector: str, *, sent: Rgb | None = None) -> Frame:
    """The frame of a clip that ``first``, ``last``, ``sharpest`` or seconds like ``2.5s`` name.

    ``2.5s`` is the last frame that begins at most 2.5 s after the first one. ``sent`` is the picture the clip was asked
    to begin on: it settles the colours of a clip without tags. Raises StoryError for a clip that is damaged, cut short,
    HDR or too short.
    """
    return _sought(path, selector, sent) or _decoded(path, clip.decoded_moments(path), selector, sent)


def window(times: Moments, selector: str, path: str) -> range:
    """The numbers of the frames among which a selector chooses: one, or for ``sharpest`` those of the last half second.

    Raises StoryError for a time beyond the end and for words that select nothing.
    """
    last = len(times.ticks) - 1
    if selector == "first":
        return range(1)
    if selector == "last":
        return range(last, last + 1)
    if selector == "sharpest":
        start = times.ticks[last] - SHARPEST_S / times.time_base
        return range(next(i for i, tick in enumerate(times.ticks) if tick > start), last + 1)
    told = _SECONDS.fullmatch(selector)
    if told is None:
        raise StoryError.of(f'no frame is called "{selector}"', "first, last, sharpest, or seconds like 2.5s")
    seconds = Fraction(told[1])
    if seconds > (times.end - times.ticks[0]) * times.time_base:
        raise StoryError.of(f"{path} is {times.duration:g} s long and has no frame at {told[1]} s", "an earlier time")
    index = times.at(seconds)
    return range(index, index + 1)


def sharpness(luma: NDArray[np.uint8]) -> float:
    """How sharp a picture is: the variance of the Laplacian of its luma, on every second row."""
    rows = luma.astype(np.int16)
    middle = rows[1:-1:2]
    around = rows[0:-2:2][: len(middle)] + rows[2::2][: len(middle)]
    edges = 4 * middle[:, 1:-1] - middle[:, :-2] - middle[:, 2:] - around[:, 1:-1]
    return float(np.var(edges, dtype=np.float64)) if edges.size else 0.0


def luma_of(picture_: av.VideoFrame) -> NDArray[np.uint8]:
    """The luma of every pixel in 8 bits as stored (16 to 235 for limited range). A view where the format allows."""
    if is_planar_8bit(picture_):
        return colour.plane_of(picture_, 0)
    return colour.plane_of(picture_.reformat(format="gray", threads=1), 0)


def is_planar_8bit(picture_: av.VideoFrame) -> bool:
    """Whether the first plane of a frame is its luma, a byte a pixel."""
    name = picture_.format.name
    return name in {"gray", "nv12", "nv21"} or (name.startswith("yuv") and name[-1] == "p")


def _sought(path: str, selector: str, sent: Rgb | None) -> Frame | None:
    """The frame by way of a seek, or None unless every check says that a full decode gives the same."""
    with clip.opened(path) as (container, stream):
        times = clip.promised(container, stream, path)
        head = next(clip.frames(container, stream), None) if times else None
        if times is None or head is None or head.pts != times.ticks[0]:
            return None
        matrix = _matrix(head, sent, path)
        wanted = window(times, selector, path)
        if wanted == range(1):
            return _frame(0, times, colour.to_rgb(head, matrix))
        low, high = times.ticks[wanted[0]], times.ticks[wanted[-1]]
        key = max((k for k in times.keys if k <= low), default=None)
        if key is None:
            return None
        shown = _between(container, stream, key, low, high)
        chosen = _chosen(shown, list(wanted), times)
        return None if chosen is None else _frame(chosen[0], times, colour.to_rgb(chosen[1], matrix))


def _between(
    container: InputContainer, stream: VideoStream, key: int, low: int, high: int
) -> Iterator[av.VideoFrame | None]:
    """Frames shown from ``low`` to ``high`` after seeking to ``key``; None where the seek is not to be trusted."""
    container.seek(key, stream=stream)
    begun = False
    for packet in container.demux(stream):
        if not begun and packet.size:
            if not packet.is_keyframe or packet.pts is None or packet.pts > low:
                yield None
                return
            begun = True
        for one in packet.decode():
            if one.pts is None or one.is_corrupt:
                yield None
                return
            if one.pts >= low:
                yield one
            if one.pts >= high:
                return


def _chosen(
    shown: Iterator[av.VideoFrame | None], wanted: list[int], times: Moments
) -> tuple[int, av.VideoFrame] | None:
    best: tuple[int, av.VideoFrame] | None = None
    most = -1.0
    expected = iter(wanted)
    for one in shown:
        index = next(expected, None)
        if one is None or index is None or one.pts != times.ticks[index]:
            return None
        score = sharpness(luma_of(one)) if len(wanted) > 1 else 0.0
        if score >= most:
            best, most = (index, one), score
    return best if next(expected, None) is None else None


def _decoded(path: str, times: Moments, selector: str, sent: Rgb | None) -> Frame:
    wanted = window(times, selector, path)
    best: tuple[int, av.VideoFrame] | None = None
    most = -1.0
    matrix = colour.BT709
    with clip.opened(path) as (container, stream):
        for index, one in enumerate(clip.frames(container, stream)):
            if index == 0:
                matrix = _matrix(one, sent, path)
            if index in wanted:
                score = sharpness(luma_of(one)) if len(wanted) > 1 else 0.0
                if score >= most:
                    best, most = (index, one), score
    if best is None:
        raise StoryError.of(f"{path} gives other pictures each time it is decoded", clip.DAMAGED)
    return _frame(best[0], times, colour.to_rgb(best[1], matrix))


def _matrix(head: av.VideoFrame, sent: Rgb | None, path: str) -> int:
    colour.refuse_hdr(head, path)
    return colour.matrix_of(head, sent)


def _frame(index: int, times: Moments, rgb: Rgb) -> Frame:
    return Frame(index, times.seconds(times.ticks[index]), rgb, picture.digest(rgb))
