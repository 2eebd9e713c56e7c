"""A clip that came in: one look at every frame, and all that will ever be asked of it is written down.

``receive`` runs as a job in a process of its own: plain data in, plain data out, pictures as files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np

from ..errors import StoryError
from . import clip, colour, decode, likeness, picture, probe
from .clip import Moments
from .landing import put
from .likeness import Likeness
from .picture import Rgb
from .probe import Probe
from .steps import FROZEN_SHARE, Steps

STRIP_WIDTH = 320
COLOUR_WARN = 2.0
COLOUR_STOP = 8.0
"""Shift of a channel's mean, in code values, that is told and that is an error."""
LENGTH_SLACK_S = 0.1
RATE_SLACK = 0.001


@dataclass(slots=True)
class _Look:
    """What one pass over a clip gathers: pictures by number, thumbnails by number, and what moves between frames."""

    times: Moments
    probe: Probe
    matrix: int
    numbers: dict[str, int]
    pictures: dict[int, Rgb] = field(default_factory=dict)
    small: dict[int, Rgb] = field(default_factory=dict)
    steps: Steps = field(default_factory=Steps)
    damaged: int = 0

    def take(self, index: int, frame: av.VideoFrame, on_strip: bool, keep: _Keeper) -> None:
        """The next frame: measured always, made a picture only where one was asked for."""
        self.damaged += frame.is_corrupt
        self.steps.add(frame)
        if index in self.numbers.values():
            self.add(index, frame, keep)
        if on_strip:
            self.small[index] = colour.to_small_rgb(frame, self.matrix, min(STRIP_WIDTH, colour.shown_size(frame)[0]))

    def add(self, index: int, frame: av.VideoFrame, keep: _Keeper) -> None:
        """A frame that is handed on."""
        self.pictures[index] = colour.to_rgb(frame, self.matrix)
        keep.add(index, self.pictures[index])


def ready(_: Mapping[str, Any]) -> dict[str, Any]:
    """Does nothing: what ``receive`` needs is imported by the time this is called."""
    return {}


def receive(order: Mapping[str, Any]) -> dict[str, Any]:
    """Decodes a clip once and gives its digest, facts, the frames that were asked for, and what an inspection finds.

    ``order``: ``clip``; ``into``, the folder for frames (``<pixel digest>.png``, those that are there are left); and
    where wanted ``frames`` (selectors besides first and last), ``first`` and ``last`` (pictures the clip was asked to
    begin and end on), ``asked`` (``width``, ``height``, ``seconds``, ``fps``) and ``contacts`` (a folder for its strip
    of seven small pictures, ``<digest of the clip>.jpg``).

    The answer has ``digest`` and ``bytes`` of the file, ``probe``, ``frames`` by selector (``index``, ``time`` in
    seconds, pixel ``digest``) and ``inspect``. Raises StoryError for a clip that is damaged, cut short or HDR.
    """
    path = str(order["clip"])
    sent = picture.read(order["first"]) if order.get("first") else None
    aimed = picture.read(order["last"]) if order.get("last") else None
    selectors = list(dict.fromkeys(["first", "last", *(order.get("frames") or ())]))
    # Hashing, packing and writing let go of the interpreter, so they go on beside the decoder.
    with ThreadPoolExecutor(1) as beside:
        digest = beside.submit(_file_digest, path)
        keep = _Keeper(Path(order["into"]), beside)
        look = _look(path, None, selectors, sent, keep)
        if look is None:
            # The packets promised other pictures than came out. Decoding has the last word.
            look = _look(path, clip.decoded_moments(path), selectors, sent, keep)
        if look is None:
            raise StoryError.of(f"{path} gives other pictures each time it is decoded", clip.DAMAGED)
        times = look.times
        if order.get("contacts"):
            strip = Path(order["contacts"]) / f"{digest.result()}.jpg"
            if not strip.exists():
                put(strip, picture.jpeg(_strip(look, len(times.ticks))))
        inspect = _inspect(look, sent, aimed, order.get("asked") or {})
        names = keep.names()
    frames = {
        s: {"index": n, "time": times.seconds(times.ticks[n]), "digest": names[n]} for s, n in look.numbers.items()
    }
    return {
        "digest": digest.result(),
        "bytes": look.probe.bytes,
        "probe": look.probe.as_json(),
        "frames": frames,
        "inspect": inspect,
    }


class _Keeper:
    """Puts pictures into a folder under the names of their pixels, beside the decoding."""

    def __init__(self, into: Path, beside: ThreadPoolExecutor) -> None:
        self._into = into
        self._beside = beside
        self._names: dict[int, Future[str]] = {}

    def add(self, index: int, rgb: Rgb) -> None:
        """The picture with this number; it must not be changed any more."""
        self._names[index] = self._beside.submit(self._land, rgb)

    def names(self) -> dict[int, str]:
        """The digests by number, once all are written."""
        return {index: name.result() for index, name in self._names.items()}

    def _land(self, rgb: Rgb) -> str:
        name = picture.digest(rgb)
        place = self._into / f"{name}.png"
        if not place.exists():
            put(place, picture.png(rgb))
        return name


