"""The sky: its colours from zenith to horizon, sun, moon, stars, planets and clouds."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

import numpy as np
from PIL import Image

from .layer import Motion, cut
from .palette import Rgb, mix, scale
from .stage import Stage, noise, spill

FAR = 60.0
"""The distance of the sky, in subject distances."""


def sky(stage: Stage, *, stars: float | None = None, disc: bool = True, clouds: bool = True) -> None:
    """Paints the sky behind everything, and the clouds as a layer of their own that drifts."""
    grain = 0.5
    mx, my = stage.reach(FAR)
    wide, tall = int((stage.width + 2 * mx) * grain) & ~1, int((stage.height + 2 * my) * grain) & ~1
    palette = stage.palette
    y = (np.arange(tall, dtype=np.float32) / grain - my)[:, None, None]
    t = np.clip(y / np.float32(max(1.0, stage.horizon)), 0.0, 1.0)
    top, middle, low = (np.asarray(c, np.float32) for c in palette.sky)
    upper, lower = np.clip(t / 0.55, 0.0, 1.0), np.clip((t - 0.55) / 0.45, 0.0, 1.0)
    upper, lower = upper * upper * (3.0 - 2.0 * upper), lower * lower * (3.0 - 2.0 * lower)
    light = np.broadcast_to((top + (middle - top) * upper) * (1.0 - lower) + low * lower, (tall, wide, 3)).astype(
        np.float32
    )
    light = light + noise(stage.luck("sky"), tall, wide, 5, 4, 2)[..., None] * np.float32(7.0)
    density = palette.night if stars is None else stars
    if density > 0.4:
        _stars(stage, light, grain, density)
    sx, sy = (stage.sun[0] + mx) * grain, (stage.sun[1] + my) * grain
    reach = stage.unit * grain
    bright = 1.0 - 0.62 * palette.night - (0.35 if palette.hour == "noon" else 0.0)
    spill(light, sx, sy, reach * 1.25, palette.key, 0.34 * bright)
    spill(light, sx, sy, reach * 0.42, palette.key, 0.42 * bright)
    if disc:
        _disc(stage, light, sx, sy, reach)
    rgb = Image.fromarray(
        np.clip(light + stage.luck("skydither").random((tall, wide, 1), dtype=np.float32), 0, 255).astype(np.uint8)
    )
    stage.add(cut(rgb, None, left=-mx, top=-my, distance=FAR, grain=grain, dither=stage.dither * np.float32(0.6)))
    if clouds:
        _clouds(stage)


def _stars(
    stage: Stage, light: np.ndarray[tuple[int, ...], np.dtype[np.float32]], grain: float, density: float
) -> None:
    luck = stage.luck("stars")
    tall, wide = light.shape[:2]
    count = int(wide * tall / 900 * density)
    xs, ys = luck.integers(1, wide - 2, count), luck.integers(1, tall - 2, count)
    shine = luck.random(count, dtype=np.float32)
    shine = shine * shine * shine * shine
    fade = (
        np.clip(1.15 - ys / np.float32(max(1.0, stage.horizon * grain)), 0.0, 1.0)
        if stage.horizon < stage.height * 1.2
        else np.ones(count)
    )
    for x, y, s in zip(xs.tolist(), ys.tolist(), (shine * fade).tolist(), strict=True):
        value = 40.0 + 200.0 * s
        light[y, x] += value * (0.3 + s)
        if s > 0.35:
            light[y - 1 : y + 2, x] += value * 0.18
            light[y, x - 1 : x + 2] += value * 0.18


def _disc(
    stage: Stage, light: np.ndarray[tuple[int, ...], np.dtype[np.float32]], sx: float, sy: float, reach: float
) -> None:
    moon = stage.palette.night > 0.6
    radius = reach * (0.052 if moon else 0.062)
    tall, wide = light.shape[:2]
    y, x = np.arange(tall, dtype=np.float32)[:, None], np.arange(wide, dtype=np.float32)[None, :]
    away = np.sqrt((x - np.float32(sx)) ** 2 + (y - np.float32(sy)) ** 2)
    cover = np.clip(np.float32(radius) - away + np.float32(0.5), 0.0, 1.0)[..., None]
    colour = np.asarray(mix(stage.palette.key, (255, 255, 255), 0.4), np.float32)
    if moon:
        seas = noise(stage.luck("moon"), tall, wide, wide / radius * 1.2, tall / radius * 1.2, 2)[..., None]
        light += (colour - seas.clip(0) * np.float32(90.0) - light) * cover
    else:
        light += (colour - light) * cover * np.float32(0.92)


def _clouds(stage: Stage) -> None:
    luck = stage.luck("clouds")
    heavy = bool({"rain", "fog", "snow"} & set(stage.wanted.weather)) or stage.palette.hour == "overcast"
    motion = Motion(drift=(float(luck.choice(np.array([-1.0, 1.0]))) * 0.006, 0.0))
    grain, distance = 0.25, 30.0
    mx, my = stage.reach(distance, motion)
    wide, tall = int((stage.width + 2 * mx) * grain) & ~1, int((stage.horizon + 2 * my) * grain) & ~1
    if tall < 8:
        return
    aspect = wide / tall
    shape = noise(luck, tall, wide, 3.2 * aspect, 7.0, 5)
    y = np.linspace(0.0, 1.0, tall, dtype=np.float32)[:, None]
    bands = noise(luck, tall, wide, 1.2 * aspect, 3.0, 2)
    cover = np.clip((shape * 1.5 + bands * 1.1 - (0.06 if heavy else 0.2)) * 3.2, 0.0, 1.0)
    cover = (
        cover * cover * (3.0 - 2.0 * cover) * np.clip((1.0 - y) * 5.0, 0.0, 1.0) * np.float32(0.72 if heavy else 0.55)
    )
    palette = stage.palette
    x = (np.arange(wide, dtype=np.float32) / grain - mx)[None, :]
    rows = (np.arange(tall, dtype=np.float32) / grain - my)[:, None]
    near = np.clip(
        1.0 - ((x - stage.sun[0]) ** 2 + (rows - stage.sun[1]) ** 2) / np.float32((1.1 * stage.unit) ** 2), 0.0, 1.0
    )
    dark: Rgb = (
        mix(palette.sky[1], scale(palette.sky[0], 0.85), 0.5) if heavy else mix(palette.sky[1], palette.haze, 0.5)
    )
    lit = mix(palette.key, palette.sky[2], 0.45) if palette.night < 0.6 else mix(palette.sky[2], palette.key, 0.25)
    # The undersides catch the low light, the thick parts stay dark.
    under = np.clip(np.gradient(shape, axis=0) * -14.0, 0.0, 1.0).astype(np.float32)
    part = np.clip(0.25 + near * 0.6 + under * 0.35 - cover * 0.25, 0.0, 1.0)[..., None] * np.float32(
        1.0 - 0.45 * palette.night
    )
    rgb = np.asarray(dark, np.float32) + (np.asarray(lit, np.float32) - np.asarray(dark, np.float32)) * part
    stage.add(
        cut(
            Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8)),
            Image.fromarray((cover * 255).astype(np.uint8)),
            left=-mx,
            top=-my,
            distance=distance,
            grain=grain,
            motion=motion,
        )
    )
