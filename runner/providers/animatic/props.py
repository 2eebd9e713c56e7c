"""Things seen close: a lantern, a hand with something in it, an umbrella, a bowl, a lamp, a flower, a face."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from . import people
from .layer import STILL, Motion, cut
from .palette import Rgb, mix, scale
from .stage import FINE, Lamp, Point, Sheet, Stage, curve

Fade = tuple[float, float]
_WARM: Rgb = (255, 246, 214)


def glowing(
    stage: Stage,
    paint: Callable[[Sheet, bool], None],
    box: tuple[float, float, float, float],
    *,
    ink: Rgb,
    fade: Fade,
    distance: float = 1.0,
    motion: Motion = STILL,
) -> None:
    """A thing painted twice, unlit and lit: what the light adds becomes a layer that can come and go.

    ``box``: left, top, width and height in pixels.
    """
    unlit, lit = (stage.sprite(distance, ink, *box, motion=motion) for _ in range(2))
    paint(unlit, False)
    paint(lit, True)
    added = np.asarray(lit.rgb, np.float32) - np.asarray(unlit.rgb, np.float32)
    cover = np.asarray(lit.matte, np.float32)[..., None] / np.float32(255)
    light = Image.fromarray((np.clip(added, 0, 255) * cover + np.float32(0.5)).astype(np.uint8)).reduce(FINE)
    unlit.done()
    layer = cut(light, None, left=unlit.left, top=unlit.top, distance=distance, glow=True, motion=motion, flicker=0.05)
    if layer is not None:
        stage.add(replace(layer, fade=fade))


def halo(
    stage: Stage,
    x: float,
    y: float,
    radius: float,
    colour: Rgb,
    fade: Fade,
    *,
    strength: float,
    distance: float = 1.0,
    motion: Motion = STILL,
) -> None:
    """The glow around a light of the shot's own."""
    layer = stage.glow([Lamp(x, y, radius, colour, strength, distance)])
    if layer is not None:
        stage.add(replace(layer, fade=fade, motion=motion))


def _side(stage: Stage) -> float:
    """Left (-1) or right (1) of the middle."""
    return float(stage.luck("prop").choice(np.array([-1.0, 1.0])))


def shade(
    sheet: Sheet, x: float, y: float, rx: float, ry: float, edge: Rgb, heart: Rgb, at: Point = (0.0, 0.0)
) -> None:
    """A round thing: from ``edge`` to ``heart``, whose middle lies at ``at`` (-1 to 1)."""
    steps = 22
    for step in range(steps):
        f = step / (steps - 1)
        r = 1.0 - f * 0.96
        soft = f * f * (3 - 2 * f)
        sheet.oval(x + at[0] * rx * f, y + at[1] * ry * f, rx * r, ry * r, mix(edge, heart, soft))


def paper(
    sheet: Sheet, x: float, y: float, size: float, colour: Rgb, lit: bool, dark: Rgb, *, string: float = 1.6
) -> None:
    """A paper lantern about (x, y), ``size`` pixels wide, seen a little from below; its ``string`` in sizes."""
    edge, heart = (
        (scale(colour, 0.78), mix(mix(colour, _WARM, 0.35), _WARM, 0.62))
        if lit
        else (mix(dark, colour, 0.16), mix(dark, colour, 0.4))
    )
    half, tall = 0.5 * size, 0.53 * size
    sheet.line([(x, y - string * size), (x, y - tall)], 0.012 * size, scale(dark, 0.5))
    shade(sheet, x, y, half, tall, edge, heart, (0.0, 0.24) if lit else (-0.25, -0.2))
    rib = mix(scale(colour, 0.46), heart, 0.12) if lit else mix(dark, colour, 0.1)
    for part in range(-3, 4):
        level = part * 0.2
        reach = half * (1.0 - level * level) ** 0.5 * 0.985
        bow = (0.05 + 0.05 * level) * size
        sheet.line(
            curve([(x + reach * f, y + level * tall + bow * (1 - f * f) - 0.03 * size) for f in (-1, -0.5, 0, 0.5, 1)]),
            0.007 * size,
            rib,
        )
    wood = mix(scale(dark, 0.7), colour, 0.1 if lit else 0.03)
    gold = mix(wood, (226, 176, 92), 0.55 if lit else 0.2)
    for end in (-1.0, 1.0):
        top = y + end * tall * 0.95
        sheet.rect(x - 0.2 * size, top - 0.045 * size, 0.4 * size, 0.09 * size, wood)
        sheet.oval(x, top + 0.045 * size, 0.2 * size, 0.026 * size, mix(wood, heart, 0.45) if end > 0 and lit else wood)
        sheet.oval(x, top - 0.045 * size, 0.2 * size, 0.026 * size, wood)
        sheet.rect(x - 0.2 * size, top + 0.004 * size, 0.4 * size, 0.014 * size, gold)
    foot = y + tall + 0.02 * size
    sheet.line([(x, foot), (x, foot + 0.16 * size)], 0.014 * size, gold)
    sheet.oval(x, foot + 0.17 * size, 0.03 * size, 0.035 * size, gold)
    for f in (-1.0, -0.6, -0.2, 0.2, 0.6, 1.0):
        sheet.line([(x, foot + 0.19 * size), (x + 0.034 * size * f, foot + 0.46 * size)], 0.012 * size, gold)


