"""The camera: which move the words ask for, and where that puts it at any moment of the shot."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .chance import Chance, smooth, sway

HALF_TURN_S = 2.6
"""Seconds of the slow sway of a hand-held camera."""


@dataclass(frozen=True, slots=True)
class Move:
    """How far the camera travels over the whole shot, in frame heights at the subject's distance.

    ``dolly`` > 0 goes in, ``truck`` and ``pan`` > 0 go right, ``crane`` and ``tilt`` > 0 go up, ``zoom`` > 0 goes in,
    ``orbit`` > 0 circles to the right. ``shake`` is a hand-held camera. Trucks and cranes shift near things more
    than far
    ones; pans, tilts and zooms move all alike.
    """

    dolly: float = 0.0
    truck: float = 0.0
    crane: float = 0.0
    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    orbit: float = 0.0
    shake: float = 0.0

    @property
    def still(self) -> bool:
        """Whether the camera is locked off."""
        return self == Move()


@dataclass(frozen=True, slots=True)
class View:
    """What one layer shows at one moment: scaled by ``scale`` about the frame's middle, moved by ``dx``, ``dy``
    frame heights
    (positive: the picture goes right and down).
    """

    scale: float
    dx: float
    dy: float


_FORWARD = r"(?:forwards?|ahead|in|inwards?|closer|towards?|into(?!\s+an?\b)|through)"
_BACK = r"(?:backwards?|back|out|outwards?|away)"
_GO = (
    r"(?:push(?:es|ing)?|doll(?:y|ies|ying)|glid(?:e|es|ing)|mov(?:e|es|ing)|creep(?:s|ing)?|float(?:s|ing)?"
    r"|fl(?:y|ies|ying)|drift(?:s|ing)?|track(?:s|ing)?|advanc(?:e|es|ing))"
)
_SIDE = (
    r"(?:track(?:s|ing)?|truck(?:s|ing)?|slid(?:e|es|ing)|lateral(?:ly)?|side(?:-|\s)?track(?:s|ing)?|follow(?:s|ing)?)"
)
_GAP = (
    r"(?:\s+(?:shot|camera|move|movement|slowly|gently|softly|steadily|quickly|gradually|to|the|a|is|and|slightly"
    r"|upward|tracking))*\s+"
)
_TO_DOWN = r"[\w\s]{0,20}?\bdown\b"
_TO_OUT = r"[\w\s]{0,12}?\b(?:out|back)\b"

_RULES: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    (
        "dolly",
        1.0,
        (rf"{_GO}{_GAP}{_FORWARD}\b", r"push-ins?\b", rf"forward\s+{_GO}\b", r"dolly\s+zoom", r"dolly-in\b"),
    ),
    (
        "dolly",
        -1.0,
        (rf"(?:pull(?:s|ing)?|{_GO}|retreat(?:s|ing)?){_GAP}{_BACK}\b", r"pull-?backs?\b", rf"backward\s+{_GO}\b"),
    ),
    ("pan", -1.0, (rf"pan(?:s|ning)?{_GAP}left\b", r"left(?:ward)?\s+pan\b")),
    ("pan", 1.0, (r"right(?:ward)?\s+pan\b", rf"pan(?:s|ning)?\b(?!{_GAP}left)")),
    ("tilt", -1.0, (rf"tilt(?:s|ing)?{_GAP}down(?:wards?)?\b", r"downward\s+tilt\b")),
    ("tilt", 1.0, (r"upward\s+tilt\b", rf"tilt(?:s|ing)?\b(?!{_GAP}down)")),
    ("truck", -1.0, (rf"{_SIDE}{_GAP}left(?:wards?)?\b", rf"leftward\s+{_SIDE}\b")),
    (
        "truck",
        1.0,
        (
            rf"{_SIDE}{_GAP}right(?:wards?)?\b",
            rf"rightward\s+{_SIDE}\b",
            r"(?:lateral|tracking|trucking|side-tracking)\b",
            r"track(?:s|ing)?\s+(?:shot|alongside|beside|past|with)\b",
        ),
    ),
    (
        "crane",
        -1.0,
        (rf"(?:crane|boom|jib|pedestal)s?\b{_TO_DOWN}", r"descend(?:s|ing)?\b", r"camera\s+(?:drops|sinks|lowers)\b"),
    ),
    (
        "crane",
        1.0,
        (
            rf"(?:crane|craning|boom|jib|pedestal)s?\b(?!{_TO_DOWN})",
            r"camera\s+(?:rises|lifts|ascends)\b",
            r"rising\s+(?:crane|camera|shot)\b",
        ),
    ),
    ("orbit", -1.0, (r"(?:orbit(?:s|ing)?|arc(?:s|ing)?|circl(?:e|es|ing))\b[\w\s]{0,16}?\bleft\b",)),
    (
        "orbit",
        1.0,
        (
            r"(?:camera|slow|gentle|fast|smooth)\s+(?:orbit|arc)(?:s|ing)?\b",
            r"orbit(?:s|ing)?\s+(?:around|shot|camera|right|move)\b",
            r"arc(?:s|ing)?\s+(?:around|shot|right)\b",
            r"circl(?:es|ing)\s+around\b",
        ),
    ),
    ("zoom", -1.0, (rf"zoom(?:s|ing)?\b{_TO_OUT}",)),
    ("zoom", 1.0, (rf"zoom(?:s|ing)?\b(?!{_TO_OUT})",)),
    ("shake", 1.0, (r"hand-?\s?held\b", r"shaky\b", r"shoulder\s+camera\b")),
)
"""The word forms of every move, each meant to begin at a word: name, sign, patterns. The first rule that fits
a move wins.
"""

_BARE = re.compile(r"^\s*(?:\w+\s+){0,2}(?:orbit|arc)\b")
_STILL = re.compile(
    r"\b(?:static|locked(?:-|\s)?(?:off|down)?|tripod|motionless\s+camera"
    r"|(?:still|fixed)\s+(?:camera|frame|shot))\b"
)
_REACH = {
    "dolly": 0.2,
    "truck": 0.15,
    "crane": 0.13,
    "pan": 0.15,
    "tilt": 0.12,
    "zoom": 0.2,
    "orbit": 0.16,
    "shake": 0.006,
}
_PACE: tuple[tuple[str, float], ...] = (
    (r"\b(?:very|extremely)\s+slow(?:ly)?\b", 0.4),
    (r"\b(?:subtle|subtly|slight|slightly|barely|imperceptible)\b", 0.5),
    (r"\b(?:slow|slowly|gradual|gradually|gentle|gently|restrained|drift|drifting|creep|creeping)\b", 0.65),
    (r"\b(?:fast|rapid|rapidly|quick|quickly|swift|swiftly|whip|speeding|dramatic|rushing)\b", 1.6),
)


def read(prompt: str) -> Move:
    """The move a prompt asks for: a slow push in where it says nothing. What stands after "Camera:" goes
    before the rest.
    """
    text = re.sub(r"\b(?:no|without|not)\s+[a-z-]+(?:\s+[a-z-]+)?", " ", " ".join(prompt.lower().split()))
    named = re.search(r"camera\s*:\s*([^.;]+)", text)
    passages = [(named.group(1), True), (text, False)] if named else [(text, False)]
    for passage, is_named in passages:
        found = _moves(passage, named=is_named)
        if found:
            return _scaled(found, _pace(passage, named=is_named))
        if _STILL.search(passage):
            return Move()
    return Move(dolly=_REACH["dolly"] * 0.65)


def _moves(text: str, *, named: bool) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, sign, patterns in _RULES:
        if name not in found and any(re.search(rf"\b{pattern}", text) for pattern in patterns):
            found[name] = sign
    if named and "orbit" not in found and _BARE.search(text):
        found["orbit"] = 1.0
    if "pan" in found and "truck" in found and not re.search(r"\btruck", text):
        del found["truck"]
    return found


_NEAR = re.compile(
    r"(?:\S+\s+){0,4}\b(?:camera|push|dolly|glide|pan|tilt|track\w*|truck|crane|orbit|zoom|arc|pull)\b(?:\s+\S+){0,3}"
)


def _pace(text: str, *, named: bool) -> float:
    """How brisk the move is; in a whole prompt only words that stand near the camera's count."""
    near = text if named else " ".join(_NEAR.findall(text))
    for pattern, pace in _PACE:
        if re.search(pattern, near):
            return pace
    return 1.0


