"""Interiors: a great hall or hangar whose end stands open to the light, and a quiet room with a window."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from .ground import range_of
from .layer import cut
from .palette import Rgb, mix, scale
from .people import walk
from .sky import sky
from .stage import Sheet, Stage

_SMALL = (
    "room",
    "kitchen",
    "bedroom",
    "studio",
    "cabin",
    "attic",
    "cellar",
    "bar",
    "cafe",
    "office",
    "workshop",
    "library",
    "inside",
    "interior",
    "restaurant",
)


def interior(stage: Stage) -> None:
    """A hall with columns, or a room, whichever the words are nearer to."""
    if stage.wanted.says(*_SMALL) and not stage.wanted.says(
        "hangar", "terminal", "hall", "station", "cathedral", "warehouse"
    ):
        _room(stage)
    else:
        _hall(stage)


def _view_outside(stage: Stage) -> None:
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    sky(stage, stars=palette.night)
    range_of(
        stage,
        "out",
        base=h - 0.02 * unit,
        amp=0.08,
        lumps=2.0,
        octaves=5,
        rough=0.5,
        colour=mix(palette.earth, palette.sky[0], 0.4),
        haze=0.6,
        distance=14.0,
    )


def _hall(stage: Stage) -> None:
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    _view_outside(stage)
    dark = mix(palette.shadow, palette.haze, 0.12)
    middle = stage.width / 2
    end = stage.sheet(5.0, mix(dark, palette.haze, 0.3))
    wall = mix(dark, palette.haze, 0.3)
    end.rect(end.left, end.top, end.wide, end.tall, wall)
    arch = [
        (middle + 0.34 * unit * x, h + 0.02 * unit - 0.5 * unit * y)
        for x, y in (
            (-1, 0),
            (-1, 0.5),
            (-0.9, 0.72),
            (-0.66, 0.9),
            (-0.33, 1.0),
            (0, 1.03),
            (0.33, 1.0),
            (0.66, 0.9),
            (0.9, 0.72),
            (1, 0.5),
            (1, 0),
        )
    ]
    end.hole(arch)
    for f in (-0.5, 0.0, 0.5):
        end.line([(middle + 0.34 * unit * f, h + 0.02 * unit), (middle + 0.34 * unit * f, h - 0.5 * unit)], 2.2, wall)
    for f in (0.34, 0.62):
        end.line([(middle - 0.34 * unit, h - 0.5 * f * unit), (middle + 0.34 * unit, h - 0.5 * f * unit)], 1.8, wall)
    end.line(arch, 5.0, mix(wall, palette.key, 0.35))
    end.done(haze=0.12)
    stage.lamp(middle, h - 0.2 * unit, 0.75 * unit, palette.key, 0.42 - 0.2 * palette.night, 5.0)
    for at, (distance, part) in enumerate(((3.4, 0.5), (2.2, 0.72), (1.45, 1.0))):
        _bay(stage, distance, part, at, dark)
    stage.mirrored(
        h + 0.04 * unit, mix(palette.shadow, palette.earth, 0.3), 0.5, 1.3, ripple=0.0, streak=0.15, fade=0.55
    )
    _shafts(stage)
    people = max(1, stage.wanted.people)
    walk(stage, foot=h + 0.2 * unit, tall=0.24 * unit, count=min(3, people), distance=1.2, spread=(0.4, 0.6), haze=0.03)


def _bay(stage: Stage, distance: float, part: float, at: int, dark: Rgb) -> None:
    """One pair of columns with the rib that spans them, and what stands between."""
    luck = stage.luck(f"bay{at}")
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    ink = mix(dark, palette.shadow, 0.4 + 0.2 * at)
    sheet = stage.sheet(distance, ink)
    middle = stage.width / 2
    half, wide = (0.34 + 0.62 * part**1.6) * unit, (0.05 + 0.05 * part) * unit
    foot, spring = h + (0.03 + 0.16 * part * part) * unit, h - (0.22 + 0.3 * part) * unit
    lit = mix(ink, palette.key, 0.3 - 0.1 * palette.night)
    for side in (-1.0, 1.0):
        x = middle + side * half
        outer = x + side * (stage.width + unit)
        sheet.poly([(x, foot), (x, sheet.top - 10), (x + side * wide, sheet.top - 10), (x + side * wide, foot)], ink)
        sheet.poly([(x, foot), (x, spring), (x + side * 0.2 * wide, spring), (x + side * 0.2 * wide, foot)], lit)
        sheet.rect(
            min(x - side * 0.2 * wide, x + side * 1.2 * wide),
            foot - 0.02 * unit,
            1.4 * wide,
            0.022 * unit,
            mix(ink, palette.key, 0.12),
        )
        if at < 2:
            sheet.poly(
                [
                    (x + side * wide, foot),
                    (x + side * wide, sheet.top - 10),
                    (outer, sheet.top - 10),
                    (outer, foot + 0.2 * unit),
                ],
                scale(ink, 0.8),
            )
            for _ in range(3):
                tall, broad = float(luck.uniform(0.04, 0.12)) * unit, float(luck.uniform(0.05, 0.12)) * unit
                bx = x + side * (wide + float(luck.uniform(0.0, 0.12)) * unit)
                sheet.rect(
                    min(bx, bx + side * broad), foot - tall, broad, tall + 0.02 * unit, mix(ink, palette.cloth[0], 0.14)
                )
        lamp_y = spring + 0.1 * unit
        tone = palette.lamps[at % len(palette.lamps)]
        sheet.rect(
            x - 0.006 * unit if side > 0 else x - 0.004 * unit,
            lamp_y,
            0.01 * unit,
            0.05 * unit,
            mix(tone, (255, 250, 235), 0.5),
        )
        stage.lamp(x, lamp_y + 0.025 * unit, 0.17 * unit * (0.5 + part), tone, 0.34, distance)
    rib = [
        (middle + half * c, spring - 0.32 * unit * part * s)
        for c, s in (
            (-1, 0),
            (-0.92, 0.38),
            (-0.7, 0.7),
            (-0.38, 0.92),
            (0, 1),
            (0.38, 0.92),
            (0.7, 0.7),
            (0.92, 0.38),
            (1, 0),
        )
    ]
    top = sheet.top - 20
    sheet.poly([(rib[0][0], top), *rib, (rib[-1][0], top)], ink)
    sheet.line(rib, 0.022 * unit * part + 1, lit)
    sheet.done(haze=0.3 - 0.12 * at)


def _shafts(stage: Stage) -> None:
    """Light in the dust: long soft beams from the upper left or right."""
    luck = stage.luck("shafts")
    grain = 0.25
    mx, my = stage.reach(1.8)
    wide, tall = int((stage.width + 2 * mx) * grain) & ~1, int((stage.height + 2 * my) * grain) & ~1
    side = 1.0 if stage.sun[0] < stage.width / 2 else -1.0
    beams = Image.new("L", (wide, tall), 0)
    from PIL import ImageDraw

    pen = ImageDraw.Draw(beams)
    for at in range(4):
        start = wide * (0.5 - side * (0.42 - 0.2 * at) + float(luck.uniform(-0.03, 0.03)))
        run, width = side * tall * 0.55, wide * float(luck.uniform(0.03, 0.07))
        pen.polygon(
            [(start, -10), (start + width, -10), (start + width * 2.2 + run, tall), (start + run, tall)],
            fill=int(luck.integers(50, 105)),
        )
    beams = beams.filter(ImageFilter.BoxBlur(6)).filter(ImageFilter.BoxBlur(6))
    fade = np.linspace(1.0, 0.12, tall, dtype=np.float32)[:, None]
    light = np.asarray(beams, np.float32) * fade * np.float32(0.62 - 0.3 * stage.palette.night) / np.float32(255.0)
    rgb = np.clip(light[..., None] * np.asarray(stage.palette.key, np.float32), 0, 255).astype(np.uint8)
    layer = cut(Image.fromarray(rgb), None, left=-mx, top=-my, distance=1.8, grain=grain, glow=True, flicker=0.04)
    stage.add(layer)


def _room(stage: Stage) -> None:
    """A wall with a tall window, light on the floor, a table, a lamp, shelves; plants near the lens."""
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    luck = stage.luck("room")
    _view_outside(stage)
    side = float(luck.choice(np.array([-1.0, 1.0])))
    middle = stage.width / 2 + side * 0.16 * min(stage.width, unit)
    warm = palette.lamps[-1]
    wall = mix(mix(palette.shadow, palette.cloth[0], 0.3), palette.haze, 0.12)
    sheet = stage.sheet(2.2, wall)
    sheet.rect(sheet.left, sheet.top, sheet.wide, sheet.tall, wall)
    floor = h + 0.17 * unit
    left, right, top, sill = middle - 0.3 * unit, middle + 0.3 * unit, h - 0.5 * unit, h + 0.02 * unit
    frame = mix(wall, palette.shadow, 0.5)
    sheet.rect(left - 0.03 * unit, top - 0.03 * unit, right - left + 0.06 * unit, sill - top + 0.06 * unit, frame)
    for col in range(3):
        for row in range(3):
            x0, y0 = left + (right - left) * col / 3 + 0.008 * unit, top + (sill - top) * row / 3 + 0.008 * unit
            x1, y1 = (
                left + (right - left) * (col + 1) / 3 - 0.008 * unit,
                top + (sill - top) * (row + 1) / 3 - 0.008 * unit,
            )
            sheet.hole([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    for part in (-1.0, 1.0):
        edge = left if part < 0 else right
        curtain = mix(wall, palette.cloth[1 % len(palette.cloth)], 0.4)
        for fold in range(5):
            x = edge + part * (0.02 + 0.032 * fold) * unit - 0.02 * unit
            sheet.poly(
                [
                    (x, top - 0.05 * unit),
                    (x + 0.034 * unit, top - 0.05 * unit),
                    (x + 0.034 * unit + part * 0.012 * unit, floor - 0.02 * unit),
                    (x + part * 0.012 * unit, floor - 0.02 * unit),
                ],
                scale(curtain, 0.78 + 0.12 * (fold % 3)),
            )
    _shelves(stage, sheet, luck, middle - side * 0.78 * unit, floor, wall)
    sheet.rect(sheet.left, floor - 0.025 * unit, sheet.wide, 0.028 * unit, scale(wall, 0.75))
    boards = mix(mix(palette.earth, palette.shadow, 0.4), warm, 0.08)
    sheet.rect(sheet.left, floor, sheet.wide, stage.height, boards)
    for at in range(16):
        x = (at - 7.5) / 7.5
        sheet.line(
            [(middle + x * 1.2 * unit, floor), (middle + x * 3.4 * unit, floor + 0.7 * unit)], 1.0, scale(boards, 0.84)
        )
    slant = -side * 0.34 * unit
    sheet.poly(
        [
            (left, floor + 0.03 * unit),
            (right, floor + 0.03 * unit),
            (right + slant + 0.1 * unit, floor + 0.36 * unit),
            (left + slant, floor + 0.36 * unit),
        ],
        mix(boards, palette.key, 0.42 - 0.24 * palette.night),
    )
    sheet.line(
        [((left + right) / 2, floor + 0.03 * unit), ((left + right) / 2 + slant, floor + 0.36 * unit)],
        4.0,
        mix(boards, palette.key, 0.12),
    )
    sheet.done(haze=0.0)
    stage.lamp(middle, h - 0.22 * unit, 0.8 * unit, palette.key, 0.36 - 0.2 * palette.night, 2.2)
    _shafts(stage)
    _table(stage, middle - side * 0.5 * unit, floor + 0.16 * unit, warm)
    if stage.wanted.people:
        where = (middle - side * 0.08 * unit) / stage.width
        walk(
            stage,
            foot=floor + 0.15 * unit,
            tall=0.46 * unit,
            count=1,
            distance=1.3,
            spread=(where - 0.02, where + 0.02),
            haze=0.0,
        )
    _plants(stage, side)


def _shelves(stage: Stage, sheet: Sheet, luck: np.random.Generator, x: float, floor: float, wall: Rgb) -> None:
    unit, palette = stage.unit, stage.palette
    wood = mix(wall, palette.shadow, 0.6)
    sheet.rect(x - 0.2 * unit, floor - 0.62 * unit, 0.4 * unit, 0.62 * unit, wood)
    for row in range(4):
        y = floor - (0.02 + 0.15 * row) * unit
        sheet.rect(x - 0.185 * unit, y - 0.125 * unit, 0.37 * unit, 0.125 * unit, mix(wood, (0, 0, 0), 0.3))
        at = x - 0.18 * unit
        while at < x + 0.16 * unit:
            wide, tall = float(luck.uniform(0.008, 0.024)) * unit, float(luck.uniform(0.06, 0.11)) * unit
            if luck.random() < 0.86:
                tone = palette.cloth[int(luck.integers(len(palette.cloth)))]
                sheet.rect(at, y - tall, wide, tall, mix(mix(wood, tone, 0.5), palette.key, 0.06))
            at += wide + 0.002 * unit


def _table(stage: Stage, x: float, foot: float, warm: Rgb) -> None:
    unit, palette = stage.unit, stage.palette
    ink = mix(palette.shadow, warm, 0.1)
    sheet = stage.sheet(1.25, ink)
    top = foot - 0.2 * unit
    sheet.poly(
        [
            (x - 0.3 * unit, top),
            (x + 0.3 * unit, top),
            (x + 0.34 * unit, top + 0.03 * unit),
            (x - 0.34 * unit, top + 0.03 * unit),
        ],
        mix(ink, palette.key, 0.3),
    )
    sheet.rect(x - 0.34 * unit, top + 0.03 * unit, 0.68 * unit, 0.018 * unit)
    for leg in (-0.31, 0.28):
        sheet.rect(x + leg * unit, top + 0.04 * unit, 0.025 * unit, 0.2 * unit)
    sheet.line([(x - 0.12 * unit, top + 0.01 * unit), (x - 0.12 * unit, top - 0.11 * unit)], 3.0)
    sheet.poly(
        [
            (x - 0.18 * unit, top - 0.1 * unit),
            (x - 0.06 * unit, top - 0.1 * unit),
            (x - 0.09 * unit, top - 0.19 * unit),
            (x - 0.15 * unit, top - 0.19 * unit),
        ],
        mix(warm, (255, 244, 220), 0.45),
    )
    sheet.rect(x + 0.06 * unit, top - 0.03 * unit, 0.14 * unit, 0.032 * unit, mix(ink, palette.cloth[0], 0.5))
    sheet.rect(x + 0.075 * unit, top - 0.052 * unit, 0.11 * unit, 0.024 * unit, mix(ink, palette.cloth[-1], 0.4))
    sheet.oval(x + 0.0 * unit, top - 0.012 * unit, 0.022 * unit, 0.022 * unit, mix(ink, (240, 232, 214), 0.5))
    sheet.done()
    stage.lamp(x - 0.12 * unit, top - 0.13 * unit, 0.5 * unit, warm, 0.45, 1.25)


def _plants(stage: Stage, side: float) -> None:
    luck = stage.luck("plants")
    ink = mix(stage.palette.shadow, (14, 26, 18), 0.5)
    unit = stage.unit
    sheet = stage.sheet(0.7, ink)
    x, foot = stage.width / 2 + side * (stage.width / 2 - 0.02 * unit), stage.height * 1.05
    for _ in range(16):
        tall = float(luck.uniform(0.3, 0.66)) * unit
        lean = float(luck.uniform(-0.5, 0.5)) * tall
        sheet.line([(x, foot), (x + lean * 0.3, foot - 0.6 * tall), (x + lean, foot - tall)], 2.0)
        sheet.poly(
            [
                (x + lean * 0.3, foot - 0.6 * tall),
                (x + lean * 0.9 - 0.05 * unit, foot - 0.85 * tall),
                (x + lean * 1.2, foot - tall * 1.02),
                (x + lean * 0.8 + 0.06 * unit, foot - 0.72 * tall),
            ]
        )
    sheet.done(blur=2.8)