def lantern(stage: Stage, fade: Fade) -> None:
    """A paper lantern on its string, swaying."""
    unit = stage.unit / 1.3
    size = 0.56 * unit
    x, y = stage.width * 0.5 + _side(stage) * 0.14 * unit, stage.height * 0.47
    colour = stage.palette.lamps[0]
    # The lantern is of the colour that is named just before it.
    before = stage.wanted.words[: stage.wanted.words.index("lantern")] if stage.wanted.says("lantern") else ()
    named = [word for word in before if word in stage.wanted.colours]
    if named:
        colour = mix(stage.palette.cloth[stage.wanted.colours.index(named[-1])], _WARM, 0.08)
    dark = mix(stage.palette.shadow, (0, 0, 0), 0.1)
    motion = Motion(swing=(0.012, 0.0), period=4.6, phase=float(stage.luck("prop").random()))
    halo(stage, x, y, 1.5 * unit, colour, fade, strength=0.5, motion=motion)
    box = (x - 0.6 * size, y - 1.7 * size, 1.2 * size, 3.0 * size)
    glowing(
        stage, lambda sheet, lit: paper(sheet, x, y, size, colour, lit, dark), box, ink=dark, fade=fade, motion=motion
    )


def neighbours(stage: Stage) -> None:
    """Other lanterns near the one that is seen close; they end out of focus."""
    luck = stage.luck("neighbours")
    unit = stage.unit
    for at, f in enumerate((0.06, 0.24, 0.78, 0.95)):
        tone = stage.palette.lamps[(at % max(1, len(stage.palette.lamps) - 1)) - 1]
        y = stage.height * 0.5 + float(luck.uniform(-0.4, -0.12)) * unit
        size = float(luck.uniform(0.13, 0.2)) * unit
        people.lantern(stage, stage.width * (f + float(luck.uniform(-0.03, 0.03))), y, size, tone, 1.6, 0.0)


def _turned(x: float, y: float, rx: float, ry: float, way: Point, *, point: float = 0.0) -> list[Point]:
    """An ellipse whose long axis ``ry`` lies along ``way`` (a unit vector); ``point`` 1 makes leaves of it."""
    found: list[Point] = []
    for at in range(40):
        u = -1.0 + at / 10.0 if at < 20 else 1.0 - (at - 20) / 10.0
        side = (1.0 - u * u) ** (0.5 + 0.5 * point) * (1.0 if at < 20 else -1.0)
        found.append((x + way[0] * u * ry - way[1] * side * rx, y + way[1] * u * ry + way[0] * side * rx))
    return found


def _finger(sheet: Sheet, a: Point, b: Point, thick: float, colour: Rgb) -> None:
    sheet.line([a, b], thick, colour)
    for x, y in (a, b):
        sheet.oval(x, y, thick / 2, thick / 2, colour)


