"""A layer: one flat of the set, painted once, then shown larger or shifted by parts of a pixel in every frame."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from .camera import View

U8: TypeAlias = npt.NDArray[np.uint8]
U16: TypeAlias = npt.NDArray[np.uint16]
F32: TypeAlias = npt.NDArray[np.float32]
Taps: TypeAlias = tuple[npt.NDArray[np.intp], U16]
"""Where to read along an axis: the left neighbour's index, and the right one's share in 1/128."""

OPAQUE = 256
"""Full cover in a layer's matte; mattes are kept as what still shines through (256 - cover)."""

EMPTY_MIN, SOLID_MIN = 48, 24
"""Empty columns and solid rows, in working pixels, that are worth cutting a layer in pieces for."""

STRIP = 64
"""Rows turned at once; more would not stay in the processor's cache."""

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
    """``luma`` and ``chroma`` are plates as ``plates`` makes them: premultiplied Y and its matte, and at half the size
    U, V and theirs; a ``solid`` layer has no mattes.

    ``left``, ``top``: where its corner lies in the frame, in pixels of the working picture, when the camera is at rest.
    ``grain``: source pixels per working pixel (below 1 for soft layers). ``glow``: added as light, nothing is covered;
    ``fade`` is how strong that light is at the start and at the end of the clip.
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
    fade: tuple[float, float] = (1.0, 1.0)

    @property
    def height(self) -> int:
        """Rows of the painted luma."""
        return int(self.luma.shape[2])

    @property
    def width(self) -> int:
        """Columns of the painted luma."""
        return int(self.luma.shape[0])

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
        filled = np.flatnonzero(self.luma[:, 1].min(axis=1) < OPAQUE)
        breaks = np.flatnonzero(np.diff(filled) > EMPTY_MIN * self.grain)
        starts, ends = [int(filled[0]), *filled[breaks + 1].tolist()], [*filled[breaks].tolist(), int(filled[-1])]
        return [
            piece
            for a, b in zip(starts, ends, strict=True)
            for piece in self._columns(max(0, a - 2) & ~1, min(self.width, (b + 4) & ~1))
        ]

    def _columns(self, start: int, end: int) -> list[Layer]:
        luma, chroma = self.luma[start:end], self.chroma[start // 2 : end // 2]
        piece = replace(self, luma=luma, chroma=chroma, left=self.left + start / self.grain)
        used = np.flatnonzero(luma[:, 1].min(axis=0) < OPAQUE)
        if not used.size:
            return []
        piece = piece._rows(max(0, int(used[0]) - 2) & ~1, min(piece.height, (int(used[-1]) + 4) & ~1))
        open_rows = np.flatnonzero(piece.luma[:, 1].max(axis=0) > 0)
        seam = (int(open_rows[-1]) + 4) & ~1 if open_rows.size else 0
        if piece.height - seam < SOLID_MIN * self.grain:
            return [piece]
        lower = piece._rows(seam, piece.height)
        bare = (np.ascontiguousarray(lower.luma[:, :1]), np.ascontiguousarray(lower.chroma[:, :2]))
        # The upper piece goes on a little under the lower one, so that no row is left out between them.
        return [piece._rows(0, min(piece.height, seam + 6)), replace(lower, luma=bare[0], chroma=bare[1], solid=True)]

    def _rows(self, start: int, end: int) -> Layer:
        luma = np.ascontiguousarray(self.luma[:, :, start:end])
        chroma = np.ascontiguousarray(self.chroma[:, :, start // 2 : end // 2])
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


def taps(start: float, step: float, count: int, size: int, *, mirror: bool = False) -> Taps:
    """For ``count`` pixels from source position ``start`` on: the left neighbour's index, and the right one's
    share in 1/128.
    """
    one = float(1 << FINE)
    at = np.arange(count, dtype=np.float64)
    at *= step * one
    at += (start + step * 0.5 - 0.5) * one + 0.5
    if mirror:
        end = (size - 1) * one
        at = end - np.abs(end - np.abs(at))
    fixed = at.astype(np.int64)
    np.maximum(fixed, 0, out=fixed)
    np.minimum(fixed, (size - 1) << FINE, out=fixed)
    index = fixed >> FINE
    np.minimum(index, max(0, size - 2), out=index)
    fixed -= index << FINE
    return index, fixed.astype(np.uint16)


def lerp(source: U16, index: npt.NDArray[np.intp], share: U16) -> U16:
    """The first axis of ``source`` read between neighbours: whole-number arithmetic, the same on every processor."""
    if not share.any() and int(index[-1] - index[0]) == index.size - 1 and bool((np.diff(index) == 1).all()):
        return source[int(index[0]) : int(index[-1]) + 1].copy()
    low = source.take(index, axis=0, mode="clip")
    high = source.take(index + 1, axis=0, mode="clip")
    right = share.reshape(-1, *([1] * (source.ndim - 1)))
    low *= np.uint16(1 << FINE) - right
    high *= right
    low += high
    low >>= np.uint16(FINE)
    return low


def turned(plane: U16) -> U16:
    """Rows made columns, a strip at a time: twice as fast as all at once."""
    rows, columns = plane.shape
    out = np.empty((columns, rows), np.uint16)
    for start in range(0, rows, STRIP):
        out[:, start : start + STRIP] = plane[start : start + STRIP].T
    return out


def plates(*planes: npt.NDArray[Any]) -> U16:
    """Planes of one size as ``sample`` reads them: (columns, planes, rows), so that both axes are read along rows."""
    return np.ascontiguousarray(np.stack([plane.T for plane in planes], axis=1).astype(np.uint16))


def sample(stack: U16, rows: Taps, cols: Taps) -> U16:
    """All plates read at the same fractional rows and columns: (planes, rows, columns)."""
    parts, high = stack.shape[1:]
    first, last = int(rows[0].min()), int(rows[0].max()) + 2
    if last - first < high * 3 // 4:
        left = int(cols[0].min())
        stack = stack[left : int(cols[0].max()) + 2, :, first:last]
        rows, cols, high = (rows[0] - first, rows[1]), (cols[0] - left, cols[1]), stack.shape[2]
    wide = lerp(stack, *cols)
    upright = turned(wide.reshape(wide.shape[0], -1))
    if parts == 1:
        return lerp(upright, *rows)[None]
    index = np.concatenate([rows[0] + high * part for part in range(parts)])
    return lerp(upright, index, np.concatenate([rows[1]] * parts)).reshape(parts, rows[0].size, cols[0].size)


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
    if glow or matte is None:
        luma = plates(_bytes(y - np.float32(16.0) if glow else y))
        chroma = plates(_bytes(halved(u)), _bytes(halved(v)))
        return Layer(luma, chroma, left, top, distance, grain, glow, True, motion, flicker)
    cover = np.asarray(matte, np.float32)[: matte.height & ~1, : matte.width & ~1] * np.float32(1.0 / 255.0)
    luma = plates(_bytes(y * cover), _clear(cover))
    # Chroma is weighed by its cover before it is halved, or the colour of uncovered pixels would bleed into edges.
    chroma = plates(_bytes(halved(u * cover)), _bytes(halved(v * cover)), _clear(halved(cover)))
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
        cols_in, rows_in = stack.shape[0], stack.shape[2]
        rows = taps((y0 - y) * step / half, step, (y1 - y0) // half, rows_in)
        if wobble is not None:
            rows = _wobbled(rows, wobble[y0:y1:half] * np.float32(layer.grain / half), rows_in)
        cols = taps((x0 - x) * step / half, step, (x1 - x0) // half, cols_in)
        seen = sample(stack, rows, cols)
        where = (slice(y0 // half, y1 // half), slice(x0 // half, x1 // half))
        targets = (picture.y[where],) if half == 1 else (picture.u[where], picture.v[where])
        if layer.glow:
            _lighten(targets, seen, half, gain)
        else:
            _cover(targets, seen, layer.solid)


def _wobbled(rows: Taps, wobble: F32, size: int) -> Taps:
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
