"""The ground a set stands on: ranges of hills, peaks with snow, dunes."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

import numpy as np

from .layer import F32
from .palette import Rgb, mix, scale
from .stage import Stage, line_noise


def range_of(
    stage: Stage,
    purpose: str,
    *,
    base: float,
    amp: float,
    lumps: float,
    octaves: int,
    rough: float,
    colour: Rgb,
    haze: float,
    distance: float,
    sharp: float = 0.0,
    texture: float = 0.0,
    lift: float = 0.35,
) -> None:
    """A range of hills or mountains: base row, height in units, lumps to a frame width; ``sharp`` 0 rolls, 1 peaks."""
    luck = stage.luck(purpose)

    def profile(at: F32) -> F32:
        line = line_noise(luck, at, float(stage.unit * 1.6), lumps, octaves, rough)
        if sharp:
            ridged = np.float32(1.0) - np.abs(line) * np.float32(2.2)
            line = line * np.float32(1.0 - sharp) + ridged * np.float32(sharp)
        return (np.float32(base) - line * np.float32(amp * stage.unit)).astype(np.float32)

    stage.flat(profile, colour, haze, distance, texture=texture, lift=lift)


def dune(
    stage: Stage,
    purpose: str,
    *,
    base: float,
    amp: float,
    distance: float,
    colour: Rgb,
    haze: float,
    lee_colour: Rgb | None = None,
) -> None:
    """A dune: a long crest, its lee side in shadow, its lit side rippled by the wind."""
    luck = stage.luck(purpose)
    knots = line_noise(luck, np.arange(-4000, 8000, 8, dtype=np.float32), stage.unit * 1.6, 1.5, 2, 0.3)

    def crest(at: F32) -> F32:
        line = np.interp(at, np.arange(-4000, 8000, 8, dtype=np.float32), knots).astype(np.float32)
        return (np.float32(base) - line * np.float32(amp * stage.unit)).astype(np.float32)

    stage.flat(crest, mix(colour, stage.palette.key, 0.12), haze, distance, texture=0.35)
    # The lee: everything under a second line that leaves the crest and falls away, in a deeper tone.
    lee_luck = stage.luck(f"{purpose}lee")
    wander = float(lee_luck.uniform(1.4, 2.2))

    def lee(at: F32) -> F32:
        line = np.interp(at, np.arange(-4000, 8000, 8, dtype=np.float32), knots).astype(np.float32)
        other = line_noise(stage.luck(f"{purpose}lee2"), at, stage.unit * 1.6, wander, 3, 0.45)
        rows: F32 = (
            np.float32(base)
            - line * np.float32(amp * stage.unit)
            + np.clip(other + 0.1, 0.0, 2.0) * np.float32(0.26 * stage.unit)
            + np.float32(0.004 * stage.unit)
        ).astype(np.float32)
        return rows

    stage.flat(lee, lee_colour or mix(scale(colour, 0.74), stage.palette.shadow, 0.22), haze, distance, texture=0.25)


def peaks(stage: Stage, purpose: str, *, base: float, amp: float, distance: float, colour: Rgb, haze: float) -> None:
    """Peaks with snow on their lit flanks."""
    luck = stage.luck(purpose)
    unit, sun = stage.unit, stage.sun[0]
    sheet = stage.sheet(distance, colour)
    snow = mix(mix((240, 244, 250), stage.palette.haze, 0.25), stage.palette.shadow, 0.5 * stage.palette.night)
    tops = sorted(float(luck.uniform(-0.15, 1.15)) for _ in range(7))
    for at, f in enumerate(tops):
        x, tall = f * stage.width, amp * unit * float(luck.uniform(0.6, 1.35))
        wide = tall * float(luck.uniform(1.2, 1.7))
        top = base - tall
        left, right = _flank(luck, x, top, -wide, base), _flank(luck, x, top, wide, base)
        shade = scale(colour, 0.95 + 0.05 * (at % 3))
        floor = stage.height * 1.4
        # Below their base the flanks go on at the same slope, or the foot would stand like a wall.
        run = wide * (1.0 + (floor - base) / tall)
        sheet.poly([(x - run, floor), *reversed(left), (x, top), *right, (x + run, floor)], shade)
        lit = right if sun > x else left
        spine = [
            (x + wide * 0.12 * float(luck.uniform(-1, 1)) * part, top + (base - top) * part) for part in (0.3, 0.6, 1.0)
        ]
        sheet.poly(
            [(x, top), *lit, (x + run if lit is right else x - run, floor), (x, floor), *reversed(spine)],
            mix(scale(shade, 1.2), stage.palette.key, 0.14),
        )
        cap = [(px, py) for px, py in lit if py < top + 0.55 * tall]
        if len(cap) > 1:
            zig = [
                (x + (cap[-1][0] - x) * part, top + 0.55 * tall * part**0.6 + float(luck.uniform(-0.05, 0.07)) * tall)
                for part in (0.8, 0.6, 0.42, 0.28, 0.12)
            ]
            sheet.poly([(x, top), *cap, *zig], mix(snow, stage.palette.key, 0.25))
            dark = left if lit is right else right
            cap2 = [(px, py) for px, py in dark if py < top + 0.42 * tall]
            if len(cap2) > 1:
                zig2 = [
                    (
                        x + (cap2[-1][0] - x) * part,
                        top + 0.4 * tall * part**0.6 + float(luck.uniform(-0.05, 0.08)) * tall,
                    )
                    for part in (0.75, 0.5, 0.3, 0.1)
                ]
                sheet.poly([(x, top), *cap2, *zig2], mix(snow, shade, 0.45))
    sheet.done(haze=haze, lift=0.6)


def _flank(luck: np.random.Generator, x: float, top: float, wide: float, base: float) -> list[tuple[float, float]]:
    return [
        (
            x + wide * (part + float(luck.uniform(-0.03, 0.03))),
            top + (base - top) * (part + float(luck.uniform(-0.05, 0.05))),
        )
        for part in (0.1, 0.2, 0.32, 0.45, 0.6, 0.78, 1.0)
    ]
