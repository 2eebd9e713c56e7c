"""The people of a shot: small figures in coats and capes who walk through it, and what they carry."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

from dataclasses import replace

from .layer import Motion
from .palette import Rgb, mix, scale
from .stage import Sheet, Stage


def figure(
    sheet: Sheet,
    x: float,
    foot: float,
    tall: float,
    coat: Rgb,
    dark: Rgb,
    *,
    umbrella: Rgb | None = None,
    lean: float = 0.0,
    rim: Rgb | None = None,
    child: bool = False,
) -> None:
    """One figure, standing with its feet at (x, foot): long coat, head, legs, maybe an umbrella; ``rim`` is
    light on its edge.
    """
    h = tall
    head = 0.062 if not child else 0.085
    skin = mix(dark, (196, 140, 110), 0.42)
    # Legs in mid-step, mostly under the coat.
    sheet.poly(
        [
            (x - 0.07 * h, foot - 0.3 * h),
            (x - 0.015 * h, foot - 0.3 * h),
            (x - 0.06 * h + lean * h, foot),
            (x - 0.115 * h + lean * h, foot),
        ],
        dark,
    )
    sheet.poly(
        [
            (x + 0.01 * h, foot - 0.3 * h),
            (x + 0.07 * h, foot - 0.3 * h),
            (x + 0.105 * h + lean * h, foot - 0.01 * h),
            (x + 0.05 * h + lean * h, foot - 0.01 * h),
        ],
        dark,
    )
    cape = [
        (x - 0.045 * h, foot - 0.84 * h),
        (x + 0.045 * h, foot - 0.84 * h),
        (x + 0.095 * h, foot - 0.76 * h),
        (x + 0.115 * h, foot - 0.46 * h),
        (x + 0.15 * h, foot - 0.2 * h),
        (x + 0.03 * h, foot - 0.17 * h),
        (x - 0.14 * h, foot - 0.19 * h),
        (x - 0.112 * h, foot - 0.46 * h),
        (x - 0.095 * h, foot - 0.76 * h),
    ]
    sheet.poly(cape, coat)
    sheet.poly(
        [cape[0], (x - 0.01 * h, foot - 0.84 * h), (x - 0.035 * h, foot - 0.18 * h), cape[6], cape[7], cape[8]],
        mix(coat, dark, 0.45),
    )
    if rim is not None:
        sheet.line(
            [(x + 0.088 * h, foot - 0.76 * h), (x + 0.108 * h, foot - 0.46 * h), (x + 0.142 * h, foot - 0.21 * h)],
            max(0.8, 0.014 * h),
            rim,
        )
    sheet.oval(x, foot - 0.9 * h, head * h, head * 1.2 * h, skin)
    sheet.poly(
        [
            (x - head * 1.2 * h, foot - 0.86 * h),
            (x - head * 1.1 * h, foot - 0.94 * h),
            (x, foot - 0.99 * h),
            (x + head * 1.1 * h, foot - 0.93 * h),
            (x + head * 0.7 * h, foot - 0.92 * h),
            (x - 0.2 * head * h, foot - 0.92 * h),
            (x - 0.5 * head * h, foot - 0.85 * h),
        ],
        mix(coat, dark, 0.6 if not child else 0.15),
    )
    if umbrella is not None:
        top = foot - 1.2 * h
        sheet.line([(x + 0.1 * h, foot - 0.55 * h), (x + 0.04 * h, top + 0.04 * h)], max(1.0, 0.014 * h), dark)
        rim_y = foot - 0.98 * h
        r = 0.36 * h
        dome = [
            (x + 0.04 * h + r * c, rim_y - 0.21 * h * s)
            for c, s in (
                (-1, 0),
                (-0.92, 0.42),
                (-0.7, 0.75),
                (-0.36, 0.95),
                (0, 1.02),
                (0.36, 0.95),
                (0.7, 0.75),
                (0.92, 0.42),
                (1, 0),
            )
        ]
        scallop = [
            (x + 0.04 * h + r * c, rim_y - 0.035 * h * s)
            for c, s in ((0.75, 1), (0.5, 0), (0.25, 1), (0, 0), (-0.25, 1), (-0.5, 0), (-0.75, 1))
        ]
        sheet.poly(dome + scallop, umbrella)
        sheet.poly(
            [dome[0], dome[1], dome[2], dome[3], dome[4], (x - 0.02 * h, rim_y), scallop[5]], scale(umbrella, 0.62)
        )
        sheet.poly([dome[4], dome[5], dome[6], (x + 0.22 * h, rim_y - 0.02 * h)], mix(umbrella, (255, 244, 220), 0.18))


def walk(
    stage: Stage,
    *,
    foot: float,
    tall: float,
    count: int,
    distance: float,
    spread: tuple[float, float] = (0.2, 0.8),
    haze: float = 0.15,
) -> None:
    """Figures who cross the frame at their own pace. ``foot`` is the row they walk on, ``tall`` their height in
    pixels, ``spread``
    the part of the frame's width where they begin.
    """
    luck = stage.luck(f"walk{distance}")
    palette = stage.palette
    wet = "rain" in stage.wanted.weather
    child = stage.wanted.says("girl", "boy", "child", "children")
    dark = mix(palette.shadow, (0, 0, 0), 0.2)
    for at in range(count):
        h = tall * float(luck.uniform(0.9, 1.08)) * (0.72 if child and at == 0 else 1.0)
        low, high = spread
        x = stage.width * (low + (high - low) * (at + float(luck.uniform(0.2, 0.8))) / count)
        coat = palette.cloth[at % len(palette.cloth)]
        if at == 0 and stage.wanted.says("yellow"):
            coat = (244, 200, 60)
        coat = (
            scale(coat, 0.85 - 0.4 * palette.night)
            if at == 0
            else mix(scale(coat, 0.55 - 0.25 * palette.night), dark, 0.45)
        )
        speed = float(luck.uniform(0.008, 0.024)) * (1.0 if x < stage.width / 2 else -1.0)
        motion = Motion(
            drift=(speed, 0.0),
            swing=(0.0, 0.0022 * tall / (0.25 * stage.height)),
            period=0.62 + 0.1 * at / max(1, count),
            phase=float(luck.random()),
        )
        ground = foot + float(luck.uniform(-0.02, 0.03)) * tall
        sheet = stage.sprite(
            distance, mix(dark, coat, 0.3), x - 0.45 * h, ground - 1.3 * h, 0.95 * h, 1.36 * h, motion=motion
        )
        umbrella = palette.cloth[(at + 1) % len(palette.cloth)] if wet and at % 2 == 0 else None
        if umbrella is not None:
            umbrella = scale(umbrella, 0.9 - 0.3 * palette.night)
        lit = (
            mix(palette.lamps[at % len(palette.lamps)], coat, 0.3)
            if palette.night > 0.4
            else mix(palette.key, coat, 0.35)
        )
        figure(sheet, x, ground, h, coat, dark, umbrella=umbrella, rim=lit, child=child and at == 0)
        sheet.done(haze=haze, lift=0.0)


def lantern(stage: Stage, x: float, y: float, size: float, colour: Rgb, distance: float, phase: float) -> None:
    """A paper lantern that sways, hung at (x, y), ``size`` pixels wide, with its glow."""
    motion = Motion(swing=(0.0035 * size / 20.0, 0.0), period=3.2 + phase, phase=phase)
    hot = mix(colour, (255, 246, 214), 0.62)
    sheet = stage.sprite(distance, colour, x - size, y - 0.2 * size, 2 * size, 2.1 * size, motion=motion)
    sheet.line([(x, y - 0.2 * size), (x, y + 0.2 * size)], 1.0, mix(colour, (0, 0, 0), 0.75))
    sheet.rect(x - 0.22 * size, y + 0.14 * size, 0.44 * size, 0.1 * size, scale(colour, 0.3))
    middle = y + 0.72 * size
    sheet.oval(x, middle, 0.5 * size, 0.54 * size, scale(colour, 0.86))
    sheet.oval(x, middle, 0.38 * size, 0.53 * size, colour)
    sheet.oval(x, middle + 0.04 * size, 0.24 * size, 0.44 * size, mix(colour, hot, 0.6))
    sheet.oval(x, middle + 0.1 * size, 0.13 * size, 0.3 * size, hot)
    for part in (-0.3, -0.1, 0.1, 0.3):
        half = 0.5 * (1.0 - (part / 0.56) ** 2) ** 0.5
        sheet.line(
            [(x - half * size, middle + part * size), (x + half * size, middle + part * size)], 0.5, scale(colour, 0.72)
        )
    sheet.rect(x - 0.2 * size, middle + 0.5 * size, 0.4 * size, 0.09 * size, scale(colour, 0.3))
    sheet.line([(x, middle + 0.58 * size), (x, middle + 0.95 * size)], 1.2, scale(colour, 0.5))
    sheet.done()
    stage.layers[-1] = replace(stage.layers[-1], motion=motion)
    stage.lamp(x, middle, 3.0 * size, colour, 0.42, distance)
