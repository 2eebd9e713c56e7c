"""The close-up: one thing large and sharp in its own light, the place out of focus behind it."""

# Places and sizes are read in order, as on a drawing.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from . import props
from .camera import View
from .layer import F32, Layer, Picture, cut, plates, show
from .stage import Lamp, Stage
from .words import Wanted

DEEP = 5.0
"""The distance of what is out of focus."""

GRAIN = 0.25
"""Out of focus needs no more than a quarter of the size."""

FADES = {"": (1.0, 1.0), "dims": (1.0, 0.0), "brightens": (0.04, 1.0)}
"""How the shot's own light begins and ends."""

DISCS_MAX = 70

PAINTERS: dict[str, Callable[[Stage, tuple[float, float]], None]] = {
    "lantern": props.lantern,
    "hand": props.hand,
    "umbrella": props.umbrella,
    "bowl": props.bowl,
    "lamp": props.lamp,
    "flower": props.flower,
    "face": props.face,
}
"""Every thing that can be seen close. To add one: its words in ``words.PROPS``, its painter here."""


def of(wanted: Wanted) -> bool:
    """Whether what the words ask for can be seen close."""
    return wanted.prop in PAINTERS and wanted.place != "space"


def paint(stage: Stage, place: Callable[[Stage], None]) -> None:
    """The place, blurred, and before it the thing the words name."""
    behind = replace(stage, unit=stage.unit * 1.15, layers=[], lamps=[], keyed=False)
    place(behind)
    if stage.wanted.prop == "lantern":
        props.neighbours(behind)
    stage.add(_blurred(stage, behind))
    stage.add(_discs(stage, behind.lamps))
    stage.keyed = True
    PAINTERS[stage.wanted.prop](stage, FADES[stage.wanted.light])


def _margins(stage: Stage) -> tuple[int, int, int, int]:
    """Margin left and above, width and height of what is out of focus, in pixels that divide by eight."""
    mx, my = (-(-side // 8) * 8 for side in stage.reach(DEEP))
    return mx, my, -(-(stage.width + 2 * mx) // 8) * 8, -(-(stage.height + 2 * my) // 8) * 8


def _blurred(stage: Stage, behind: Stage) -> Layer:
    mx, my, wide, tall = _margins(stage)
    seen = Picture.blank(wide, tall)
    # Enlarged a little, so that far layers, painted with less to spare, fill the margins too.
    view = View(max(wide / stage.width, tall / stage.height) * 1.02, 0.0, 0.0)
    for layer in [*behind.layers, *behind.glows()]:
        show(seen, replace(layer, left=layer.left + mx, top=layer.top + my), view, gain=230)
    radius = 0.016 * stage.unit * GRAIN
    y, u, v = (_soft(plane, radius / part) for plane, part in ((seen.y, 1), (seen.u, 2), (seen.v, 2)))
    # A little darker than life, so that the thing in front has the light.
    y = (y - np.float32(16)) * np.float32(0.86) + np.float32(16)
    grain = np.tile(stage.dither, (y.shape[0] // 128 + 1, y.shape[1] // 128 + 1))[: y.shape[0], : y.shape[1]]
    luma = np.clip(y + grain * np.float32(0.5) + np.float32(0.5), 16, 235)
    return Layer(
        plates(luma), plates(u + np.float32(0.5), v + np.float32(0.5)), float(-mx), float(-my), DEEP, GRAIN, solid=True
    )


def _soft(plane: npt.NDArray[np.uint16], radius: float) -> F32:
    small = Image.fromarray(plane.astype(np.uint8)).reduce(4)
    for _ in range(2):
        small = small.filter(ImageFilter.BoxBlur(radius))
    # Once more in fractions, which takes the steps out of what was blurred in whole numbers.
    size, less = small.size, (max(2, small.width // 2), max(2, small.height // 2))
    fine = Image.fromarray(np.asarray(small, np.float32)).resize(less, Image.Resampling.BOX)
    return np.asarray(fine.resize(size, Image.Resampling.BICUBIC))


def _discs(stage: Stage, lamps: list[Lamp]) -> Layer | None:
    """Lamps out of focus are discs of light."""
    if not lamps:
        return None
    mx, my, wide, tall = _margins(stage)
    luck = stage.luck("discs")
    light = np.zeros((int(tall * GRAIN), int(wide * GRAIN), 3), np.float32)
    high, across = light.shape[:2]
    for lamp in lamps[:DISCS_MAX]:
        x, y = (lamp.x + mx) * GRAIN, (lamp.y + my) * GRAIN
        r = stage.unit * GRAIN * float(luck.uniform(0.016, 0.042))
        x0, x1, y0, y1 = (
            max(0, int(x - r) - 1),
            min(across, int(x + r) + 2),
            max(0, int(y - r) - 1),
            min(high, int(y + r) + 2),
        )
        if x0 >= x1 or y0 >= y1:
            continue
        dx = np.arange(x0, x1, dtype=np.float32)[None, :] - np.float32(x)
        dy = np.arange(y0, y1, dtype=np.float32)[:, None] - np.float32(y)
        away = np.sqrt(dx * dx + dy * dy)
        disc = np.clip(np.float32(r) - away + np.float32(0.5), 0.0, 1.0) * (0.6 + 0.4 * (away / np.float32(r)) ** 2)
        light[y0:y1, x0:x1] += (disc * np.float32(luck.uniform(0.22, 0.42)))[..., None] * np.asarray(lamp.colour)
    light *= np.float32(0.4 + 0.6 * stage.palette.night)
    rgb = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    return cut(rgb, None, left=-mx, top=-my, distance=DEEP * 0.8, grain=GRAIN, glow=True, flicker=0.12)
