"""The stage: the frame a set is painted for, the sheets it is painted on, and the lamps that shine in it."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .camera import Camera, View
from .chance import Chance
from .layer import F32, STILL, Layer, Motion, Picture, cut, planes_of, plates, show
from .palette import Palette, Rgb
from .words import Wanted

FINE = 2
"""Sheets are inked this many times larger and reduced, which makes their edges smooth."""

SOFT_FROM = 5.0
"""From this distance on sheets are kept at half the size."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Lamp:
    """A light: place in the frame and radius in pixels, colour, strength (1: as bright as its colour), and its
    distance.
    """

    x: float
    y: float
    radius: float
    colour: Rgb
    strength: float
    distance: float


@dataclass(slots=True)
class Stage:
    """What every painter needs. Lengths are pixels of the working picture; ``unit`` is the size things are built in
    (the frame's height, or less where the frame is narrow), ``horizon`` the row of the skyline, ``sun`` where the
    key light stands, ``keyed`` whether one lamp is the shot's own and changes for itself.
    """

    width: int
    height: int
    camera: Camera
    chance: Chance
    palette: Palette
    wanted: Wanted
    horizon: float
    unit: float
    sun: Point
    layers: list[Layer] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    dither: F32 = field(default_factory=lambda: np.zeros((1, 1), np.float32))
    keyed: bool = False

    def reach(self, distance: float, motion: Motion = STILL) -> tuple[int, int]:
        """How far beyond the frame a layer at this distance must be painted (pixels left and right, above and
        below).
        """
        wide = tall = 0.0
        for step in range(17):
            view = self.camera.at(step / 16, distance)
            wide = max(wide, (self.width / 2 + abs(view.dx) * self.height) / view.scale - self.width / 2)
            tall = max(tall, (self.height / 2 + abs(view.dy) * self.height) / view.scale - self.height / 2)
        wide += (abs(motion.drift[0]) * self.camera.seconds + abs(motion.swing[0])) * self.height
        tall += (abs(motion.drift[1]) * self.camera.seconds + abs(motion.swing[1])) * self.height
        # Even, so that chroma stays in step.
        return int(max(0.0, wide) / 2 + 3) * 2, int(max(0.0, tall) / 2 + 3) * 2

    def add(self, layer: Layer | None) -> None:
        """Puts a layer in front of those already there."""
        if layer is not None:
            self.layers.append(layer)

    def luck(self, purpose: str) -> np.random.Generator:
        """Chance for one purpose, of this take."""
        return self.chance.of(purpose)

    def air(
        self, wide: int, tall: int, left: float, top: float, colour: Rgb, haze: float, *, lift: float = 0.35
    ) -> Image.Image:
        """A flat of colour as the air makes it: paler with ``haze`` (0 to 1), most so near the horizon, warm
        around the sun.
        """
        low_w, low_h = max(2, wide // 8), max(2, tall // 8)
        x = (np.arange(low_w, dtype=np.float32) + 0.5) * np.float32(wide / low_w) + np.float32(left)
        y = (np.arange(low_h, dtype=np.float32) + 0.5) * np.float32(tall / low_h) + np.float32(top)
        near = np.clip(1.0 - np.abs(y - self.horizon) / (0.42 * self.unit), 0.0, 1.0).astype(np.float32)
        part = np.clip(haze + lift * near * near * (0.25 + haze), 0.0, 1.0)[:, None, None]
        base = np.asarray(colour, np.float32) * (1.0 - part) + np.asarray(self.palette.haze, np.float32) * part
        far = ((x[None, :] - self.sun[0]) ** 2 + (y[:, None] - self.sun[1]) ** 2) / np.float32((0.95 * self.unit) ** 2)
        bleed = np.clip(1.0 - far, 0.0, 1.0)
        bleed = bleed * bleed * np.float32((0.42 - 0.3 * self.palette.night) * (0.25 + 0.75 * min(1.0, haze + 0.15)))
        rgb = base + (np.asarray(self.palette.key, np.float32) - base) * bleed[..., None]
        return Image.fromarray(np.clip(rgb + 0.5, 0, 255).astype(np.uint8)).resize(
            (wide, tall), Image.Resampling.BICUBIC
        )

    def flat(
        self,
        profile: Callable[[F32], F32],
        colour: Rgb,
        haze: float,
        distance: float,
        *,
        lift: float = 0.35,
        texture: float = 0.0,
        motion: Motion = STILL,
    ) -> None:
        """A range: everything below ``profile`` (frame row for each frame column), coloured by the air."""
        mx, my = self.reach(distance, motion)
        wide, tall = self.width + 2 * mx, self.height + 2 * my
        rows = profile(np.arange(wide, dtype=np.float32) - np.float32(mx))
        crest = int(max(0, min(tall - 4, float(rows.min()) + my - 2))) & ~1
        y = (np.arange(crest, tall, dtype=np.float32) - np.float32(my))[:, None]
        # Coverage along a slope: the steeper it is, the softer the row by row step must be.
        slope = np.maximum(np.float32(1.0), np.abs(np.gradient(rows)).astype(np.float32))[None, :]
        matte = np.clip((y - rows[None, :]) / slope + np.float32(0.5), 0.0, 1.0)
        rgb = self.air(wide, tall - crest, -mx, crest - my, colour, haze, lift=lift)
        if texture:
            rgb = self._textured(rgb, rows, y, texture, f"texture{distance}")
        self.add(
            cut(
                rgb,
                Image.fromarray((matte * 255.0 + 0.5).astype(np.uint8)),
                left=-mx,
                top=crest - my,
                distance=distance,
                motion=motion,
                dither=self.dither,
            )
        )

    def _textured(self, rgb: Image.Image, rows: F32, y: F32, amount: float, purpose: str) -> Image.Image:
        tall, wide = y.shape[0], rows.size
        grain = noise(self.luck(purpose), max(2, tall // 2), max(2, wide // 2), 7, 46, 3)
        grey = Image.fromarray(np.clip(128.0 + grain * amount * 130.0, 0, 255).astype(np.uint8)).resize(
            (wide, tall), Image.Resampling.BILINEAR
        )
        return _soft(rgb, grey)

    def sheet(self, distance: float, ink: Rgb, *, motion: Motion = STILL) -> Sheet:
        """An empty sheet as large as this distance needs."""
        mx, my = self.reach(distance, motion)
        return Sheet(self, distance, self.width + 2 * mx, self.height + 2 * my, float(-mx), float(-my), ink, motion)

    def sprite(
        self, distance: float, ink: Rgb, left: float, top: float, wide: float, tall: float, *, motion: Motion = STILL
    ) -> Sheet:
        """A small sheet for one thing that moves by itself."""
        return Sheet(
            self, distance, int(wide / 2 + 2) * 2, int(tall / 2 + 2) * 2, float(int(left)), float(int(top)), ink, motion
        )

    def lamp(self, x: float, y: float, radius: float, colour: Rgb, strength: float, distance: float) -> None:
        """Lights a lamp; its glow is added over what stands behind it."""
        self.lamps.append(Lamp(x, y, radius, colour, strength, distance))

    def glows(self) -> list[Layer]:
        """The glow of all lamps as layers of added light: those of the left half flicker apart from the right's."""
        halves = [[lamp for lamp in self.lamps if (lamp.x < self.width / 2) == left] for left in (True, False)]
        return [layer for half in halves if half and (layer := self.glow(half)) is not None]

    def glow(self, lamps: list[Lamp]) -> Layer | None:
        """The glow of these lamps as one layer of added light; None where none of it is in reach."""
        grain = 0.25
        distance = sum(lamp.distance for lamp in lamps) / len(lamps)
        mx, my = self.reach(distance)
        wide, tall = int((self.width + 2 * mx) * grain) & ~1, int((self.height + 2 * my) * grain) & ~1
        light = np.zeros((tall, wide, 3), np.float32)
        for lamp in lamps:
            x, y, radius = (lamp.x + mx) * grain, (lamp.y + my) * grain, lamp.radius * grain
            spill(light, x, y, radius, lamp.colour, lamp.strength)
        light *= np.float32(0.5 + 0.5 * self.palette.night)
        # Many lamps together saturate softly instead of burning out.
        light = light * np.float32(215.0) / (light + np.float32(170.0))
        rgb = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
        box = rgb.getbbox()
        if box is None:
            return None
        x0, y0 = box[0] & ~1, box[1] & ~1
        x1, y1 = min(wide, (box[2] + 3) & ~1), min(tall, (box[3] + 3) & ~1)
        left, top = x0 / grain - mx, y0 / grain - my
        return cut(
            rgb.crop((x0, y0, x1, y1)), None, left=left, top=top, distance=distance, grain=grain, glow=True, flicker=0.1
        )

    def mirrored(
        self,
        shore: float,
        colour: Rgb,
        shine: float,
        distance: float,
        *,
        ripple: float,
        streak: float = 0.5,
        fade: float = 0.5,
    ) -> None:
        """Ground or water from row ``shore`` down that mirrors all that was painted so far: ``shine`` 0 (dull)
        to 1 (still water).
        """
        motion = Motion(ripple=ripple, shore=shore / self.height)
        mx, my = self.reach(distance)
        wide, tall = self.width + 2 * mx, self.height + 2 * my
        seen = Picture.blank(wide, tall)
        at_rest = View(1.0, 0.0, 0.0)
        for layer in [*self.layers, *self.glows()]:
            show(seen, replace(layer, left=layer.left + mx, top=layer.top + my), at_rest, gain=200)
        row = int(shore + my) & ~1
        depth = tall - row
        up = np.clip(row - 1 - (np.arange(depth) * np.float32(1.08)).astype(np.intp), 0, tall - 1)
        soft = max(1, int(self.unit * 0.012))
        mirror_y = Image.fromarray(seen.y[up].astype(np.uint8)).filter(ImageFilter.BoxBlur((soft * 0.25, soft)))
        base = np.asarray(self.air(wide, depth, -mx, row - my, colour, 0.12, lift=0.3), np.float32)
        by, bu, bv = planes_of(base)
        y = (np.arange(depth, dtype=np.float32) / np.float32(max(1, depth)))[:, None]
        lines = noise(self.luck(f"streak{distance}"), depth, max(2, wide // 4), 9, 60, 2)
        lines = np.asarray(Image.fromarray(lines).resize((wide, depth), Image.Resampling.BILINEAR))
        part = np.clip(
            np.float32(shine) * (1.0 - np.float32(fade) * y) * (1.0 + np.float32(streak) * lines * 2.2), 0.0, 0.95
        ).astype(np.float32)
        out_y = (
            by
            + (np.asarray(mirror_y, np.float32) - by) * part
            + np.float32(10.0 * streak) * lines * (1.0 - self.palette.night * 0.6)
        )
        small = part[0::2, 0::2]
        half = up[0::2] // 2
        out_u = bu[0::2, 0::2] + (seen.u[half].astype(np.float32) - bu[0::2, 0::2]) * small
        out_v = bv[0::2, 0::2] + (seen.v[half].astype(np.float32) - bv[0::2, 0::2]) * small
        dither = np.tile(self.dither, (depth // self.dither.shape[0] + 1, wide // self.dither.shape[1] + 1))[
            :depth, :wide
        ]
        edge = np.clip((np.arange(depth, dtype=np.float32) + 0.5) / np.float32(0.006 * self.height), 0.0, 1.0)[:, None]
        cover = np.broadcast_to(edge, (depth, wide)).astype(np.float32)
        few = cover[0::2, 0::2]
        clear, clear_few = (np.floor((1.0 - part) * 256.0 + 0.5) for part in (cover, few))
        luma = plates(np.clip(out_y + dither, 16, 235) * cover + 0.5, clear)
        chroma = plates(out_u * few + 0.5, out_v * few + 0.5, clear_few)
        self.add(Layer(luma, chroma, float(-mx), float(row - my), distance, motion=motion))


@dataclass(slots=True)
class Sheet:
    """A sheet to ink on, in frame pixels; ``done`` makes a layer of it."""

    stage: Stage
    distance: float
    wide: int
    tall: int
    left: float
    top: float
    ink: Rgb
    motion: Motion
    rgb: Image.Image = field(init=False)
    matte: Image.Image = field(init=False)
    _pen: ImageDraw.ImageDraw = field(init=False)
    _cover: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        # Filled with its own ink, so that smoothed edges have no foreign colour in them.
        self.rgb = Image.new("RGB", (self.wide * FINE, self.tall * FINE), self.ink)
        self.matte = Image.new("L", self.rgb.size, 0)
        self._pen, self._cover = ImageDraw.Draw(self.rgb), ImageDraw.Draw(self.matte)

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [((x - self.left) * FINE, (y - self.top) * FINE) for x, y in points]

    def poly(self, points: Sequence[Point], colour: Rgb | None = None, cover: int = 255) -> None:
        """A filled shape."""
        placed = self._at(points)
        self._pen.polygon(placed, fill=colour or self.ink)
        self._cover.polygon(placed, fill=cover)

    def rect(self, x: float, y: float, wide: float, tall: float, colour: Rgb | None = None, cover: int = 255) -> None:
        """A filled upright rectangle."""
        self.poly([(x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall)], colour, cover)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Rgb | None = None, cover: int = 255) -> None:
        """A filled ellipse about its middle."""
        (a, b), (c, d) = self._at([(x - rx, y - ry), (x + rx, y + ry)])
        self._pen.ellipse((a, b, max(a, c), max(b, d)), fill=colour or self.ink)
        self._cover.ellipse((a, b, max(a, c), max(b, d)), fill=cover)

    def line(self, points: Sequence[Point], width: float, colour: Rgb | None = None, cover: int = 255) -> None:
        """A line with round joints."""
        placed, thick = self._at(points), max(1, round(width * FINE))
        self._pen.line(placed, fill=colour or self.ink, width=thick, joint="curve")
        self._cover.line(placed, fill=cover, width=thick, joint="curve")

    def hole(self, points: Sequence[Point]) -> None:
        """Cuts a shape out again."""
        self._cover.polygon(self._at(points), fill=0)

    def done(
        self,
        *,
        haze: float = 0.0,
        lift: float = 0.35,
        blur: float = 0.0,
        motion: Motion | None = None,
        cover: float = 1.0,
    ) -> None:
        """Reduces the sheet, lets the air and the sun at it, and puts it on the stage. ``blur`` is a radius in
        pixels.
        """
        box = self.matte.getbbox()
        if box is None:
            return
        spread = int(blur * 3) * FINE
        step = FINE * 8
        x0, y0 = max(0, box[0] - spread) // step * step, max(0, box[1] - spread) // step * step
        x1, y1 = min(self.rgb.width, box[2] + spread + step), min(self.rgb.height, box[3] + spread + step)
        x1, y1 = x1 // (4 * FINE) * 4 * FINE, y1 // (4 * FINE) * 4 * FINE
        # What is far off is soft in the air anyway, and half its size is shown in half the time.
        far = self.distance >= SOFT_FROM and x1 - x0 > 64 * FINE
        less = FINE * 2 if far else FINE
        grain = FINE / less
        rgb, matte = self.rgb.crop((x0, y0, x1, y1)).reduce(less), self.matte.crop((x0, y0, x1, y1)).reduce(less)
        left, top = self.left + x0 / FINE, self.top + y0 / FINE
        stage = self.stage
        wide, tall = (x1 - x0) // FINE, (y1 - y0) // FINE
        air = stage.air(wide, tall, left, top, stage.palette.haze, 1.0).resize(rgb.size, Image.Resampling.BILINEAR)
        veil = _veil(stage, tall, top, haze, lift).resize(rgb.size, Image.Resampling.BILINEAR)
        rgb = Image.composite(air, rgb, veil)
        if blur >= 1.5:
            # Out of focus: kept at a fraction of the size, which is all it needs.
            grain = 0.5
            small = (max(2, rgb.width // 4 * 2), max(2, rgb.height // 4 * 2))
            rgb = rgb.resize(small, Image.Resampling.BOX)
            matte = (
                matte.resize(small, Image.Resampling.BOX)
                .filter(ImageFilter.BoxBlur(blur * grain))
                .filter(ImageFilter.BoxBlur(blur * grain))
            )
        if cover < 1.0:
            matte = matte.point([int(v * cover + 0.5) for v in range(256)])
        stage.add(
            cut(
                rgb,
                matte,
                left=left,
                top=top,
                distance=self.distance,
                grain=grain,
                motion=motion or self.motion,
                dither=stage.dither,
            )
        )


def _veil(stage: Stage, tall: int, top: float, haze: float, lift: float) -> Image.Image:
    y = np.arange(tall, dtype=np.float32) + np.float32(top)
    near = np.clip(1.0 - np.abs(y - np.float32(stage.horizon)) / np.float32(0.4 * stage.unit), 0.0, 1.0)
    part = np.clip(haze + lift * near * near * haze, 0.0, 1.0)
    return Image.fromarray(np.repeat((part * 255.0 + 0.5).astype(np.uint8)[:, None], 2, axis=1))


def _soft(rgb: Image.Image, grey: Image.Image) -> Image.Image:
    from PIL import ImageChops

    return ImageChops.soft_light(rgb, Image.merge("RGB", (grey, grey, grey)))


def curve(points: Sequence[Point], steps: int = 6) -> list[Point]:
    """A smooth line through points (Catmull-Rom), ``steps`` pieces between each two."""
    found: list[Point] = []
    for at in range(len(points) - 1):
        a, b = points[max(0, at - 1)], points[at]
        c, d = points[at + 1], points[min(len(points) - 1, at + 2)]
        for step in range(steps):
            t = step / steps
            w = (
                -0.5 * t + t * t - 0.5 * t**3,
                1 - 2.5 * t * t + 1.5 * t**3,
                0.5 * t + 2 * t * t - 1.5 * t**3,
                0.5 * (t**3 - t * t),
            )
            found.append(
                (
                    a[0] * w[0] + b[0] * w[1] + c[0] * w[2] + d[0] * w[3],
                    a[1] * w[0] + b[1] * w[1] + c[1] * w[2] + d[1] * w[3],
                )
            )
    return [*found, points[-1]]


def noise(luck: np.random.Generator, tall: int, wide: int, across: float, down: float, octaves: int) -> F32:
    """Soft noise of mean 0, about -0.5 to 0.5: float32 (tall, wide), ``across`` and ``down`` lumps in the
    coarsest octave.
    """
    total = np.zeros((tall, wide), np.float32)
    share = 0.5
    for _ in range(octaves):
        cells = luck.random((max(2, int(down) + 2), max(2, int(across) + 2)), dtype=np.float32) - np.float32(0.5)
        total += np.asarray(Image.fromarray(cells).resize((wide, tall), Image.Resampling.BICUBIC)) * np.float32(
            share * 1.3
        )
        across, down, share = across * 2.1, down * 2.1, share * 0.5
    return total


def line_noise(luck: np.random.Generator, at: F32, span: float, lumps: float, octaves: int, rough: float = 0.5) -> F32:
    """Noise along a line: about -1 to 1 for each of ``at`` (any frame columns), ``lumps`` to a ``span`` of columns."""
    total = np.zeros(at.shape, np.float32)
    share = 1.0
    for _ in range(octaves):
        knots = luck.random(256, dtype=np.float32) * np.float32(2.0) - np.float32(1.0)
        x = at * np.float32(lumps / span) + np.float32(97.0)
        cell = np.floor(x)
        f = x - cell
        f = f * f * (np.float32(3.0) - np.float32(2.0) * f)
        i = cell.astype(np.int64) & 255
        a, b = knots[i], knots[(i + 1) & 255]
        total += (a + (b - a) * f) * np.float32(share)
        lumps, share = lumps * 2.03, share * rough
    return total * np.float32(0.6)


def spill(light: F32, x: float, y: float, radius: float, colour: Rgb, strength: float) -> None:
    """Adds a round glow to an RGB picture in place: a bright heart in a wide soft ring."""
    tall, wide = light.shape[:2]
    x0, x1 = max(0, int(x - radius)), min(wide, int(x + radius) + 2)
    y0, y1 = max(0, int(y - radius)), min(tall, int(y + radius) + 2)
    if x0 >= x1 or y0 >= y1 or radius <= 0:
        return
    dx = (np.arange(x0, x1, dtype=np.float32) - np.float32(x)) / np.float32(radius)
    dy = (np.arange(y0, y1, dtype=np.float32) - np.float32(y)) / np.float32(radius)
    fall = np.clip(np.float32(1.0) - (dx * dx)[None, :] - (dy * dy)[:, None], 0.0, 1.0)
    fall = fall * fall
    fall = fall * fall * np.float32(0.7) + fall * np.float32(0.3)
    light[y0:y1, x0:x1] += (fall * np.float32(strength))[..., None] * np.asarray(colour, np.float32)
