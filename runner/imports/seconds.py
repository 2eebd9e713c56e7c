"""How long a shot is to be, in the many ways in which people write it."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

_UNITS = {
    **dict.fromkeys("s sec secs second seconds sek sekunden secondes segundos secondi".split(), Fraction(1)),
    **dict.fromkeys("m min mins minute minutes minuten minutos minuti".split(), Fraction(60)),
    **dict.fromkeys("h hr hrs hour hours".split(), Fraction(3600)),
    **dict.fromkeys("ms millisecond milliseconds".split(), Fraction(1, 1000)),
    "": Fraction(1), '"': Fraction(1), "\u2033": Fraction(1), "'": Fraction(60), "\u2032": Fraction(60),
}  # fmt: skip
_FRAMES = frozenset("f fr frs frame frames bilder images".split())
_NUMBER = r"[0-9]{1,9}(?:[.,][0-9]{1,9})?|[.,][0-9]{1,9}"
_PARTS = re.compile(rf"({_NUMBER})\s*([^\W\d_]+|[\"'\u2033\u2032]|)\.?\s*")
_CLOCK = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,3}):([0-9]{1,2}(?:[.,][0-9]{1,9})?)\Z")
_TIMECODE = re.compile(r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})[:;]([0-9]{2,3})\Z")


def is_unit(word: str) -> bool:
    """Whether a length can be counted in it: seconds, minutes, frames …"""
    return word in _FRAMES or word in _UNITS


def read(text: str, fps: int) -> tuple[Decimal | None, str | None]:
    """Seconds, and what is to be told of how they were read; None where the text is no length.

    ``5``, ``5s``, ``5,0``, ``1 min 30``, ``0:05``, ``00:00:05`` and ``00:00:05:12``, whose frames count at ``fps``.
    """
    text = text.strip().casefold().lstrip("~≈ ")
    if found := _TIMECODE.match(text):
        hours, minutes, whole, frames = map(int, found.groups())
        seconds = hours * 3600 + minutes * 60 + whole + Fraction(frames, fps)
        return _decimal(seconds), f"is read as a timecode at {fps} frames a second"
    if found := _CLOCK.match(text):
        seconds = int(found[1] or 0) * 3600 + int(found[2]) * 60 + _fraction(found[3])
        return _decimal(seconds), None
    return _counted(text, fps)


def _counted(text: str, fps: int) -> tuple[Decimal | None, str | None]:
    total, at, told = Fraction(0), 0, None
    while found := _PARTS.match(text, at):
        if found[2] in _FRAMES:
            total += _fraction(found[1]) / fps
            told = f"is read as frames at {fps} a second"
        elif found[2] in _UNITS:
            total += _fraction(found[1]) * _UNITS[found[2]]
        else:
            return None, None
        at = found.end()
    return (_decimal(total), told) if at and at == len(text) and total else (None, None)


def _fraction(text: str) -> Fraction:
    return Fraction(f"0{text}".replace(",", "."))


def _decimal(seconds: Fraction) -> Decimal:
    return round(Decimal(seconds.numerator) / Decimal(seconds.denominator), 3)
