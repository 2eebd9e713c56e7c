"""The colours of a shot: what its hour, its weather and its own colour words make of sky, haze, shadow and light."""

from __future__ import annotations

from dataclasses import dataclass

from .chance import Chance
from .words import COLOURS, Wanted

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as RGB bytes. ``sky`` runs from the zenith to the horizon; ``key`` is the light of sun or moon;
    ``lamps`` are the lights people make; ``cloth`` colours what they carry and hang up; ``night`` tells how dark it
    is (0 to 1).
    """

    hour: str
    sky: tuple[Rgb, Rgb, Rgb]
    haze: Rgb
    shadow: Rgb
    earth: Rgb
    key: Rgb
    lamps: tuple[Rgb, ...]
    cloth: tuple[Rgb, ...]
    night: float


_HOURS: dict[str, tuple[tuple[Rgb, Rgb, Rgb], Rgb, Rgb, Rgb, Rgb, float]] = {
    # zenith, middle, horizon | haze | shadow | earth | key | night
    "night": (((7, 11, 34), (20, 29, 66), (56, 62, 104)), (44, 52, 94), (7, 9, 20), (30, 32, 50), (205, 218, 255), 1.0),
    "moonlit": (
        ((9, 18, 46), (26, 46, 88), (88, 116, 152)),
        (66, 90, 130),
        (8, 12, 26),
        (34, 42, 62),
        (222, 232, 255),
        0.85,
    ),
    "dawn": (
        ((62, 82, 140), (206, 146, 152), (255, 210, 158)),
        (238, 180, 156),
        (44, 36, 64),
        (150, 104, 92),
        (255, 222, 170),
        0.2,
    ),
    "dusk": (
        ((36, 34, 88), (148, 72, 116), (252, 148, 88)),
        (176, 96, 110),
        (22, 16, 40),
        (84, 52, 66),
        (255, 176, 104),
        0.55,
    ),
    "golden": (
        ((94, 140, 178), (222, 192, 148), (255, 220, 150)),
        (240, 200, 146),
        (62, 44, 42),
        (172, 122, 76),
        (255, 230, 170),
        0.1,
    ),
    "noon": (
        ((46, 116, 190), (122, 184, 226), (212, 234, 240)),
        (190, 216, 228),
        (38, 58, 80),
        (150, 140, 112),
        (255, 250, 232),
        0.0,
    ),
    "overcast": (
        ((104, 118, 134), (150, 162, 174), (198, 206, 210)),
        (176, 186, 192),
        (40, 48, 58),
        (108, 110, 108),
        (232, 236, 238),
        0.15,
    ),
}

_USUAL: dict[str, tuple[str, ...]] = {
    "space": ("night",),
    "market": ("night", "dusk"),
    "city": ("dusk", "night", "dawn"),
    "interior": ("golden", "dawn", "dusk"),
    "harbour": ("dusk", "dawn", "golden"),
    "forest": ("dawn", "golden", "overcast"),
    "desert": ("golden", "dusk", "dawn"),
    "mountain": ("dawn", "dusk", "golden"),
    "snowfield": ("dawn", "overcast", "moonlit"),
    "field": ("golden", "dawn", "dusk"),
}

_EARTH: dict[str, Rgb] = {
    "desert": (206, 142, 84),
    "snowfield": (222, 230, 242),
    "forest": (58, 74, 54),
    "field": (124, 142, 58),
    "mountain": (96, 98, 104),
}

_PAIRS: tuple[tuple[str, str], ...] = (
    ("amber", "teal"),
    ("crimson", "ivory"),
    ("saffron", "cobalt"),
    ("jade", "amber"),
    ("coral", "turquoise"),
    ("gold", "violet"),
)


def mix(a: Rgb, b: Rgb, part: float) -> Rgb:
    """``a`` with ``part`` (0 to 1) of ``b`` in it."""
    return (
        int(a[0] + (b[0] - a[0]) * part + 0.5),
        int(a[1] + (b[1] - a[1]) * part + 0.5),
        int(a[2] + (b[2] - a[2]) * part + 0.5),
    )


def scale(a: Rgb, by: float) -> Rgb:
    """A colour made darker or brighter, kept within bytes."""
    return (min(255, int(a[0] * by + 0.5)), min(255, int(a[1] * by + 0.5)), min(255, int(a[2] * by + 0.5)))


def choose(wanted: Wanted, place: str, chance: Chance) -> Palette:
    """The palette for these words in this place; where the words are silent the shot's own chance decides."""
    luck = chance.shot("palette")
    usual = _USUAL[place]
    hour = wanted.hour or usual[int(luck.integers(len(usual)))]
    if not wanted.hour and "rain" in wanted.weather and place not in {"market", "city"}:
        hour = "overcast"
    sky, haze, shadow, earth, key, night = _HOURS[hour]
    if place == "space":
        # There is no air to be blue: the hour only colours the star.
        sky, haze, night = ((4, 6, 16), (9, 12, 28), (18, 22, 44)), mix(haze, (30, 34, 60), 0.7), 0.9
    pair = _PAIRS[int(luck.integers(len(_PAIRS)))]
    named = wanted.colours or pair
    tones = tuple(COLOURS[name] for name in named)
    first, second = tones[0], tones[1 % len(tones)]
    # Colour words tint the air as well, or a palette would be no more than painted awnings.
    pull = 0.26 if wanted.colours else 0.1
    dim = 0.45 + 0.55 * (1.0 - night)
    tinted = mix(haze, scale(first, dim), pull)
    low = mix(sky[2], scale(first, dim + 0.1), pull)
    middle = mix(sky[1], scale(second, dim * 0.8), pull * 0.7)
    top = mix(sky[0], scale(second, dim * 0.35), pull * 0.5)
    if place in _EARTH:
        ground = _EARTH[place]
        if place == "desert" and wanted.colours:
            ground = mix(ground, first, 0.35)
        earth = mix(scale(ground, 0.25 + 0.75 * (1.0 - night)), haze, 0.34 if night > 0.15 else 0.12)
    if {"rain", "fog"} & set(wanted.weather):
        grey = (tinted[0] * 3 + tinted[1] * 6 + tinted[2]) // 10
        tinted = mix(tinted, (grey, grey, min(255, grey + 8)), 0.25)
    warm: Rgb = (255, 186, 96)
    lamps = (*(mix(tone, warm, 0.25) for tone in tones), warm)
    # Takes are lit a little differently, as if the hour had moved on.
    drift = float(chance.of("light").uniform(-1.0, 1.0))
    veil: Rgb = (255, 214, 170) if drift > 0 else (120, 150, 220)
    part = abs(drift) * 0.08
    return Palette(
        hour,
        (mix(top, veil, part * 0.5), mix(middle, veil, part), mix(low, veil, part)),
        mix(tinted, veil, part),
        mix(shadow, scale(second, 0.2), 0.2),
        earth,
        key,
        lamps,
        tones,
        night,
    )
