"""Draws one take of a shot: from the frame it was given, through its own picture, to the frame it must reach."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...media import picture as still
from ...media.write import Writer, to_planes
from . import camera, scenery, slate, weather, words
from .camera import View
from .chance import Chance, smooth, sway
from .layer import F32, U16, Layer, Picture, lerp, limits, plates, sample, show, taps, turned
from .stage import Stage, noise

Planes: TypeAlias = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]

WORK_LINES_MAX = 1280
"""Longest side of the working picture: scenery of larger clips is drawn this large and enlarged."""

TURN_FROM, TURN_TO = 0.06, 0.42
"""Between these parts of a clip the given frame turns into the shot's own picture."""

SETTLE_FROM, SETTLE_TO = 0.66, 0.97
CHANGE_FROM, CHANGE_TO = 0.3, 0.85
"""Between these parts of a clip a light goes out or comes on, where the words say so."""

QUEUE_FRAMES = 6
"""Frames that may wait for the encoder."""


def draw(order: dict[str, Any]) -> dict[str, Any]:
    """Draws the clip an order asks for, writes it to ``order["out"]``, and tells its size and number of frames.

    An order has ``request`` (the model's request document), ``fps``, ``key`` and ``take`` (they decide all that
    chance decides),
    ``first`` and ``last`` (paths of pictures, or None), ``slate`` (scene, scene_title, shot, line, and ``clear``: the
    seconds at which it must be gone, because a frame there is handed on) and ``out``.
    Raises StoryError where a picture can't be read or the size can't be a clip.
    """
    shot = Shot.of(order)
    request = order["request"]
    container = request.get("outputFormat", "MP4")
    quality = int(request.get("outputQuality", 95))
    with Writer(order["out"], shot.width, shot.height, int(order["fps"]), container, quality=quality) as out:
        _encode_beside(out, _frames(shot))
    return {"frames": shot.count, "width": shot.width, "height": shot.height}


def frames(order: dict[str, Any]) -> Iterator[Planes]:
    """The frames of an order just as they enter the encoder: Y, U, V as uint8, 4:2:0, limited range BT.709."""
    return _frames(Shot.of(order))


@dataclass(frozen=True, slots=True)
class Shot:
    """An order, read: sizes in pixels, ``count`` in frames."""

    prompt: str
    width: int
    height: int
    count: int
    rate: float
    chance: Chance
    first: str | None
    last: str | None
    slate: dict[str, Any]

    @classmethod
    def of(cls, order: dict[str, Any]) -> Shot:
        request = order["request"]
        rate = float(order["fps"])
        count = max(1, round(float(request["duration"]) * rate))
        return cls(
            str(request.get("positivePrompt", "")),
            int(request["width"]),
            int(request["height"]),
            count,
            rate,
            Chance(str(order["key"]), int(order["take"])),
            order.get("first"),
            order.get("last"),
            dict(order.get("slate") or {}),
        )

    @property
    def seconds(self) -> float:
        return self.count / self.rate


@dataclass(slots=True)
class Given:
    """A picture from outside: as it enters the encoder, and ready to be moved about."""

    exact: Planes
    luma: U16
    chroma: U16

    @classmethod
    def read(cls, path: str | None, width: int, height: int) -> Given | None:
        """The picture at ``path`` at the clip's size (a picture of another size is cropped to fit), or None
        for no path.
        """
        if path is None:
            return None
        rgb = still.read(path)
        if rgb.shape[:2] != (height, width):
            rgb = still.fit(rgb, width, height, "crop")
        y, u, v = to_planes(rgb)
        return cls((y, u, v), plates(y), plates(u, v))

    def seen(self, view: View) -> Picture:
        """The picture as the camera sees it; beyond its edges it is mirrored."""
        wide, _, high = self.luma.shape
        step = 1.0 / view.scale
        left = (wide / 2) * (1.0 - step) - view.dx * high * step
        top = (high / 2) * (1.0 - step) - view.dy * high * step
        y = sample(self.luma, taps(top, step, high, high, mirror=True), taps(left, step, wide, wide, mirror=True))[0]
        high, wide = high // 2, wide // 2
        rows, cols = taps(top / 2, step, high, high, mirror=True), taps(left / 2, step, wide, wide, mirror=True)
        uv = sample(self.chroma, rows, cols)
        return Picture(y, uv[0], uv[1])


