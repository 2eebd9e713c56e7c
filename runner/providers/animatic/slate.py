"""The slate: scene, shot and take, how far in one is and what happens, on a band across the foot of the frame."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .chance import smooth
from .layer import F32, U16, Picture, halved, planes_of
from .palette import Rgb

CLEAR_S = 0.5
"""Seconds at both ends that stay without a slate, so that nothing burnt in is handed on."""

FADE_S = 0.4
"""Seconds the slate takes to come or go, at both ends and around a frame inside the clip that is handed on."""

AROUND = 1
"""Frames before and after one that is handed on which have no slate either: another reader may round otherwise."""

SHORTEST_S = 1.5
"""Clips shorter than this have no slate: there would be no time to read it."""

_PAPER: Rgb = (244, 241, 234)
_QUIET: Rgb = (186, 188, 194)
_PLATE: Rgb = (10, 11, 15)


@dataclass(frozen=True, slots=True)
class Patch:
    """A piece of slate: colours and cover (0 to 256) for a rectangle whose corner has even coordinates."""

    left: int
    top: int
    y: U16
    u: U16
    v: U16
    cover: U16
    few: U16


@dataclass(slots=True)
class Slate:
    """The slate of one clip; ``lay`` puts it on a frame."""

    width: int
    height: int
    seconds: float
    rate: float
    plate: Patch
    clock_box: tuple[int, int, int, int]
    size: int
    clear: tuple[int, ...]
    _clocks: dict[str, Patch] = field(default_factory=dict)

    def opacity(self, index: int, count: int) -> int:
        """How strongly frame ``index`` of ``count`` shows the slate: 0 (not at all) to 256."""
        clear, fade = round(CLEAR_S * self.rate), max(1.0, FADE_S * self.rate)
        inside = min(index - clear, count - 1 - clear - index) + 1
        for handed_on in self.clear:
            inside = min(inside, abs(index - min(handed_on, count - 1)) - AROUND)
        return int(256 * smooth(inside / fade)) if inside > 0 else 0

    def lay(self, picture: Picture, index: int, count: int) -> None:
        """Puts the slate on a frame, or leaves the frame as it is."""
        strength = self.opacity(index, count)
        if not strength:
            return
        _blend(picture, self.plate, strength)
        _blend(picture, self._clock(index / self.rate), strength)

    def _clock(self, now: float) -> Patch:
        text = f"{now:04.1f}"
        if text not in self._clocks:
            left, top, wide, tall = self.clock_box
            sheet = Image.new("RGBA", (wide, tall), (*_PLATE, 0))
            ImageDraw.Draw(sheet).text(
                (wide - 1, tall / 2), text, font=ImageFont.load_default(self.size), fill=(*_PAPER, 255), anchor="rm"
            )
            self._clocks[text] = _patch(sheet, left, top)
        return self._clocks[text]


def make(
    words: dict[str, Any], *, take: int, seconds: float, width: int, height: int, rate: float, accent: Rgb
) -> Slate | None:
    """The slate of a clip, or None where the clip is too short or too small to read one.

    ``words`` has ``scene``, ``scene_title``, ``shot`` and ``line``; missing ones are left out. ``clear`` lists the
    seconds at which a frame is handed on from inside the clip: there the slate is gone.
    """
    if seconds < SHORTEST_S:
        return None
    short = min(width, height)
    big, small = max(9, round(short * 0.030)), max(8, round(short * 0.0245))
    pad = round(short * 0.04)
    head_font, line_font = ImageFont.load_default(big), ImageFont.load_default(small)
    lines = _wrapped(str(words.get("line") or ""), line_font, width - 2 * pad, 2)
    total = f" / {seconds:g} s"
    tail = round(line_font.getlength(total))
    digits = round(head_font.getlength("000.0")) + 4
    clock_left = width - pad - tail - digits
    gap = round(small * 1.42)
    tall = round(pad * 0.62) * 2 + round(big * 1.3) + gap * len(lines) + (round(big * 0.25) if lines else 0)
    foot = round(short * 0.045) if height > width else 0
    if tall + foot > height // 2:
        # Letters can't shrink without end: a picture as small as this stays a picture.
        return None
    top = (height - tall - foot) & ~1
    high = (height - top) & ~1
    sheet = Image.new("RGBA", (width, high), (*_PLATE, 0))
    sheet.putalpha(_shade(width, high))
    pen = ImageDraw.Draw(sheet)
    middle = round(pad * 0.62) + big * 0.65
    bar = max(2, round(short * 0.005))
    pen.rectangle((pad, middle - big * 0.52, pad + bar - 1, middle + big * 0.52), fill=(*accent, 255))
    x = float(pad + bar + round(big * 0.55))
    _head(pen, words, take, x, middle, clock_left - big, head_font)
    pen.text((width - pad, middle), total, font=line_font, fill=(*_QUIET, 255), anchor="rm")
    y = round(pad * 0.62) + round(big * 1.3) + round(big * 0.25) + small * 0.62
    for line in lines:
        pen.text(
            (pad, y),
            line,
            font=line_font,
            fill=(*_QUIET, 255) if line is not lines[0] else (216, 216, 218, 255),
            anchor="lm",
        )
        y += gap
    box_left, box_top = clock_left & ~1, (top + int(middle - big * 0.8)) & ~1
    box = (box_left, box_top, (width - pad - tail - box_left) & ~1, (int(big * 1.6) + 1) & ~1)
    return Slate(
        width, height, seconds, rate, _patch(sheet, 0, top), box, big, _shown_at(words.get("clear") or (), rate)
    )


def _shown_at(times: Sequence[float], rate: float) -> tuple[int, ...]:
    """The frames shown at these seconds: the last one that begins no later."""
    return tuple(int(max(0.0, float(t)) * rate + 1e-6) for t in times)


def _head(
    pen: ImageDraw.ImageDraw, words: dict[str, Any], take: int, x: float, y: float, room: float, font: Any
) -> None:
    scene, title, shot = (str(words.get(name) or "") for name in ("scene", "scene_title", "shot"))
    parts: list[tuple[str, Rgb]] = []
    if scene:
        parts.append((f"Scene {scene}", _PAPER))
    if title:
        parts.append((title, _QUIET))
    if shot:
        parts.append((f"Shot {shot}", _PAPER))
    parts.append((f"Take {take}", _QUIET))
    dot = "  \u00b7  "
    # The title gives way first: number of scene, shot and take are what one looks for.
    while title and x + font.getlength(dot.join(text for text, _ in parts)) > room:
        title = title[:-2].rstrip()
        parts[1 if scene else 0] = (f"{title}\u2026", _QUIET)
        if len(title) < 3:
            parts.pop(1 if scene else 0)
            break
    for at, (text, colour) in enumerate(parts):
        if at:
            pen.text((x, y), dot, font=font, fill=(*_QUIET, 190), anchor="lm")
            x += font.getlength(dot)
        shown = _elided(text, font, room - x)
        pen.text((x, y), shown, font=font, fill=(*colour, 255), anchor="lm")
        x += font.getlength(shown)


def _elided(text: str, font: Any, room: float) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}\u2026") > room:
        text = text[:-1]
    return f"{text.rstrip()}\u2026" if text else ""


def _wrapped(text: str, font: Any, room: float, most: int) -> list[str]:
    lines: list[str] = []
    rest = " ".join(text.split())
    while rest:
        if len(lines) == most - 1 or font.getlength(rest) <= room:
            lines.append(_elided(rest, font, room))
            break
        words = rest.split(" ")
        count = len(words)
        while count > 1 and font.getlength(" ".join(words[:count])) > room:
            count -= 1
        line = " ".join(words[:count])
        if font.getlength(line) > room:
            # One word wider than the frame: it can only be cut.
            lines.append(_elided(line, font, room))
            break
        lines.append(line)
        rest = " ".join(words[count:])
    return lines


def _shade(width: int, high: int) -> Image.Image:
    """The plate: dark at the foot, gone at its upper edge, so that it belongs to the picture."""
    y = np.linspace(0.0, 1.0, high, dtype=np.float32)
    rise = np.clip(y / np.float32(0.3), 0, 1)
    alpha = (rise * rise * (3 - 2 * rise) * np.float32(0.42) + y * np.float32(0.24)) * np.float32(255)
    return Image.fromarray(np.repeat(alpha.astype(np.uint8)[:, None], width, axis=1))


def _patch(sheet: Image.Image, left: int, top: int) -> Patch:
    pixels: F32 = np.asarray(sheet, np.float32)
    y, u, v = planes_of(pixels[..., :3])
    alpha = pixels[..., 3] * np.float32(256.0 / 255.0)

    def whole(plane: F32) -> U16:
        rounded: U16 = np.floor(plane + np.float32(0.5)).astype(np.uint16)
        return rounded

    return Patch(left, top, whole(y), whole(halved(u)), whole(halved(v)), whole(alpha), whole(halved(alpha)))


def _blend(picture: Picture, patch: Patch, strength: int) -> None:
    for plane, ink, cover, half in (
        (picture.y, patch.y, patch.cover, 1),
        (picture.u, patch.u, patch.few, 2),
        (picture.v, patch.v, patch.few, 2),
    ):
        tall, wide = ink.shape
        top, left = patch.top // half, patch.left // half
        target = plane[top : top + tall, left : left + wide]
        part = (cover * np.uint16(strength >> 1)) >> np.uint16(7)
        target[...] = (target * (np.uint16(256) - part) + ink * part) >> np.uint16(8)
