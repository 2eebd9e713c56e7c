"""What grows: firs, broad trees, undergrowth and grass, and the forest they make."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

import numpy as np

from .ground import range_of
from .palette import Rgb, mix, scale
from .people import walk
from .sky import sky
from .stage import Sheet, Stage, line_noise
from .water import rowboat


def forest(stage: Stage) -> None:
    """Trunks in depth after depth of mist, light falling between them."""
    palette, unit, h = stage.palette, stage.unit, stage.horizon
    sky(stage, stars=stage.palette.night * 0.7, clouds=False)
    broad = stage.wanted.says("birch", "autumn", "leaves", "oak", "jungle", "bamboo", "grove", "woodland", "blossom")
    conifers = not broad and (
        "snow" in stage.wanted.weather
        or stage.wanted.says("pine", "pines", "fir", "firs", "snowy")
        or stage.chance.shot("kind").random() < 0.4
    )
    wet = stage.wanted.says("river", "stream", "brook", "creek", "boat", "canoe", "rowboat", "raft", "pond")
    if conifers:
        range_of(
            stage,
            "far",
            base=h - 0.1 * unit,
            amp=0.12,
            lumps=2.0,
            octaves=4,
            rough=0.5,
            colour=palette.earth,
            haze=0.7,
            distance=12.0,
        )
        firs(stage, "f4", base=h + 0.0 * unit, tall=0.22, count=58, distance=6.0, haze=0.66)
        firs(stage, "f3", base=h + 0.05 * unit, tall=0.36, count=34, distance=3.4, haze=0.42, clear=(0.42, 0.56))
        firs(stage, "f2", base=h + 0.13 * unit, tall=0.6, count=22, distance=2.0, haze=0.16, clear=(0.32, 0.66))
        if stage.wanted.people:
            walk(
                stage,
                foot=h + (0.15 if wet else 0.22) * unit,
                tall=0.17 * unit,
                count=min(2, stage.wanted.people),
                distance=1.5,
                spread=(0.4, 0.6),
                haze=0.05,
            )
        if wet:
            _river(stage, h + 0.19 * unit)
        firs(stage, "f1", base=h + 0.5 * unit, tall=1.05, count=9, distance=0.8, haze=0.0, clear=(0.2, 0.8), blur=1.8)
        return
    for at, (distance, haze, count) in enumerate(((7.0, 0.74, 30), (4.2, 0.52, 18), (2.5, 0.28, 11), (1.5, 0.08, 6))):
        trunks(stage, f"w{at}", distance=distance, haze=haze, count=count, ground=h + (0.02 + 0.22 / distance) * unit)
    if wet:
        _river(stage, h + 0.2 * unit)
    elif stage.wanted.people:
        walk(
            stage,
            foot=h + 0.26 * unit,
            tall=0.22 * unit,
            count=min(2, stage.wanted.people),
            distance=1.25,
            spread=(0.4, 0.62),
            haze=0.03,
        )
    _ferns(stage)


def _river(stage: Stage, bank: float) -> None:
    """Still water between the trees, and a boat on it where the words have one."""
    palette, unit = stage.palette, stage.unit
    deep = mix(mix(palette.shadow, palette.sky[1], 0.35), (40, 70, 62), 0.25)
    stage.mirrored(bank, deep, 0.78, 1.2, ripple=2.2, streak=0.7, fade=0.3)
    if stage.wanted.says("boat", "boats", "canoe", "rowboat"):
        x = stage.width * (0.5 + float(stage.luck("boat").uniform(-0.1, 0.1)))
        rowboat(stage, x, bank + 0.12 * unit, 0.42 * unit, 1.1)


def fir(
    sheet: Sheet,
    luck: np.random.Generator,
    x: float,
    foot: float,
    tall: float,
    colour: Rgb,
    snow: Rgb | None,
    sun: float,
) -> None:
    """One fir: tiers of drooping boughs, lit on the sun's side, with snow on them when there is any."""
    half = tall * float(luck.uniform(0.16, 0.22))
    sheet.rect(x - tall * 0.014, foot - tall * 0.2, tall * 0.028, tall * 0.3, scale(colour, 0.7))
    tiers = 9
    lit = mix(scale(colour, 1.22), (255, 230, 190), 0.06)
    for at in range(tiers):
        # From the lowest bough up, so that upper tiers lie over lower ones.
        f = 1.0 - at / tiers
        y, r = foot - tall * (0.1 + 0.9 * (1.0 - f)), half * (f**0.9) + 0.004 * tall
        rise = tall * 0.19 * (0.55 + 0.45 * f)
        droop = tall * 0.016
        j = [float(luck.uniform(-0.14, 0.14)) * r for _ in range(6)]
        low = [
            (x - r + j[0], y + droop),
            (x - 0.62 * r + j[1], y - 0.4 * droop),
            (x - 0.4 * r, y + 0.9 * droop),
            (x, y - 0.2 * droop),
            (x + 0.4 * r, y + 0.9 * droop),
            (x + 0.62 * r + j[2], y - 0.4 * droop),
            (x + r + j[3], y + droop),
        ]
        sheet.poly([*low, (x + 0.16 * r, y - rise * 0.75), (x, y - rise), (x - 0.16 * r, y - rise * 0.75)], colour)
        side = 1.0 if sun > x else -1.0
        edge = low[6] if side > 0 else low[0]
        sheet.poly(
            [edge, (x + side * 0.5 * r, y + 0.1 * droop), (x + side * 0.1 * r, y - rise * 0.55), (x, y - rise)],
            snow or lit,
        )
        if snow is not None:
            sheet.poly(
                [
                    (x - side * 0.9 * r, y + 0.6 * droop),
                    (x - side * 0.45 * r, y - 0.15 * rise),
                    (x - side * 0.05 * r, y - 0.9 * rise),
                    (x - side * 0.2 * r, y - 0.35 * rise),
                ],
                mix(snow, colour, 0.35),
            )


