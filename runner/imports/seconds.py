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
    "": Fraction(1), '"': Fraction(1), "″": Fraction(1), "'": Fraction(60), "′": Fraction(60),
}  # fmt: skip
_FRAMES = frozenset("f fr frs frame frames bilder images".split())
_NUMBER = r"[0-9]{1,9}(?:[.,][0-9]{1,9})?|[.,][0-9]{1,9}"
_PARTS = re.compile(rf"({_NUMBER})\s*([^\W\d_]*|[\"'″′])\.?\s*")
_CLOCK = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,3}):([0-9]{1,2}(?:[.,][0-9]{1,9})?)\Z")
_TIMECODE = re.compile(r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})[:;]([0-9]{2,3})\Z")


def read(text: str, fps: int, unit: str = "") -> tuple[Decimal | None, str | None]:
    """Seconds, and what is to be told of how they were read; None where the text is no length.

    ``5``, ``5s``, ``5,0``, ``1 min 30``, ``0:05``, ``00:00:05`` and ``00:00:05:12``, whose frames count at ``fps``.
    ``unit`` is what the column's head says of plain numbers.
    """
    text = text.strip().casefold().lstrip("~≈ ")
    if found := _TIMECODE.match(text):
        hours, minutes, whole, frames = map(int, found.groups())
        seconds = hours * 3600 + minutes * 60 + whole + Fraction(frames, fps)
        return _decimal(seconds), f"is read as a timecode at {fps} frames a second"
    if found := _CLOCK.match(text):
        seconds = int(found[1] or 0) * 3600 + int(found[2]) * 60 + _fraction(found[3])
        return _decimal(seconds), None
    return _counted(text, fps, unit)


def _counted(text: str, fps: int, unit: str) -> tuple[Decimal | None, str | None]:
    total, at, told = Fraction(0), 0, None
    many = len(_PARTS.findall(text)) > 1
    while found := _PARTS.match(text, at):
        named = found[2] or ("" if many else unit)
        if named in _FRAMES:
            total += _fraction(found[1]) / fps
            told = f"is read as frames at {fps} a second"
        elif named in _UNITS:
            total += _fraction(found[1]) * _UNITS[named]
        elif named == unit:  # the head of the column says something that is no unit of time
            total += _fraction(found[1])
        else:
            return None, None
        at = found.end()
    return (_decimal(total), told) if at and at == len(text) and total else (None, None)


def _fraction(text: str) -> Fraction:
    return Fraction(f"0{text}".replace(",", "."))


def _decimal(seconds: Fraction) -> Decimal:
    return round(Decimal(seconds.numerator) / Decimal(seconds.denominator), 3)