def _skin(stage: Stage) -> tuple[Rgb, Rgb, Rgb]:
    """Skin as this hour lights it: in shadow, plain, and where the light falls."""
    palette = stage.palette
    plain = mix(mix((202, 146, 116), palette.haze, 0.18), palette.shadow, 0.22 + 0.38 * palette.night)
    light = mix(plain, palette.lamps[0] if palette.night > 0.4 else palette.key, 0.42)
    return mix(plain, palette.shadow, 0.45), plain, light


def _coat(stage: Stage) -> Rgb:
    return mix(scale(stage.palette.cloth[0], 0.8 - 0.3 * stage.palette.night), stage.palette.shadow, 0.15)


def hand(stage: Stage, fade: Fade) -> None:
    """A hand closed around a slip of paper."""
    del fade
    unit = stage.unit / 1.3
    side = _side(stage)
    cx, cy = stage.width * 0.5 + side * 0.06 * unit, stage.height * 0.56
    dark, skin, light = _skin(stage)
    coat = _coat(stage)

    def at(x: float, y: float) -> Point:
        return cx + side * x * unit, cy + y * unit

    sheet = stage.sheet(1.0, coat)
    cuff = mix(coat, stage.palette.key, 0.22)
    sheet.poly([at(0.2, 0.16), at(0.36, -0.1), at(1.5, 0.42), at(1.5, 1.2), at(0.9, 0.9)], coat)
    sheet.poly([at(0.2, 0.16), at(0.25, 0.08), at(1.5, 0.95), at(1.5, 1.2), at(0.9, 0.9)], scale(coat, 0.7))
    sheet.poly([at(0.17, 0.15), at(0.34, -0.13), at(0.42, -0.09), at(0.25, 0.21)], cuff)
    # The slip stands up out of the fist; its foot is behind the fingers.
    slip = mix((240, 228, 202), stage.palette.shadow, 0.1 + 0.3 * stage.palette.night)
    ink = mix(slip, stage.palette.shadow, 0.6)
    sheet.poly([at(0.19, 0.13), at(0.3, -0.1), at(0.16, -0.19), at(0.02, -0.15), at(-0.06, 0.1), at(0.04, 0.19)], dark)
    sheet.poly([at(-0.19, -0.4), at(0.03, -0.46), at(0.13, 0.02), at(-0.1, 0.08)], slip)
    sheet.poly([at(-0.19, -0.4), at(0.03, -0.46), at(0.045, -0.395), at(-0.175, -0.335)], mix(slip, coat, 0.75))
    for row, wide in ((0.12, 0.8), (0.165, 0.6), (0.21, 0.7)):
        x, y = -0.19 + row * 0.19 + 0.025, -0.4 + row
        sheet.line([at(x, y), at(x + 0.2 * wide, y - 0.055 * wide)], 0.01 * unit, ink)
    for finger, (reach, y) in enumerate(((-0.125, -0.075), (-0.145, -0.012), (-0.135, 0.05), (-0.105, 0.107))):
        thick = (0.066 - 0.004 * finger) * unit
        root, tip = at(0.14 - 0.012 * finger, y + 0.0), at(reach, y + 0.03)
        _finger(sheet, root, tip, thick, dark)
        up = 0.008 * unit
        _finger(sheet, (root[0], root[1] - up), (tip[0], tip[1] - up), thick * 0.8, mix(skin, dark, 0.12 * finger))
        _finger(
            sheet,
            (root[0] - side * 0.05 * unit, root[1] - up * 2.0),
            (tip[0] + side * 0.02 * unit, tip[1] - up * 2.0),
            thick * 0.26,
            mix(light, skin, 0.15 + 0.2 * finger),
        )
    back = curve([at(0.11, 0.14), at(0.1, -0.08), at(0.17, -0.13), at(0.28, -0.1), at(0.33, -0.02), at(0.24, 0.15)])
    sheet.poly(back, skin)
    sheet.line(back[6:20], 0.012 * unit, light)
    thumb = [at(0.2, -0.11), at(0.08, -0.16), at(-0.02, -0.135)]
    for a, b, thick in ((thumb[0], thumb[1], 0.075), (thumb[1], thumb[2], 0.064)):
        _finger(sheet, a, b, thick * unit, skin)
    sheet.line([(x, y - 0.024 * unit) for x, y in thumb], 0.014 * unit, light)
    sheet.oval(*at(-0.035, -0.142), 0.02 * unit, 0.014 * unit, mix(light, (255, 240, 230), 0.3))
    sheet.done()


