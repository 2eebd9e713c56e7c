"""Orders for the animatic, everything defaulted, so that what a test sets is what matters."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from runner.media import picture

MARKET = "Night market in the rain, amber and jade light, a vendor in the steam. Camera: slow push in."


def order(
    prompt: str = MARKET,
    *,
    width: int = 160,
    height: int = 90,
    duration: float = 2.0,
    take: int = 1,
    key: str = "",
    first: Path | None = None,
    last: Path | None = None,
    out: Path | None = None,
    **request: Any,
) -> dict[str, Any]:
    """An order as the provider sends it, at a size that is quick to draw."""
    return {
        "request": {
            "taskType": "videoInference",
            "model": "klingai:5@3",
            "positivePrompt": prompt,
            "width": width,
            "height": height,
            "duration": duration,
            **request,
        },
        "fps": 24,
        "key": key or hashlib.sha256(b"a shot").hexdigest(),
        "take": take,
        "first": str(first) if first else None,
        "last": str(last) if last else None,
        "slate": {"scene": "010", "scene_title": "The lane", "shot": "0020", "line": "Mira spins under an umbrella."},
        "out": str(out) if out else "",
    }


def still(path: Path, *, width: int = 160, height: int = 90, seed: int = 1) -> Path:
    """A picture with soft patches and fine grain, which only an exact copy can match."""
    luck = np.random.default_rng(seed)
    patches = np.kron(luck.integers(30, 220, (9, 16, 3)), np.ones((height // 9, width // 16, 1)))
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[: patches.shape[0], : patches.shape[1]] = patches
    rgb += luck.integers(0, 20, rgb.shape, dtype=np.uint8)
    path.write_bytes(picture.png(rgb))
    return path
