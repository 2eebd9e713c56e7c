"""A layer: one flat of the set, painted once, then shown larger or shifted by parts of a pixel in every frame."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from .camera import View

U8: TypeAlias = npt.NDArray[np.uint8]
U16: TypeAlias = npt.NDArray[np.uint16]
F32: TypeAlias = npt.NDArray[np.float32]

OPAQUE = 256
"""Full cover in a layer's matte; mattes are kept as what still shines through (256 - cover)."""

EMPTY_MIN, SOLID_MIN = 48, 24
"""Empty columns and solid rows, in working pixels, that are worth cutting a layer in pieces for."""

FINE = 7
"""Bits of a pixel that positions are kept to: 256 times 1 << 7 still fits sixteen bits."""


@dataclass(slots=True)
class Picture:
    """A frame in the making: Y, U, V as uint16 with 4:2:0 chroma, values 0 to 255 (limited range BT.709)."""

    y: U16
    u: U16
    v: U16

    @classmethod
    def blank(cls, width: int, height: int) -> Picture:
        """A black picture; width and height even."""
        chroma = (height // 2, width // 2)
        return cls(
            np.full((height, width), 16, np.uint16), np.full(chroma, 128, np.uint16), np.full(chroma, 128, np.uint16)
        )


@dataclass(frozen=True, slots=True)
class Motion:
    """How a layer moves by itself: ``drift`` frame heights a second, swinging by ``swing`` frame heights in
    ``period`` seconds,
    ``ripple`` pixels (of a 720 line picture) of water under row ``shore`` (0 to 1 of the frame).
    """

    drift: tuple[float, float] = (0.0, 0.0)
    swing: tuple[float, float] = (0.0, 0.0)
    period: float = 4.0
    phase: float = 0.0
    ripple: float = 0.0
    shore: float = 1.0


STILL = Motion()


@dataclass(slots=True)
class Layer:
    """``luma`` is (2h, w): the premultiplied Y above its matte; ``chroma`` is (3h/2, w/2): U, V and their matte.

    ``left``, ``top``: where its corner lies in the frame, in pixels of the working picture, when the camera is at rest.
    ``grain``: source pixels per working pixel (below 1 for soft layers). ``glow``: added as light, nothing is covered.
    """

    luma: U16
    chroma: U16
    left: float
    top: float
    distance: float
    grain: float = 1.0
    glow: bool = False
    solid: bool = False
    motion: Motion = STILL
    flicker: float = 0.0

    @property
    def height(self) -> int:
        """Rows of the painted luma."""
        return int(self.luma.shape[0] // (1 if self.solid else 2))

    @property
    def width(self) -> int:
        """Columns of the painted luma."""
        return int(self.luma.shape[1])

    def box(self, view: View, wide: int, high: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in a frame of this size as the camera sees the layer."""
        x = (self.left - wide / 2) * view.scale + wide / 2 + view.dx * high
        y = (self.top - high / 2) * view.scale + high / 2 + view.dy * high
        return x, y, x + self.width / self.grain * view.scale, y + self.height / self.grain * view.scale

    def split(self) -> list[Layer]:
        """The same layer in pieces that cost less to show: without wide empty columns, and without a matte
        where it is solid.
        """
        if self.solid:
            return [self]
        clear = self.luma[self.height :]
        filled = np.flatnonzero(clear.min(axis=0) < OPAQUE)
        breaks = np.flatnonzero(np.diff(filled) > EMPTY_MIN * self.grain)
        starts, ends = [int(filled[0]), *filled[breaks + 1].tolist()], [*filled[breaks].tolist(), int(filled[-1])]
        return [
            piece
            for a, b in zip(starts, ends, strict=True)
            for piece in self._columns(max(0, a - 2) & ~1, min(self.width, (b + 4) & ~1))
        ]

    def _columns(self, start: int, end: int) -> list[Layer]:
        piece = replace(
            self,
            luma=self.luma[:, start:end],
            chroma=self.chroma[:, start // 2 : end // 2],
            left=self.left + start / self.grain,
        )
        clear = piece.luma[self.height :]
        used = np.flatnonzero(clear.min(axis=1) < OPAQUE)
        if not used.size:
            return []
        piece = piece._rows(max(0, int(used[0]) - 2) & ~1, min(piece.height, (int(used[-1]) + 4) & ~1))
        open_rows = np.flatnonzero(piece.luma[piece.height :].max(axis=1) > 0)
        seam = (int(open_rows[-1]) + 4) & ~1 if open_rows.size else 0
        if piece.height - seam < SOLID_MIN * self.grain:
            return [piece]
        # The upper piece goes on a little under the lower one, so that no row is left out between them.
        lower = piece._rows(seam, piece.height)
        half = lower.height // 2
        lower = replace(lower, luma=lower.luma[: lower.height], chroma=lower.chroma[: half * 2], solid=True)
        return [piece._rows(0, min(piece.height, seam + 6)), lower]

    def _rows(self, start: int, end: int) -> Layer:
        tall = self.height
        half, a, b = tall // 2, start // 2, end // 2
        luma = np.concatenate([self.luma[start:end], self.luma[tall + start : tall + end]])
        chroma = np.concatenate([self.chroma[part * half + a : part * half + b] for part in range(3)])
        return replace(self, luma=luma, chroma=chroma, top=self.top + start / self.grain)


def limits(layers: list[Layer], views: list[View], wide: int, high: int) -> list[int]:
    """For each layer, back to front: the row from which a solid, full-width piece in front of it hides it."""
    found: list[int] = []
    floor = high
    for layer, view in zip(reversed(layers), reversed(views), strict=True):
        found.append(floor)
        if layer.solid and not layer.glow:
            left, top, right, bottom = layer.box(view, wide, high)
            if left <= 0 and right >= wide and bottom >= floor:
                floor = min(floor, max(0, (int(top) + 4) & ~1))
    return found[::-1]


def taps(start: float, step: float, count: int, size: int, *, mirror: bool = False) -> tuple[npt.NDArray[np.intp], U16]:
    """For ``count`` pixels from source position ``start`` on: the left neighbour's index, and the right one's
    share in 1/128.
    """
    at = start + step * (np.arange(count, dtype=np.float64) + 0.5) - 0.5
    if mirror:
        at = np.abs(at)
        at = (size - 1.0) - np.abs((size - 1.0) - at)
    fixed = np.floor(np.clip(at, 0.0, size - 1.0) * float(1 << FINE) + 0.5).astype(np.int64)
    index = np.minimum(fixed >> FINE, max(0, size - 2))
    share = fixed - (index << FINE)
    return index.astype(np.intp), share.astype(np.uint16)


def lerp(source: U16, index: npt.NDArray[np.intp], share: U16) -> U16:
    """Rows of ``source`` read between two neighbours: exact whole-number arithmetic, the same on every processor."""
    low = source.take(index, axis=0, mode="clip")
    high = source.take(index + 1, axis=0, mode="clip")
    right = share[:, None]
    low *= np.uint16(1 << FINE) - right
    high *= right
    low += high
    low >>= np.uint16(FINE)
    return low


def sample(
    stack: U16, parts: int, rows: tuple[npt.NDArray[np.intp], U16], cols: tuple[npt.NDArray[np.intp], U16]
) -> U16:
    """Several planes stacked one above the other, all read at the same fractional rows and columns: (parts,
    rows, cols).
    """
    each = stack.shape[0] // parts
    first, last = int(cols[0].min()), int(cols[0].max()) + 2
    index = np.concatenate([rows[0] + each * part for part in range(parts)]) if parts > 1 else rows[0]
    share = np.concatenate([rows[1]] * parts) if parts > 1 else rows[1]
    tall = lerp(stack[:, first:last], index, share)
    wide = lerp(np.ascontiguousarray(tall.T), cols[0] - first, cols[1])
    return np.ascontiguousarray(wide.T).reshape(parts, rows[0].size, cols[0].size)


def planes_of(rgb: F32) -> tuple[F32, F32, F32]:
    """Y, U, V (limited range, ITU-R BT.709) of RGB 0 to 255, as float32 of the same size."""
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    y = r * np.float32(0.182586) + g * np.float32(0.614231) + b * np.float32(0.062007) + np.float32(16.0)
    u = b * np.float32(0.439216) - r * np.float32(0.100644) - g * np.float32(0.338572) + np.float32(128.0)
    v = r * np.float32(0.439216) - g * np.float32(0.398942) - b * np.float32(0.040274) + np.float32(128.0)
    return y, u, v


def halved(plane: F32) -> F32:
    """A plane at half the size, each pixel the mean of four; sides must be even."""
    return (plane[0::2, 0::2] + plane[1::2, 0::2] + plane[0::2, 1::2] + plane[1::2, 1::2]) * np.float32(0.25)


def _bytes(plane: F32) -> U16:
    whole: U16 = np.clip(plane + np.float32(0.5), 0.0, 255.0).astype(np.uint16)
    return whole


def cut(
    rgb: Image.Image,
    matte: Image.Image | None,
    *,
    left: float,
    top: float,
    distance: float,
    grain: float = 1.0,
    glow: bool = False,
    motion: Motion = STILL,
    flicker: float = 0.0,
    dither: F32 | None = None,
) -> Layer | None:
    """A painted cel made into a layer, trimmed to what covers anything; None when nothing does."""
    if matte is not None and not glow:
        box = matte.getbbox()
        if box is None:
            return None
        x0, y0, x1, y1 = box[0] & ~1, box[1] & ~1, box[2], box[3]
        x1, y1 = min(rgb.width, x1 + (x1 & 1)), min(rgb.height, y1 + (y1 & 1))
        rgb, matte = rgb.crop((x0, y0, x1, y1)), matte.crop((x0, y0, x1, y1))
        left, top = left + x0 / grain, top + y0 / grain
    colours = np.asarray(rgb, np.float32)[: rgb.height & ~1, : rgb.width & ~1]
    y, u, v = planes_of(colours)
    if dither is not None and not glow:
        high, wide = y.shape
        y = y + np.tile(dither, (high // dither.shape[0] + 1, wide // dither.shape[1] + 1))[:high, :wide]
    if glow:
        luma, chroma = _bytes(y - np.float32(16.0)), np.concatenate([_bytes(halved(u)), _bytes(halved(v))])
        return Layer(luma, chroma, left, top, distance, grain, True, True, motion, flicker)
    if matte is None:
        return Layer(
            _bytes(y),
            np.concatenate([_bytes(halved(u)), _bytes(halved(v))]),
            left,
            top,
            distance,
            grain,
            False,
            True,
            motion,
            flicker,
        )
    cover = np.asarray(matte, np.float32)[: matte.height & ~1, : matte.width & ~1] * np.float32(1.0 / 255.0)
    small = halved(cover)
    luma = np.concatenate([_bytes(y * cover), _clear(cover)])
    # Chroma is weighed by its cover before it is halved, or the colour of uncovered pixels would bleed into edges.
    chroma = np.concatenate([_bytes(halved(u * cover)), _bytes(halved(v * cover)), _clear(small)])
    return Layer(luma, chroma, left, top, distance, grain, False, False, motion, flicker)


def _clear(cover: F32) -> U16:
    clear: U16 = np.floor((np.float32(1.0) - cover) * np.float32(OPAQUE) + np.float32(0.5)).astype(np.uint16)
    return clear


def show(
    picture: Picture, layer: Layer, view: View, *, gain: int = 256, wobble: F32 | None = None, floor: int | None = None
) -> None:
    """Lays a layer over a picture as the camera sees it. ``gain`` (of 256) dims glows; ``wobble`` moves rows (water);
    from row ``floor`` down something nearer hides it all.
    """
    high, wide = picture.y.shape
    x, y, right, bottom = layer.box(view, wide, high)
    # Whole pairs of pixels, so that luma and chroma cover the same part; a layer that stops inside ends half a pair
    # early.
    x0, y0 = max(0, -int(-x // 2) * 2), max(0, -int(-y // 2) * 2)
    x1, y1 = min(wide, int(right // 2) * 2), min(high if floor is None else floor, int(bottom // 2) * 2)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    step = layer.grain / view.scale
    for half, stack in ((1, layer.luma), (2, layer.chroma)):
        parts = (1 if layer.solid else 2) if half == 1 else (2 if layer.solid else 3)
        rows_in, cols_in = stack.shape[0] // parts, stack.shape[1]
        rows = taps((y0 - y) * step / half, step, (y1 - y0) // half, rows_in)
        if wobble is not None:
            rows = _wobbled(rows, wobble[y0:y1:half] * np.float32(layer.grain / half), rows_in)
        cols = taps((x0 - x) * step / half, step, (x1 - x0) // half, cols_in)
        seen = sample(stack, parts, rows, cols)
        where = (slice(y0 // half, y1 // half), slice(x0 // half, x1 // half))
        targets = (picture.y[where],) if half == 1 else (picture.u[where], picture.v[where])
        if layer.glow:
            _lighten(targets, seen, half, gain)
        else:
            _cover(targets, seen, layer.solid)


def _wobbled(rows: tuple[npt.NDArray[np.intp], U16], wobble: F32, size: int) -> tuple[npt.NDArray[np.intp], U16]:
    fixed = (rows[0].astype(np.int64) << FINE) + rows[1] + np.floor(wobble * np.float32(1 << FINE)).astype(np.int64)
    fixed = np.clip(fixed, 0, (size - 1) << FINE)
    index = np.minimum(fixed >> FINE, max(0, size - 2))
    return index.astype(np.intp), (fixed - (index << FINE)).astype(np.uint16)


def _cover(targets: tuple[U16, ...], seen: U16, solid: bool) -> None:
    for at, target in enumerate(targets):
        if solid:
            target[...] = seen[at]
        else:
            np.multiply(target, seen[len(targets)], out=target)
            np.right_shift(target, np.uint16(8), out=target)
            np.add(target, seen[at], out=target)


def _lighten(targets: tuple[U16, ...], seen: U16, half: int, gain: int) -> None:
    for at, target in enumerate(targets):
        light = seen[at]
        if half == 1:
            light *= np.uint16(gain)
            light >>= np.uint16(8)
            np.add(target, light, out=target)
            np.minimum(target, np.uint16(235), out=target)
        else:
            signed = light.view(np.int16)
            signed -= np.int16(128)
            signed *= np.int16(gain >> 2)
            signed >>= np.int16(6)
            whole = target.view(np.int16)
            whole += signed
            np.clip(whole, 16, 240, out=whole)
