"""How long a clip that came in takes to be looked at whole, against a bare decode of it."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import av
import numpy as np
from PIL import Image

from runner.media import colour, picture
from runner.media.receive import receive
from runner.media.write import Writer

ROUNDS = 7
LIMIT = 1.3
SIZES = ((1280, 720), (1920, 1080))


def clip(path: Path, width: int, height: int, frames: int = 120, rate: int = 24) -> Path:
    """A clip with detail, grain and a slow pan."""
    chance = np.random.default_rng(1)
    wide = np.zeros((height + 64, width + 2 * frames, 3))
    for size in (4, 8, 16, 32, 64):
        small = chance.integers(0, 256, (wide.shape[0] // size + 2, wide.shape[1] // size + 2, 3), dtype=np.uint8)
        grown = Image.fromarray(small).resize((wide.shape[1], wide.shape[0]), Image.Resampling.BICUBIC)
        wide += np.asarray(grown, float) * size
    y, u, v = colour.to_planes(np.clip((wide / 124 - 128) * 1.5 + 128, 0, 255).astype(np.uint8))
    grain = [chance.integers(-4, 5, (height, width)) for _ in range(5)]
    with Writer(path, width, height, rate, quality=85) as out:
        for number in range(frames):
            x, top = 2 * number, number // 4 * 2
            luma = np.clip(y[top : top + height, x : x + width] + grain[number % 5], 16, 235).astype(np.uint8)
            rows, columns = slice(top // 2, top // 2 + height // 2), slice(x // 2, x // 2 + width // 2)
            out.write_planes(luma, u[rows, columns], v[rows, columns])
    return path


def bare(path: Path) -> float:
    """Seconds to decode every frame and do nothing with them."""
    begun = time.perf_counter()
    with av.open(str(path)) as container:
        for _ in container.decode(video=0):
            pass
    return time.perf_counter() - begun


def whole(path: Path, sent: Path, into: Path) -> float:
    """Seconds to receive the clip: digest, first and last frame as PNG, inspection, contact strip."""
    shutil.rmtree(into, ignore_errors=True)
    order = {
        "clip": str(path),
        "into": str(into),
        "first": str(sent),
        "contacts": str(into),
        "asked": {"fps": 24, "seconds": 5},
    }
    begun = time.perf_counter()
    receive(order)
    return time.perf_counter() - begun


def measure() -> list[tuple[str, float, float]]:
    """Rows of what was measured, the median ratio, and its limit."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for width, height in SIZES:
            path = clip(here / f"{height}.mp4", width, height)
            with av.open(str(path)) as container:
                head = next(container.decode(video=0))
                sent = here / "sent.png"
                sent.write_bytes(picture.png(colour.to_rgb(head, colour.BT709)))
            ratios = []
            for number in range(ROUNDS + 1):
                ratio = whole(path, sent, here / "frames") / bare(path)
                ratios += [ratio] if number else []  # the first round warms up
            rows.append((f"receive a clip of 5 s, {width}x{height} / one bare decode", median(ratios), LIMIT))
    return rows


if __name__ == "__main__":
    for what, ratio, limit in measure():
        sys.stdout.write(f"{what:<70} {ratio:6.2f}  at most {limit}\n")
