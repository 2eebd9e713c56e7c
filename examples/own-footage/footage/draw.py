"""Draws sunrise.mp4: a sun that comes up behind a pier, 1.5 seconds at 24 frames a second."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE, COUNT = 640, 360, 24, 36
HORIZON = 230


def picture(number: int) -> NDArray[np.uint8]:
    """One frame: the sky, the sun at its height, the sea, and the pier before them."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    share = np.clip(y / HORIZON, 0, 1)[..., None]
    rgb = np.array((58.0, 74, 120)) * (1 - share) + np.array((236.0, 150, 96)) * share
    height = HORIZON + 30 - 2.2 * number
    near = np.clip(38 - np.hypot(x - 430, y - height), 0, 1)[..., None]
    glow = np.exp(-np.hypot(x - 430, y - height) / 120)[..., None]
    rgb = (rgb + glow * (60, 40, 10)) * (1 - near) + near * (255, 226, 150)
    sea = np.array((30.0, 48, 74)) + np.exp(-np.abs(x - 430) / (30 + np.maximum(y - HORIZON, 0)))[..., None] * (
        120,
        80,
        40,
    )
    rgb = np.where((y >= HORIZON)[..., None], sea, rgb)
    deck = ((y > 250) & (y < 262) & (x < 360)) | ((y >= 262) & (x < 350) & (x % 70 < 9))
    rgb[deck] = (18, 20, 28)
    return np.clip(rgb, 0, 255).astype(np.uint8)


def draw(path: Path) -> None:
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", RATE, options={"crf": "20", "preset": "slow", "threads": "1"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.colorspace, video.codec_context.color_range = 1, 1
        for number in range(COUNT):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=1, src_color_range=2, dst_color_range=1)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("sunrise.mp4"))