@dataclass(slots=True)
class Own:
    """The shot's own picture: its set, its weather, seen at any moment in the clip's size."""

    stage: Stage
    weather: weather.Weather
    width: int
    height: int
    seconds: float
    edge: U16
    dusk: U16
    wave: F32 = field(default_factory=lambda: np.zeros(1, np.float32))

    @classmethod
    def of(cls, shot: Shot) -> Own:
        shrink = min(1.0, WORK_LINES_MAX / max(shot.width, shot.height))
        wide, high = _even(shot.width * shrink), _even(shot.height * shrink)
        wanted = words.read(shot.prompt)
        if not wanted.place:
            wanted = replace(wanted, place=words.read(str(shot.slate.get("scene_title") or "")).place)
        lens = camera.choose(shot.prompt, shot.seconds, shot.chance)
        stage = scenery.paint(wanted, wide, high, lens, shot.chance)
        air = weather.make(stage)
        stage.layers = [part for layer in stage.layers for part in layer.split()]
        x, y = np.linspace(-1, 1, wide, dtype=np.float32)[None, :], np.linspace(-1, 1, high, dtype=np.float32)[:, None]
        fall = np.clip((x * x * np.float32(0.8) + y * y * np.float32(0.7)) - np.float32(0.45), 0, 1)
        edge = np.floor(np.float32(256.5) - fall * np.float32(74)).astype(np.uint16)
        return cls(
            stage,
            air,
            shot.width,
            shot.height,
            shot.seconds,
            edge,
            (np.uint16(16) * (np.uint16(256) - edge)) >> np.uint16(8),
        )

    def at(self, t: float) -> Picture:
        """The picture at ``t`` (0 to 1 of the clip)."""
        stage, now = self.stage, t * self.seconds
        canvas = Picture.blank(stage.width, stage.height)
        views = [self._view(layer, t, now) for layer in stage.layers]
        for layer, view, floor in zip(
            stage.layers, views, limits(stage.layers, views, stage.width, stage.height), strict=True
        ):
            gain = 256
            if layer.flicker:
                beat = sway(now * 0.9 + layer.motion.phase) + 0.6 * sway(now * 2.7 + layer.left * 0.01 + layer.distance)
                gain = int(256 * (1.0 + layer.flicker * 0.6 * beat))
            if layer.fade != (1.0, 1.0):
                start, end = layer.fade
                gain = int(gain * (start + (end - start) * smooth((t - CHANGE_FROM) / (CHANGE_TO - CHANGE_FROM))))
            wobble = self._ripple(layer, now) if layer.motion.ripple else None
            show(canvas, layer, view, gain=gain, wobble=wobble, floor=floor)
        self.weather.show(canvas, now)
        np.minimum(canvas.y, np.uint16(235), out=canvas.y)
        canvas.y *= self.edge
        canvas.y >>= np.uint16(8)
        canvas.y += self.dusk
        return (
            canvas
            if (stage.width, stage.height) == (self.width, self.height)
            else enlarged(canvas, self.width, self.height)
        )

    def _view(self, layer: Layer, t: float, now: float) -> View:
        view, motion = self.stage.camera.at(t, layer.distance), layer.motion
        swing = sway(now / motion.period + motion.phase) if motion.swing != (0.0, 0.0) else 0.0
        return View(
            view.scale,
            view.dx + (motion.drift[0] * now + motion.swing[0] * swing) * view.scale,
            view.dy + (motion.drift[1] * now + motion.swing[1] * swing) * view.scale,
        )

    def _ripple(self, layer: Layer, now: float) -> F32:
        """How far each row of water is pushed up or down, more so the nearer it is."""
        high = self.stage.height
        shore = layer.motion.shore * high
        rows = np.clip(
            (np.arange(high, dtype=np.float32) - np.float32(shore)) / np.float32(max(1.0, high - shore)), 0.0, 1.0
        )
        depth = rows + np.float32(0.03)
        # Waves crowd together towards the shore, as they do in perspective.
        turns = np.float32(2.4) / depth
        a = _waves(turns + np.float32(now * 0.8)) + np.float32(0.6) * _waves(
            turns * np.float32(1.9) - np.float32(now * 1.1)
        )
        push: F32 = (a * rows * np.float32(layer.motion.ripple * high / 720.0)).astype(np.float32)
        return push


def _waves(turns: F32) -> F32:
    """Like ``sway`` for many values: a smooth wave of parabolas, exact on every processor."""
    x = turns - np.floor(turns)
    half = np.where(x < 0.5, x, x - np.float32(0.5)) * np.float32(2.0)
    hump = np.float32(4.0) * half * (np.float32(1.0) - half)
    return np.where(x < 0.5, hump, -hump).astype(np.float32)


def _even(length: float) -> int:
    return max(2, int(length / 2 + 0.5) * 2)


