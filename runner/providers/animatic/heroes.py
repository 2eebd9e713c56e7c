"""Those whom a shot is about: large in a medium shot, kneeling by a puddle, lifting a lantern over the head."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

import numpy as np

from . import props
from .layer import Motion
from .palette import Rgb, mix, scale
from .people import figure, walk
from .stage import Point, Sheet, Stage, curve
from .words import COLOURS, Wanted

FADES = {"": (0.85, 0.85), "dims": (1.0, 0.06), "brightens": (0.04, 1.0)}
_KNEELS = ("kneeling", "kneels", "kneel", "crouching", "crouches", "crouch", "squatting")
_LIFTS = ("lifting", "lifts", "lift", "raising", "raises", "raise", "holding", "holds")
_UP = ("over", "above", "up", "high", "aloft", "overhead")
_AT_A_STALL = ("vendor", "noodle", "noodles", "cook", "cooks", "counter", "soup", "tea", "bowl", "boat", "boats")
"""Who is busy with these is drawn with them by the place."""

_BRIGHT: Rgb = (255, 246, 214)


def role(wanted: Wanted) -> str:
    """What the one the shot is about does: "kneels", "lifts" (a lantern), "stands" (large), or empty."""
    if wanted.place in {"space", "interior"} or not wanted.people:
        return ""
    if wanted.says(*_KNEELS):
        return "kneels"
    if wanted.says("lantern") and wanted.says(*_LIFTS) and wanted.says(*_UP):
        return "lifts"
    return "stands" if wanted.size == "medium" and not wanted.says(*_AT_A_STALL) else ""


def enter(stage: Stage) -> None:
    """Puts the one the shot is about in front of its place, where the words tell enough of it."""
    match role(stage.wanted):
        case "kneels":
            _kneeling(stage, stage.wanted.says("lantern"))
        case "lifts":
            _lifting(stage)
        case "stands":
            near = min(stage.unit, stage.height)
            # Cut by the frame below the knee: it need not be seen on what it stands.
            foot = stage.height * 0.5 + 0.72 * near
            count = min(2, stage.wanted.people)
            walk(stage, foot=foot, tall=0.88 * near, count=count, distance=0.9, spread=(0.3, 0.7), haze=0.0)
        case _:
            pass


def _cloth(stage: Stage) -> Rgb:
    """The coat: of the colour that is said of it."""
    palette = stage.palette
    coat = (244, 200, 60) if stage.wanted.says("yellow") else palette.cloth[0]
    return scale(coat, 0.8 - 0.3 * palette.night)


def _lamp_tone(stage: Stage) -> Rgb:
    # Yellow and red are what people wear.
    named = [name for name in stage.wanted.colours if name not in {"yellow", "red"}]
    if "jade" in named:
        named = ["jade"]
    return stage.palette.lamps[0] if not named else mix(COLOURS[named[0]], _BRIGHT, 0.1)


def _held(stage: Stage, x: float, y: float, size: float, distance: float, strength: float, motion: Motion) -> None:
    """The lantern of the hero, with the light it throws."""
    start, end = FADES[stage.wanted.light]
    tone, fade = _lamp_tone(stage), (start * strength, end * strength)
    dark = mix(stage.palette.shadow, (0, 0, 0), 0.05)
    box = (x - 0.6 * size, y - 0.8 * size, 1.2 * size, 1.95 * size)

    def paint(sheet: Sheet, lit: bool) -> None:
        props.paper(sheet, x, y, size, tone, lit, dark, string=0.9)

    props.glowing(stage, paint, box, ink=dark, fade=fade, distance=distance, motion=motion)
    props.halo(stage, x, y, 3.6 * size, tone, fade, strength=0.55, distance=distance, motion=motion)


def _kneeling(stage: Stage, holds: bool) -> None:
    unit = stage.unit
    side = float(stage.chance.shot("hero").choice(np.array([-1.0, 1.0])))
    h = min(0.5 * unit, 0.52 * stage.height)
    x, foot = stage.width * 0.5 - side * 0.2 * unit, stage.height * 0.5 + 0.36 * min(unit, stage.height)
    coat = _cloth(stage)
    dark = mix(stage.palette.shadow, (0, 0, 0), 0.2)
    tone = _lamp_tone(stage)

    def at(px: float, py: float) -> Point:
        return x + side * px * h, foot + py * h

    if stage.wanted.says("puddle", "water", "pool"):
        _puddle(stage, *at(0.62, 0.1), h, tone)
    lit = mix(coat, tone if holds else stage.palette.key, 0.5)
    sheet = stage.sheet(1.0, coat)
    sheet.oval(*at(0.0, 0.01), 0.56 * h, 0.06 * h, dark, 170)
    # Shin and boot lie behind on the ground, the cape falls over them.
    sheet.poly(curve([at(-0.2, -0.14), at(-0.56, -0.1), at(-0.66, -0.02), at(-0.5, 0.02), at(0.2, 0.02)]), dark)
    body = [
        (-0.36, 0.0), (-0.42, -0.14), (-0.4, -0.36), (-0.3, -0.58), (-0.13, -0.74), (0.06, -0.7), (0.16, -0.56),
        (0.2, -0.42), (0.36, -0.3), (0.44, -0.16), (0.42, -0.01),
    ]  # fmt: skip
    sheet.poly(curve([at(*p) for p in body]), coat)
    back = [(-0.36, 0.0), (-0.42, -0.14), (-0.4, -0.36), (-0.3, -0.58), (-0.13, -0.74), (-0.12, -0.5), (-0.16, -0.2)]
    sheet.poly([*curve([at(*p) for p in back]), at(-0.06, 0.0)], mix(coat, dark, 0.45))
    sheet.line(curve([at(*p) for p in body[5:]]), 0.022 * h, lit)
    for fold in (((0.02, -0.5), (0.08, -0.2), (0.02, 0.0)), ((0.12, -0.36), (0.24, -0.16), (0.22, 0.0))):
        sheet.line(curve([at(*p) for p in fold]), 0.012 * h, mix(coat, dark, 0.3))
    skin = mix(mix(dark, (206, 150, 118), 0.62), tone, 0.12)
    face = [(0.02, -0.92), (0.13, -0.93), (0.185, -0.86), (0.21, -0.8), (0.17, -0.77), (0.16, -0.72), (0.08, -0.68)]
    sheet.poly([*curve([at(*p) for p in face]), at(-0.02, -0.74)], skin)
    sheet.line(curve([at(*p) for p in face[1:6]]), 0.016 * h, mix(skin, tone, 0.5))
    hood = [
        (0.1, -0.66), (0.06, -0.78), (0.09, -0.88), (0.16, -0.95), (0.1, -1.03), (-0.04, -1.04), (-0.17, -0.95),
        (-0.2, -0.8), (-0.15, -0.68), (-0.02, -0.62), (0.1, -0.66),
    ]  # fmt: skip
    sheet.poly(curve([at(*p) for p in hood]), mix(coat, stage.palette.key, 0.06))
    sheet.poly(
        curve(
            [
                at(*p)
                for p in ((-0.17, -0.95), (-0.2, -0.8), (-0.15, -0.68), (-0.04, -0.64), (-0.1, -0.8), (-0.17, -0.95))
            ]
        ),
        mix(coat, dark, 0.42),
    )
    sheet.line(curve([at(*p) for p in hood[1:5]]), 0.016 * h, lit)
    hand = at(0.5, -0.3)
    arm = [at(0.0, -0.58), at(0.16, -0.38), hand]
    sheet.line(arm, 0.125 * h, scale(coat, 0.86))
    sheet.oval(*arm[1], 0.062 * h, 0.062 * h, scale(coat, 0.86))
    sheet.oval(*arm[0], 0.062 * h, 0.062 * h, scale(coat, 0.86))
    sheet.line([(px, py - 0.05 * h) for px, py in arm], 0.014 * h, lit)
    sheet.oval(*at(0.53, -0.29), 0.05 * h, 0.046 * h, skin)
    sheet.done()
    if holds:
        dim = stage.wanted.says("dim", "soaked", "dark", "out") and not stage.wanted.light
        stage.keyed = True
        _held(stage, *at(0.68, -0.2), 0.3 * h, 1.0, 0.35 if dim else 1.0, Motion())


def _puddle(stage: Stage, x: float, y: float, h: float, tone: Rgb) -> None:
    palette = stage.palette
    water = mix(mix(palette.shadow, palette.sky[2], 0.6), tone, 0.12)
    sheet = stage.sheet(1.0, water)
    sheet.oval(x, y, 0.86 * h, 0.115 * h, mix(water, palette.haze, 0.3))
    sheet.oval(x, y + 0.006 * h, 0.83 * h, 0.105 * h, water)
    for step in range(8):
        f = 1.0 - step / 8
        sheet.oval(x + 0.05 * h, y, 0.34 * h * f, 0.07 * h * f, mix(water, tone, 0.5 * (1 - f)))
    for part, reach in ((-0.05, 0.5), (0.03, 0.66), (0.065, 0.36)):
        sheet.line(
            [(x - reach * h, y + part * h), (x - 0.2 * reach * h, y + part * h)], 0.008 * h, mix(water, tone, 0.35)
        )
    sheet.done()


def _lifting(stage: Stage) -> None:
    unit = stage.unit
    side = float(stage.chance.shot("hero").choice(np.array([-1.0, 1.0])))
    h = 0.5 * min(unit, stage.height)
    if stage.wanted.size == "wide":
        h *= 0.86
    x, foot = stage.width * 0.5 + side * 0.05 * unit, stage.height * 0.5 + 0.42 * min(unit, stage.height)
    coat = _cloth(stage)
    dark = mix(stage.palette.shadow, (0, 0, 0), 0.2)
    tone = _lamp_tone(stage)
    sheet = stage.sheet(1.0, coat)
    sheet.oval(x, foot, 0.3 * h, 0.03 * h, dark, 150)
    figure(sheet, x, foot, h, coat, dark, rim=mix(coat, tone, 0.6), child=True)
    sleeve = scale(coat, 0.88)
    for arm in (-1.0, 1.0):
        path = [
            (x + arm * 0.085 * h, foot - 0.74 * h),
            (x + arm * 0.15 * h, foot - 0.92 * h),
            (x + arm * 0.06 * h, foot - 1.1 * h),
        ]
        sheet.line(path, 0.06 * h, sleeve)
        for px, py in path[:2]:
            sheet.oval(px, py, 0.03 * h, 0.03 * h, sleeve)
        sheet.line([(px + arm * 0.022 * h, py) for px, py in path], 0.01 * h, mix(coat, tone, 0.6))
        sheet.oval(path[2][0], path[2][1] - 0.01 * h, 0.03 * h, 0.034 * h, mix(dark, (206, 150, 118), 0.6))
    sheet.done()
    stage.keyed = True
    _held(stage, x, foot - 1.28 * h, 0.3 * h, 1.0, 1.0, Motion())