def umbrella(stage: Stage, fade: Fade) -> None:
    """An umbrella from the side, its ribs and its shaft."""
    del fade
    unit, palette = stage.unit / 1.3, stage.palette
    x, y = stage.width * 0.5 + _side(stage) * 0.06 * unit, stage.height * 0.56
    cloth = scale(palette.cloth[0], 0.92 - 0.3 * palette.night)
    dark = mix(palette.shadow, (0, 0, 0), 0.2)
    glow = mix(cloth, palette.lamps[0], 0.4)
    sheet = stage.sheet(1.0, cloth)
    sheet.line([(x, y - 0.1 * unit), (x + 0.03 * unit, y + 1.0 * unit)], 0.022 * unit, dark)
    sheet.line([(x + 0.006 * unit, y), (x + 0.036 * unit, y + 1.0 * unit)], 0.006 * unit, glow)
    wide, tall = 0.72 * unit, 0.46 * unit
    spokes = [-1.0, -0.72, -0.3, 0.22, 0.66, 1.0]
    for at in range(5):
        a, b = spokes[at], spokes[at + 1]
        side = [(x + wide * a * f**0.62, y - tall * (1 - f**1.9)) for f in (0.0, 0.1, 0.25, 0.45, 0.65, 0.85, 1.0)]
        other = [(x + wide * b * f**0.62, y - tall * (1 - f**1.9)) for f in (1.0, 0.85, 0.65, 0.45, 0.25, 0.1, 0.0)]
        middle = x + wide * (a + b) / 2
        lip = curve([side[-1], (middle, y - 0.055 * unit), other[0]])
        tone = mix(scale(cloth, (0.55, 0.78, 1.0, 0.86, 0.62)[at]), palette.key, (0.0, 0.04, 0.1, 0.06, 0.0)[at])
        sheet.poly([*side, *lip, *other], tone)
        sheet.line(lip, 0.007 * unit, mix(tone, glow, 0.6))
        sheet.line(side, 0.005 * unit, scale(tone, 0.6))
    sheet.line([(x, y - tall - 0.06 * unit), (x, y - tall + 0.02 * unit)], 0.018 * unit, dark)
    sheet.done()
    halo(stage, x, y + 0.1 * unit, 0.8 * unit, palette.lamps[0], (1.0, 1.0), strength=0.2 + 0.15 * palette.night)


def _ledge(stage: Stage, level: float) -> None:
    """The edge of a table on which a thing stands."""
    unit, palette = stage.unit / 1.3, stage.palette
    wood = mix(mix((96, 62, 40), palette.shadow, 0.35 + 0.4 * palette.night), palette.lamps[0], 0.06)
    sheet = stage.sheet(1.0, wood)
    left, wide = sheet.left, sheet.wide
    for step in range(14):
        y = level + (step / 14) * 0.2 * unit
        sheet.rect(left, y, wide, 0.2 * unit, mix(mix(wood, palette.lamps[0], 0.24), scale(wood, 0.8), step / 13))
    sheet.rect(left, level + 0.2 * unit, wide, stage.height, scale(wood, 0.5))
    sheet.rect(left, level + 0.2 * unit, wide, 0.008 * unit, mix(wood, palette.lamps[0], 0.4))
    sheet.done()


