"""The city: towers in three depths, windows, neon and street lamps over a wet street."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

import numpy as np

from .palette import Rgb, mix, scale
from .people import walk
from .sky import sky
from .stage import Sheet, Stage


def city(stage: Stage) -> None:
    """Towers in three depths above a wet street, neon where it is dark."""
    sky(stage, stars=0.25 * stage.palette.night)
    palette = stage.palette
    dark = palette.night > 0.3
    h = stage.horizon
    body = mix(palette.shadow, palette.haze, 0.12)
    towers(stage, distance=9.0, base=h, low=0.16, high=0.5, wide=(0.05, 0.11), colour=body, haze=0.74, windows=0.3)
    towers(
        stage,
        distance=4.0,
        base=h + 0.01 * stage.unit,
        low=0.16,
        high=0.46,
        wide=(0.09, 0.17),
        colour=body,
        haze=0.42,
        windows=0.34,
        signs=3 if dark else 0,
        gap=(0.36, 0.64),
    )
    towers(
        stage,
        distance=2.0,
        base=h + 0.03 * stage.unit,
        low=0.3,
        high=0.72,
        wide=(0.18, 0.3),
        colour=mix(palette.shadow, palette.haze, 0.05),
        haze=0.16,
        windows=0.26,
        signs=7 if dark else 1,
        gap=(0.24, 0.76),
    )
    wet = "rain" in stage.wanted.weather or dark
    street = mix(palette.shadow, palette.haze, 0.14)
    _street_lamps(stage)
    stage.mirrored(h + 0.035 * stage.unit, street, 0.62 if wet else 0.22, 1.35, ripple=1.6 if wet else 0.0, streak=0.42)
    if stage.wanted.people:
        walk(
            stage,
            foot=h + 0.2 * stage.unit,
            tall=0.2 * stage.unit,
            count=min(5, stage.wanted.people + 1),
            distance=1.15,
            spread=(0.16, 0.84),
        )
    _near_frame(stage)


def towers(
    stage: Stage,
    *,
    distance: float,
    base: float,
    low: float,
    high: float,
    wide: tuple[float, float],
    colour: Rgb,
    haze: float,
    windows: float,
    signs: int = 0,
    gap: tuple[float, float] | None = None,
) -> None:
    """A row of towers standing on row ``base``; ``low``, ``high``, ``wide`` in units, ``windows`` the part of them lit.
    ``gap``: the part of the frame's width where they stay low, so that the eye can go through.
    """
    luck = stage.luck(f"towers{distance}")
    palette, unit = stage.palette, stage.unit
    sheet = stage.sheet(distance, colour)
    x = sheet.left
    end = sheet.left + sheet.wide
    dusk = palette.night > 0.3
    lit = [mix(lamp, (255, 226, 170), 0.45) for lamp in palette.lamps]
    neon = list(palette.lamps[:-1]) or [palette.lamps[0]]
    while x < end:
        w = float(luck.uniform(*wide)) * unit
        h = (low + (high - low) * float(luck.random()) ** 1.6) * unit
        if gap is not None and gap[0] * stage.width < x + w / 2 < gap[1] * stage.width:
            h *= 0.35
        top = base - h
        shade = scale(colour, float(luck.uniform(0.86, 1.12)))
        sheet.rect(x, top, w + 1, stage.height - top + 80, shade)
        side = 0.22 * w if x + w / 2 < stage.width / 2 else -0.22 * w
        sheet.rect(
            x + w - side if side > 0 else x,
            top,
            abs(side),
            stage.height - top + 80,
            scale(shade, 1.14 if (stage.sun[0] > x) == (side > 0) else 0.84),
        )
        _roof(sheet, luck, x, top, w, unit, shade)
        _windows(
            sheet,
            luck,
            x,
            top,
            w,
            base,
            unit,
            windows,
            lit if dusk else [mix(shade, palette.sky[2], 0.5), scale(shade, 0.8)],
            distance,
        )
        x += w + float(luck.uniform(0.0, 0.02)) * unit
    for _ in range(signs):
        sx, sy = float(luck.uniform(0.04, 0.96)) * stage.width, base - float(luck.uniform(0.08, low + 0.12)) * unit
        tone = neon[int(luck.integers(len(neon)))]
        _sign(stage, sheet, luck, sx, sy, unit, tone, distance)
    sheet.done(haze=haze)


def _roof(sheet: Sheet, luck: np.random.Generator, x: float, top: float, w: float, unit: float, shade: Rgb) -> None:
    kind = int(luck.integers(5))
    if kind == 0:
        sheet.rect(x + 0.2 * w, top - 0.02 * unit, 0.6 * w, 0.022 * unit, shade)
        sheet.rect(x + 0.34 * w, top - 0.04 * unit, 0.3 * w, 0.022 * unit, shade)
    elif kind == 1:
        sheet.line([(x + 0.5 * w, top), (x + 0.5 * w, top - 0.1 * unit)], 1.6, shade)
        sheet.line([(x + 0.36 * w, top - 0.05 * unit), (x + 0.64 * w, top - 0.05 * unit)], 1.0, shade)
    elif kind == 2:
        sheet.poly([(x, top + 1), (x + w, top + 1), (x + w, top - 0.05 * unit)], shade)
    elif kind == 3:
        sheet.rect(x + 0.12 * w, top - 0.03 * unit, 0.24 * w, 0.031 * unit, scale(shade, 0.9))
        sheet.rect(x + 0.58 * w, top - 0.018 * unit, 0.3 * w, 0.02 * unit, scale(shade, 0.9))


def _windows(
    sheet: Sheet,
    luck: np.random.Generator,
    x: float,
    top: float,
    w: float,
    base: float,
    unit: float,
    part: float,
    lit: list[Rgb],
    distance: float,
) -> None:
    step_x, step_y = unit * 0.042 / distance**0.6, unit * 0.058 / distance**0.6
    across, down = int((w - step_x * 0.4) / step_x), int((base - top) / step_y)
    if across < 1 or down < 1 or step_x < 2.5:
        return
    on = luck.random((down, across))
    floor = luck.random(down)
    tone = luck.integers(len(lit), size=down)
    pad = (w - across * step_x) / 2
    for row in range(down):
        # Whole floors are bright or dark together now and then, as offices are.
        share = part * (2.2 if floor[row] > 0.82 else 0.35 if floor[row] < 0.3 else 1.0)
        for col in range(across):
            if on[row, col] < share:
                colour = scale(lit[int(tone[row])], 0.6 + 0.5 * float(on[row, col] / max(share, 0.01)))
                sheet.rect(
                    x + pad + col * step_x + step_x * 0.2,
                    top + step_y * (row + 0.35),
                    step_x * 0.56,
                    step_y * 0.5,
                    colour,
                )


def _sign(
    stage: Stage, sheet: Sheet, luck: np.random.Generator, x: float, y: float, unit: float, tone: Rgb, distance: float
) -> None:
    tall = float(luck.uniform(0.06, 0.16)) * unit / distance**0.5
    wide = tall * (0.28 if luck.random() < 0.7 else 1.9)
    tall = tall if wide < tall else tall * 0.5
    hot = mix(tone, (255, 255, 255), 0.55)
    sheet.rect(x - wide / 2, y - tall / 2, wide, tall, scale(tone, 0.28))
    sheet.line(
        [
            (x - wide / 2, y - tall / 2),
            (x + wide / 2, y - tall / 2),
            (x + wide / 2, y + tall / 2),
            (x - wide / 2, y + tall / 2),
            (x - wide / 2, y - tall / 2),
        ],
        1.3,
        tone,
    )
    marks = max(2, int(max(wide, tall) / (min(wide, tall) * 0.9)))
    for at in range(marks):
        f = (at + 0.5) / marks
        cx, cy = (x, y - tall / 2 + tall * f) if tall > wide else (x - wide / 2 + wide * f, y)
        r = min(wide, tall) * 0.26
        stroke = [(cx + r * float(luck.uniform(-1, 1)), cy + r * float(luck.uniform(-1, 1))) for _ in range(4)]
        sheet.line(stroke, 1.5, hot)
    stage.lamp(x, y, 2.6 * max(wide, tall), tone, 0.42, distance)


def _street_lamps(stage: Stage) -> None:
    unit, h = stage.unit, stage.horizon
    sheet = stage.sheet(1.7, stage.palette.shadow)
    for side in (-1.0, 1.0):
        for depth in (0.0, 0.5):
            x = stage.width / 2 + side * unit * (0.52 - 0.28 * depth)
            foot, top = h + (0.08 - 0.04 * depth) * unit, h - (0.3 - 0.14 * depth) * unit
            sheet.line([(x, foot), (x, top), (x - side * 0.05 * unit, top - 0.02 * unit)], 3.0 - 1.6 * depth)
            sheet.rect(
                x - side * 0.05 * unit - 0.014 * unit, top - 0.024 * unit, 0.028 * unit, 0.01 * unit, (255, 232, 186)
            )
            if stage.palette.night > 0.3:
                stage.lamp(
                    x - side * 0.05 * unit,
                    top - 0.01 * unit,
                    (0.22 - 0.08 * depth) * unit,
                    stage.palette.lamps[-1],
                    0.55,
                    1.7,
                )
    sheet.done(haze=0.08)


def _near_frame(stage: Stage) -> None:
    """Something dark and out of focus at one edge, which gives the street its depth."""
    luck = stage.luck("near")
    side = float(luck.choice(np.array([-1.0, 1.0])))
    unit = stage.unit
    ink = mix(stage.palette.shadow, (0, 0, 0), 0.35)
    sheet = stage.sheet(0.62, ink)
    edge = stage.width / 2 + side * stage.width / 2
    inner = edge - side * 0.085 * unit
    outer = edge + side * 0.6 * unit
    sheet.poly([(inner, -stage.height), (outer, -stage.height), (outer, stage.height * 2), (inner, stage.height * 2)])
    y = stage.horizon - 0.3 * unit
    sheet.poly(
        [
            (inner, y),
            (inner - side * 0.12 * unit, y + 0.03 * unit),
            (inner - side * 0.12 * unit, y + 0.13 * unit),
            (inner, y + 0.12 * unit),
        ]
    )
    sheet.done(blur=3.0)
    sheet = stage.sheet(0.62, ink)
    for at in range(3):
        start = -0.1 * stage.height + 0.05 * at * stage.height
        points = [
            (stage.width * f, start + 0.09 * unit * (1 - (2 * f - 1) ** 2) + 0.03 * unit * at)
            for f in (x / 12 - 0.2 for x in range(18))
        ]
        sheet.line(points, 2.6)
    sheet.done(blur=3.0)
