"""The weather of a shot: rain, snow, dust, steam, fog, embers and leaves, drifting in front of the set."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .chance import sway
from .layer import F32, U16, Motion, Picture, cut
from .palette import Rgb, mix
from .stage import Stage, curve, noise


@dataclass(slots=True)
class Fall:
    """Something that falls everywhere: a tile of light that scrolls, ``down`` and ``across`` in pixels a second."""

    tile: U16
    down: float
    across: float
    swing: float = 0.0


@dataclass(slots=True)
class Flock:
    """Many small things, each on its own way: embers, leaves, rings on wet ground."""

    kind: str
    places: F32
    stamps: list[tuple[U16, U16, U16, U16]] = field(default_factory=list)


@dataclass(slots=True)
class Weather:
    """What moves in the air of one shot. Lengths are pixels of the working picture."""

    falls: list[Fall]
    flocks: list[Flock]

    def show(self, picture: Picture, seconds: float) -> None:
        """Adds the weather of this moment to a picture."""
        for fall in self.falls:
            _fall(picture, fall, seconds)
        for flock in self.flocks:
            _PASSES[flock.kind](picture, flock, seconds)


def make(stage: Stage) -> Weather:
    """The weather the words ask for. Fog, dust and steam become layers of the stage; the rest is drawn frame
    by frame.
    """
    weather = Weather([], [])
    for kind in stage.wanted.weather:
        if kind == "rain" and stage.wanted.place not in {"interior", "space"}:
            _rain(stage, weather)
        elif kind == "snow" and stage.wanted.place not in {"interior", "space"}:
            _snow(stage, weather)
        elif kind == "embers":
            weather.flocks.append(_embers(stage))
        elif kind == "leaves":
            weather.flocks.append(_leaves(stage))
        elif kind in {"dust", "steam", "fog"}:
            _veil(stage, kind)
    return weather


def fire(stage: Stage) -> None:
    """A fire on the ground with its glow, where sparks are wanted and nothing else would throw them."""
    luck = stage.luck("fire")
    unit = stage.unit
    x = stage.width * (0.5 + float(luck.choice(np.array([-1.0, 1.0]))) * float(luck.uniform(0.1, 0.17)))
    foot = stage.horizon + 0.25 * unit
    size = 0.13 * unit
    tones: tuple[Rgb, ...] = ((226, 84, 30), (255, 146, 44), (255, 224, 140))
    for tongue, (tone, part) in enumerate(zip(tones, (1.0, 0.72, 0.42), strict=True)):
        motion = Motion(swing=(0.0016, 0.0028), period=0.5 + 0.13 * tongue, phase=float(luck.random()))
        sheet = stage.sprite(1.25, tone, x - size, foot - 1.4 * size, 2 * size, 1.5 * size, motion=motion)
        for lean in (-0.3, 0.05, 0.36):
            tall = size * part * (1.2 - 1.1 * abs(lean)) * float(luck.uniform(0.85, 1.15))
            wide, at = 0.3 * size * part, x + lean * size * part
            tip = (at + 0.1 * size * float(luck.uniform(-1, 1)), foot - tall)
            bow = [
                (at - wide, foot - 0.12 * tall),
                (at - 0.8 * wide, foot - 0.4 * tall),
                (at - 0.2 * wide, foot - 0.7 * tall),
            ]
            fall = [(at + 0.3 * wide, foot - 0.66 * tall), (at + 0.85 * wide, foot - 0.36 * tall), (at + wide, foot)]
            sheet.poly(curve([(at - 0.7 * wide, foot), *bow, tip, *fall]))
        sheet.done(lift=0.0)
    logs = stage.sprite(1.24, stage.palette.shadow, x - 1.2 * size, foot - 0.3 * size, 2.4 * size, 0.5 * size)
    for lean in (-1.0, 1.0):
        start, end = (x - lean * 0.9 * size, foot + 0.08 * size), (x + lean * 0.55 * size, foot - 0.12 * size)
        logs.line([start, end], 0.13 * size, mix(stage.palette.shadow, (120, 60, 30), 0.3))
    logs.done(lift=0.0)
    stage.lamp(x, foot - 0.35 * size, 0.62 * unit, (255, 140, 56), 0.75, 1.3)
    stage.lamp(x, foot - 0.4 * size, 0.22 * unit, (255, 196, 110), 0.6, 1.3)


def _rain(stage: Stage, weather: Weather) -> None:
    luck = stage.luck("rain")
    slant = float(luck.uniform(-0.16, 0.16))
    bright = 26 + int(16 * (1.0 - stage.palette.night))
    for count, long, wide, speed, light in ((420, 0.045, 1, 1.5, bright), (90, 0.11, 2, 2.5, int(bright * 1.25))):
        sheet = Image.new("L", (stage.width, stage.height), 0)
        pen = ImageDraw.Draw(sheet)
        length = long * stage.unit
        for _ in range(count):
            x, y = float(luck.random()) * stage.width, float(luck.random()) * stage.height
            shine = int(light * float(luck.uniform(0.35, 1.0)))
            drop = length * float(luck.uniform(0.6, 1.2))
            for ox in (-stage.width, 0, stage.width):
                for oy in (-stage.height, 0):
                    # Drawn past the edges as well, so that the tile joins itself without a seam.
                    pen.line(
                        [(x + ox, y + oy), (x + ox + slant * drop, y + oy + drop)],
                        fill=shine,
                        width=max(1, round(wide * stage.unit / 720)),
                    )
        soft = sheet.filter(ImageFilter.BoxBlur((0.5 * wide, 1.0)))
        fall = speed * stage.unit
        weather.falls.append(Fall(_doubled(soft), fall, fall * slant))
    if stage.horizon < stage.height:
        weather.flocks.append(_rings(stage))


def _snow(stage: Stage, weather: Weather) -> None:
    luck = stage.luck("snow")
    wind = float(luck.uniform(-0.05, 0.05))
    storm = 2.0 if stage.wanted.says("blizzard", "snowstorm", "storm") else 1.0
    for count, size, speed, light in ((520, 1.0, 0.07, 88), (210, 1.9, 0.12, 112), (46, 4.2, 0.22, 96)):
        grow = stage.unit / 720 * size
        sheet = Image.new("L", (stage.width * 2, stage.height * 2), 0)
        pen = ImageDraw.Draw(sheet)
        for _ in range(int(count * storm)):
            x, y = float(luck.random()) * stage.width * 2, float(luck.random()) * stage.height * 2
            r = grow * float(luck.uniform(0.7, 1.4)) * 1.6
            pen.ellipse((x - r, y - r, x + r, y + r), fill=int(light * float(luck.uniform(0.5, 1.2))))
        small = sheet.reduce(2).filter(ImageFilter.BoxBlur(0.35 * grow))
        weather.falls.append(
            Fall(
                _doubled(small),
                speed * stage.height,
                wind * storm * stage.height * (0.6 + speed * 3),
                0.012 * stage.height * size**0.5,
            )
        )


def _doubled(tile: Image.Image) -> U16:
    one = np.asarray(tile, np.uint16)
    return np.tile(one, (2, 2))


def _fall(picture: Picture, fall: Fall, seconds: float) -> None:
    tall, wide = picture.y.shape
    y, x = -fall.down * seconds, -fall.across * seconds - fall.swing * sway(seconds / 3.7)
    top, left = y - tall * float(np.floor(y / tall)), x - wide * float(np.floor(x / wide))
    row, col = min(int(top), tall - 1), min(int(left), wide - 1)
    if fall.swing:
        # Slow flakes must glide, not step: read between four neighbours.
        fy, fx = np.uint16((top - row) * 16), np.uint16((left - col) * 16)
        upper = fall.tile[row : row + tall, col : col + wide + 1] * (np.uint16(16) - fy)
        upper += (
            fall.tile[row + 1 : row + tall + 1, col : col + wide + 1] * fy
            if row + tall + 1 <= 2 * tall
            else np.uint16(0)
        )
        across = upper[:, :-1] * (np.uint16(16) - fx)
        across += upper[:, 1:] * fx
        across >>= np.uint16(8)
        picture.y += across[:, :wide]
    else:
        picture.y += fall.tile[row : row + tall, col : col + wide]


def _stamp(colour: Rgb, cover: F32) -> tuple[U16, U16, U16, U16]:
    """A small thing as premultiplied Y, its matte, and its U and V (whole pairs of pixels)."""
    r, g, b = colour
    y = 16 + 0.182586 * r + 0.614231 * g + 0.062007 * b
    u = 128 - 0.100644 * r - 0.338572 * g + 0.439216 * b
    v = 128 + 0.439216 * r - 0.398942 * g - 0.040274 * b
    small = (cover[0::2, 0::2] + cover[1::2, 0::2] + cover[0::2, 1::2] + cover[1::2, 1::2]) * np.float32(0.25)
    part = np.floor(small * 256 + 0.5).astype(np.uint16)
    return (
        np.floor(cover * y + 0.5).astype(np.uint16),
        np.floor((1 - cover) * 256 + 0.5).astype(np.uint16),
        np.concatenate([np.full_like(part, int(u + 0.5)), np.full_like(part, int(v + 0.5))]),
        part,
    )


def _press(picture: Picture, stamp: tuple[U16, U16, U16, U16], x: float, y: float) -> None:
    light, clear, colours, part = stamp
    tall, wide = light.shape
    left, top = int(x) & ~1, int(y) & ~1
    if left < 0 or top < 0 or left + wide > picture.y.shape[1] or top + tall > picture.y.shape[0]:
        return
    target = picture.y[top : top + tall, left : left + wide]
    target *= clear
    target >>= np.uint16(8)
    target += light
    half = tall // 2
    for at, plane in enumerate((picture.u, picture.v)):
        chroma = plane[top // 2 : top // 2 + half, left // 2 : left // 2 + wide // 2]
        chroma[...] = (chroma * (np.uint16(256) - part) + colours[at * half : (at + 1) * half] * part) >> np.uint16(8)


def _embers(stage: Stage) -> Flock:
    luck = stage.luck("embers")
    places = luck.random((64, 6), dtype=np.float32)
    scale = stage.height / 720
    stamps = []
    for at in range(5):
        r = (1.2 + 0.7 * at) * scale
        size = int(r * 3 + 2) * 2
        axis = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / np.float32(r * 2.4)
        fall = np.clip(1.0 - axis[None, :] ** 2 - axis[:, None] ** 2, 0, 1)
        stamps.append(
            _stamp(
                mix((255, 150, 50), (255, 226, 150), 0.2 * at),
                (fall * fall * fall * np.float32(0.95)).astype(np.float32),
            )
        )
    return Flock("embers", places, stamps)


def _show_embers(picture: Picture, flock: Flock, seconds: float) -> None:
    tall, wide = picture.y.shape
    for a, b, c, d, e, f in flock.places.tolist():
        life = (seconds * (0.1 + 0.16 * c) + b) % 1.0
        x = (a + 0.05 * sway(seconds * (0.2 + 0.3 * d) + e) + 0.06 * life * (d - 0.3)) % 1.0
        size = int(f * f * 4.99 * (1.0 - abs(2 * life - 0.7)) if life < 0.95 else 0)
        _press(picture, flock.stamps[max(0, size)], x * wide, (1.02 - 1.05 * life) * tall)


def _leaves(stage: Stage) -> Flock:
    luck = stage.luck("leaves")
    places = luck.random((30, 6), dtype=np.float32)
    stamps = []
    tones = [stage.palette.cloth[0], (206, 110, 44), (186, 66, 40), (222, 164, 66)]
    if stage.wanted.says("petal", "petals", "blossom", "blossoms"):
        tones = [(250, 190, 204), (244, 160, 184), (252, 214, 222), (240, 176, 196)]
    for at in range(16):
        length = (5.0 + 2.4 * (at % 4)) * stage.height / 720
        size = int(length * 1.3 + 2) * 2
        turn = at / 16 * 2.0
        c, s = sway(turn + 0.25), sway(turn)
        axis = np.arange(size, dtype=np.float32) + 0.5 - size / 2
        along, across = axis[None, :] * c + axis[:, None] * s, -axis[None, :] * s + axis[:, None] * c
        thin = 0.26 + 0.22 * abs(sway(at * 0.17))
        shape = 1.0 - np.abs(along) / length
        cover = np.clip((shape - np.abs(across) / np.float32(length * thin)) * np.float32(length * 0.5), 0, 1)
        stamps.append(
            _stamp(
                mix(tones[at % 4], stage.palette.shadow, 0.1 + 0.4 * stage.palette.night),
                (cover * np.float32(0.94)).astype(np.float32),
            )
        )
    return Flock("leaves", places, stamps)


def _show_leaves(picture: Picture, flock: Flock, seconds: float) -> None:
    tall, wide = picture.y.shape
    for a, b, c, d, e, f in flock.places.tolist():
        life = (seconds * (0.09 + 0.09 * c) + b) % 1.0
        flutter = sway(seconds * (0.35 + 0.3 * d) + e)
        x = (a + 0.07 * flutter + 0.22 * life) % 1.0
        stamp = flock.stamps[int(16 * (seconds * (0.4 + 0.5 * f) + e)) % 16]
        _press(picture, stamp, x * wide, (-0.06 + 1.1 * life + 0.012 * flutter) * tall)


def _rings(stage: Stage) -> Flock:
    """Rings where drops hit the wet ground: eight ages of one ring, three sizes of nearness."""
    luck = stage.luck("rings")
    places = luck.random((60, 4), dtype=np.float32)
    places[:, 3] = np.float32(stage.horizon / stage.height)
    stamps = []
    for near in range(3):
        for age in range(8):
            r = (2.0 + 1.5 * age) * (0.5 + 0.6 * near) * stage.height / 720
            wide, tall = int(r + 3) * 2, int(r * 0.32 + 2) * 2
            x = (np.arange(wide, dtype=np.float32) + 0.5 - wide / 2) / np.float32(r)
            y = (np.arange(tall, dtype=np.float32) + 0.5 - tall / 2) / np.float32(r * 0.32)
            away = np.sqrt(x[None, :] ** 2 + y[:, None] ** 2)
            ring = np.clip(1.0 - np.abs(away - 1.0) * np.float32(max(1.2, r * 0.35)), 0, 1) * np.float32(
                (1.0 - age / 8) * 34
            )
            light = ring.astype(np.uint16)
            stamps.append((light, light, light, light))
    return Flock("rings", places, stamps)


def _show_rings(picture: Picture, flock: Flock, seconds: float) -> None:
    tall, wide = picture.y.shape
    for at, (a, b, c, horizon) in enumerate(flock.places.tolist()):
        turn = seconds * (1.3 + 0.5 * c) + b
        beat, age = int(turn), int((turn % 1.0) * 16)
        if age >= 8:
            continue
        # A new place for each drop, from whole numbers alone.
        place = (at * 2654435761 + beat * 40503) & 0xFFFF
        depth = ((place >> 8) & 0xFF) / 256.0
        depth = 0.06 + 0.94 * depth * depth
        x, y = (a + (place & 0xFF) / 256.0) % 1.0 * wide, (horizon + (1.0 - horizon) * (0.1 + 0.9 * depth)) * tall
        light = flock.stamps[min(2, int(depth * 3)) * 8 + age][0]
        top, left = int(y), int(x)
        h, w = light.shape
        if top + h <= tall and left + w <= wide:
            picture.y[top : top + h, left : left + w] += light


_PASSES = {"embers": _show_embers, "leaves": _show_leaves, "rings": _show_rings}


def _veil(stage: Stage, kind: str) -> None:
    """Fog, dust or steam: two soft sheets of air at different distances, the nearer one moving faster."""
    luck = stage.luck(f"veil{kind}")
    palette = stage.palette
    way = float(luck.choice(np.array([-1.0, 1.0])))
    tone: Rgb = {
        "dust": mix(palette.haze, palette.earth, 0.3),
        "steam": mix(palette.haze, mix(palette.lamps[0], (255, 255, 255), 0.4), 0.3),
        "fog": palette.haze,
    }[kind]
    thick = {"dust": 0.42, "steam": 0.34, "fog": 0.6}[kind]
    for distance, part, speed in ((2.4, 1.0, 0.016), (0.9, 0.6, 0.045)):
        motion = Motion(drift=(way * speed, -0.03 * part if kind == "steam" else 0.0))
        grain = 0.125
        mx, my = stage.reach(distance, motion)
        wide, tall = int((stage.width + 2 * mx) * grain) & ~1, int((stage.height + 2 * my) * grain) & ~1
        y = (np.arange(tall, dtype=np.float32) / np.float32(grain) - np.float32(my))[:, None]
        if kind == "steam":
            shape = noise(luck, tall, wide, 9, 3.2, 4)
            band = np.clip(1.0 - np.abs(y - (stage.horizon - 0.02 * stage.unit)) / np.float32(0.34 * stage.unit), 0, 1)
        else:
            shape = noise(luck, tall, wide, 4, 5, 4)
            band = np.clip(
                1.0
                - np.abs(y - (stage.horizon + 0.06 * stage.unit))
                / np.float32((0.4 if kind == "fog" else 0.34) * stage.unit),
                0.0,
                1.0,
            )
        band = band * band * (3.0 - 2.0 * band)
        matte = np.clip(
            (shape * 1.5 + (0.42 if kind == "fog" else 0.28)) * band * np.float32(thick * part * 1.5), 0, 0.85
        )
        rgb = stage.air(wide, tall, -mx, -my, tone, 0.2)
        rgb = stage.air(stage.width + 2 * mx, stage.height + 2 * my, -mx, -my, tone, 0.2).resize(
            (wide, tall), Image.Resampling.BOX
        )
        layer = cut(
            rgb,
            Image.fromarray((matte * 255).astype(np.uint8)),
            left=-mx,
            top=-my,
            distance=distance,
            grain=grain,
            motion=motion,
        )
        if layer is not None:
            # In front of what is farther away and behind what is nearer.
            at = next(
                (i for i, other in enumerate(stage.layers) if not other.glow and other.distance < distance * 0.9),
                len(stage.layers),
            )
            stage.layers.insert(at, layer)