def bowl(stage: Stage, fade: Fade) -> None:
    """A bowl with steam rising from it, and chopsticks across."""
    unit, palette = stage.unit / 1.3, stage.palette
    x, y = stage.width * 0.5 + _side(stage) * 0.07 * unit, stage.height * 0.5 + 0.04 * unit
    lamp_tone = palette.lamps[0]
    glaze = mix(scale(palette.cloth[-1], 0.75 - 0.3 * palette.night), palette.shadow, 0.15)
    _ledge(stage, y + 0.28 * unit)
    sheet = stage.sheet(1.0, glaze)
    sheet.oval(x, y + 0.345 * unit, 0.34 * unit, 0.045 * unit, scale(palette.shadow, 0.6), 150)
    r = 0.4 * unit
    for step in range(24):
        f = step / 23
        tone = mix(scale(glaze, 0.5), mix(glaze, lamp_tone, 0.4), 1.0 - abs(f - 0.3) * 1.4)
        a, b = -1.0 + 2.0 * step / 24, -1.0 + 2.0 * (step + 1) / 24 + 0.01
        sheet.poly(
            [
                (x + r * a, y),
                (x + r * b, y),
                (x + r * 0.96 * b, y + 0.1 * unit),
                (x + r * 0.72 * b, y + 0.24 * unit),
                (x + r * 0.4 * b, y + 0.32 * unit),
                (x + r * 0.4 * a, y + 0.32 * unit),
                (x + r * 0.72 * a, y + 0.24 * unit),
                (x + r * 0.96 * a, y + 0.1 * unit),
            ],
            tone,
        )
    sheet.rect(x - 0.42 * r, y + 0.31 * unit, 0.84 * r, 0.04 * unit, scale(glaze, 0.55))
    sheet.oval(x, y, r, 0.1 * unit, mix(glaze, _WARM, 0.35))
    sheet.oval(x, y + 0.006 * unit, r * 0.96, 0.09 * unit, scale(glaze, 0.5))
    shade(sheet, x, y + 0.016 * unit, r * 0.9, 0.078 * unit, mix(scale(lamp_tone, 0.4), palette.shadow, 0.3), lamp_tone)
    luck = stage.luck("bowl")
    for _ in range(16):
        cx, cy = x + float(luck.uniform(-0.6, 0.5)) * r, y + float(luck.uniform(-0.03, 0.045)) * unit
        turn = float(luck.uniform(0.1, 0.26)) * r
        tone = mix((250, 222, 160), scale(lamp_tone, 0.7), float(luck.random()) * 0.6)
        bend = [(cx + turn * f, cy - (1 - f * f) * 0.03 * unit) for f in (-1.0, -0.5, 0.0, 0.5, 1.0)]
        sheet.line(curve(bend), 0.014 * unit, scale(tone, 0.95 - 0.2 * palette.night))
    stick = mix(palette.shadow, (120, 50, 36), 0.6)
    for gap in (0.0, 0.035):
        ends = [
            (x - 0.34 * unit, y - (0.03 + gap) * unit + 0.06 * unit),
            (x + 0.66 * unit, y - (0.16 + 1.4 * gap) * unit),
        ]
        sheet.line(ends, 0.02 * unit, stick)
        sheet.line([(a, b - 0.006 * unit) for a, b in ends], 0.005 * unit, mix(stick, lamp_tone, 0.55))
    sheet.done()
    _wisps(stage, x, y, r)
    halo(stage, x, y - 0.1 * unit, 0.9 * unit, lamp_tone, fade, strength=0.24)


def _wisps(stage: Stage, x: float, y: float, wide: float) -> None:
    luck = stage.luck("wisps")
    unit = stage.unit / 1.3
    for at in range(4):
        motion = Motion(drift=(0.0, -0.012 - 0.006 * at), swing=(0.012, 0.0), period=4.0 + at, phase=0.27 * at)
        sheet = stage.sheet(1.0, mix((232, 226, 216), stage.palette.lamps[0], 0.25), motion=motion)
        cx = x + float(luck.uniform(-0.6, 0.6)) * wide
        side = float(luck.choice(np.array([-1.0, 1.0])))
        path = [
            (cx + side * bend * unit, y - (0.02 + 0.11 * step) * unit)
            for step, bend in enumerate((0, 0.035, -0.02, -0.05, 0.01, 0.06))
        ]
        for step, (px, py) in enumerate(curve(path)):
            sheet.oval(px, py, (0.02 + 0.0016 * step) * unit, 0.04 * unit)
        sheet.done(blur=0.026 * unit, cover=0.3)


