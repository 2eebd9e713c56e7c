"""What a prompt says about the picture: its place, its hour, its weather, its colours and who is there."""

from __future__ import annotations

import re
from dataclasses import dataclass

PLACES: dict[str, str] = {
    "space": "space planet planets orbital orbit spaceship spaceships starship starships asteroid shipyard "
    "galaxy nebula "
    "satellite cosmos moonbase spacecraft comet",
    "interior": "interior room terminal hangar hall corridor kitchen workshop cathedral library studio lobby "
    "station warehouse "
    "chamber cabin bedroom office museum theatre theater temple inside attic cellar bar cafe restaurant classroom",
    "market": "market bazaar stall stalls lane alley vendor vendors souk lantern lanterns noodle noodles fair "
    "awning awnings",
    "city": "city street streets skyline neon downtown rooftop rooftops skyscraper skyscrapers avenue town "
    "tower towers urban "
    "traffic tram bridge highway metropolis district plaza square",
    "harbour": "sea harbour harbor river ocean boat boats ship ships ferry pier dock docks lake coast shore "
    "beach lighthouse "
    "gull gulls bay quay waves sail sails sailing fishing water canal island cove tide",
    "forest": "forest wood woods tree trees pine pines jungle grove birch woodland cedar bamboo trail clearing",
    "desert": "desert dune dunes sand mesa arch arches canyon oasis caravan camel sandstorm wasteland ochre",
    "mountain": "mountain mountains peak peaks alpine ridge ridges summit cliff cliffs valley glacier highland "
    "volcano pass",
    "snowfield": "snowfield tundra arctic ice icy polar snowy frozen antarctic",
    "field": "field fields meadow prairie grass farm hill hills wheat barley pasture orchard countryside plain "
    "steppe garden",
}

HOURS: dict[str, str] = {
    "night": "night midnight nighttime starlit nocturnal stars",
    "moonlit": "moonlit moonlight moon",
    "dawn": "dawn daybreak sunrise first-light early morning",
    "dusk": "dusk twilight sunset evening nightfall gloaming",
    "golden": "golden afternoon sunlit sun-drenched honeyed",
    "noon": "noon midday daylight day bright sunny blue-sky",
    "overcast": "overcast grey gray cloudy stormy storm gloomy bleak",
}

WEATHERS: dict[str, str] = {
    "rain": "rain raining rainy drizzle downpour rainfall raindrops monsoon rains rain-slick umbrella umbrellas",
    "snow": "snow snowing snowfall snowflakes snowy blizzard flurries",
    "dust": "dust dusty sandstorm haze grit particulate",
    "steam": "steam steaming vapor vapour smoke smoky smoking steamy",
    "fog": "fog foggy mist misty hazy murk",
    "embers": "ember embers spark sparks fire fires flame flames bonfire campfire forge burning",
    "leaves": "leaves leaf petals petal blossom blossoms autumn",
}

COLOURS: dict[str, tuple[int, int, int]] = {
    "amber": (255, 170, 56),
    "jade": (60, 188, 140),
    "crimson": (205, 36, 58),
    "cobalt": (42, 88, 208),
    "ivory": (242, 232, 208),
    "teal": (34, 152, 160),
    "ochre": (206, 140, 58),
    "saffron": (250, 172, 48),
    "golden": (250, 190, 84),
    "gold": (250, 190, 84),
    "silver": (190, 202, 214),
    "rust": (178, 82, 44),
    "rose": (236, 130, 150),
    "pink": (244, 130, 176),
    "violet": (134, 84, 210),
    "purple": (134, 70, 190),
    "emerald": (32, 168, 108),
    "scarlet": (226, 44, 40),
    "red": (214, 48, 44),
    "blue": (58, 112, 214),
    "green": (70, 160, 84),
    "orange": (246, 134, 44),
    "yellow": (246, 206, 66),
    "indigo": (66, 60, 170),
    "copper": (202, 120, 74),
    "bronze": (182, 128, 66),
    "magenta": (220, 50, 160),
    "cyan": (50, 200, 222),
    "lavender": (176, 160, 226),
    "turquoise": (50, 190, 184),
    "coral": (246, 120, 98),
    "vermilion": (228, 66, 40),
    "olive": (128, 132, 62),
    "maroon": (128, 34, 44),
    "azure": (70, 150, 232),
    "white": (236, 238, 240),
}

_PEOPLE = frozenset(
    "people crowd girl boy woman man child children vendor vendors traveler traveller travelers figure figures "
    "worker workers "
    "pilot rider riders walker pedestrians passers-by couple dancer fisherman sailor sailors guard merchant "
    "merchants shoppers "
    "she he her his they someone stranger mother father friends family monk monks pilgrims hiker".split()
)
_SEVERAL = frozenset(
    "people children travelers travellers figures workers riders couple sailors their they friends family monks "
    "pilgrims "
    "two three pilots guards women men girls boys hikers dancers".split()
)
_CROWD = frozenset(
    "people crowd crowds vendors shoppers pedestrians passers-by merchants passengers stalls bustling".split()
)
_SIZES: tuple[tuple[str, str], ...] = (
    ("medium", r"medium close-?\s?up|medium(?: two)? shot|mid shot|medium"),
    ("close", r"close-?\s?ups?|close shot|macro|insert (?:shot )?of|insert shot|detail (?:shot )?of|detail shot"),
    ("wide", r"wide|establishing|aerial|vast|panorama|panoramic|long shot"),
)
_ANGLES: tuple[tuple[str, str], ...] = (
    ("low", r"low[- ]angle|worm'?s[- ]eye|from below|looks? up at|looking up at"),
    ("high", r"high[- ]angle|overhead shot|bird'?s[- ]eye|top[- ]down|from above|looking down on"),
)
PROPS: dict[str, str] = {
    "lantern": "lantern lanterns",
    "hand": "hand hands finger fingers ticket key coin letter ring note",
    "umbrella": "umbrella umbrellas parasol",
    "bowl": "bowl bowls noodles soup cup teacup tea kettle pot",
    "lamp": "lamp lamps candle candles bulb",
    "flower": "flower flowers blossom blossoms petal petals leaf leaves rose sprout bud",
    "face": "face eye eyes profile portrait cheek lips smile gaze",
}
"""What a close-up can be of, and the words for it."""