def firs(
    stage: Stage,
    purpose: str,
    *,
    base: float,
    tall: float,
    count: int,
    distance: float,
    haze: float,
    clear: tuple[float, float] | None = None,
    blur: float = 0.0,
) -> None:
    """A row of firs; ``clear``: the part of the frame's width that stays open."""
    luck = stage.luck(purpose)
    palette, unit = stage.palette, stage.unit
    green = mix(palette.shadow, mix((34, 66, 54), palette.haze, 0.15), 0.6)
    sheet = stage.sheet(distance, green)
    snowy = "snow" in stage.wanted.weather or stage.wanted.place == "snowfield"
    snow = (
        mix(mix((232, 240, 250), palette.haze, 0.35), palette.shadow, 0.45 * palette.night)
        if snowy and blur == 0
        else None
    )
    rolls = line_noise(luck, np.arange(0, 64, dtype=np.float32), 64.0, 5.0, 2)
    for at in range(count):
        f = (at + float(luck.uniform(-0.3, 0.8))) / count
        if clear is not None and clear[0] < f < clear[1]:
            continue
        x = sheet.left + sheet.wide * f
        h = tall * unit * float(luck.uniform(0.6, 1.25))
        foot = base - 0.03 * unit * float(rolls[int(min(63, max(0, f * 64)))])
        fir(sheet, luck, x, foot, h, scale(green, float(luck.uniform(0.85, 1.12))), snow, stage.sun[0])
    floor = [(sheet.left + sheet.wide * f / 63, base - 0.02 * unit - 0.03 * unit * float(rolls[f])) for f in range(64)]
    ground = (
        mix(palette.earth, palette.shadow, 0.35)
        if not snowy
        else mix(mix((226, 234, 246), palette.haze, 0.3), palette.shadow, 0.5 * palette.night + 0.05)
    )
    if blur == 0:
        sheet.poly([*floor, (floor[-1][0], stage.height * 1.5), (floor[0][0], stage.height * 1.5)], ground)
    sheet.done(haze=haze, blur=blur)


def trunks(stage: Stage, purpose: str, *, distance: float, haze: float, count: int, ground: float) -> None:
    """A rank of trunks with boughs and a crown of leaves above, standing in undergrowth."""
    luck = stage.luck(purpose)
    palette, unit = stage.palette, stage.unit
    bark = mix(palette.shadow, palette.earth, 0.4)
    leaf = mix(mix(palette.shadow, palette.cloth[0], 0.22), (46, 84, 52), 0.4)
    if "leaves" in stage.wanted.weather:
        leaf = mix(leaf, (196, 96, 40), 0.5)
    leaf = scale(leaf, 1.0 - 0.45 * palette.night)
    sheet = stage.sheet(distance, bark)
    for at in range(count):
        f = (at + float(luck.uniform(0.1, 0.9))) / count
        x = sheet.left + sheet.wide * f
        if distance < 3 and 0.4 < (x / stage.width) < 0.6:
            continue
        r = float(luck.uniform(0.5, 1.2)) * 0.05 * unit / distance**0.8
        bend = float(luck.uniform(-0.06, 0.06)) * unit
        top = -0.3 * stage.height
        shade = scale(bark, float(luck.uniform(0.85, 1.1)))
        foot = ground + float(luck.uniform(0, 0.03)) * unit
        body = [
            (x - 1.6 * r, foot),
            (x - r, foot - 0.08 * unit),
            (x - 0.8 * r + bend * 0.5, foot * 0.45),
            (x - 0.6 * r + bend, top),
            (x + 0.6 * r + bend, top),
            (x + 0.8 * r + bend * 0.5, foot * 0.45),
            (x + r, foot - 0.08 * unit),
            (x + 1.7 * r, foot),
        ]
        sheet.poly(body, shade)
        side = 1.0 if stage.sun[0] > x else -1.0
        sheet.poly(
            [
                (x + side * r, foot - 0.08 * unit),
                (x + side * 0.8 * r + bend * 0.5, foot * 0.45),
                (x + side * 0.6 * r + bend, top),
                (x + side * 0.25 * r + bend, top),
                (x + side * 0.4 * r, foot),
            ],
            mix(scale(shade, 1.25), palette.key, 0.16),
        )
        for _ in range(3):
            y = float(luck.uniform(0.1, 0.62)) * foot
            reach = float(luck.choice(np.array([-1.0, 1.0]))) * float(luck.uniform(0.06, 0.16)) * unit / distance**0.4
            sheet.line(
                [(x + bend * 0.4, y), (x + reach * 0.6, y - 0.03 * unit), (x + reach, y - 0.08 * unit)],
                max(1.0, r * 0.35),
                shade,
            )
    crowns = int(26 + 12 / distance)
    for _ in range(crowns):
        x = sheet.left + sheet.wide * float(luck.random())
        y = float(luck.uniform(-0.25, 0.3)) * ground
        r = float(luck.uniform(0.05, 0.13)) * unit / distance**0.3
        for _ in range(7):
            sheet.oval(
                x + float(luck.uniform(-1.4, 1.4)) * r,
                y + float(luck.uniform(-0.6, 0.6)) * r,
                r * float(luck.uniform(0.3, 0.8)),
                r * float(luck.uniform(0.2, 0.5)),
                scale(leaf, float(luck.uniform(0.75, 1.25))),
            )
    rolls = line_noise(luck, np.arange(64, dtype=np.float32), 64.0, 6.0, 4)
    floor = [(sheet.left + sheet.wide * f / 63, ground - 0.02 * unit * float(rolls[f])) for f in range(64)]
    sheet.poly([*floor, (floor[-1][0], stage.height * 1.5), (floor[0][0], stage.height * 1.5)], mix(leaf, bark, 0.55))
    for _ in range(70):
        x = sheet.left + sheet.wide * float(luck.random())
        r = float(luck.uniform(0.01, 0.03)) * unit / distance**0.5
        sheet.oval(x, ground - 0.4 * r, r * 1.6, r, scale(mix(leaf, bark, 0.4), float(luck.uniform(0.85, 1.2))))
    sheet.done(haze=haze, lift=0.5)


