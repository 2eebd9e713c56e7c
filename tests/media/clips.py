"""Awkward clips, made on the spot: every frame carries its number as a row of black and white blocks."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Rgb = NDArray[np.uint8]

WIDTH, HEIGHT = 192, 112
BLOCK = 16
BITS = 12


def scene(width: int = WIDTH, height: int = HEIGHT, seed: int = 1) -> Rgb:
    """A picture with something of nature in it: soft shapes of many sizes, in colour."""
    chance = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for size in (4, 8, 16, 32, 64):
        small = chance.integers(0, 256, (height // size + 2, width // size + 2, 3), dtype=np.uint8)
        total += np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC), float) * size
    return np.clip((total / 124 - 128) * 1.5 + 128, 0, 255).astype(np.uint8)


def numbered(number: int, picture: Rgb | None = None) -> Rgb:
    """A picture with its number burnt into the top rows, the lowest bit first."""
    rgb = (scene() if picture is None else picture).copy()
    for bit in range(BITS):
        rgb[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 20
    return rgb


def number_of(rgb: Rgb) -> int:
    """The number burnt into a picture."""
    middles = [rgb[4 : BLOCK - 4, b * BLOCK + 4 : (b + 1) * BLOCK - 4].mean() for b in range(BITS)]
    return sum(1 << bit for bit, mean in enumerate(middles) if mean > 128)


def moving(count: int, start: int = 0) -> list[Rgb]:
    """Numbered frames of a slow pan."""
    wide = scene(WIDTH + 2 * (count + start), HEIGHT)
    return [numbered(n, wide[:, 2 * n : 2 * n + WIDTH]) for n in range(start, start + count)]


def make(
    path: Path,
    frames: Iterable[Rgb],
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    pixel_format: str = "yuv420p",
    matrix: int | None = 1,
    written_as: int = 1,
    times: Callable[[int], int] | None = None,
    rate: int = 24,
    audio_s: float = 0.0,
    rotation: float | None = None,
    setup: Callable[[Any], None] | None = None,
) -> Path:
    """A clip of these frames. ``matrix`` is the tag (None: none), ``written_as`` what the colours are made with."""
    frames = list(frames)
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w", container_options=muxer or {}) as out:
        stream: Any = out.add_stream(codec, rate, options=options or {"crf": "12", "preset": "veryfast"})
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.thread_count = width, height, pixel_format, 1
        context.time_base = Fraction(1, rate)
        if matrix is not None:
            context.colorspace, context.color_range = matrix, 1
            context.color_primaries = context.color_trc = 1
        if setup:
            setup(context)
        if rotation is not None:
            stream.set_display_rotation(rotation)
        sound: Any = out.add_stream("aac", 48_000, layout="stereo") if audio_s else None
        for number, rgb in enumerate(frames):
            plain = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame = plain.reformat(
                format=pixel_format,
                dst_colorspace=written_as,
                src_color_range=2,
                dst_color_range=1,
                interpolation=0x200,
            )
            frame.colorspace = 2 if matrix is None else matrix
            frame.color_range = 0 if matrix is None else 1
            if context.color_trc not in {0, 2}:
                frame.color_trc = context.color_trc
            frame.pts = times(number) if times else number
            frame.time_base = Fraction(1, rate)
            frame.pict_type = 0
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound:
            _hum(out, sound, audio_s)
    return path


def _hum(out: Any, sound: Any, seconds: float) -> None:
    count = round(seconds * 48_000)
    wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(count) / 48_000)).astype(np.float32)
    for start in range(0, count, 1024):
        part = np.stack([wave[start : start + 1024]] * 2)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, start
        out.mux(sound.encode(frame))
    out.mux(sound.encode(None))


def edited(path: Path, plain: Path, first_s: float, length_s: float) -> Path:
    """The same MP4 with its edit list showing ``length_s`` seconds from ``first_s`` on, as a trim does."""
    data = bytearray(plain.read_bytes())
    at = data.find(b"elst")
    assert at > 0
    mvhd, mdhd = data.find(b"mvhd"), data.find(b"mdhd")
    movie_scale = struct.unpack_from(">I", data, mvhd + 16)[0]
    media_scale = struct.unpack_from(">I", data, mdhd + 16)[0]
    assert data[at + 4] == 0
    delay = struct.unpack_from(">i", data, at + 16)[0]
    struct.pack_into(">Ii", data, at + 12, round(length_s * movie_scale), delay + round(first_s * media_scale))
    path.write_bytes(data)
    return path


def truth(path: Path) -> list[av.VideoFrame]:
    """Every frame of a clip by a plain full decode, in order of presentation."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams.video if not s.disposition & 0x400)
        return sorted(container.decode(stream), key=lambda f: f.pts or 0)