def _scaled(found: dict[str, float], pace: float) -> Move:
    # Two moves at once share the distance, or their sum would leave the picture.
    share = 1.0 if len([n for n in found if n != "shake"]) < 2 else 0.75
    amounts = {name: sign * _REACH[name] * (1.0 if name == "shake" else pace * share) for name, sign in found.items()}
    return replace(Move(), **amounts)


@dataclass(frozen=True, slots=True)
class Camera:
    """A move carried out over ``seconds``. Distances of layers: 1 is the subject, larger is farther, below 1
    is nearer.
    """

    move: Move
    seconds: float
    phase: float

    def at(self, t: float, distance: float) -> View:
        """What a layer at this distance shows at ``t`` (0 to 1 of the shot), for the shot's own picture.

        Never smaller than life: every move starts or ends on the whole picture, eased at both ends.
        """
        e = smooth(t)
        m = self.move
        forward = m.dolly * e if m.dolly >= 0 else -m.dolly * (1.0 - e)
        # A dolly makes near things grow more than far ones; a touch of it reaches even the sky, or it would look
        # pasted on.
        scale = distance / (distance - min(forward, distance * 0.4)) + forward * 0.06
        scale *= 1.0 + (m.zoom * e if m.zoom >= 0 else -m.zoom * (1.0 - e))
        side = e - 0.5
        near = 1.0 / distance
        swing = m.orbit * side * (near - 0.62) * 1.5
        dx = -(m.truck * near + m.pan) * side - swing
        dy = (m.crane * near + m.tilt) * side
        wobble_x, wobble_y = self._hand(t)
        return View(scale, (dx + wobble_x * (0.6 + 0.4 * near)) * scale, (dy + wobble_y * (0.6 + 0.4 * near)) * scale)

    def over(self, t: float, *, since: float) -> View:
        """What a flat picture shows at ``t`` when it filled the frame exactly at ``since`` (0: the given first
        frame, 1: the last).
        """
        now, then = self.at(t, 1.15), self.at(since, 1.15)
        scale = now.scale / then.scale
        if scale < 1.0:
            # Pulling back from a picture would show its edges: the far end is held a little longer instead.
            scale = 1.0 + (1.0 - scale) * 0.15
        return View(
            scale,
            (now.dx / now.scale - then.dx / then.scale) * scale,
            (now.dy / now.scale - then.dy / then.scale) * scale,
        )

    def _hand(self, t: float) -> tuple[float, float]:
        if not self.move.shake:
            return 0.0, 0.0
        turns = t * self.seconds / HALF_TURN_S + self.phase
        # Still at both ends, so that a frame handed on is met at rest.
        hold = smooth(t * 6.0) * smooth((1.0 - t) * 6.0)
        amount = self.move.shake * hold
        x = sway(turns) + 0.5 * sway(turns * 2.3 + 0.2) + 0.25 * sway(turns * 5.1 + 0.6)
        y = sway(turns * 1.3 + 0.4) + 0.5 * sway(turns * 2.9 + 0.1) + 0.25 * sway(turns * 4.7 + 0.3)
        return amount * x, amount * y


def choose(prompt: str, seconds: float, chance: Chance) -> Camera:
    """The camera of one take: the move of the words, a little longer or shorter from take to take."""
    move = read(prompt)
    luck = chance.of("camera")
    vary = 1.0 + 0.15 * float(luck.uniform(-1.0, 1.0))
    lively = Move(*(round(getattr(move, name) * vary, 6) for name in Move.__dataclass_fields__))
    return Camera(lively, seconds, float(luck.uniform(0.0, 1.0)))
