"""Space: a planet's rim in the light of its star, and the gantries of a station near the lens."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

import numpy as np
from PIL import Image

from .layer import Motion, cut
from .palette import Rgb, mix, scale
from .sky import sky
from .stage import Sheet, Stage, noise


def space(stage: Stage) -> None:
    """Stars and a nebula, a planet with an atmosphere, ships or a station in docking light."""
    sky(stage, stars=1.6, disc=False, clouds=False)
    _nebula(stage)
    _planet(stage)
    _station(stage, 5.0, 0.22, far=True)
    _ships(stage)
    _station(stage, 1.9, 0.62, far=False)
    _drones(stage)
    _gantry(stage)


def _nebula(stage: Stage) -> None:
    luck = stage.luck("nebula")
    grain, distance = 0.125, 40.0
    mx, my = stage.reach(distance)
    wide, tall = int((stage.width + 2 * mx) * grain) & ~1, int((stage.height + 2 * my) * grain) & ~1
    first, second = stage.palette.lamps[0], stage.palette.lamps[1 % len(stage.palette.lamps)]
    a, b = noise(luck, tall, wide, 3, 3, 4), noise(luck, tall, wide, 4, 4, 4)
    glow = np.clip(a * 1.6 + 0.05, 0, 1)[..., None] * np.asarray(scale(first, 0.22), np.float32) + np.clip(
        b * 1.6, 0, 1
    )[..., None] * np.asarray(scale(second, 0.28), np.float32)
    stage.add(
        cut(
            Image.fromarray(np.clip(glow, 0, 255).astype(np.uint8)),
            None,
            left=-mx,
            top=-my,
            distance=distance,
            grain=grain,
            glow=True,
        )
    )


def _planet(stage: Stage) -> None:
    luck = stage.luck("planet")
    palette = stage.palette
    grain, distance = 0.5, 24.0
    motion = Motion()
    mx, my = stage.reach(distance)
    wide, tall = int((stage.width + 2 * mx) * grain) & ~1, int((stage.height + 2 * my) * grain) & ~1
    unit = stage.unit * grain
    radius = unit * float(luck.uniform(0.95, 1.35))
    side = float(luck.choice(np.array([-1.0, 1.0])))
    cx, cy = wide * 0.5 + side * unit * float(luck.uniform(0.1, 0.5)), tall * 0.5 + unit * 0.16 + radius
    y, x = np.arange(tall, dtype=np.float32)[:, None], np.arange(wide, dtype=np.float32)[None, :]
    away = np.sqrt((x - np.float32(cx)) ** 2 + (y - np.float32(cy)) ** 2)
    body = np.clip(np.float32(radius) - away + np.float32(0.5), 0.0, 1.0)
    ground: Rgb = (
        mix(palette.cloth[0], (150, 84, 56), 0.35)
        if stage.wanted.colours
        else mix(palette.cloth[0], (120, 110, 120), 0.3)
    )
    bands = noise(luck, tall, wide, 4, 26, 4) * np.float32(0.9) + noise(luck, tall, wide, 16, 16, 3) * np.float32(0.5)
    sun_x, sun_y = (stage.sun[0] + mx) * grain, (stage.sun[1] + my) * grain
    # Day fades over the globe away from the star behind its rim.
    toward = np.sqrt((x - np.float32(sun_x)) ** 2 + (y - np.float32(sun_y)) ** 2)
    depth = np.clip((np.float32(radius) - away) / np.float32(radius), 0.0, 1.0)
    day = np.clip(1.0 - toward / np.float32(1.5 * unit), 0.0, 1.0) * np.clip(1.0 - depth * 2.6, 0.0, 1.0)
    surface = np.asarray(ground, np.float32) * (0.1 + (1.15 + bands[..., None]) * day[..., None])
    rim = np.clip(1.0 - np.abs(np.float32(radius) - away) / np.float32(0.07 * unit), 0.0, 1.0)
    rim = rim * rim * np.clip(1.25 - toward / np.float32(1.35 * unit), 0.0, 1.0)
    air = mix(palette.key, palette.lamps[0], 0.3)
    rgb = surface + rim[..., None] * np.asarray(air, np.float32) * np.float32(0.95)
    halo = np.clip(1.0 - (away - np.float32(radius)) / np.float32(0.1 * unit), 0.0, 1.0)
    halo = np.where(away > radius, halo * halo * 0.85 * np.clip(1.25 - toward / np.float32(1.35 * unit), 0.0, 1.0), 0.0)
    matte = np.clip(body + halo, 0.0, 1.0)
    stage.add(
        cut(
            Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8)),
            Image.fromarray((matte * 255).astype(np.uint8)),
            left=-mx,
            top=-my,
            distance=distance,
            grain=grain,
            motion=motion,
            dither=stage.dither,
        )
    )
    stage.lamp(stage.sun[0], stage.sun[1], 0.42 * stage.unit, stage.palette.key, 0.6, 24.0)
    stage.lamp(stage.sun[0], stage.sun[1], 0.9 * stage.unit, air, 0.24, 24.0)


def _station(stage: Stage, distance: float, size: float, *, far: bool) -> None:
    """A long hull on its cradle: modules, trusses, panels and running lights."""
    luck = stage.luck(f"station{distance}")
    palette, unit = stage.palette, stage.unit
    steel = mix(mix(palette.shadow, (120, 128, 140), 0.3), palette.haze, 0.25 if far else 0.05)
    sheet = stage.sheet(distance, steel)
    x = stage.width * float(luck.uniform(0.2, 0.42) if not far else luck.uniform(0.55, 0.85))
    y = stage.height * 0.5 + unit * float(luck.uniform(-0.14, -0.02) if not far else luck.uniform(-0.26, -0.1))
    long = size * unit
    lit = mix(scale(steel, 1.35), palette.key, 0.22)
    sheet.rect(x - 0.95 * long, y - 0.012 * long, 1.9 * long, 0.024 * long, scale(steel, 0.8))
    at = x - 0.8 * long
    while at < x + 0.7 * long:
        wide, tall = float(luck.uniform(0.1, 0.26)) * long, float(luck.uniform(0.07, 0.2)) * long
        sheet.rect(at, y - tall / 2, wide, tall, scale(steel, float(luck.uniform(0.85, 1.1))))
        sheet.rect(at, y - tall / 2, wide, tall * 0.16, lit)
        for hatch in range(int(wide / (0.05 * long))):
            if luck.random() < 0.6:
                tone = palette.lamps[int(luck.integers(len(palette.lamps)))]
                sheet.rect(
                    at + (0.015 + 0.05 * hatch) * long,
                    y - 0.008 * long,
                    0.016 * long,
                    0.014 * long,
                    mix(tone, (255, 245, 225), 0.4),
                )
        at += wide + float(luck.uniform(0.01, 0.05)) * long
    for end in (-0.62, 0.34):
        for up in (-1.0, 1.0):
            px, top = x + end * long, y + up * 0.1 * long
            sheet.line([(px, y), (px, y + up * 0.42 * long)], max(1.2, 0.012 * long), steel)
            for cell in range(4):
                py = top + up * 0.075 * long * cell
                sheet.rect(
                    px - 0.16 * long,
                    min(py, py + up * 0.065 * long),
                    0.32 * long,
                    0.065 * long,
                    mix(scale(palette.cloth[-1], 0.3), steel, 0.4),
                )
                sheet.line([(px - 0.16 * long, py), (px + 0.16 * long, py)], 1.0, lit)
    sheet.oval(x + 0.78 * long, y, 0.13 * long, 0.13 * long, steel)
    sheet.oval(x + 0.76 * long, y - 0.03 * long, 0.08 * long, 0.07 * long, lit)
    stage.lamp(x + 0.78 * long, y - 0.15 * long, 0.16 * long, palette.lamps[0], 0.6, distance)
    stage.lamp(x - 0.9 * long, y, 0.16 * long, palette.lamps[-1], 0.6, distance)
    sheet.done(haze=0.12 if far else 0.0, lift=0.0)


def _ships(stage: Stage) -> None:
    luck = stage.luck("ships")
    palette, unit = stage.palette, stage.unit
    steel = mix(palette.shadow, (134, 140, 150), 0.42)
    for at in range(3):
        size = float(luck.uniform(0.1, 0.2)) * unit
        x, y = (
            stage.width * float(luck.uniform(0.15, 0.9)),
            stage.height * 0.5 + unit * float(luck.uniform(-0.38, 0.16)),
        )
        way = float(luck.choice(np.array([-1.0, 1.0])))
        motion = Motion(drift=(way * 0.012, -0.002))
        sheet = stage.sprite(
            3.0 + at * 0.4, steel, x - 0.8 * size, y - 0.4 * size, 1.6 * size, 0.8 * size, motion=motion
        )
        sheet.poly(
            [
                (x + way * 0.7 * size, y),
                (x + way * 0.2 * size, y - 0.1 * size),
                (x - way * 0.5 * size, y - 0.12 * size),
                (x - way * 0.56 * size, y + 0.1 * size),
                (x + way * 0.3 * size, y + 0.09 * size),
            ]
        )
        sheet.poly(
            [
                (x + way * 0.7 * size, y),
                (x + way * 0.2 * size, y - 0.1 * size),
                (x - way * 0.5 * size, y - 0.12 * size),
                (x - way * 0.2 * size, y - 0.03 * size),
            ],
            mix(scale(steel, 1.4), palette.key, 0.3),
        )
        sheet.poly(
            [
                (x - way * 0.1 * size, y - 0.1 * size),
                (x - way * 0.5 * size, y - 0.32 * size),
                (x - way * 0.55 * size, y - 0.1 * size),
            ],
            scale(steel, 0.75),
        )
        sheet.oval(x - way * 0.57 * size, y, 0.04 * size, 0.07 * size, mix(palette.lamps[0], (255, 255, 255), 0.6))
        sheet.done(haze=0.1, lift=0.0)
        glow = stage.sprite(
            3.0 + at * 0.4,
            palette.lamps[0],
            x - way * 0.8 * size - 0.4 * size,
            y - 0.1 * size,
            0.8 * size,
            0.2 * size,
            motion=motion,
        )
        glow.poly(
            [
                (x - way * 0.58 * size, y - 0.05 * size),
                (x - way * 1.15 * size, y),
                (x - way * 0.58 * size, y + 0.05 * size),
            ],
            mix(palette.lamps[0], (255, 255, 255), 0.3),
            150,
        )
        glow.done(lift=0.0, blur=1.6)


def _drones(stage: Stage) -> None:
    luck = stage.luck("drones")
    unit = stage.unit
    for at in range(4):
        x, y = stage.width * float(luck.uniform(0.1, 0.9)), stage.height * 0.5 + unit * float(luck.uniform(-0.3, 0.3))
        motion = Motion(
            drift=(float(luck.uniform(-0.03, 0.03)), 0.0), swing=(0.0, 0.008), period=5.0, phase=float(luck.random())
        )
        sheet = stage.sprite(
            1.5, stage.palette.shadow, x - 0.02 * unit, y - 0.02 * unit, 0.04 * unit, 0.04 * unit, motion=motion
        )
        sheet.rect(
            x - 0.008 * unit,
            y - 0.004 * unit,
            0.016 * unit,
            0.008 * unit,
            mix(stage.palette.shadow, (130, 136, 144), 0.4),
        )
        sheet.oval(
            x + 0.006 * unit,
            y,
            0.0035 * unit,
            0.0035 * unit,
            mix(stage.palette.lamps[at % len(stage.palette.lamps)], (255, 255, 255), 0.4),
        )
        sheet.done(lift=0.0)


def _gantry(stage: Stage) -> None:
    """Trusses close to the lens, cut by the frame."""
    luck = stage.luck("gantry")
    unit, palette = stage.unit, stage.palette
    ink = mix(palette.shadow, (0, 0, 0), 0.2)
    sheet = stage.sheet(0.8, ink)
    side = float(luck.choice(np.array([-1.0, 1.0])))
    edge = stage.width / 2 + side * stage.width / 2
    _truss(
        sheet,
        (edge - side * 0.02 * unit, -0.3 * stage.height),
        (edge - side * 0.2 * unit, stage.height * 1.3),
        0.1 * unit,
        mix(ink, palette.key, 0.22),
    )
    y = stage.height * 0.5 + 0.34 * unit
    _truss(
        sheet,
        (edge + side * 0.4 * unit, y + 0.14 * unit),
        (edge - side * 1.0 * unit, y),
        0.06 * unit,
        mix(ink, palette.key, 0.26),
    )
    if stage.wanted.people:
        x = edge - side * 0.62 * unit
        foot = y + 0.045 * unit
        sheet.oval(x, foot - 0.105 * unit, 0.017 * unit, 0.019 * unit, mix(ink, (230, 230, 236), 0.55))
        sheet.poly(
            [
                (x - 0.024 * unit, foot - 0.09 * unit),
                (x + 0.024 * unit, foot - 0.09 * unit),
                (x + 0.026 * unit, foot - 0.03 * unit),
                (x + 0.02 * unit, foot),
                (x - 0.02 * unit, foot),
                (x - 0.026 * unit, foot - 0.03 * unit),
            ],
            mix(ink, (214, 210, 206), 0.5),
        )
        sheet.rect(x - 0.03 * unit, foot - 0.085 * unit, 0.012 * unit, 0.04 * unit, mix(ink, palette.cloth[0], 0.5))
    sheet.done(lift=0.0, blur=0.0)


def _truss(sheet: Sheet, start: tuple[float, float], end: tuple[float, float], thick: float, lit: Rgb) -> None:
    (x0, y0), (x1, y1) = start, end
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    nx, ny = -(y1 - y0) / length * thick / 2, (x1 - x0) / length * thick / 2
    sheet.line([(x0 + nx, y0 + ny), (x1 + nx, y1 + ny)], thick * 0.16)
    sheet.line([(x0 - nx, y0 - ny), (x1 - nx, y1 - ny)], thick * 0.16)
    cells = max(2, int(length / thick))
    for at in range(cells):
        a, b = at / cells, (at + 1) / cells
        sign = 1 if at % 2 else -1
        p = (x0 + (x1 - x0) * a + nx * sign, y0 + (y1 - y0) * a + ny * sign)
        q = (x0 + (x1 - x0) * b - nx * sign, y0 + (y1 - y0) * b - ny * sign)
        sheet.line([p, q], thick * 0.1)
    sheet.line([(x0 + nx, y0 + ny - thick * 0.05), (x1 + nx, y1 + ny - thick * 0.05)], 1.4, lit)
    sheet.line([(x0 - nx, y0 - ny - thick * 0.05), (x1 - nx, y1 - ny - thick * 0.05)], 1.4, lit)