def _ferns(stage: Stage) -> None:
    luck = stage.luck("ferns")
    ink = mix(stage.palette.shadow, (0, 0, 0), 0.3)
    unit = stage.unit
    sheet = stage.sheet(0.7, ink)
    for _ in range(34):
        f = float(luck.random())
        edge = abs(f - 0.5) * 2
        x, foot = sheet.left + sheet.wide * f, stage.height * 1.06
        tall = (0.08 + 0.3 * edge * edge) * unit * float(luck.uniform(0.6, 1.3))
        lean = float(luck.uniform(-0.6, 0.6)) * tall
        sheet.poly(
            [
                (x - 0.03 * tall, foot),
                (x + lean * 0.4 - 0.05 * tall, foot - 0.6 * tall),
                (x + lean, foot - tall),
                (x + lean * 0.5 + 0.04 * tall, foot - 0.55 * tall),
                (x + 0.05 * tall, foot),
            ]
        )
    sheet.done(blur=2.6)


def round_trees(stage: Stage, purpose: str, base: float, distance: float) -> None:
    luck = stage.luck(purpose)
    green = mix(stage.palette.earth, stage.palette.shadow, 0.55)
    sheet = stage.sheet(distance, green)
    for _ in range(16):
        x, r = sheet.left + sheet.wide * float(luck.random()), float(luck.uniform(0.025, 0.07)) * stage.unit
        sheet.rect(x - 0.08 * r, base - 1.2 * r, 0.16 * r, 2 * r, scale(green, 0.7))
        for _ in range(9):
            ox, oy = float(luck.uniform(-0.8, 0.8)) * r, float(luck.uniform(-0.7, 0.5)) * r
            near = 1.18 if (ox > 0) == (stage.sun[0] > x) and oy < 0 else 0.92
            sheet.oval(x + ox, base - 1.7 * r + oy, r * 0.5, r * 0.42, scale(green, near))
    sheet.done(haze=0.3)


def grass(stage: Stage, distance: float, base: float, tall: float, blur: float) -> None:
    luck = stage.luck(f"grass{distance}")
    ink = mix(mix(stage.palette.earth, stage.palette.shadow, 0.55), stage.palette.shadow, 0.45 if blur else 0.1)
    unit = stage.unit
    sheet = stage.sheet(distance, ink)
    count = 420 if not blur else 150
    for _ in range(count):
        x = sheet.left + sheet.wide * float(luck.random())
        h = tall * unit * float(luck.uniform(0.4, 1.1))
        lean = float(luck.uniform(-0.25, 0.45)) * h
        wide = 0.018 * h + 0.8
        shade = mix(ink, stage.palette.key, float(luck.random()) ** 2 * 0.3 * (1.0 - 0.6 * stage.palette.night))
        sheet.poly(
            [
                (x - wide, base + 0.02 * unit),
                (x + lean * 0.4, base - 0.6 * h),
                (x + lean, base - h),
                (x + lean * 0.45 + wide, base - 0.55 * h),
                (x + wide, base + 0.02 * unit),
            ],
            shade,
        )
    sheet.rect(sheet.left, base, sheet.wide, stage.height, ink)
    sheet.done(blur=blur)