_LIGHT = r"\b(?:lanterns?|lamps?|lights?|candles?|neon|signs?|glow|fire|torch|torches|windows?|bulbs?)"
_OUT = r"(?:go(?:es|ing)? (?:dark|out|dim)|fad(?:es|ing)|dim(?:s|ming)|flickers? out|d(?:ies|ying))\b"
_AGAIN = r"(?:glow|burn|shine)(?:s|ing)?(?: \w+)? again|brighten(?:s|ing)?"
_ON = r"lights? up|lighting up|flickers? on|(?:turn|switch|com)(?:s|es|ing)? on|ignites?|flares?"
_CHANGES: tuple[tuple[str, str], ...] = (("dims", _OUT), ("brightens", rf"(?:{_AGAIN}|{_ON})\b"))
_INLAND = frozenset("river boat boats water lake island fishing canal".split())
_NOT = frozenset("no without not never".split())


def _index(table: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, words in table.items():
        for word in words.split():
            found.setdefault(word, name)
    return found


_PLACE, _HOUR, _WEATHER, _PROP = _index(PLACES), _index(HOURS), _index(WEATHERS), _index(PROPS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the words ask for. ``place`` and ``hour`` are empty where the words are silent.

    ``size`` is "close", "medium", "wide" or empty; ``angle`` "low", "high" or empty; ``prop`` one of ``PROPS`` or
    empty; ``light`` "dims" or "brightens" where the words change a light within the shot.
    """

    place: str
    hour: str
    weather: tuple[str, ...]
    colours: tuple[str, ...]
    people: int
    words: tuple[str, ...]
    size: str = ""
    angle: str = ""
    prop: str = ""
    light: str = ""

    def says(self, *any_of: str) -> bool:
        """Whether one of these words was used."""
        return not set(any_of).isdisjoint(self.words)


def split(prompt: str) -> tuple[str, ...]:
    """The words of a prompt in lower case, without those that follow "no" or "without"."""
    kept: list[str] = []
    barred = 0
    for token in re.findall(r"[a-z]+(?:-[a-z]+)*|[.,;:!?]", prompt.lower()):
        if not token[0].isalpha():
            barred = 0
        elif token in _NOT:
            barred = 2
        elif barred:
            barred -= 1
        else:
            kept.append(token)
            if "-" in token:
                kept.extend(token.split("-"))
    return tuple(kept)


def read(prompt: str) -> Wanted:
    """What a prompt asks for. The place named most often wins; between equals, the one named first."""
    words = split(prompt)
    votes: dict[str, float] = {}
    for at, word in enumerate(words):
        if word in _PLACE:
            name = _PLACE[word]
            votes[name] = votes.get(name, 0.0) + 1.0 + 1.0 / (2 + at)
    # A station in orbit is in space, a market in a city is a market: the closer place wins when both are named.
    place = max(votes, key=lambda name: votes[name]) if votes else ""
    if "space" in votes and votes["space"] >= 1.2 and place in {"interior", "harbour", "city"}:
        place = "space"
    # A river among trees is a forest's, unless the words know of a shore.
    if place == "harbour" and "forest" in votes and {w for w in words if _PLACE.get(w) == "harbour"} <= _INLAND:
        place = "forest"
    if place == "city" and "market" in votes:
        place = "market"
    if place in {"forest", "mountain", "field"} and "snowfield" in votes and place == "field":
        place = "snowfield"
    hours = [_HOUR[w] for w in words if w in _HOUR]
    if "first" in words and "light" in words:
        hours.insert(0, "dawn")
    hour = next((h for h in hours if h not in {"overcast", "golden"}), hours[0] if hours else "")
    weather = tuple(dict.fromkeys(_WEATHER[w] for w in words if w in _WEATHER))
    if "snowy" in words and "snow" not in weather:
        weather = ("snow", *weather)
    colours = tuple(dict.fromkeys(w for w in words if w in COLOURS))[:4]
    people = 0
    if not _PEOPLE.isdisjoint(words):
        people = 1 if _SEVERAL.isdisjoint(words) else 2
    if not _CROWD.isdisjoint(words):
        people = 6
    size, angle, prop, light = _framing(" ".join(prompt.lower().split()), words)
    return Wanted(place, hour, weather[:3], colours, people, words, size, angle, prop, light)


def _framing(text: str, words: tuple[str, ...]) -> tuple[str, str, str, str]:
    size, angle = _first(_SIZES, text), _first(_ANGLES, text)
    prop = next((_PROP[word] for word in words if word in _PROP), "")
    # A sentence that begins with a hand or a face is told close, whether or not it says so.
    opening = {_PROP.get(word) for word in words[:3]}
    if not size and opening & {"hand", "face"}:
        size = "close"
    said = " ".join(words)
    return size, angle, prop, _first(tuple((name, rf"{_LIGHT}(?: \S+){{0,6}}? {way}") for name, way in _CHANGES), said)


def _first(table: tuple[tuple[str, str], ...], text: str) -> str:
    """The name whose pattern is met first in the text; empty where none is."""
    found = [
        (hit.start(), at, name) for at, (name, way) in enumerate(table) if (hit := re.search(rf"\b(?:{way})", text))
    ]
    return min(found)[2] if found else ""
