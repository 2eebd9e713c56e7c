"""A template: a text with words left open, and how a value is spoken in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

TEXT_MAX = 100_000
"""Code points that any rendered text may have."""
LOOP_MAX = 1_000
"""How far a template may count."""

NEWLINE = re.compile(r"\r\n|\r|\n")
_BARE = re.compile(r"(?<!\{)\{\{ *([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*) *\}\}")
_WORDS_OF_JINJA = frozenset(
    "true false none True False None and or not in is if else elif for set self super varargs kwargs".split()
)


class Refused(Exception):
    """A template that cannot be rendered: the fact, the line of the template (from 1), the words meant in it."""

    def __init__(self, fact: str, line: int, *, words: str | None = None, remedy: str | None = None) -> None:
        self.fact, self.line, self.words, self.remedy = fact, line, words, remedy
        self.name: str | None = None
        """The name that was looked for and is not there."""
        self.known: list[str] | None = None
        """The names that are there."""
        self.holder: object = None
        """What the name was looked for in."""
        self.span: tuple[int, int] | None = None
        """Where the expression stands in the template, with its line ends as ``\\n``."""
        super().__init__(fact)


@lru_cache(maxsize=4096)
def _pieces(raw: str) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """A text cut up: words, and the name after them; None where a text has more in it than names."""
    rest = _BARE.sub("", raw)
    if "{{" in rest or "{%" in rest or "{#" in rest or "}}" in rest:
        return None
    parts: list[tuple[str, tuple[str, ...]]] = []
    at = 0
    for match in _BARE.finditer(raw):
        steps = tuple(match[1].split("."))
        if not _WORDS_OF_JINJA.isdisjoint(steps):
            return None
        parts.append((NEWLINE.sub("\n", raw[at : match.start()]), steps))
        at = match.end()
    return (*parts, (NEWLINE.sub("\n", raw[at:]), ()))


def filled(raw: str, scope: Mapping[str, Any]) -> str | None:
    """A text with nothing but ``{{ a.b }}`` in it, filled in; None where that is not all there is."""
    pieces = _pieces(raw)
    if pieces is None:
        return None
    parts: list[str] = []
    for words, steps in pieces:
        parts.append(words)
        if not steps:
            break
        value: Any = scope
        for step in steps:
            if not isinstance(value, Mapping) or step not in value:
                return None
            value = value[step]
        try:
            parts.append(spoken(value))
        except ValueError:
            return None
    return "".join(parts)


def spoken(value: Any, name: str = "it") -> str:
    """A value as words. Raises ValueError for what has no words of its own: a mapping, a function."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else str(value)
    if isinstance(value, list | tuple):
        return ", ".join(spoken(item, name) for item in value)
    raise ValueError(name)


def where(raw: str, refused: Refused) -> tuple[str, int]:
    """The words of a template that are meant, and how many equal ones stand before them."""
    flat = NEWLINE.sub("\n", raw)
    start, end = refused.span or _in_line(flat, refused.line)
    if refused.words and (found := re.compile(rf"(?<!\w){re.escape(refused.words)}(?!\w)").search(flat, start, end)):
        return refused.words, flat.count(refused.words, 0, found.start())
    return flat[start:end], flat.count(flat[start:end], 0, start)


def _in_line(flat: str, line: int) -> tuple[int, int]:
    """The first expression that reaches into a line; where none ends, the last that begins."""
    begin = sum(len(one) + 1 for one in flat.split("\n")[: line - 1])
    for match in re.finditer(r"\{[{%#].*?[%#}]\}", flat, re.DOTALL):
        if match.end() > begin:
            return match.span()
    at = max(flat.rfind("{{"), flat.rfind("{%"), flat.rfind("{#"), 0)
    return at, at + 2