def lamp(stage: Stage, fade: Fade) -> None:
    """An oil lamp with its flame behind glass."""
    unit, palette = stage.unit / 1.3, stage.palette
    x, y = stage.width * 0.5 + _side(stage) * 0.12 * unit, stage.height * 0.5 + 0.02 * unit
    flame = mix(palette.lamps[0], (255, 190, 96), 0.4)
    dark = mix(palette.shadow, (0, 0, 0), 0.1)
    brass = mix(dark, (190, 138, 70), 0.4)
    _ledge(stage, y + 0.38 * unit)
    halo(stage, x, y, 1.2 * unit, flame, fade, strength=0.5)

    def paint(sheet: Sheet, lit: bool) -> None:
        glass = mix(dark, flame, 0.42 if lit else 0.1)
        bulge = [(0.07, -0.4), (0.08, -0.28), (0.13, -0.12), (0.17, 0.02), (0.15, 0.12), (0.09, 0.18)]
        for step in range(12):
            f = 1.0 - step / 12
            outline = [(x + w * f * unit, y + v * unit) for w, v in bulge]
            outline += [(x - w * f * unit, y + v * unit) for w, v in reversed(bulge)]
            sheet.poly(curve(outline), mix(glass, mix(flame, _WARM, 0.4), (0.5 if lit else 0.05) * (1 - f)), 120)
            if step == 0:
                sheet.line(curve(outline), 0.008 * unit, mix(glass, _WARM, 0.3), 200)
        metal = mix(brass, flame, 0.4 if lit else 0.0)
        sheet.poly(
            [
                (x - 0.1 * unit, y + 0.17 * unit),
                (x + 0.1 * unit, y + 0.17 * unit),
                (x + 0.2 * unit, y + 0.3 * unit),
                (x + 0.22 * unit, y + 0.4 * unit),
                (x - 0.22 * unit, y + 0.4 * unit),
                (x - 0.2 * unit, y + 0.3 * unit),
            ],
            scale(metal, 0.8),
        )
        sheet.rect(x - 0.12 * unit, y + 0.15 * unit, 0.24 * unit, 0.035 * unit, metal)
        sheet.rect(x - 0.24 * unit, y + 0.39 * unit, 0.48 * unit, 0.03 * unit, scale(metal, 0.6))
        if lit:
            for size, tone in ((1.0, flame), (0.7, mix(flame, _WARM, 0.5)), (0.42, _WARM)):
                drop = [
                    (0.0, -0.2),
                    (0.03, -0.08),
                    (0.045, 0.04),
                    (0.0, 0.1),
                    (-0.045, 0.04),
                    (-0.03, -0.08),
                    (0, -0.2),
                ]
                sheet.poly(curve([(x + a * size * unit, y + (0.06 + (b - 0.06) * size) * unit) for a, b in drop]), tone)

    glowing(stage, paint, (x - 0.3 * unit, y - 0.5 * unit, 0.6 * unit, 1.0 * unit), ink=dark, fade=fade)


def flower(stage: Stage, fade: Fade) -> None:
    """A flower on its stem, swaying, the sun in its petals."""
    del fade
    unit, palette = stage.unit / 1.3, stage.palette
    x, y = stage.width * 0.5 + _side(stage) * 0.16 * unit, stage.height * 0.42
    petal = scale(palette.cloth[0], 0.95 - 0.35 * palette.night)
    green = mix(mix(palette.shadow, (70, 120, 62), 0.7), palette.key, 0.08)
    motion = Motion(swing=(0.006, 0.002), period=3.8)
    sheet = stage.sheet(1.0, green, motion=motion)
    stem = curve([(x, y), (x + 0.03 * unit, y + 0.3 * unit), (x - 0.04 * unit, y + 0.7 * unit), (x, y + 1.1 * unit)])
    sheet.line(stem, 0.024 * unit, green)
    for way, base in (((-0.78, -0.62), 0.42), ((0.84, -0.54), 0.56)):
        lx, ly = x + way[0] * 0.17 * unit, y + (base + way[1] * 0.17) * unit
        sheet.poly(_turned(lx, ly, 0.06 * unit, 0.19 * unit, way, point=0.9), scale(green, 0.85))
        sheet.poly(
            _turned(lx, ly - 0.012 * unit, 0.03 * unit, 0.18 * unit, way, point=0.9), mix(green, palette.key, 0.2)
        )
    ways = [(0.0, 1.0), (0.866, 0.5), (-0.866, 0.5), (0.0, -1.0), (-0.866, -0.5), (0.866, -0.5)]
    for ring, (reach, turn) in enumerate(((0.18, False), (0.13, True))):
        for at, (wx, wy) in enumerate(ways):
            way = (wy, -wx) if turn else (wx, wy)
            tone = mix(scale(petal, 0.72 + 0.1 * (at % 3) + 0.1 * ring), palette.key, 0.12 + 0.14 * (at % 2))
            place = (x + way[0] * reach * unit, y + way[1] * reach * 0.8 * unit)
            sheet.poly(_turned(*place, 0.085 * unit, reach * unit, way, point=0.2), tone)
            sheet.line([(x, y), place], 0.006 * unit, scale(tone, 0.8))
    shade(
        sheet, x, y, 0.06 * unit, 0.05 * unit, mix((140, 90, 30), palette.shadow, 0.3), mix((255, 214, 110), petal, 0.1)
    )
    sheet.done()


