"""Colour between pictures and clips: the same red goes in and comes out, whatever the clip says or leaves unsaid.

Three errors of common readers add up along a chain of shots, and each is avoided here: swscale's default rounding
(about -1 code value a decode), chroma read half a pixel beside where it was written, and the wrong matrix for clips
that carry no tags. Names are those of ITU-T H.273.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from ..errors import StoryError
from . import picture
from .picture import Rgb

if TYPE_CHECKING:
    from av.sidedata.sidedata import SideDataContainer

Plane = NDArray[np.uint8]

BT709, UNTOLD, BT601, BT470 = 1, 2, 6, 5
LIMITED, FULL = 1, 2
HDR = {16: "PQ (SMPTE ST 2084)", 18: "HLG (ARIB STD-B67)"}
NEARER_DB = 1.0
"""By how much BT.601 must beat BT.709 (or the reverse) on an untagged clip; within it BT.709, as browsers show it."""

MATRICES = {
    0: "rgb",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    11: "smpte431",
    12: "smpte432",
}
TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
}
RANGES = {LIMITED: "tv", FULL: "pc"}

EXACT = (
    Interpolation.LANCZOS
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.BITEXACT
)
_CHROMA_SLIP = 2
_SMALL = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT

# Chroma is halved by the least-squares inverse of the reader's Lanczos doubling, in 1/16384: what is read back and
# halved again gives the very same samples, so a chain of clips does not blur or slide. Across, samples sit on even
# columns ("left", as H.264 readers expect); down, between two rows.
_ACROSS = (34, 0, -314, 0, 1419, -1393, -1533, 5087, 9784, 5087, -1533, -1393, 1419, 0, -314, 0, 34)
_DOWN = (23, -93, -227, 477, 835, -2440, 1085, 8532, 8532, 1085, -2440, 835, 477, -227, -93, 23)


@dataclass(frozen=True, slots=True)
class Colour:
    """How a clip's numbers mean colours. ``guessed`` is true where the clip does not name its matrix."""

    matrix: str
    range: str
    primaries: str | None
    transfer: str | None
    chroma: str | None
    guessed: bool


def tags(frame: av.VideoFrame, matrix: int) -> Colour:
    """What a decoded frame says of its colour, and the matrix it is read with."""
    full = frame.color_range == FULL or frame.format.name.startswith("yuvj") or frame.format.is_rgb
    return Colour(
        matrix="rgb" if frame.format.is_rgb else MATRICES.get(matrix, str(matrix)),
        range="pc" if full else "tv",
        primaries=PRIMARIES.get(frame.color_primaries),
        transfer=TRANSFERS.get(frame.color_trc),
        chroma=_subsampling(frame),
        guessed=is_untold(frame),
    )


def is_untold(frame: av.VideoFrame) -> bool:
    """Whether the clip leaves open which matrix its colours were made with."""
    return frame.colorspace == UNTOLD and not frame.format.is_rgb


def matrix_of(head: av.VideoFrame, sent: Rgb | None) -> int:
    """The matrix to read a clip with, from its first frame and the picture it was asked to begin on.

    A tag is believed. Without one the head is read as BT.601 and as BT.709 and the nearer to ``sent`` is kept; within
    1 dB, or with nothing sent, BT.709.
    """
    if not is_untold(head):
        return int(head.colorspace)
    if sent is None:
        return BT709
    height, width = sent.shape[:2]
    near = {m: _psnr(picture.scale(to_rgb(head, m), width, height), sent) for m in (BT709, BT601)}
    return BT601 if near[BT601] - near[BT709] > NEARER_DB else BT709


def to_rgb(frame: av.VideoFrame, matrix: int) -> Rgb:
    """A decoded frame as a picture, turned as the clip says it is to be shown."""
    return _upright(_converted(frame, matrix, None, EXACT), frame)


def to_small_rgb(frame: av.VideoFrame, matrix: int, width: int) -> Rgb:
    """A decoded frame as a thumbnail this many pixels wide as shown; for looking at, not for handing on."""
    shown_width, shown_height = shown_size(frame)
    size = (width, max(2, round(shown_height * width / shown_width)))
    stored = size[::-1] if _orientation(frame)[0] else size
    return _upright(_converted(frame, matrix, stored, _SMALL), frame)


def shown_size(frame: av.VideoFrame) -> tuple[int, int]:
    """Width and height after the turn that the clip asks for."""
    return (frame.height, frame.width) if _orientation(frame)[0] else (frame.width, frame.height)


def rotation(frame: av.VideoFrame) -> int:
    """Degrees by which the stored picture is turned clockwise to be shown: 0, 90, 180 or 270."""
    return int(-frame.rotation) % 360


def refuse_hdr(frame: av.VideoFrame, path: str) -> None:
    """StoryError for a clip whose transfer is not that of ordinary video: it would come out grey and dull."""
    if frame.color_trc in HDR:
        raise StoryError.of(
            f"{path} is HDR video, {HDR[frame.color_trc]}", "convert it to SDR (BT.709) with a tool that maps tones"
        )


