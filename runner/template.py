"""A template: a text with words left open, and how a value is spoken in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

TEXT_MAX = 100_000
"""Code points that any rendered text may have."""
LOOP_MAX = 1_000
"""How far a template may count."""

NEWLINE = re.compile(r"\r\n|\r|\n")
_BARE = re.compile(r"\{\{ *([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*) *\}\}")
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
        super().__init__(fact)


def filled(raw: str, scope: Mapping[str, Any]) -> str | None:
    """A text with nothing but ``{{ a.b }}`` in it, filled in; None where that is not all there is."""
    rest = _BARE.sub("", raw)
    if "{{" in rest or "{%" in rest or "{#" in rest or "}}" in rest:
        return None
    parts: list[str] = []
    at = 0
    for match in _BARE.finditer(raw):
        value: Any = scope
        for step in match[1].split("."):
            if not isinstance(value, Mapping) or step not in value or step in _WORDS_OF_JINJA:
                return None
            value = value[step]
        if isinstance(value, Mapping):
            return None
        parts += (NEWLINE.sub("\n", raw[at : match.start()]), spoken(value, match[1]))
        at = match.end()
    return "".join([*parts, NEWLINE.sub("\n", raw[at:])])


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


def where(raw: str, line: int, words: str | None) -> tuple[str, int]:
    """The expression in the template's line that is meant, and how many equal ones stand before it."""
    lines = NEWLINE.split(raw)
    start = len("\n".join(lines[: line - 1])) + (1 if line > 1 else 0)
    flat = "\n".join(lines)
    end = start + len(lines[line - 1]) if line <= len(lines) else len(flat)
    inside = [m for m in re.finditer(r"\{[{%].*?[%}]\}", flat, re.DOTALL) if m.end() > start and m.start() <= end]
    if words:
        for match in inside:
            if found := re.search(rf"(?<!\w){re.escape(words)}(?!\w)", match[0]):
                return words, flat.count(words, 0, match.start() + found.start())
    if inside:
        first = inside[0][0].split("\n")[0]
        return first, flat.count(first, 0, inside[0].start())
    at = max(flat.find("{{", start), flat.find("{%", start))
    return ("{{", flat.count("{{", 0, at)) if flat.startswith("{{", at) else ("{%", flat.count("{%", 0, max(at, 0)))
