"""Numbers as people write them: dollars, seconds, bytes, and text that fits its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Literal


def dollars(usd: float) -> str:
    """An amount of USD as people write it: cents, and what is below a cent only where there is something."""
    text = f"{abs(usd):,.4f}"
    whole, parts = text.split(".")
    return f"{'-' if usd < 0 else ''}${whole}.{parts[:2]}{parts[2:].rstrip('0')}"


def span(seconds: float) -> str:
    """A length in seconds, without needless zeros: ``5 s``, ``5.04 s``."""
    return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"


def elide(text: str, room: float) -> str:
    """The text on one line, cut with an ellipsis where it is wider than ``room`` letters (wide ones count double)."""
    text = " ".join("".join(" " if unicodedata.category(c)[0] == "C" else c for c in text).split())
    widths = [2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text]
    if sum(widths) <= room:
        return text
    used, kept = 1, 0
    while used + widths[kept] <= room:
        used += widths[kept]
        kept += 1
    return text[:kept].rstrip() + "…"


Piece = tuple[Literal["same", "gone", "come"], str]
_WORDS_MAX = 4000
"""Words up to which two texts are compared one by one; longer ones are told as wholes."""


def wordwise(old: str, new: str) -> list[Piece]:
    """What went, what came and what stayed between two texts, word by word; far from changes it is cut."""
    from difflib import SequenceMatcher

    before, after = old.split(), new.split()
    if before == after:
        return [("same", " ".join(before))]
    if max(len(before), len(after)) > _WORDS_MAX:
        return [("gone", " ".join(before)), ("come", " ".join(after))]
    pieces: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            head = before[a : a + 4] if a else []  # what stands far from a change says nothing
            tail = before[b - 4 : b] if b < len(before) or d < len(after) else []
            same = before[a:b] if b - a <= len(head) + len(tail) + 1 else [*head, "…", *tail]
            pieces.append(("same", " ".join(same)))
            continue
        pieces += [("gone", " ".join(before[a:b]))] if b > a else []
        pieces += [("come", " ".join(after[c:d]))] if d > c else []
    return pieces


def flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Names and values of anything a file may hold, as words, the way down joined by dots."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for n, inner in enumerate(value):
            yield from flat(inner, f"{name}.{n}" if name else str(n))
    elif isinstance(value, list | tuple):
        yield name, ", ".join(word(item) for item in value)
    else:
        yield name, word(value)


def word(value: object) -> str:
    """One value of a file as a person says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def rate(fraction: str) -> str:
    """Frames a second, given as a fraction, as a number: ``24``, ``23.976``."""
    try:
        return f"{float(Fraction(fraction)):.3f}".rstrip("0").rstrip(".")
    except (ValueError, ZeroDivisionError):
        return fraction


def clock(seconds: float) -> str:
    """A place in a film, as minutes, seconds and hundredths: ``1:05.25``."""
    minutes, rest = divmod(round(seconds * 100), 6000)
    return f"{minutes}:{rest // 100:02}.{rest % 100:02}"


def size(count: int) -> str:
    """A number of bytes as people write it, in thousands: ``2.3 MB``."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def signed(value: float) -> str:
    """A shift, with its sign unless it rounds to nothing: ``+0.4``, ``0.0``."""
    text = f"{abs(value):.1f}"
    return text if float(text) == 0 else ("+" if value > 0 else "\u2212") + text