def enlarged(picture: Picture, width: int, height: int) -> Picture:
    """A picture brought to a larger size, pixel centres kept in place."""

    def grown(plane: U16, wide: int, high: int) -> U16:
        rows = taps(0.0, plane.shape[0] / high, high, plane.shape[0])
        cols = taps(0.0, plane.shape[1] / wide, wide, plane.shape[1])
        return turned(lerp(turned(lerp(plane, *rows)), *cols))

    return Picture(
        grown(picture.y, width, height),
        grown(picture.u, width // 2, height // 2),
        grown(picture.v, width // 2, height // 2),
    )


@dataclass(slots=True)
class Turn:
    """One picture turning into another: not all at once, but where the light is first."""

    order: npt.NDArray[np.int16]
    few: npt.NDArray[np.int16]

    SOFT = 128
    """How gradually each spot turns, in 256ths of the whole turn."""

    @classmethod
    def between(cls, old: Picture, new: Picture, luck: np.random.Generator) -> Turn:
        """The order in which spots turn: bright places of the new picture first, and in drifts as mist would go."""
        high, wide = old.y.shape
        step = max(1, min(high, wide) // 90)
        before, after = old.y[::step, ::step].astype(np.float32), new.y[::step, ::step].astype(np.float32)
        rank = (
            (np.float32(255) - after) * np.float32(0.45)
            + before * np.float32(0.2)
            + noise(luck, before.shape[0], before.shape[1], 4, 3, 3) * np.float32(190)
        )
        rank = _blurred(rank)
        # By place in the queue, not by value: so the turn goes on evenly, whatever the two pictures are.
        queue = np.empty(rank.size, np.float32)
        queue[np.argsort(rank, axis=None, kind="stable")] = np.linspace(0.0, 256.0, rank.size, dtype=np.float32)
        rank = queue.reshape(rank.shape)
        return cls(_stretched(rank, wide, high), _stretched(rank, wide // 2, high // 2))

    def mixed(self, old: Picture, new: Picture, part: float) -> Picture:
        """``part`` 0: the old picture, 1: the new one."""
        at = np.int16(round(part * (256 + self.SOFT)))
        out = []
        for (a, b), order in (((old.y, new.y), self.order), ((old.u, new.u), self.few), ((old.v, new.v), self.few)):
            share = at - order
            np.clip(share, 0, self.SOFT, out=share)
            share <<= np.int16(1)
            weight = share.view(np.uint16)
            plane = a * (np.uint16(256) - weight)
            plane += b * weight
            plane >>= np.uint16(8)
            out.append(plane)
        return Picture(*out)


def _blurred(rank: F32) -> F32:
    small = Image.fromarray(rank).resize((max(2, rank.shape[1] // 4), max(2, rank.shape[0] // 4)), Image.Resampling.BOX)
    return np.asarray(small.resize((rank.shape[1], rank.shape[0]), Image.Resampling.BICUBIC))


def _stretched(rank: F32, wide: int, high: int) -> npt.NDArray[np.int16]:
    return (
        np.asarray(Image.fromarray(rank).resize((wide, high), Image.Resampling.BICUBIC)).clip(0, 256).astype(np.int16)
    )


def _frames(shot: Shot) -> Iterator[Planes]:
    first, last = Given.read(shot.first, shot.width, shot.height), Given.read(shot.last, shot.width, shot.height)
    if first is not None:
        yield first.exact
        if shot.count == 1:
            return
    own = Own.of(shot)
    board = slate.make(
        shot.slate,
        take=shot.chance.take,
        seconds=shot.seconds,
        width=shot.width,
        height=shot.height,
        rate=shot.rate,
        accent=own.stage.palette.lamps[0],
    )
    turns: dict[str, Turn] = {}
    end = shot.count - 1
    for index in range(1 if first is not None else 0, shot.count):
        if last is not None and index == end:
            yield last.exact
            return
        t = index / end if end else 0.0
        leaving = smooth((t - TURN_FROM) / (TURN_TO - TURN_FROM)) if first is not None else 1.0
        arriving = smooth((t - SETTLE_FROM) / (SETTLE_TO - SETTLE_FROM)) if last is not None else 0.0
        picture = _mixed(
            shot, own, t, first if leaving < 1.0 else None, leaving, last if arriving > 0.0 else None, arriving, turns
        )
        if board is not None:
            board.lay(picture, index, shot.count)
        yield picture.y.astype(np.uint8), picture.u.astype(np.uint8), picture.v.astype(np.uint8)


def _mixed(
    shot: Shot,
    own: Own,
    t: float,
    first: Given | None,
    leaving: float,
    last: Given | None,
    arriving: float,
    turns: dict[str, Turn],
) -> Picture:
    """One frame out of what is left of the first picture, the shot's own, and what is there of the last."""
    lens = own.stage.camera
    before = first.seen(lens.over(t, since=0.0)) if first is not None else None
    after = last.seen(lens.over(t, since=1.0)) if last is not None else None
    if before is not None and leaving <= 0.0:
        return before
    if after is not None and arriving >= 1.0:
        return after
    picture = own.at(t)
    for name, given, part in (("first", before, 1.0 - leaving), ("last", after, arriving)):
        if given is not None:
            if name not in turns:
                # The turn towards the shot's own picture, whichever way it is then played.
                turns[name] = Turn.between(given, picture, shot.chance.of(f"turn {name}"))
            picture = turns[name].mixed(given, picture, 1.0 - part)
    return picture


def _encode_beside(out: Writer, pictures: Iterator[Planes]) -> None:
    """Encodes while the next frames are drawn. The order of frames, and so every byte, is the same as without it."""
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="encode") as encoder:
        for planes in pictures:
            waiting.append(encoder.submit(out.write_planes, *planes))
            if len(waiting) > QUEUE_FRAMES:
                waiting.popleft().result()
        for frame in waiting:
            frame.result()
