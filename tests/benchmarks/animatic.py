"""How long drawing takes beside encoding: the animatic's clips, each against its own frames encoded alone."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from runner.media import picture
from runner.media.write import Writer
from runner.providers.animatic.draw import draw, frames

ROUNDS = 3
SECONDS = 5
PROMPT = "Night market in the rain, a vendor tosses noodles into the steam, amber and jade. Camera: slow forward glide"


def measure() -> list[tuple[str, float, float]]:
    """Rows of what was measured, the ratio (median of the rounds), and the most it may be.

    Processor time of the whole process, which other work on the machine does not lengthen by much.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = folder / "first.png"
        small, large = _order(1280, 720, first, folder), _order(1920, 1080, first, folder)
        rounds = [_round(small, large, first) for _ in range(ROUNDS)]
    rows = (
        ("draw a clip, 1280x720 / encode its frames alone", 2.5),
        ("draw a clip, 1280x720 / the time it plays", 1.0),
        ("draw a clip, 1280x720, as shipped (two threads) / the time it plays", 1.0),
        ("draw a clip, 1920x1080 / the same at 1280x720", 2.0),
        ("draw a clip, 1920x1080 / encode its frames alone", 2.5),
    )
    return [(what, float(np.median([found[at] for found in rounds])), most) for at, (what, most) in enumerate(rows)]


def _round(small: dict[str, Any], large: dict[str, Any], first: Path) -> tuple[float, ...]:
    cost: list[tuple[float, float]] = []
    for order in (small, large):
        width, height = order["request"]["width"], order["request"]["height"]
        luck = np.random.default_rng(1)
        soft = np.kron(luck.integers(20, 200, (9, 16, 3)), np.ones((height // 9, width // 16, 1))).astype(np.uint8)
        first.write_bytes(picture.png(soft))
        began = time.process_time()
        drawn = list(frames(order))
        drawing = time.process_time() - began
        began = time.process_time()
        _encode(order, drawn)
        cost.append((drawing, time.process_time() - began))
        if order is small:
            began = time.perf_counter()
            draw(order)
            shipped = time.perf_counter() - began
    (draw_small, encode_small), (draw_large, encode_large) = cost
    whole_small, whole_large = draw_small + encode_small, draw_large + encode_large
    return (
        whole_small / encode_small,
        whole_small / SECONDS,
        shipped / SECONDS,
        whole_large / whole_small,
        whole_large / encode_large,
    )


def _encode(order: dict[str, Any], drawn: list[Any]) -> None:
    request = order["request"]
    with Writer(
        order["out"], request["width"], request["height"], order["fps"], quality=request.get("outputQuality", 95)
    ) as out:
        for planes in drawn:
            out.write_planes(*planes)


def _order(width: int, height: int, first: Path, folder: Path) -> dict[str, Any]:
    return {
        "request": {
            "positivePrompt": PROMPT,
            "width": width,
            "height": height,
            "duration": SECONDS,
            "outputFormat": "MP4",
        },
        "fps": 24,
        "key": hashlib.sha256(PROMPT.encode()).hexdigest(),
        "take": 1,
        "first": str(first),
        "last": None,
        "slate": {"scene": "010", "scene_title": "The lane", "shot": "0020", "line": PROMPT},
        "out": str(folder / f"{height}.mp4"),
    }


def main() -> None:
    for what, ratio, most in measure():
        mark = "" if ratio <= most else "  TOO MUCH"
        print(f"{what:<72} {ratio:6.2f}  at most {most:g}{mark}")


if __name__ == "__main__":
    main()
