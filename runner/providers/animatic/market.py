"""The market lane: stalls under awnings, lanterns on strings, people, and all of it again in the wet stone."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

import numpy as np

from .canal import bridge
from .city import towers
from .palette import Rgb, mix, scale
from .people import figure, lantern, walk
from .sky import sky
from .stage import Sheet, Stage


def market(stage: Stage) -> None:
    """The lane between the stalls; or one stall from the front; or the lanterns overhead; or the bridge at the
    lane's end. The words or chance decide.
    """
    view = float(stage.chance.shot("market").random())
    if stage.wanted.says("bridge", "canal", "footbridge"):
        _canal(stage)
    elif (
        stage.wanted.says("vendor", "noodle", "noodles", "cook", "cooks", "counter", "soup", "tea", "bowl")
        and view < 0.95
    ):
        _stall_front(stage)
    elif (
        stage.wanted.says("lanterns", "above", "overhead", "sky", "rooftop", "rooftops") and view < 0.75
    ) or view > 0.86:
        _overhead(stage)
    else:
        _lane(stage)


def _lane(stage: Stage) -> None:
    unit, h, w = stage.unit, stage.horizon, stage.width
    middle = w * float(stage.luck("lane").uniform(0.42, 0.58))
    _backdrop(stage, middle, 0.34)
    _stalls(stage, middle, 2.1, depth=(0.0, 0.45), haze=0.2)
    _stalls(stage, middle, 1.45, depth=(0.45, 1.0), haze=0.05)
    _wet_stone(stage, h + 0.05 * unit)
    people = max(2, stage.wanted.people)
    near = (middle / w - 0.14, middle / w + 0.14)
    walk(stage, foot=h + 0.12 * unit, tall=0.2 * unit, count=min(3, people), distance=1.6, spread=near, haze=0.25)
    wide = (middle / w - 0.2, middle / w + 0.2)
    walk(stage, foot=h + 0.31 * unit, tall=0.38 * unit, count=min(2, people), distance=1.05, spread=wide, haze=0.03)
    _strings(stage, middle, ((1.9, 0.032, -0.34, 4), (1.3, 0.05, -0.47, 5)))
    _canopy(stage)


def _canal(stage: Stage) -> None:
    """The end of the lane: lit houses on both banks, stalls beyond, a bridge over the canal between them."""
    middle = stage.width * float(stage.luck("lane").uniform(0.46, 0.54))
    _backdrop(stage, middle, 0.44)
    _stalls(stage, middle, 2.4, depth=(0.0, 0.3), haze=0.24)
    _strings(stage, middle, ((2.2, 0.03, -0.36, 5),))
    bridge(stage, middle)


def _stall_front(stage: Stage) -> None:
    """Face to face with a stall: its keeper at work in the light, customers dark before it."""
    unit, h, w = stage.unit, stage.horizon, stage.width
    luck = stage.luck("front")
    side = float(luck.choice(np.array([-1.0, 1.0])))
    middle = w * 0.5 + side * 0.1 * unit
    _backdrop(stage, middle - side * 0.62 * unit, 0.36)
    _stalls(stage, middle - side * 0.62 * unit, 2.2, depth=(0.0, 0.4), haze=0.22)
    ink = mix(stage.palette.shadow, (0, 0, 0), 0.15)
    sheet = stage.sheet(1.45, ink)
    size = 0.66 * unit
    foot = h + 0.25 * unit
    _stall(stage, sheet, stage.luck("hero"), middle - side * 0.7 * size, side, foot, size, 1.45, ink)
    sheet.done(haze=0.02)
    _wet_stone(stage, foot + 0.005 * unit)
    x = (middle + side * 0.05 * size) / w
    crowd = min(3, max(2, stage.wanted.people))
    walk(stage, foot=h + 0.5 * unit, tall=0.62 * unit, count=crowd, distance=0.95, spread=(x - 0.3, x + 0.26), haze=0.0)
    _strings(stage, middle, ((1.9, 0.034, -0.42, 5), (1.15, 0.07, -0.56, 4)))
    _canopy(stage)


def _overhead(stage: Stage) -> None:
    """Looking up the lane: roofs close in on the sky, row over row of lanterns, the crowd small below."""
    unit, w = stage.unit, stage.width
    # A lower eye: what was the horizon sinks towards the foot of the frame.
    stage.horizon = stage.height * 0.5 + 0.31 * unit
    h = stage.horizon
    middle = w * float(stage.luck("lane").uniform(0.44, 0.56))
    _backdrop(stage, middle, 0.62)
    _stalls(stage, middle, 2.1, depth=(0.0, 0.42), haze=0.2)
    _wet_stone(stage, h + 0.045 * unit)
    crowd = max(3, stage.wanted.people)
    spread = (middle / w - 0.16, middle / w + 0.16)
    walk(stage, foot=h + 0.11 * unit, tall=0.19 * unit, count=min(4, crowd), distance=1.5, spread=spread, haze=0.15)
    rows = ((3.0, 0.022, -0.3, 5), (2.2, 0.034, -0.43, 5), (1.5, 0.054, -0.6, 5), (1.05, 0.086, -0.78, 4))
    _strings(stage, middle, rows)


def _backdrop(stage: Stage, middle: float, tall: float) -> None:
    palette, h = stage.palette, stage.horizon
    sky(stage, stars=0.5 * palette.night, clouds=palette.night < 0.9)
    body = mix(palette.shadow, palette.haze, 0.16)
    towers(
        stage,
        distance=6.0,
        base=h,
        low=0.12,
        high=tall,
        wide=(0.08, 0.16),
        colour=body,
        haze=0.62,
        windows=0.3,
        gap=(middle / stage.width - 0.08, middle / stage.width + 0.08),
    )
    _glow_at_end(stage, middle)
    _houses(stage, middle, 2.6, 0.2, tall)


def _wet_stone(stage: Stage, shore: float) -> None:
    palette = stage.palette
    wet = "rain" in stage.wanted.weather or palette.night > 0.5
    stone = mix(palette.shadow, palette.earth, 0.35)
    ripple = 1.5 if wet else 0.0
    stage.mirrored(shore, stone, 0.66 if wet else 0.2, 1.3, ripple=ripple, streak=0.5, fade=0.35)


def _glow_at_end(stage: Stage, middle: float) -> None:
    tone = stage.palette.lamps[0]
    strength = 0.25 + 0.25 * stage.palette.night
    stage.lamp(middle, stage.horizon - 0.05 * stage.unit, 0.55 * stage.unit, tone, strength * 0.7, 3.0)
    stage.lamp(
        middle, stage.horizon - 0.02 * stage.unit, 0.2 * stage.unit, mix(tone, (255, 240, 210), 0.4), strength, 3.0
    )


def _houses(stage: Stage, middle: float, distance: float, near: float, tall: float) -> None:
    luck = stage.luck("houses")
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    colour = mix(palette.shadow, palette.haze, 0.14)
    sheet = stage.sheet(distance, colour)
    lit = [mix(lamp, (255, 220, 160), 0.4) for lamp in palette.lamps]
    for side in (-1.0, 1.0):
        x = near * unit * 0.75
        while x < stage.width * 0.75 + unit * 0.5:
            wide = float(luck.uniform(0.14, 0.24)) * unit * (0.6 + x / unit)
            top = h - (tall * float(luck.uniform(0.75, 1.15)) + 0.42 * x / unit * 0.9) * unit
            a, b = middle + side * x, middle + side * (x + wide)
            shade = scale(colour, float(luck.uniform(0.85, 1.15)))
            sheet.poly([(a, top), (b, top - 0.02 * unit), (b, h + 0.3 * unit), (a, h + 0.3 * unit)], shade)
            # A hipped roof with deep eaves.
            eave = 0.035 * unit
            sheet.poly(
                [
                    (a - side * eave, top + 0.012 * unit),
                    (b + side * eave, top - 0.008 * unit),
                    (b - side * 0.03 * unit, top - 0.075 * unit),
                    (a + side * 0.03 * unit, top - 0.06 * unit),
                ],
                scale(shade, 0.66),
            )
            sheet.line(
                [(a - side * eave, top + 0.012 * unit), (b + side * eave, top - 0.008 * unit)],
                1.6,
                mix(shade, palette.haze, 0.3),
            )
            for row in range(3):
                for col in range(3):
                    if luck.random() < 0.42:
                        wx = min(a, b) + wide * (0.14 + 0.28 * col)
                        wy = top + (0.05 + 0.11 * row) * unit
                        if wy < h - 0.08 * unit:
                            tone = lit[int(luck.integers(len(lit)))]
                            sheet.rect(wx, wy, wide * 0.17, 0.06 * unit, scale(tone, 0.55 + 0.4 * palette.night))
                            sheet.line([(wx + wide * 0.085, wy), (wx + wide * 0.085, wy + 0.06 * unit)], 0.8, shade)
            x += wide
    sheet.done(haze=0.24)


def _stalls(stage: Stage, middle: float, distance: float, *, depth: tuple[float, float], haze: float) -> None:
    luck = stage.luck(f"stalls{distance}")
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    ink = mix(palette.shadow, (0, 0, 0), 0.15)
    sheet = stage.sheet(distance, ink)
    count = 3 if depth[0] == 0.0 else 2
    for side in (-1.0, 1.0):
        for at in range(count):
            z = depth[0] + (depth[1] - depth[0]) * (at + 0.5) / count
            size = (0.17 + 0.33 * z) * unit
            inner = middle + side * (0.13 + 0.36 * z) * unit
            _stall(stage, sheet, luck, inner, side, h + (0.045 + 0.17 * z) * unit, size, distance, ink)
    sheet.done(haze=haze)


def _stall(
    stage: Stage,
    sheet: Sheet,
    luck: np.random.Generator,
    inner: float,
    side: float,
    foot: float,
    size: float,
    distance: float,
    ink: Rgb,
) -> None:
    """One stall: posts, a counter with goods, a lit back wall, a striped awning, a vendor."""
    palette = stage.palette
    cloth = palette.cloth[int(luck.integers(len(palette.cloth)))]
    cloth = scale(cloth, 0.92 - 0.34 * palette.night)
    lamp = palette.lamps[int(luck.integers(len(palette.lamps)))]
    outer = inner + side * size * 1.5
    top = foot - size * 1.02
    glow = 0.32 + 0.26 * palette.night
    left, right = min(inner, outer), max(inner, outer)
    back = mix(ink, lamp, glow * 0.62)
    sheet.rect(left, top + 0.1 * size, right - left, size * 0.92, mix(ink, lamp, glow * 0.34))
    sheet.rect(left + 0.12 * size, top + 0.16 * size, right - left - 0.24 * size, size * 0.5, back)
    for shelf in range(2):
        y = top + (0.36 + 0.2 * shelf) * size
        sheet.line([(left + 0.1 * size, y), (right - 0.1 * size, y)], 1.6, mix(ink, lamp, 0.15))
        x = left + 0.16 * size
        while x < right - 0.2 * size:
            tall, wide = float(luck.uniform(0.05, 0.13)) * size, float(luck.uniform(0.04, 0.09)) * size
            tone = palette.cloth[int(luck.integers(len(palette.cloth)))]
            sheet.rect(x, y - tall, wide, tall, mix(mix(ink, tone, 0.55), lamp, 0.25))
            x += wide + float(luck.uniform(0.02, 0.06)) * size
    vx = (left + right) / 2 + float(luck.uniform(-0.25, 0.25)) * size
    keeper = mix(mix(ink, palette.cloth[-1], 0.3), lamp, 0.1)
    figure(sheet, vx, foot - 0.08 * size, 0.66 * size, keeper, ink, rim=mix(lamp, keeper, 0.3))
    # Arms that reach for the pot.
    for arm in (-1.0, 1.0):
        hand = (vx + arm * 0.15 * size, foot - 0.41 * size)
        sheet.line(
            [(vx + arm * 0.05 * size, foot - 0.58 * size), (vx + arm * 0.12 * size, foot - 0.5 * size), hand],
            0.034 * size,
            keeper,
        )
    sheet.oval(vx + 0.2 * size, foot - 0.385 * size, 0.1 * size, 0.06 * size, mix(ink, lamp, 0.16))
    sheet.oval(vx + 0.2 * size, foot - 0.425 * size, 0.09 * size, 0.02 * size, mix(lamp, (255, 250, 236), 0.5))
    sheet.rect(left - 0.03 * size, foot - 0.34 * size, right - left + 0.06 * size, 0.05 * size, mix(ink, lamp, 0.42))
    sheet.rect(left, foot - 0.3 * size, right - left, 0.34 * size, mix(ink, cloth, 0.25))
    for part in range(9):
        gx = left + (right - left) * (part + 0.5) / 9
        tone = mix(palette.cloth[part % len(palette.cloth)], lamp, 0.4)
        sheet.oval(gx, foot - 0.35 * size, 0.06 * size, 0.045 * size, scale(tone, 0.7))
    for post in (left + 0.02 * size, right - 0.05 * size):
        sheet.rect(post, top, 0.035 * size, foot - top, ink)
    stripes = 8
    lip, fall = foot - 0.83 * size, 0.2 * size
    for part in range(stripes):
        a, b = part / stripes, (part + 1) / stripes
        x0, x1 = (
            left - 0.14 * size + (right - left + 0.28 * size) * a,
            left - 0.14 * size + (right - left + 0.28 * size) * b,
        )
        u0, u1 = left + (right - left) * a, left + (right - left) * b
        tone = cloth if part % 2 else mix(cloth, (240, 230, 210), 0.42 - 0.2 * palette.night)
        sheet.poly([(u0, lip - fall), (u1, lip - fall), (x1, lip), (x0, lip)], tone)
        sheet.poly(
            [
                (x0, lip - 0.5),
                (x1, lip - 0.5),
                (x1, lip + 0.045 * size),
                ((x0 + x1) / 2, lip + 0.075 * size),
                (x0, lip + 0.045 * size),
            ],
            scale(tone, 0.72),
        )
    bulb = (left + right) / 2
    sheet.oval(bulb, top + 0.33 * size, 0.035 * size, 0.045 * size, mix(lamp, (255, 250, 235), 0.7))
    stage.lamp(bulb, top + 0.36 * size, 0.8 * size, lamp, 0.2 + 0.12 * palette.night, distance)


def _strings(stage: Stage, middle: float, rows: tuple[tuple[float, float, float, int], ...]) -> None:
    """Lanterns on strings; each row: its distance, a lantern's size, height from the horizon (units), how many."""
    luck = stage.luck("strings")
    palette, unit = stage.palette, stage.unit
    ink = mix(palette.shadow, (0, 0, 0), 0.3)
    for row, (distance, size, rise, count) in enumerate(rows):
        sheet = stage.sheet(distance, ink)
        y = stage.horizon + (rise + float(luck.uniform(-0.025, 0.025))) * unit
        half = (0.3 + 0.66 / distance) * unit
        sag = (0.05 + 0.05 / distance) * unit

        def hang(f: float, y: float = y, half: float = half, sag: float = sag) -> tuple[float, float]:
            return middle + half * (2 * f - 1), y + sag * (1 - (2 * f - 1) ** 2)

        sheet.line([hang(f / 16) for f in range(17)], 1.6)
        sheet.done(haze=0.1)
        for at in range(count):
            x, top = hang((at + 0.7) / (count + 0.4))
            tone = palette.lamps[(at + row) % len(palette.lamps)]
            lantern(stage, x, top, size * unit * float(luck.uniform(0.85, 1.15)), tone, distance, float(luck.random()))