def _look(path: str, known: Moments | None, selectors: list[str], sent: Rgb | None, keep: _Keeper) -> _Look | None:
    """The one pass; None where the frames that come out are not those that the times promise."""
    with clip.opened(path) as (container, stream):
        times = known or clip.promised(container, stream, path)
        if times is None:
            return None
        windows = {s: decode.window(times, s, path) for s in selectors}
        numbers = {s: w[0] for s, w in windows.items() if s != "sharpest"}
        ending = windows.get("sharpest", range(0))
        strip = set(_strip_numbers(len(times.ticks)))
        look: _Look | None = None
        best: av.VideoFrame | None = None
        most = -1.0
        count = 0
        for index, frame in enumerate(clip.frames(container, stream)):
            count += 1
            if index >= len(times.ticks) or (not times.counted and frame.pts != times.ticks[index]):
                return None
            if look is None:
                colour.refuse_hdr(frame, path)
                matrix = colour.matrix_of(frame, sent)
                look = _Look(times, probe.describe(container, stream, frame, times, matrix), matrix, numbers)
            look.take(index, frame, index in strip, keep)
            if index in ending and (score := decode.sharpness(decode.luma_of(frame))) >= most:
                best, most, numbers["sharpest"] = frame, score, index
    if look is None or count != len(times.ticks):
        return None
    if best is not None and numbers["sharpest"] not in look.pictures:
        look.add(numbers["sharpest"], best, keep)
    return look


def _file_digest(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _strip_numbers(count: int) -> list[int]:
    numbers = [0, 1, 2, count // 2, count - 3, count - 2, count - 1]
    return [min(max(n, 0), count - 1) for n in numbers]


def _strip(look: _Look, count: int) -> Rgb:
    return np.concatenate([look.small[n] for n in _strip_numbers(count)], axis=1)


def _inspect(look: _Look, sent: Rgb | None, aimed: Rgb | None, asked: Mapping[str, Any]) -> dict[str, Any]:
    times = look.times
    first, last = look.pictures[0], look.pictures[len(times.ticks) - 1]
    head = likeness.compare(first, sent) if sent is not None else None
    foot = likeness.compare(last, aimed) if aimed is not None else None
    wishes = _against(look.probe, asked)
    return {
        "asked": wishes,
        "black": [[_second(times, a), _second(times, b)] for a, b in look.steps.black()],
        "frozen": round(look.steps.frozen, 4),
        "cuts": [_second(times, index) for index in look.steps.cuts()],
        "head": head.as_json() if head else None,
        "foot": foot.as_json() if foot else None,
        "means": {"first": _means(first), "last": _means(last)},
        "luma": {"first": round(likeness.luma(first), 4), "last": round(likeness.luma(last), 4)},
        "findings": [*wishes, *_inside(look, times), *_compared("first", head), *_compared("last", foot)],
    }


def _second(times: Moments, index: int) -> float:
    return times.seconds(times.ticks[index]) if index < len(times.ticks) else times.duration


def _means(rgb: Rgb) -> list[float]:
    return [round(float(m), 4) for m in likeness.means(rgb)]


@dataclass(frozen=True, slots=True)
class _Finding:
    level: str
    fact: str


def _told(level: str, fact: str) -> dict[str, Any]:
    return asdict(_Finding(level, fact))


def _against(got: Probe, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where the clip is not what was asked for, in size, rate, length or number of frames."""
    told: list[dict[str, Any]] = []
    width, height = asked.get("width") or got.width, asked.get("height") or got.height
    if (got.width, got.height) != (width, height):
        told.append(_told("error", f"the clip is {got.width}x{got.height}, asked was {width}x{height}"))
    over, under = map(int, got.rate.split("/"))
    rate = over / under
    fps, seconds = asked.get("fps"), asked.get("seconds")
    if fps and abs(rate / fps - 1) > RATE_SLACK:
        told.append(_told("warning", f"the clip has {rate:.6g} frames a second, asked was {fps:g}"))
    slack = max(LENGTH_SLACK_S, 1.5 / rate)
    if seconds and abs(got.duration - seconds) > slack:
        told.append(_told("warning", f"the clip is {got.duration:g} s long, asked was {seconds:g} s"))
    if fps and seconds and abs(got.frames - round(fps * seconds)) > slack * fps:
        told.append(_told("warning", f"the clip has {got.frames} frames, asked was {round(fps * seconds)}"))
    return told


def _inside(look: _Look, times: Moments) -> list[dict[str, Any]]:
    """What happens between the first frame and the last that should not."""
    told: list[dict[str, Any]] = []
    count = len(times.ticks)
    for start, stop in look.steps.black():
        if stop - start == count:
            told.append(_told("error", "the whole clip is black"))
        else:
            told.append(_told("warning", f"black from {_second(times, start):g} s to {_second(times, stop):g} s"))
    if count > 1 and look.steps.frozen >= FROZEN_SHARE:
        told.append(_told("warning", f"{look.steps.frozen:.0%} of the clip stands still"))
    told += [_told("warning", f"jumps at {_second(times, n):g} s, as a cut does") for n in look.steps.cuts()]
    told += [_told("warning", f"flashes at {_second(times, n):g} s") for n in look.steps.flashes()]
    if look.damaged:
        told.append(_told("warning", f"{look.damaged} frames are marked as damaged"))
    return told


def _compared(end: str, found: Likeness | None) -> list[dict[str, Any]]:
    """How far an end of the clip is from the picture that was sent for it."""
    if found is None:
        return []
    told: list[dict[str, Any]] = []
    measured = f"SSIM {found.ssim:.2f}, {found.psnr:.1f} dB"
    if found.likeness == "broken":
        told.append(_told("error", f"the {end} frame is not the picture that was sent ({measured})"))
    elif found.likeness == "suspect":
        told.append(_told("warning", f"the {end} frame is hardly like the picture that was sent ({measured})"))
    most = max(found.colour, key=abs)
    if found.likeness != "broken" and abs(most) > COLOUR_WARN:
        red, green, blue = found.colour
        level = "error" if abs(most) > COLOUR_STOP else "warning"
        told.append(
            _told(level, f"the colours of the {end} frame moved by R {red:+.1f}, G {green:+.1f}, B {blue:+.1f}")
        )
    return told