def face(stage: Stage, fade: Fade) -> None:
    """A face in profile, dark against the light, its edge lit."""
    del fade
    unit, palette = stage.unit / 1.5, stage.palette
    side = _side(stage)
    cx, cy = stage.width * 0.5 - side * 0.1 * unit, stage.height * 0.5
    dark, skin, light = _skin(stage)
    body = mix(skin, palette.shadow, 0.6)

    def at(x: float, y: float) -> Point:
        return cx + side * x * unit, cy + y * unit

    # Forehead, brow, nose, lips, chin, throat.
    front = [
        (0.1, -0.37), (0.2, -0.29), (0.245, -0.17), (0.25, -0.09), (0.243, -0.05), (0.275, 0.01), (0.318, 0.062),
        (0.3, 0.088), (0.256, 0.096), (0.262, 0.128), (0.278, 0.15), (0.252, 0.168), (0.272, 0.192), (0.25, 0.222),
        (0.25, 0.262), (0.226, 0.306), (0.15, 0.318), (0.07, 0.31), (0.03, 0.37), (0.03, 0.5),
    ]  # fmt: skip
    edge = curve([at(*p) for p in front], 5)
    sheet = stage.sheet(1.0, body)
    sheet.poly([*edge, at(-0.24, 0.6), at(-0.3, 0.0), at(-0.16, -0.36)], body)
    sheet.poly([*(at(x * 0.86 - 0.02, y) for x, y in front), at(-0.24, 0.6), at(-0.3, 0.0)], mix(body, dark, 0.5))
    sheet.line(edge[10:92], 0.016 * unit, light)
    sheet.line(edge[14:60], 0.008 * unit, mix(light, _WARM, 0.5))
    hair = mix(palette.shadow, (30, 20, 18), 0.5)
    crown = [
        (0.2, -0.3), (0.1, -0.42), (-0.08, -0.46), (-0.26, -0.38), (-0.36, -0.18), (-0.35, 0.06), (-0.26, 0.28),
        (-0.16, 0.34), (-0.1, 0.2), (-0.08, 0.02), (-0.02, -0.1), (0.09, -0.19), (0.2, -0.3),
    ]  # fmt: skip
    sheet.poly(curve([at(*p) for p in crown]), hair)
    sheet.line(curve([at(*p) for p in crown[:5]]), 0.01 * unit, mix(hair, light, 0.5))
    lash = curve([at(0.16, -0.035), at(0.19, -0.02), at(0.222, -0.03)])
    sheet.line(lash, 0.012 * unit, hair)
    sheet.line(curve([at(0.15, -0.1), at(0.19, -0.118), at(0.236, -0.1)]), 0.013 * unit, hair)
    coat = _coat(stage)
    collar = [at(-0.3, 0.36), at(-0.1, 0.42), at(0.1, 0.46), at(0.18, 0.56), at(0.5, 0.7), at(0.6, 1.2), at(-0.9, 1.2)]
    sheet.poly([*collar, at(-0.7, 0.62)], coat)
    sheet.line([at(-0.1, 0.42), at(0.1, 0.46), at(0.18, 0.56), at(0.5, 0.7)], 0.012 * unit, mix(coat, light, 0.6))
    sheet.done()