def _canopy(stage: Stage) -> None:
    luck = stage.luck("canopy")
    ink = mix(stage.palette.shadow, (0, 0, 0), 0.4)
    unit, w = stage.unit, stage.width
    sheet = stage.sheet(0.66, ink)
    side = float(luck.choice(np.array([-1.0, 1.0])))
    edge = w / 2 + side * w / 2
    top = -0.4 * stage.height
    sheet.poly(
        [
            (edge + side * unit, top),
            (edge - side * 0.55 * unit, top),
            (edge - side * 0.42 * unit, stage.height * 0.5 - 0.44 * unit),
            (edge + side * unit, stage.height * 0.5 - 0.24 * unit),
        ]
    )
    for part in range(7):
        x = edge - side * (0.42 - 0.13 * part) * unit
        y = stage.height * 0.5 - (0.44 - 0.028 * part) * unit
        sheet.oval(x + side * 0.06 * unit, y + 0.012 * unit, 0.066 * unit, 0.035 * unit)
    sheet.rect(edge - side * 0.05 * unit - 0.02 * unit, 0, 0.04 * unit, stage.height * 1.4)
    other = w / 2 - side * w / 2
    for part in range(5):
        sheet.oval(
            other + side * 0.02 * unit * part,
            stage.height * (0.99 - 0.03 * part),
            0.17 * unit - 0.03 * part * unit,
            0.1 * unit,
        )
    sheet.done(blur=3.4)
