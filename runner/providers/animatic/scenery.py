"""The set of a shot: which place is painted, how high the horizon stands, where the light comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from . import closeup, heroes
from .camera import Camera
from .chance import Chance
from .city import city
from .land import desert, field, mountain, snowfield
from .market import market
from .palette import choose
from .rooms import interior
from .space import space
from .stage import Stage
from .water import harbour
from .weather import fire
from .woods import forest
from .words import Wanted

SETS: dict[str, Callable[[Stage], None]] = {
    "market": market,
    "city": city,
    "harbour": harbour,
    "forest": forest,
    "desert": desert,
    "mountain": mountain,
    "snowfield": snowfield,
    "field": field,
    "interior": interior,
    "space": space,
}
"""Every place that can be painted. To add one: its words in ``words.PLACES``, its hours in ``palette``, its
painter here.
"""

_AT_A_LOSS = ("harbour", "mountain", "field", "city", "forest", "desert")
_HORIZON = {
    "market": 0.56,
    "city": 0.62,
    "harbour": 0.56,
    "forest": 0.6,
    "desert": 0.56,
    "mountain": 0.62,
    "snowfield": 0.56,
    "field": 0.58,
    "interior": 0.6,
    "space": 1.35,
}


def paint(wanted: Wanted, width: int, height: int, camera: Camera, chance: Chance) -> Stage:
    """The painted set of a take for a working picture of this size: its layers from back to front, and its lamps."""
    place = wanted.place or _AT_A_LOSS[int(chance.shot("place").integers(len(_AT_A_LOSS)))]
    wanted = replace(wanted, place=place)
    luck = chance.of("composition")
    # Tall frames give the sky more room but keep things as large as the width allows.
    across = width * (1.12 if height > width else 0.95)
    unit = min(float(height), across) * _size(wanted, chance)
    # Tall frames look down a little: the foot of the picture must not be empty ground.
    tilt = 0.07 if height > width else 0.0
    level = tilt + float(chance.shot("level").uniform(-0.045, 0.035)) + float(luck.uniform(-0.015, 0.015))
    below = (_HORIZON[place] - 0.5) * min(height, across) / height
    horizon = height * (0.5 + below + level)
    if place not in {"space", "interior"}:
        horizon += {"low": 0.2, "high": -0.17}.get(wanted.angle, 0.0) * min(height, across)
    palette = choose(wanted, place, chance)
    left = float(luck.uniform(0.2, 0.42))
    lit_from = left if luck.random() < 0.5 else 1.0 - left
    up = {"noon": 0.42, "overcast": 0.4, "golden": 0.2, "dawn": 0.11, "dusk": 0.09, "night": 0.36, "moonlit": 0.32}[
        palette.hour
    ]
    sun = (width * lit_from, horizon - unit * (up + float(luck.uniform(-0.03, 0.03))))
    if place == "space":
        sun = (width * lit_from, height * 0.5 + unit * 0.13)
    if place == "interior":
        sun = (width * (0.5 + (lit_from - 0.5) * 0.45), horizon - unit * 0.28)
    stage = Stage(width, height, camera, chance, palette, wanted, horizon, unit, sun)
    stage.dither = (luck.random((128, 128), dtype=np.float32) - np.float32(0.5)) * np.float32(2.0)
    if wanted.size == "close" and closeup.of(wanted):
        closeup.paint(stage, SETS[place])
    else:
        # Nobody walks about in the distance who stands in front as well.
        alone = heroes.role(wanted) and wanted.people < 6
        stage.wanted = replace(wanted, people=0) if alone else wanted
        SETS[place](stage)
        stage.wanted = wanted
        heroes.enter(stage)
    if "embers" in wanted.weather and place not in {"space", "market", "interior"}:
        fire(stage)
    # Where someone holds the light that changes, or it is seen close, the others go on as they are.
    changing = bool(wanted.light) and not stage.keyed
    for glow in stage.glows():
        # Behind whoever stands nearer than the lamps, so that people are dark against the light and not veiled by it.
        at = next(
            (i for i, other in enumerate(stage.layers) if not other.glow and other.distance < glow.distance * 0.72),
            len(stage.layers),
        )
        stage.layers.insert(at, replace(glow, fade=closeup.FADES[wanted.light]) if changing else glow)
    return stage


def _size(wanted: Wanted, chance: Chance) -> float:
    """How close the shot is: by its words, or one shot wide and the next closer, so that a long chain does not
    stand still.
    """
    if wanted.size == "wide":
        size = 0.84
    elif wanted.size == "close" or wanted.says("close", "portrait"):
        size = 1.3
    elif wanted.size == "medium":
        size = 1.18
    else:
        size = (0.86, 0.97, 1.08, 1.2)[int(chance.shot("size").integers(4))]
    return size * float(chance.of("size").uniform(0.96, 1.04))
