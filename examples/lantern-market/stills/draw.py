"""Draws lane.png, the picture that the film begins on: an old-town market lane at night, in the rain.

    python draw.py [OUT.png]

The lane is a small scene in metres, seen from a child's eye height. It is drawn once upright, and once upside down for
what the wet stone shows of it. The same numbers are drawn every time: nothing here is left to chance.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

WIDTH, HEIGHT, FINE = 1920, 1080, 2
EYE_M, LENS, MIDDLE, LEVEL = 1.25, 1250.0, 985.0, 520.0
"""Height of the eye, focal length in pixels, and where the lane's vanishing point stands in the picture."""
WALL_M = 3.3
COLOURS = 224

Rgb = tuple[int, int, int]
Point = tuple[float, float, float]
Floats = NDArray[Any]

NIGHT: Rgb = (13, 17, 33)
SKY: Rgb = (27, 37, 62)
MIST: Rgb = (112, 78, 58)
WOOD: Rgb = (38, 27, 30)
AMBER: Rgb = (255, 172, 66)
JADE: Rgb = (62, 196, 150)
CREAM: Rgb = (255, 232, 184)
CAPE: Rgb = (250, 204, 48)


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


class Lane:
    """A picture in the making. ``up`` is 1 for the lane itself and -1 for its image in the wet stone."""

    def __init__(self, up: int) -> None:
        self.up = up
        self.image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), NIGHT)
        self.pen = ImageDraw.Draw(self.image)
        self.bare = Image.new("L", self.image.size, 255)
        self.cover = ImageDraw.Draw(self.bare)
        """Where nothing stands: there one sees the stone."""
        self.light: Floats = np.zeros((HEIGHT // 4, WIDTH // 4, 3), np.float32)
        self.chance = np.random.default_rng(20)

    def at(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Where a point stands in the picture: metres right of the middle, above the stone, and away."""
        return (MIDDLE + LENS * x / z) * FINE, (LEVEL + LENS * (EYE_M - self.up * y) / z) * FINE

    def far(self, colour: Rgb, z: float) -> Rgb:
        """A colour as it looks at a distance: the mist of the lane's end lies over it."""
        return mix(colour, MIST, min(0.6, max(0.0, (z - 5) / 38)))

    def face(self, points: Sequence[Point], colour: Rgb) -> None:
        depth = sum(z for _, _, z in points) / len(points)
        corners = [self.at(*point) for point in points]
        self.pen.polygon(corners, self.far(colour, depth))
        self.cover.polygon(corners, 0)

    def disc(self, x: float, y: float, z: float, wide: float, tall: float, colour: Rgb) -> None:
        cx, cy = self.at(x, y, z)
        rx, ry = LENS * wide / z * FINE, LENS * tall / z * FINE
        box = (cx - rx, cy - ry, cx + rx, cy + ry)
        self.pen.ellipse(box, self.far(colour, z * 0.7))
        self.cover.ellipse(box, 0)

    def string(self, points: Sequence[Point], colour: Rgb, thick_m: float) -> None:
        z = points[0][2]
        corners, thick = [self.at(*p) for p in points], max(2, round(LENS * thick_m / z * FINE))
        self.pen.line(corners, self.far(colour, z), thick)
        self.cover.line(corners, 0, thick)

    def glow(self, x: float, y: float, z: float, radius_m: float, colour: Rgb, strength: float) -> None:
        """Light in the wet air around a lamp."""
        cx, cy = (value / FINE / 4 for value in self.at(x, y, z))
        radius = LENS * radius_m / z / 4
        rows, columns = np.ogrid[: self.light.shape[0], : self.light.shape[1]]
        distance = ((columns - cx) ** 2 + (rows - cy) ** 2) / radius**2
        strength *= 0.36 * min(1.0, 7 / z)
        self.light += (np.exp(-distance)[..., None] * np.array(colour, np.float32) * strength).astype(np.float32)

    def finished(self) -> Floats:
        """The picture with its light, 0 to 255 as floats."""
        small = self.image.resize((WIDTH, HEIGHT), Image.Resampling.BOX)
        bands = [
            Image.fromarray(self.light[..., n]).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC) for n in range(3)
        ]
        light = np.stack([np.asarray(band) for band in bands], axis=-1)
        light = 170 * (1 - np.exp(-np.maximum(light, 0) / 170))
        flat = np.asarray(small, np.float32)
        return np.asarray(flat + light * (1 - flat / 330))


def paint(lane: Lane) -> None:
    """The whole scene, from the back to the front."""
    sky(lane)
    for z in (30.0, 24.0, 19.0, 15.0, 12.0, 9.6, 7.6, 6.0, 4.6):
        for side in (-1, 1):
            house(lane, side, z)
        for side in (-1, 1):
            if z < 20:
                stall(lane, side, z * (1.0 if side < 0 else 0.93))
        for person in PEOPLE:
            if z * 0.8 < person[1] <= z:
                walker(lane, *person)
        lanterns(lane, z * 0.97)


def sky(lane: Lane) -> None:
    """Night above the roofs, and the glow of the town where the lane ends."""
    lane.pen.rectangle((0, 0, WIDTH * FINE, HEIGHT * FINE), SKY)
    cx, cy = lane.at(0, 1.2, 30)
    for step in range(14):
        share = step / 13
        wide, tall = (300 * (1 - share) + 24) * FINE, (420 * (1 - share) + 26) * FINE
        lane.pen.ellipse((cx - wide, cy - tall, cx + wide, cy + tall), mix(SKY, MIST, share**1.3))
    lane.cover.rectangle((0, 0, WIDTH * FINE, (LEVEL + 30) * FINE), 0)
    lane.glow(0, 1.5, 30, 5.0, AMBER, 0.35)


def house(lane: Lane, side: int, z: float) -> None:
    """A timber front of two floors under a deep eave, with lit and sleeping windows."""
    near, far = z * 0.8, z * 1.02
    tall = float(lane.chance.uniform(5.2, 7.4))
    wall = mix(WOOD, (44, 38, 58), float(lane.chance.uniform(0.2, 0.9)))
    x = side * WALL_M
    lane.face([(x, 0, near), (x, tall, near), (x, tall, far), (x, 0, far)], wall)
    for beam in np.linspace(near, far, 4):
        lane.face(_upright(x, beam, beam * 1.008, 0, tall), mix(wall, (0, 0, 0), 0.4))
    for low, high in ((3.0, 4.3), (5.0, 6.0)):
        lane.face(_upright(x, near, far, low - 0.32, low - 0.22), mix(wall, (0, 0, 0), 0.45))
        for n in range(3):
            a = near + (far - near) * (n + 0.2) / 3
            b = near + (far - near) * (n + 0.82) / 3
            lit = float(lane.chance.random())
            if high < tall - 0.3:
                window(lane, x, a, b, low, high, wall, lit)
    out = x - side * 0.75
    lane.face(
        [(x, tall + 0.5, near), (out, tall - 0.1, near), (out, tall - 0.1, far), (x, tall + 0.5, far)], (20, 19, 32)
    )
    lane.face(
        [(out, tall - 0.1, near), (out, tall - 0.24, near), (out, tall - 0.24, far), (out, tall - 0.1, far)],
        (52, 44, 58),
    )


def window(lane: Lane, x: float, a: float, b: float, low: float, high: float, wall: Rgb, lit: float) -> None:
    warm = mix((214, 134, 62), CREAM, lit * 0.5)
    lane.face(_upright(x, a, b, low, high), warm if lit > 0.52 else mix(wall, (64, 84, 116), 0.35))
    bar = mix(wall, (0, 0, 0), 0.5)
    for share in (0.25, 0.5, 0.75):
        z = a + (b - a) * share
        lane.face(_upright(x, z, z * 1.004, low, high), bar)
    middle = (low + high) / 2
    lane.face(_upright(x, a, b, middle, middle + 0.06), bar)
    if lit > 0.52:
        lane.glow(x * 0.97, middle, (a + b) / 2, 0.9, (230, 150, 70), 0.16)


def stall(lane: Lane, side: int, z: float) -> None:
    """A stall: a lit back wall, goods on the counter, a striped awning, a paper lantern at its corner, steam."""
    near, far = z * 0.84, z * 0.98
    inner, outer = side * 1.75, side * (WALL_M - 0.05)
    lamp = AMBER if float(lane.chance.random()) < 0.7 else JADE
    cloth = [(150, 44, 40), (30, 92, 84), (176, 108, 38), (62, 58, 104)][int(lane.chance.integers(4))]
    lane.face(_upright(outer, near, far, 0.4, 2.5), mix(WOOD, lamp, 0.55))
    lane.face([(outer, 0.4, far), (outer, 2.5, far), (inner, 2.3, far), (inner, 0.4, far)], mix(WOOD, lamp, 0.4))
    for shelf in (1.45, 1.85):
        for n in range(7):
            x = outer + (inner - outer) * (n + 0.5) / 7.5
            tone = [(186, 70, 50), (226, 178, 90), (70, 140, 112), (236, 216, 176)][int(lane.chance.integers(4))]
            wide = 0.05 + 0.05 * float(lane.chance.random())
            tall = 0.1 + 0.2 * float(lane.chance.random())
            lane.face(
                [
                    (x - wide, shelf, far),
                    (x - wide, shelf + tall, far),
                    (x + wide, shelf + tall, far),
                    (x + wide, shelf, far),
                ],
                mix(tone, WOOD, 0.25),
            )
    keeper = outer + (inner - outer) * float(lane.chance.uniform(0.35, 0.65))
    figure(lane, keeper, far * 0.99, 1.6, mix((44, 30, 34), lamp, 0.14))
    lane.disc(keeper, 1.54, far * 0.99, 0.16, 0.07, mix(CREAM, WOOD, 0.25))
    lane.disc(keeper + 0.42, 1.12, far * 0.98, 0.22, 0.24, (44, 34, 38))
    lane.glow((inner + outer) / 2, 1.7, z, 1.5, lamp, 0.34)
    # The counter: its front to the lane and its front to us, then what lies on it.
    wood = mix(WOOD, lamp, 0.16)
    lane.face(_upright(inner, near, far, 0, 0.92), wood)
    lane.face([(inner, 0, near), (inner, 0.92, near), (outer, 0.92, near), (outer, 0, near)], mix(wood, (0, 0, 0), 0.3))
    lane.face([(inner, 0.92, near), (inner, 0.92, far), (outer, 0.92, far), (outer, 0.92, near)], mix(WOOD, lamp, 0.6))
    for n in range(4):
        where = far + (near - far) * (n + 0.6) / 4.4
        tone = [(228, 120, 52), (214, 64, 52), (124, 176, 88), (240, 206, 120), (232, 228, 206)][(n + int(z)) % 5]
        for m in range(5):
            x = inner + side * (0.2 + 0.13 * m)
            lane.disc(x, 0.98, where, 0.075, 0.075, mix(tone, WOOD, 0.12 + 0.1 * (m % 2)))
        for m in range(4):
            x = inner + side * (0.265 + 0.13 * m)
            lane.disc(x, 1.08, where, 0.07, 0.07, mix(tone, CREAM, 0.12 + 0.1 * (m % 2)))
    # A cloth hangs from the counter, with a pale ring on every second length.
    for n in range(6):
        a, b = (inner + (outer - inner) * share for share in (n / 6, (n + 0.94) / 6))
        lane.face(
            [(a, 0.9, near), (a, 0.28, near), (b, 0.28, near), (b, 0.9, near)], mix(mix(cloth, NIGHT, 0.5), lamp, 0.08)
        )
        if n % 2:
            lane.disc((a + b) / 2, 0.6, near, 0.075, 0.075, mix(cloth, CREAM, 0.3))
            lane.disc((a + b) / 2, 0.6, near, 0.05, 0.05, mix(mix(cloth, NIGHT, 0.5), lamp, 0.08))
    # The awning, in stripes, with a scalloped lip.
    for n in range(8):
        a, b = (near * 0.98 + (far - near * 0.98) * share for share in (n / 8, (n + 1) / 8))
        tone = cloth if n % 2 else mix(cloth, CREAM, 0.55)
        tone = mix(tone, NIGHT, 0.28)
        lip = inner - side * 0.42
        lane.face([(outer, 2.9, a), (lip, 2.32, a), (lip, 2.32, b), (outer, 2.9, b)], tone)
        lane.face(
            [(lip, 2.32, a), (lip, 2.12, a), (lip, 2.05, (a + b) / 2), (lip, 2.12, b), (lip, 2.32, b)],
            mix(tone, lamp, 0.25),
        )
    lane.face(
        [(outer, 2.9, near * 0.98), (inner - side * 0.42, 2.32, near * 0.98), (outer, 2.32, near * 0.98)],
        mix(cloth, NIGHT, 0.5),
    )
    for corner in (near, far):
        lane.string([(inner, 0.9, corner), (inner, 2.35, corner)], (26, 20, 24), 0.06)
    lantern(lane, inner - side * 0.3, 1.98, near, 0.17, JADE if lamp == AMBER else AMBER)
    for n in range(4):
        lane.glow(
            inner + side * (0.3 - 0.1 * n), 1.35 + 0.42 * n, z * 0.9, 0.24 + 0.13 * n, (206, 190, 168), 0.17 - 0.03 * n
        )


def lanterns(lane: Lane, z: float) -> None:
    """A rope from house to house, with its row of paper lanterns."""
    tall = 3.5 + 0.05 * (z % 3) + (0.25 if z < 6 else 0)
    sag = 0.55
    count = 8 if z > 8 else 6
    turn = round(z * 10)

    def hang(share: float) -> Point:
        return WALL_M * (2 * share - 1) * 0.98, tall - sag * (1 - (2 * share - 1) ** 2), z

    lane.string([hang(n / 24) for n in range(25)], (24, 20, 28), 0.018)
    for n in range(count):
        x, y, _ = hang((n + 0.32 + 0.09 * (turn % 5)) / count)
        size = 0.18 + 0.035 * ((n * 5 + turn) % 3)
        lantern(lane, x, y - size * 1.6, z, size, (AMBER, JADE, AMBER, AMBER, JADE)[(n * 3 + turn) % 5])


def lantern(lane: Lane, x: float, y: float, z: float, size: float, tone: Rgb) -> None:
    """Paper around a flame: brightest in its middle, ribs, a dark cap, a tassel."""
    lane.glow(x, y, z, size * 5.2, tone, 0.2)
    lane.glow(x, y, z, size * 2.1, tone, 0.3)
    lane.string([(x, y + size, z), (x, y + size * 1.7, z)], (24, 20, 28), 0.015)
    lane.string([(x, y - size, z), (x, y - size * 1.9, z)], mix(tone, WOOD, 0.5), 0.03)
    lane.disc(x, y, z, size * 1.02, size * 0.98, mix(tone, WOOD, 0.42))
    lane.disc(x, y, z, size * 0.9, size * 0.9, tone)
    lane.disc(x, y - size * 0.1, z, size * 0.62, size * 0.7, mix(tone, CREAM, 0.5))
    lane.disc(x, y - size * 0.14, z, size * 0.3, size * 0.42, mix(tone, (255, 250, 232), 0.9))
    for end in (0.92, -0.92):
        lane.disc(x, y + end * size, z, size * 0.42, size * 0.13, (40, 26, 26))


PEOPLE: tuple[tuple[float, float, float, Rgb | None, Rgb], ...] = (
    (-0.9, 22.0, 1.7, (120, 50, 46), (34, 30, 40)),
    (0.7, 19.0, 1.66, (40, 96, 92), (34, 30, 40)),
    (-0.4, 14.5, 1.7, None, (36, 30, 40)),
    (1.1, 12.4, 1.72, (168, 66, 46), (32, 28, 40)),
    (-1.15, 9.4, 1.68, (38, 84, 96), (28, 25, 36)),
    (0.18, 6.7, 1.22, (196, 58, 48), CAPE),
)
"""Who walks there: metres right and away, how tall, the umbrella, the coat. The last is Mira."""


def walker(lane: Lane, x: float, z: float, tall: float, umbrella: Rgb | None, coat: Rgb) -> None:
    figure(lane, x, z, tall, coat)
    if umbrella is None:
        return
    middle, top, wide = x + 0.1, tall + 0.5, 0.66
    lane.string([(middle - 0.04, tall * 0.5, z), (middle, top, z)], (30, 24, 28), 0.03)
    ribs = [-1.0, -0.62, -0.2, 0.2, 0.62, 1.0]
    for a, b in pairwise(ribs):
        dome = [(middle + wide * s, top - 0.4 * s * s, z) for s in np.linspace(a, b, 5)]
        rim = [
            (middle + wide * b, top - 0.42, z),
            (middle + wide * (a + b) / 2, top - 0.37, z),
            (middle + wide * a, top - 0.42, z),
        ]
        shade = 0.1 + 0.16 * abs(a + b)
        lane.face([*dome, *rim], mix(umbrella, CREAM if a < 0.2 else NIGHT, shade))
    lane.disc(middle, top + 0.04, z, 0.025, 0.05, (30, 24, 28))


def figure(lane: Lane, x: float, z: float, tall: float, coat: Rgb) -> None:
    """Someone standing: boots, a long coat, a hood or hair."""
    dark = mix(coat, NIGHT, 0.45)
    for foot in (-0.07, 0.07):
        lane.face(
            [
                (x + foot * tall - 0.05, 0, z),
                (x + foot * tall + 0.05, 0, z),
                (x + foot * tall * 0.8 + 0.04, tall * 0.3, z),
                (x + foot * tall * 0.8 - 0.04, tall * 0.3, z),
            ],
            (26, 22, 30),
        )
    hem, waist, neck = tall * 0.2, tall * 0.62, tall * 0.83
    lane.face(
        [
            (x - 0.2 * tall, hem, z),
            (x + 0.2 * tall, hem, z),
            (x + 0.13 * tall, waist, z),
            (x + 0.07 * tall, neck, z),
            (x - 0.07 * tall, neck, z),
            (x - 0.13 * tall, waist, z),
        ],
        coat,
    )
    lane.face(
        [(x + 0.02 * tall, hem, z), (x + 0.2 * tall, hem, z), (x + 0.13 * tall, waist, z), (x + 0.07 * tall, neck, z)],
        mix(coat, dark, 0.6),
    )
    lane.disc(x, tall * 0.9, z, 0.085 * tall, 0.1 * tall, mix(coat, dark, 0.3))


def _upright(x: float, near: float, far: float, low: float, high: float) -> list[Point]:
    return [(x, low, near), (x, high, near), (x, high, far), (x, low, far)]


def wet_stone(picture: Floats, image: Floats, bare: Image.Image) -> Floats:
    """The lane's floor: paving in courses, and over it the lane upside down, drawn out and broken by the rain."""
    soft = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    tall = np.asarray(
        soft.resize((WIDTH, HEIGHT // 18), Image.Resampling.BOX).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC),
        np.float32,
    )
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    below = np.maximum(rows - LEVEL, 1.0)
    away = LENS * EYE_M / below
    across = (columns - MIDDLE) * away / LENS
    wave = np.sin(away * 34 + across * 3) * 1.5 + np.sin(away * 90 - across * 5 + 1) * 0.7
    shift = np.clip(columns + wave * below / 130, 0, WIDTH - 1).astype(np.intp)
    mirrored = np.take_along_axis(tall, shift[..., None], axis=1)
    course = np.floor(away * 1.9)
    joint = (across * 1.25 + 0.5 * (course % 2)) % 1.0
    edge = (np.abs(away * 1.9 % 1.0 - 0.5) > 0.455) | (np.abs(joint - 0.5) > 0.475)
    stone = (course * 7 + np.floor(across * 1.25 + 0.5 * (course % 2)) * 13) % 5 / 4
    wet = 0.56 + 0.18 * stone
    wet = np.where(edge & (away < 13), wet * 0.5, wet)[..., None]
    ground = np.array(NIGHT, np.float32) * 1.3 + stone[..., None] * 5
    floor = ground * (1 - wet) + mirrored * (wet + 0.24)
    seen = np.asarray(bare.resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.float32)[..., None] / 255
    return np.asarray(picture * (1 - seen) + floor * seen)


def rain(picture: Floats) -> Floats:
    """Rain: short slanting lines, and the rings it makes on the stone."""
    chance = np.random.default_rng(7)
    veil = Image.new("L", (WIDTH * FINE, HEIGHT * FINE), 0)
    pen = ImageDraw.Draw(veil)
    for _ in range(260):
        x, y = chance.uniform(-60, WIDTH + 60) * FINE, chance.uniform(-80, HEIGHT) * FINE
        near = float(chance.random()) ** 2
        long = (26 + 90 * near) * FINE
        pen.line([(x, y), (x - long * 0.13, y + long)], round(26 + 40 * near), max(2, round(3 * near)))
    for _ in range(46):
        away = float(chance.uniform(2.2, 9))
        x = (MIDDLE + LENS * chance.uniform(-2, 2) / away) * FINE
        y = (LEVEL + LENS * EYE_M / away) * FINE
        wide = LENS * chance.uniform(0.03, 0.1) / away * FINE
        pen.ellipse((x - wide, y - wide * 0.3, x + wide, y + wide * 0.3), outline=70, width=2)
    lines = np.asarray(veil.resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.float32)[..., None] / 255
    return picture + (np.array((206, 220, 236), np.float32) - picture) * lines


def shaded(picture: Floats) -> Floats:
    """A little darker towards the corners."""
    rows, columns = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j].astype(np.float32)
    away = np.clip(columns**2 * 0.62 + rows**2 * 0.5 - 0.3, 0, 1)
    return np.asarray(picture * (1 - 0.5 * away)[..., None])


def draw() -> Image.Image:
    """The whole picture, in as few colours as a print."""
    lane, image = Lane(1), Lane(-1)
    for side in (lane, image):
        paint(side)
    picture = shaded(rain(wet_stone(lane.finished(), image.finished(), lane.bare)))
    full = Image.fromarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8))
    return full.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("lane.png")
    draw().save(out, optimize=True)


if __name__ == "__main__":
    main()
