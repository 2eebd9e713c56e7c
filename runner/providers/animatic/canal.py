"""The canal: a stone bridge over still water at the end of the lane, lamps on its parapet and again below it."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

from .palette import Rgb, mix, scale
from .people import lantern, walk
from .stage import Point, Sheet, Stage, curve


def bridge(stage: Stage, middle: float) -> None:
    """The bridge, its reflection, and the quay one stands on; what lies behind is painted already."""
    unit, h, palette = stage.unit, stage.horizon, stage.palette
    water = h + 0.1 * unit
    stone = mix(mix((120, 112, 108), palette.shadow, 0.45 + 0.3 * palette.night), palette.lamps[0], 0.08)
    if stage.wanted.people:
        deck = h - 0.17 * unit
        spread = (middle / stage.width - 0.16, middle / stage.width + 0.16)
        walk(stage, foot=deck + 0.03 * unit, tall=0.15 * unit, count=3, distance=1.75, spread=spread, haze=0.2)
    _arch(stage, middle, water, stone)
    for side in (-1.0, 1.0):
        for at in (0.3, 0.62):
            x = middle + side * at * unit
            top = _deck(side * at, unit, h) - 0.2 * unit
            lantern(stage, x, top, 0.05 * unit, palette.lamps[int(at * 3) % len(palette.lamps)], 1.7, at)
    dark = mix(palette.shadow, palette.sky[1], 0.3)
    stage.mirrored(water, dark, 0.8, 1.5, ripple=2.4, streak=0.7, fade=0.3)
    _quay(stage, stone)


def _deck(x: float, unit: float, h: float) -> float:
    """The row of the bridge's deck at ``x`` units from its middle."""
    return h + (-0.15 + 0.2 * float(min(1.2, abs(x)) ** 1.8)) * unit


def _arch(stage: Stage, middle: float, water: float, stone: Rgb) -> None:
    unit, h, palette = stage.unit, stage.horizon, stage.palette
    sheet = stage.sheet(1.7, stone)
    reach = (sheet.wide / 2) / unit + 0.4
    steps = [reach * f / 24 for f in range(-24, 25)]
    deck: list[Point] = [(middle + x * unit, _deck(x, unit, h)) for x in steps]
    floor = water + 0.03 * unit
    sheet.poly([*deck, (deck[-1][0], floor), (deck[0][0], floor)], stone)
    # Courses of stone, a few of them lighter or darker than the rest.
    luck = stage.luck("stones")
    for _ in range(150):
        x = float(luck.uniform(-1.0, 1.0)) * reach
        y = _deck(x, unit, h) + float(luck.uniform(0.03, 0.26)) * unit
        if y < water:
            wide, tall = float(luck.uniform(0.03, 0.08)) * unit, 0.024 * unit
            sheet.rect(middle + x * unit, y, wide, tall, scale(stone, float(luck.uniform(0.82, 1.16))))
    half, rise = 0.42 * unit, 0.2 * unit
    outline = [(c, s) for c, s in ((-1, 0), (-0.93, 0.42), (-0.74, 0.72), (-0.4, 0.94), (0, 1.0))]
    whole = [*outline, *((-c, s) for c, s in reversed(outline[:-1]))]
    ring = curve([(middle + c * half * 1.11, floor - 0.02 * unit - s * rise * 1.2) for c, s in whole])
    sheet.poly([*ring, (ring[-1][0], floor), (ring[0][0], floor)], scale(stone, 1.28))
    for c, s in whole:
        a = (middle + c * half, floor - 0.02 * unit - s * rise)
        b = (middle + c * half * 1.12, floor - 0.02 * unit - s * rise * 1.22)
        sheet.line([a, b], 0.006 * unit, scale(stone, 0.7))
    hole = curve([(middle + c * half, floor - 0.02 * unit - s * rise) for c, s in whole])
    sheet.hole([*hole, (hole[-1][0], floor + 2), (hole[0][0], floor + 2)])
    _parapet(stage, sheet, deck, stone)
    sheet.done(haze=0.1)
    stage.lamp(middle, water - 0.03 * unit, 0.34 * unit, palette.lamps[0], 0.1 + 0.08 * palette.night, 1.9)


def _parapet(stage: Stage, sheet: Sheet, deck: list[Point], stone: Rgb) -> None:
    unit, palette = stage.unit, stage.palette
    tall = 0.058 * unit
    top = [(x, y - tall) for x, y in deck]
    sheet.poly([*top, *reversed(deck)], scale(stone, 0.86))
    sheet.line(deck, 0.012 * unit, scale(stone, 0.6))
    lit = mix(stone, palette.lamps[0] if palette.night > 0.4 else palette.key, 0.45)
    sheet.line(top, 0.016 * unit, lit)
    for x, y in deck[::3]:
        sheet.rect(x - 0.018 * unit, y - tall * 1.35, 0.036 * unit, tall * 1.35, scale(stone, 1.08))
        sheet.rect(x - 0.024 * unit, y - tall * 1.45, 0.048 * unit, 0.014 * unit, lit)
    # Posts for the lanterns.
    middle = (deck[0][0] + deck[-1][0]) / 2
    for side in (-1.0, 1.0):
        for at in (0.3, 0.62):
            x = middle + side * at * unit
            foot = _deck(side * at, unit, stage.horizon)
            sheet.line([(x, foot), (x, foot - 0.215 * unit)], 0.009 * unit, scale(palette.shadow, 0.7))


def _quay(stage: Stage, stone: Rgb) -> None:
    """The paved edge in front, wet with the light of the lanterns."""
    unit, palette = stage.unit, stage.palette
    edge = stage.height * 0.5 + 0.33 * min(unit, stage.height)
    sheet = stage.sheet(1.05, scale(stone, 0.6))
    left, wide = sheet.left, sheet.wide
    ground = scale(stone, 0.62)
    sheet.rect(left, edge, wide, stage.height, ground)
    luck = stage.luck("paving")
    middle = stage.width / 2
    for row in range(6):
        a, b = edge + 0.035 * row * (1 + 0.3 * row) * unit, edge + 0.035 * (row + 1) * (1.3 + 0.3 * row) * unit
        for col in range(-14, 15):
            size = (0.13 + 0.035 * row) * unit
            x = middle + (col + 0.5 * (row % 2)) * size
            wet = float(luck.uniform(0.0, 0.14)) * (1.0 + palette.night)
            tone = mix(
                scale(ground, float(luck.uniform(0.88, 1.14))), palette.lamps[col % len(palette.lamps)], wet * 0.55
            )
            gap = 0.004 * unit
            sheet.poly(
                [
                    (x + gap, a + gap),
                    (x + size - gap, a + gap),
                    (x + (size - gap) * 1.0 + 0.03 * (x + size - middle), b),
                    (x + gap + 0.03 * (x - middle), b),
                ],
                tone,
            )
    sheet.rect(left, edge - 0.004 * unit, wide, 0.014 * unit, mix(ground, palette.lamps[0], 0.32))
    sheet.done()
