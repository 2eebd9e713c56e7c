"""A card: what the film shows where a shot is still missing."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ...media.write import Writer

_PAPER = (236, 232, 223)
_QUIET = (150, 152, 160)
_GROUND = (22, 23, 28)
_RULE = (176, 128, 58)


def card(order: dict[str, Any]) -> dict[str, Any]:
    """Write a still clip that names a missing shot and says why it is missing.

    ``order``: ``width``, ``height`` in pixels, ``seconds``, ``fps``, ``container``, ``quality``, ``slate`` (scene,
    scene_title, shot, line), ``state``, ``reason``, ``out``. Gives the number of frames.
    """
    picture = np.asarray(_drawn(order), np.uint8)
    count = max(1, round(order["seconds"] * order["fps"]))
    size = order["width"], order["height"]
    with Writer(order["out"], *size, order["fps"], order["container"], quality=order["quality"]) as writer:
        for _ in range(count):
            writer.write_rgb(picture)
    return {"frames": count}


def _drawn(order: dict[str, Any]) -> Image.Image:
    width, height, slate = order["width"], order["height"], order["slate"]
    unit = min(width, height) / 100
    sheet = Image.new("RGB", (width, height), _GROUND)
    pen = ImageDraw.Draw(sheet)
    left, room = width * 0.1, width * 0.8
    scene = f"{slate['scene']} {slate['scene_title']}".strip()
    texts = [(f"Scene {scene}", 4.2, _QUIET, 1), (f"Shot {slate['shot']}", 11.0, _PAPER, 1)]
    texts += [(slate["line"], 4.6, _PAPER, 3), (f"{order['state']}: {order['reason']}", 3.8, _RULE, 3)]
    lines: list[tuple[str, Any, tuple[int, int, int], float]] = []
    for text, size, colour, most in texts:
        font: Any = ImageFont.load_default(round(size * unit))
        columns = max(8, int(room / (font.getlength("nnnnnnnnnn") / 10)))
        wrapped = wrap(" ".join(text.split()), columns, max_lines=most, placeholder=" …") or [""]
        lines += [(line, font, colour, size * unit * 1.35) for line in wrapped]
    y = (height - sum(high for *_, high in lines)) / 2
    pen.rectangle((left - 3 * unit, y, left - 2 * unit, height - y), fill=_RULE)
    for line, font, colour, high in lines:
        pen.text((left, y + high / 2), line, font=font, fill=colour, anchor="lm")
        y += high
    return sheet
