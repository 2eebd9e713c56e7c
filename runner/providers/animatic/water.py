"""Water: a harbour or open coast, with boats, a jetty, far land, and the sky again in the water."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

import numpy as np

from .city import towers
from .ground import range_of
from .layer import Motion
from .palette import Rgb, mix, scale
from .people import walk
from .sky import sky
from .stage import Sheet, Stage


def harbour(stage: Stage) -> None:
    """Sun or moon over water, boats at anchor that ride the swell, masts, a jetty with lamps."""
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    sky(stage, stars=palette.night)
    luck = stage.luck("harbour")
    land = mix(palette.shadow, palette.sky[0], 0.4)
    range_of(
        stage,
        "coast",
        base=h - 0.015 * unit,
        amp=0.07,
        lumps=1.7,
        octaves=5,
        rough=0.5,
        colour=land,
        haze=0.62,
        distance=12.0,
    )
    if (
        stage.wanted.says("harbour", "harbor", "pier", "dock", "docks", "quay", "ferry", "town", "canal", "fishing")
        or luck.random() < 0.5
    ):
        towers(
            stage,
            distance=7.0,
            base=h,
            low=0.03,
            high=0.1,
            wide=(0.04, 0.09),
            colour=mix(palette.shadow, palette.haze, 0.2),
            haze=0.46,
            windows=0.4,
            gap=(0.3, 0.8),
        )
    if stage.wanted.says("lighthouse") or stage.chance.shot("lighthouse").random() < 0.45:
        _lighthouse(stage, float(luck.choice(np.array([0.2, 0.8]))) * stage.width)
    boats = [
        (float(f), float(s))
        for f, s in zip(luck.permutation(np.array([0.16, 0.34, 0.66, 0.84])), (0.3, 0.22, 0.16, 0.13), strict=True)
    ]
    for at, (f, size) in enumerate(boats[1:]):
        _boat(stage, f * stage.width, h + 0.02 * unit + 0.06 * unit * size / 0.22, size * unit, 3.2 - at * 0.3, at)
    sea = mix(mix(palette.sky[0], palette.shadow, 0.45), palette.cloth[0], 0.08)
    stage.mirrored(h, sea, 0.8, 1.9, ripple=3.2, streak=0.8, fade=0.45)
    # The boats' hulls stand in front of their own reflections.
    f, size = boats[0]
    _boat(stage, f * stage.width, h + 0.15 * unit, size * unit * 1.25, 1.35, 7)
    for at, (f, size) in enumerate(boats[1:]):
        _boat(stage, f * stage.width, h + 0.02 * unit + 0.06 * unit * size / 0.22, size * unit, 3.2 - at * 0.3, at)
    _jetty(stage)


def _lighthouse(stage: Stage, x: float) -> None:
    unit, h, palette = stage.unit, stage.horizon, stage.palette
    ink = mix(palette.shadow, palette.haze, 0.3)
    sheet = stage.sheet(5.0, ink)
    sheet.poly(
        [
            (x - 0.2 * unit, h + 0.01 * unit),
            (x - 0.12 * unit, h - 0.04 * unit),
            (x - 0.03 * unit, h - 0.055 * unit),
            (x + 0.07 * unit, h - 0.05 * unit),
            (x + 0.16 * unit, h + 0.01 * unit),
        ]
    )
    pale = mix(ink, (236, 226, 214), 0.45 - 0.25 * palette.night)
    sheet.poly(
        [
            (x - 0.022 * unit, h - 0.05 * unit),
            (x - 0.014 * unit, h - 0.24 * unit),
            (x + 0.014 * unit, h - 0.24 * unit),
            (x + 0.022 * unit, h - 0.05 * unit),
        ],
        pale,
    )
    for band in (0.09, 0.16):
        sheet.rect(x - 0.02 * unit, h - (band + 0.03) * unit, 0.04 * unit, 0.03 * unit, mix(ink, palette.cloth[0], 0.5))
    sheet.rect(x - 0.02 * unit, h - 0.247 * unit, 0.04 * unit, 0.008 * unit)
    sheet.rect(x - 0.011 * unit, h - 0.275 * unit, 0.022 * unit, 0.028 * unit, (255, 240, 196))
    sheet.poly([(x - 0.016 * unit, h - 0.275 * unit), (x, h - 0.3 * unit), (x + 0.016 * unit, h - 0.275 * unit)])
    sheet.done(haze=0.3)
    stage.lamp(x, h - 0.26 * unit, 0.2 * unit, (255, 232, 180), 0.3 + 0.5 * palette.night, 5.0)


def _boat(stage: Stage, x: float, water: float, size: float, distance: float, at: int) -> None:
    """A fishing boat or a yawl on the water line ``water``, ``size`` pixels long."""
    luck = stage.luck(f"boat{at}")
    palette = stage.palette
    ink = mix(palette.shadow, palette.haze, 0.08)
    motion = Motion(swing=(0.0, 0.0022), period=3.4 + 0.4 * (at % 3), phase=float(luck.random()))
    sheet = stage.sprite(distance, ink, x - 0.75 * size, water - 1.5 * size, 1.5 * size, 1.62 * size, motion=motion)
    hull: Rgb = mix(ink, scale(palette.cloth[at % len(palette.cloth)], 0.6), 0.42)
    sheer = water - 0.16 * size
    sheet.poly(
        [
            (x - 0.52 * size, sheer - 0.05 * size),
            (x + 0.3 * size, sheer + 0.02 * size),
            (x + 0.5 * size, sheer - 0.03 * size),
            (x + 0.43 * size, water + 0.02 * size),
            (x - 0.4 * size, water + 0.02 * size),
        ],
        hull,
    )
    sheet.poly(
        [
            (x - 0.52 * size, sheer - 0.05 * size),
            (x + 0.3 * size, sheer + 0.02 * size),
            (x + 0.5 * size, sheer - 0.03 * size),
            (x + 0.49 * size, sheer),
            (x + 0.3 * size, sheer + 0.05 * size),
            (x - 0.5 * size, sheer - 0.02 * size),
        ],
        mix(hull, palette.key, 0.4 - 0.15 * palette.night),
    )
    kind = luck.random() < 0.55 and not stage.wanted.says("sail", "sails", "sailing")
    mast_x = x - 0.05 * size
    sheet.line([(mast_x, sheer), (mast_x, sheer - (0.8 if kind else 1.2) * size)], max(1.2, 0.018 * size))
    if kind:
        sheet.rect(x + 0.08 * size, sheer - 0.2 * size, 0.24 * size, 0.22 * size, mix(ink, (220, 214, 200), 0.25))
        sheet.rect(x + 0.06 * size, sheer - 0.23 * size, 0.28 * size, 0.035 * size)
        sheet.rect(
            x + 0.11 * size,
            sheer - 0.15 * size,
            0.07 * size,
            0.07 * size,
            mix(palette.lamps[-1], ink, 0.15 if palette.night > 0.3 else 0.7),
        )
        sheet.rect(
            x + 0.22 * size,
            sheer - 0.15 * size,
            0.07 * size,
            0.07 * size,
            mix(palette.lamps[-1], ink, 0.25 if palette.night > 0.3 else 0.75),
        )
        sheet.line([(mast_x, sheer - 0.75 * size), (x - 0.5 * size, sheer - 0.05 * size)], 0.8)
        sheet.line([(mast_x, sheer - 0.75 * size), (x + 0.46 * size, sheer - 0.02 * size)], 0.8)
        sheet.line([(mast_x, sheer - 0.3 * size), (x - 0.36 * size, sheer - 0.52 * size)], max(1.0, 0.014 * size))
        if palette.night > 0.3:
            stage.lamp(x + 0.18 * size, sheer - 0.12 * size, 0.5 * size, palette.lamps[-1], 0.4, distance)
    else:
        sail = mix(
            mix(palette.cloth[(at + 1) % len(palette.cloth)], (236, 226, 206), 0.6),
            palette.shadow,
            0.35 + 0.35 * palette.night,
        )
        sheet.poly(
            [
                (mast_x + 0.02 * size, sheer - 1.16 * size),
                (mast_x + 0.1 * size, sheer - 0.7 * size),
                (x + 0.44 * size, sheer - 0.12 * size),
                (mast_x + 0.02 * size, sheer - 0.1 * size),
            ],
            sail,
        )
        sheet.poly(
            [
                (mast_x - 0.02 * size, sheer - 1.1 * size),
                (mast_x - 0.14 * size, sheer - 0.5 * size),
                (x - 0.5 * size, sheer - 0.08 * size),
                (mast_x - 0.02 * size, sheer - 0.14 * size),
            ],
            scale(sail, 0.8),
        )
        sheet.line([(mast_x, sheer - 0.1 * size), (x + 0.46 * size, sheer - 0.1 * size)], max(1.0, 0.014 * size))
    sheet.done(haze=0.34 if distance > 2 else 0.06, lift=0.1)


def rowboat(stage: Stage, x: float, water: float, size: float, distance: float) -> None:
    """A rowing boat that drifts, ``size`` pixels long, with whoever sits in it and a lantern at its bow."""
    palette = stage.palette
    ink = mix(palette.shadow, (0, 0, 0), 0.2)
    motion = Motion(drift=(0.006, 0.0), swing=(0.0, 0.0022), period=3.6)
    wood = mix(mix((128, 78, 46), palette.shadow, 0.3 + 0.3 * palette.night), palette.cloth[0], 0.15)
    lit = mix(wood, palette.key, 0.4 - 0.2 * palette.night)
    sheet = stage.sprite(distance, ink, x - 0.7 * size, water - 0.75 * size, 1.4 * size, 0.95 * size, motion=motion)
    sheet.oval(x, water + 0.02 * size, 0.46 * size, 0.025 * size, ink, 150)
    if stage.wanted.people:
        coat = scale(palette.cloth[0], 0.85 - 0.35 * palette.night)
        px, seat = x - 0.08 * size, water - 0.1 * size
        body = [(-0.11, 0.04), (-0.1, -0.12), (-0.06, -0.24), (0.02, -0.27), (0.08, -0.2), (0.11, 0.04)]
        sheet.poly([(px + a * size, seat + b * size) for a, b in body], coat)
        sheet.oval(px + 0.02 * size, seat - 0.32 * size, 0.05 * size, 0.058 * size, mix(ink, (206, 150, 118), 0.55))
        sheet.oval(px + 0.005 * size, seat - 0.345 * size, 0.056 * size, 0.045 * size, mix(coat, ink, 0.6))
        sheet.line([(px + 0.04 * size, seat - 0.18 * size), (px + 0.18 * size, seat - 0.08 * size)], 0.04 * size, coat)
        oar = [(px + 0.1 * size, seat - 0.14 * size), (px + 0.42 * size, water + 0.05 * size)]
        sheet.line(oar, 0.016 * size, lit)
    rail = [(-0.54, -0.17), (-0.3, -0.105), (0.0, -0.09), (0.3, -0.105), (0.54, -0.18)]
    keel = [(0.46, -0.02), (0.36, 0.03), (-0.36, 0.03), (-0.46, -0.02)]
    sheet.poly([(x + a * size, water + b * size) for a, b in (*rail, *keel)], wood)
    sheet.poly([(x + a * size, water + b * size) for a, b in ((-0.5, -0.09), (0.5, -0.09), *keel)], scale(wood, 0.66))
    sheet.line([(x + a * size, water + b * size) for a, b in rail], 0.02 * size, lit)
    sheet.line([(x + 0.5 * size, water - 0.16 * size), (x + 0.5 * size, water - 0.36 * size)], 0.012 * size)
    sheet.oval(
        x + 0.5 * size, water - 0.34 * size, 0.03 * size, 0.042 * size, mix(palette.lamps[-1], (255, 246, 214), 0.5)
    )
    sheet.done()
    stage.lamp(x + 0.5 * size, water - 0.34 * size, 0.5 * size, palette.lamps[-1], 0.4, distance)


def _jetty(stage: Stage) -> None:
    luck = stage.luck("jetty")
    palette, unit = stage.palette, stage.unit
    ink = mix(palette.shadow, (0, 0, 0), 0.25)
    side = float(luck.choice(np.array([-1.0, 1.0])))
    edge = stage.width / 2 + side * stage.width / 2
    sheet = stage.sheet(0.95, ink)
    deck, tip = stage.horizon + 0.3 * unit, edge - side * 0.62 * unit
    far = edge + side * 0.5 * unit
    sheet.poly(
        [(tip, deck), (far, deck + 0.07 * unit), (far, deck + 0.13 * unit), (tip, deck + 0.025 * unit)],
        mix(ink, palette.haze, 0.1),
    )
    sheet.line([(tip, deck), (far, deck + 0.07 * unit)], 1.8, mix(ink, palette.key, 0.4 - 0.2 * palette.night))
    for post in range(7):
        x = tip + side * (0.03 + 0.15 * post) * unit
        y = deck + 0.07 * unit * (0.03 + 0.15 * post) / 1.12
        sheet.rect(x - 0.009 * unit, y - 0.035 * unit, 0.018 * unit, (0.22 + 0.05 * post) * unit)
    lamp_x = tip + side * 0.2 * unit
    _lamp_post(stage, sheet, lamp_x, deck + 0.012 * unit, side)
    sheet.done(haze=0.02)
    if stage.wanted.people:
        start = (tip + side * 0.26 * unit) / stage.width
        walk(
            stage,
            foot=deck + 0.022 * unit,
            tall=0.19 * unit,
            count=1,
            distance=0.95,
            spread=(start - 0.01, start + 0.01),
            haze=0.0,
        )


def _lamp_post(stage: Stage, sheet: Sheet, x: float, foot: float, side: float) -> None:
    unit = stage.unit
    top = foot - 0.3 * unit
    sheet.line([(x, foot), (x, top), (x - side * 0.045 * unit, top - 0.012 * unit)], 3.0)
    sheet.poly(
        [
            (x - side * 0.045 * unit - 0.016 * unit, top + 0.022 * unit),
            (x - side * 0.045 * unit - 0.01 * unit, top - 0.014 * unit),
            (x - side * 0.045 * unit + 0.01 * unit, top - 0.014 * unit),
            (x - side * 0.045 * unit + 0.016 * unit, top + 0.022 * unit),
        ],
        (255, 228, 170) if stage.palette.night > 0.15 else None,
    )
    if stage.palette.night > 0.15:
        stage.lamp(
            x - side * 0.045 * unit,
            top + 0.01 * unit,
            0.3 * unit,
            stage.palette.lamps[-1],
            0.35 + 0.35 * stage.palette.night,
            0.95,
        )