def to_planes(rgb: Rgb) -> tuple[Plane, Plane, Plane]:
    """A picture as Y, U, V planes: 4:2:0, BT.709, limited range, chroma sited left. Width and height must be even."""
    height, width = rgb.shape[:2]
    if height % 2 or width % 2:
        raise StoryError.of(f"{width}x{height} has an odd side", "use even numbers of pixels for clips")
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    wide = frame.reformat(
        format="yuv444p", dst_colorspace=BT709, src_color_range=FULL, dst_color_range=LIMITED, interpolation=EXACT
    )
    y, u, v = (plane_of(wide, index) for index in range(3))
    small_u, small_v = _halved(u), _halved(v)
    return _settled(rgb, y, small_u, small_v), small_u, small_v


def _settled(rgb: Rgb, y: Plane, u: Plane, v: Plane) -> Plane:
    """Luma that makes up for the rounding of chroma.

    Chroma has steps of two code values in blue, so plain rounding can be off by two. Where that is all that is wrong
    with a pixel, one step of luma the other way leaves every channel within one. Edges are left alone.
    """
    off = to_rgb(frame_of(y, u, v), BT709).astype(np.int16) - rgb
    most, least = off.max(axis=2), off.min(axis=2)
    small = np.maximum(most, -least) == _CHROMA_SLIP
    step = small & (np.abs(most + least) >= 2)
    return np.where(step, y.astype(np.int16) - np.sign(most + least), y).astype(np.uint8)


def plane_of(frame: av.VideoFrame, index: int) -> Plane:
    """A view of one 8-bit plane of a frame, without the padding at the end of its rows. Dies with the frame."""
    plane = frame.planes[index]
    samples: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return samples[:, : plane.width]


def frame_of(y: Plane, u: Plane, v: Plane) -> av.VideoFrame:
    """A frame for the encoder from planes as ``to_planes`` makes them, tagged BT.709 and limited."""
    height, width = y.shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for index, samples in enumerate((y, u, v)):
        plane_of(frame, index)[:] = samples
    frame.colorspace = frame.color_primaries = frame.color_trc = BT709
    frame.color_range = LIMITED
    return frame


def _halved(chroma: Plane) -> Plane:
    across = _filtered(chroma, _ACROSS, axis=1, first=-8, shift=10)
    return np.clip(_filtered(across, _DOWN, axis=0, first=-7, shift=18), 16, 240).astype(np.uint8)


def _filtered(
    samples: NDArray[np.integer], taps: tuple[int, ...], axis: int, first: int, shift: int
) -> NDArray[np.int32]:
    length = samples.shape[axis]
    beside = [(0, 0), (0, 0)]
    beside[axis] = (len(taps), len(taps))
    padded = np.pad(samples, beside, mode="edge").astype(np.int32)
    total: NDArray[np.int32] | None = None
    for number, tap in enumerate(taps):
        start = len(taps) + first + number
        cut = slice(start, start + length, 2)
        if tap:
            term = padded[:, cut] * np.int32(tap) if axis else padded[cut] * np.int32(tap)
            total = term if total is None else total + term
    assert total is not None
    return (total + np.int32(1 << (shift - 1))) >> np.int32(shift)


def _converted(frame: av.VideoFrame, matrix: int, size: tuple[int, int] | None, how: Interpolation) -> Rgb:
    told = frame.colorspace
    if is_untold(frame):
        frame.colorspace = matrix
    try:
        width, height = size or (frame.width, frame.height)
        # One thread: swscale's slices would not change the pixels, but jobs already run side by side.
        wide = frame.reformat(width, height, "rgb24", interpolation=how, dst_color_range=FULL, threads=1)
    finally:
        frame.colorspace = told
    plane = wide.planes[0]
    rows: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)
    return rows[:, : width * 3].reshape(height, width, 3)


def _orientation(frame: av.VideoFrame) -> tuple[bool, bool, bool]:
    """(swap rows and columns, then mirror left-right, then mirror top-bottom), from the clip's display matrix."""
    if not frame.rotation:
        return False, False, False
    side = cast("SideDataContainer", frame.side_data)[SideDataType.DISPLAYMATRIX]
    a, b, _, c, d = np.frombuffer(memoryview(side), np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


def _upright(rgb: Rgb, frame: av.VideoFrame) -> Rgb:
    swap, mirror, flip = _orientation(frame)
    turned = rgb.transpose(1, 0, 2) if swap else rgb
    if mirror:
        turned = turned[:, ::-1]
    if flip:
        turned = turned[::-1]
    return np.ascontiguousarray(turned)


def _subsampling(frame: av.VideoFrame) -> str | None:
    names = {(2, 2): "4:2:0", (2, 1): "4:2:2", (1, 1): "4:4:4", (4, 1): "4:1:1", (1, 2): "4:4:0"}
    if frame.format.is_rgb or len(frame.format.components) < 3:
        return None
    across = frame.width // max(1, frame.format.chroma_width(frame.width))
    down = frame.height // max(1, frame.format.chroma_height(frame.height))
    return names.get((across, down))


def _psnr(ours: Rgb, theirs: Rgb) -> float:
    error = float(np.mean((ours.astype(np.float32) - theirs.astype(np.float32)) ** 2))
    return 10 * math.log10(255 * 255 / max(error, 1e-9))
