"""Open country: desert, mountain, snowfield and field."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

import numpy as np

from .ground import dune, peaks, range_of
from .palette import Rgb, mix, scale
from .people import walk
from .sky import sky
from .stage import Stage, curve
from .woods import firs, grass, round_trees


def desert(stage: Stage) -> None:
    """Mesas or great arches far off, dunes with lit crests, a low sun."""
    sky(stage, stars=0.9 * stage.palette.night)
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    sand = palette.earth
    range_of(
        stage,
        "far",
        base=h - 0.02 * unit,
        amp=0.07,
        lumps=2.2,
        octaves=4,
        rough=0.5,
        colour=mix(sand, palette.sky[0], 0.35),
        haze=0.7,
        distance=14.0,
    )
    _mesas(stage, 7.0, 0.5, mix(sand, palette.shadow, 0.35))
    if (
        stage.wanted.says("arch", "arches", "stone", "statues", "monolithic")
        or stage.chance.shot("arch").random() < 0.4
    ):
        _arches(stage, 3.4, mix(sand, palette.shadow, 0.5))
    dune(stage, "d3", base=h + 0.05 * unit, amp=0.06, distance=3.2, colour=mix(sand, palette.haze, 0.25), haze=0.3)
    dune(stage, "d2", base=h + 0.14 * unit, amp=0.085, distance=1.8, colour=sand, haze=0.12)
    if stage.wanted.people or stage.wanted.says("camel", "caravan", "traveler", "traveller"):
        walk(
            stage,
            foot=h + 0.19 * unit,
            tall=0.13 * unit,
            count=max(1, min(4, stage.wanted.people)),
            distance=1.7,
            spread=(0.3, 0.62),
            haze=0.1,
        )
    dune(stage, "d1", base=h + 0.3 * unit, amp=0.1, distance=1.0, colour=mix(sand, palette.shadow, 0.32), haze=0.0)


def _mesas(stage: Stage, distance: float, haze: float, colour: Rgb) -> None:
    luck = stage.luck("mesas")
    unit, h = stage.unit, stage.horizon
    sheet = stage.sheet(distance, colour)
    for _ in range(int(luck.integers(2, 5))):
        x = float(luck.uniform(-0.1, 1.1)) * stage.width
        wide, tall = float(luck.uniform(0.12, 0.42)) * unit, float(luck.uniform(0.1, 0.24)) * unit
        lit = scale(colour, 1.22)
        steps = [
            (-1.0, 0.0),
            (-0.78, 0.42),
            (-0.7, 0.46),
            (-0.62, 0.95),
            (-0.3, 1.0),
            (0.34, 0.97),
            (0.6, 0.9),
            (0.68, 0.5),
            (0.8, 0.4),
            (1.0, 0.0),
        ]
        points = [
            (x + wide * a + float(luck.uniform(-0.02, 0.02)) * wide, h + 0.06 * unit - tall * b) for a, b in steps
        ]
        sheet.poly([*points, (points[-1][0], h + 0.4 * unit), (points[0][0], h + 0.4 * unit)])
        face = points[3:7]
        inner = [(px + 0.08 * wide, h + 0.06 * unit - tall * 0.3) for px, _ in reversed(face)]
        sheet.poly([*face, *inner], lit if stage.sun[0] > x else scale(colour, 0.92))
        for layer in range(3):
            y = h + 0.06 * unit - tall * (0.5 + 0.13 * layer)
            sheet.line([(x - 0.62 * wide, y), (x + 0.62 * wide, y + 0.004 * unit)], 1.4, scale(colour, 0.88))
    sheet.done(haze=haze)


def _arches(stage: Stage, distance: float, colour: Rgb) -> None:
    luck = stage.luck("arches")
    unit, h = stage.unit, stage.horizon
    sheet = stage.sheet(distance, colour)
    side = float(luck.choice(np.array([0.26, 0.72])))
    outer = [
        (-1.26, -0.2),
        (-1.16, 0.3),
        (-1.08, 0.72),
        (-0.84, 1.12),
        (-0.36, 1.4),
        (0.2, 1.42),
        (0.7, 1.16),
        (1.0, 0.7),
        (1.14, 0.25),
        (1.4, -0.2),
    ]
    inner = [
        (0.72, -0.2),
        (0.62, 0.3),
        (0.46, 0.76),
        (0.14, 1.02),
        (-0.28, 1.0),
        (-0.6, 0.7),
        (-0.72, 0.3),
        (-0.76, -0.2),
    ]
    lit = mix(scale(colour, 1.22), stage.palette.key, 0.16)
    for at, grow in ((1.0 - side + float(luck.uniform(-0.08, 0.08)), 0.5), (side, 1.0)):
        x, r = at * stage.width, 0.3 * unit * grow
        base = h + 0.1 * unit
        turn = 1.0 if stage.sun[0] > x else -1.0
        jag = [(a + float(luck.uniform(-0.04, 0.04)), b + float(luck.uniform(-0.03, 0.03))) for a, b in outer]
        sheet.poly(curve([(x + r * a * turn, base - r * b) for a, b in jag]))
        # The face towards the light, and the strata of the rock across it.
        sheet.poly(
            curve([(x + r * a * turn, base - r * b) for a, b in jag[3:]])
            + curve([(x + r * a * 0.9 * turn, base - r * b * 0.93) for a, b in reversed(jag[3:])]),
            lit,
        )
        for band in range(4):
            y = base - r * (0.2 + 0.26 * band)
            for foot in (-0.92, 0.84):
                sheet.line(
                    [(x + r * turn * (foot - 0.05), y), (x + r * turn * (foot + 0.07), y + 0.02 * r)],
                    1.2,
                    scale(colour, 0.86),
                )
        sheet.hole(curve([(x + r * a * turn, base - r * b) for a, b in inner]))
    sheet.done(haze=0.26)


def mountain(stage: Stage) -> None:
    """Snowy peaks in the haze, darker ridges nearer, firs at the front."""
    sky(stage, stars=stage.palette.night)
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    rock = mix(palette.earth, palette.sky[0], 0.35)
    peaks(stage, "peaks", base=h - 0.16 * unit, amp=0.24, distance=10.0, colour=rock, haze=0.5)
    range_of(
        stage,
        "m3",
        base=h - 0.05 * unit,
        amp=0.13,
        lumps=3.0,
        octaves=6,
        rough=0.52,
        colour=mix(rock, palette.shadow, 0.25),
        haze=0.46,
        distance=5.5,
        sharp=0.5,
        texture=0.3,
    )
    range_of(
        stage,
        "m2",
        base=h + 0.06 * unit,
        amp=0.1,
        lumps=2.4,
        octaves=6,
        rough=0.5,
        colour=mix(rock, palette.shadow, 0.5),
        haze=0.25,
        distance=3.0,
        sharp=0.25,
        texture=0.3,
    )
    firs(stage, "t2", base=h + 0.17 * unit, tall=0.12, count=46, distance=1.9, haze=0.12)
    if stage.wanted.people:
        walk(
            stage,
            foot=h + 0.3 * unit,
            tall=0.14 * unit,
            count=min(3, stage.wanted.people),
            distance=1.2,
            spread=(0.35, 0.6),
            haze=0.0,
        )
    firs(stage, "t1", base=h + 0.4 * unit, tall=0.34, count=13, distance=0.8, haze=0.0, clear=(0.3, 0.7), blur=1.6)


def snowfield(stage: Stage) -> None:
    """White hills, a few bare trees, a long blue distance."""
    sky(stage, stars=stage.palette.night)
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    snow = mix(mix((228, 236, 248), palette.haze, 0.25), palette.shadow, 0.55 * palette.night)
    peaks(
        stage,
        "peaks",
        base=h - 0.02 * unit,
        amp=0.16,
        distance=11.0,
        colour=mix(palette.sky[0], palette.haze, 0.4),
        haze=0.55,
    )
    range_of(
        stage,
        "s3",
        base=h + 0.03 * unit,
        amp=0.05,
        lumps=1.6,
        octaves=3,
        rough=0.4,
        colour=mix(snow, palette.sky[0], 0.2),
        haze=0.45,
        distance=5.0,
    )
    firs(stage, "t3", base=h + 0.08 * unit, tall=0.1, count=40, distance=3.6, haze=0.34, clear=(0.3, 0.6))
    blue = mix(snow, mix(palette.sky[0], palette.sky[1], 0.4), 0.42)
    dune(
        stage,
        "s2",
        base=h + 0.16 * unit,
        amp=0.05,
        distance=1.8,
        colour=snow,
        haze=0.1,
        lee_colour=mix(snow, blue, 0.7),
    )
    if stage.wanted.people:
        walk(
            stage,
            foot=h + 0.2 * unit,
            tall=0.14 * unit,
            count=min(3, stage.wanted.people),
            distance=1.7,
            spread=(0.35, 0.65),
            haze=0.1,
        )
    dune(
        stage,
        "s1",
        base=h + 0.33 * unit,
        amp=0.06,
        distance=1.0,
        colour=mix(snow, blue, 0.25),
        haze=0.0,
        lee_colour=blue,
    )


def field(stage: Stage) -> None:
    """Rolling fields, a far row of trees, tall grass at the lens."""
    sky(stage, stars=stage.palette.night)
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    green = palette.earth
    range_of(
        stage,
        "f5",
        base=h - 0.05 * unit,
        amp=0.1,
        lumps=1.8,
        octaves=4,
        rough=0.45,
        colour=mix(green, palette.sky[0], 0.5),
        haze=0.68,
        distance=12.0,
    )
    range_of(
        stage,
        "f4",
        base=h + 0.0 * unit,
        amp=0.06,
        lumps=1.6,
        octaves=3,
        rough=0.4,
        colour=mix(green, palette.sky[0], 0.2),
        haze=0.48,
        distance=6.0,
        texture=0.2,
    )
    round_trees(stage, "tr", h + 0.05 * unit, 3.6)
    range_of(
        stage,
        "f3",
        base=h + 0.07 * unit,
        amp=0.045,
        lumps=1.4,
        octaves=3,
        rough=0.4,
        colour=green,
        haze=0.26,
        distance=3.2,
        texture=0.3,
    )
    range_of(
        stage,
        "f2",
        base=h + 0.17 * unit,
        amp=0.06,
        lumps=1.2,
        octaves=3,
        rough=0.4,
        colour=mix(green, palette.shadow, 0.2),
        haze=0.08,
        distance=1.7,
        texture=0.4,
    )
    if stage.wanted.people:
        walk(
            stage,
            foot=h + 0.22 * unit,
            tall=0.17 * unit,
            count=min(3, stage.wanted.people),
            distance=1.6,
            spread=(0.35, 0.65),
            haze=0.05,
        )
    grass(stage, 1.0, h + 0.36 * unit, 0.12, 0.0)
    grass(stage, 0.68, stage.height * 1.05, 0.22, 2.4)
