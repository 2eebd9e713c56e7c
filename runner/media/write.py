"""A clip of our own, written frame by frame: H.264 in MP4 or MOV, VP9 in WEBM.

The same pictures give the same bytes, whatever the process or the number of processors: the encoder has one thread and
nothing of the day or the machine is written. All clips are made with one setting, so that films join by copying.
"""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from ..errors import StoryError
from . import colour
from .colour import Plane, to_planes
from .landing import landing
from .picture import Rgb

__all__ = ["MUXERS", "Container", "Writer", "add_video", "create", "to_planes"]

Container = Literal["MP4", "MOV", "WEBM"]

MUXERS: dict[Container, str] = {"MP4": "mp4", "MOV": "mov", "WEBM": "webm"}
QUALITY_MIN, QUALITY_MAX = 20, 99
X264 = "stitchable=1:mbtree=0:rc-lookahead=0:scenecut=0:b-adapt=0:threads=2"
"""One parameter set for all qualities. The macroblock tree is off because it is not repeatable: on small pictures
x264 (core 165) was measured to give other bytes for equal frames, depending on what lay in memory before. Without
looking ahead it takes three quarters of the time for clips of the same size. Always two threads, whatever the machine
has: the bytes follow from that number, and not from the processors there are.
"""
TICKS_PER_FRAME = 1000
"""Ticks of our MP4 tracks: a squeezed frame can be shown for a thousandth of its time."""


class Writer:
    """Writes one clip; use it in a ``with`` block. The file is there only when the block ends well.

    Sizes are in pixels and even, ``rate`` in frames a second, ``quality`` 20 to 99 (95: no difference to be seen).
    """

    def __init__(
        self,
        path: str | Path,
        width: int,
        height: int,
        rate: int | str | Fraction,
        container: Container = "MP4",
        *,
        quality: int = 95,
    ) -> None:
        if width % 2 or height % 2 or width < 2 or height < 2:
            raise StoryError.of(f"{width}x{height} can't be a clip", "use even numbers of pixels")
        if not QUALITY_MIN <= quality <= QUALITY_MAX:
            raise StoryError.of(f"quality {quality} is not between {QUALITY_MIN} and {QUALITY_MAX}", "quality 95")
        self._shape = (height, width)
        self._count = 0
        self._stack = ExitStack()
        with ExitStack() as stack:
            beside = stack.enter_context(landing(path))
            self._out = stack.enter_context(create(beside, container, Fraction(rate)))
            self._stream = add_video(self._out, (width, height), Fraction(rate), crf(quality))
            self._stack = stack.pop_all()

    def write_rgb(self, rgb: Rgb) -> None:
        """The next frame, from a picture of the clip's size."""
        self.write_planes(*to_planes(rgb))

    def write_planes(self, y: Plane, u: Plane, v: Plane) -> None:
        """The next frame, from planes as ``to_planes`` makes them: Y full size, U and V halved both ways."""
        assert y.shape == self._shape, f"a frame of {y.shape} in a clip of {self._shape}"
        frame = colour.frame_of(y, u, v)
        frame.pts = self._count
        self._count += 1
        self._out.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Writes what the encoder still holds and moves the file into its place."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._out.mux(self._stream.encode(None))


def crf(quality: int) -> int:
    """x264's rate factor for a quality: 99 is 10, 95 is 13, 20 is 36."""
    return round(13 - (quality - 95) * 0.75) if quality >= 95 else round(36 - (quality - 20) * 23 / 75)


def create(path: Path, container: Container, rate: Fraction, index_bytes: int = 0) -> OutputContainer:
    """An empty clip file that will hold nothing of the day or the machine.

    The index of an MP4 comes to stand in front: in ``index_bytes`` kept free for it, which saves writing all twice, or
    by moving everything at the end.
    """
    options = {"fflags": "+bitexact"}
    if container != "WEBM":
        options |= {"video_track_timescale": str(rate.numerator * TICKS_PER_FRAME)}
        options |= {"moov_size": str(index_bytes)} if index_bytes else {"movflags": "+faststart"}
    return av.open(str(path), "w", format=MUXERS[container], container_options=options)


def add_video(out: OutputContainer, size: tuple[int, int], rate: Fraction, factor: int) -> VideoStream:
    """The picture track with our one setting: BT.709, limited range, chroma sited left, one thread."""
    if out.format.name == "webm":
        vp9 = {"crf": str(min(63, round(factor * 1.5))), "b": "0", "deadline": "realtime", "cpu-used": "7"}
        stream = out.add_stream("libvpx-vp9", rate, options=vp9 | {"row-mt": "0", "chroma_sample_location": "left"})
    else:
        x264 = {"crf": str(factor), "preset": "veryfast", "x264-params": X264}
        stream = out.add_stream("libx264", rate, options=x264 | {"chroma_sample_location": "left"})
    context = stream.codec_context
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.thread_count = 1
    context.time_base = 1 / rate
    context.colorspace = context.color_primaries = context.color_trc = colour.BT709
    context.color_range = colour.LIMITED
    return stream
