"""A file that matchcut wrote itself, read without a YAML reader: exactly as that would read it, or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

CHARACTERS_MAX = 1_000_000
_NAME_MAX, _DEEP_MAX = 128, 32
_KNOWN_MAX, _SHORT = 5000, 40
"""How many short values, seen before, are kept with what they stand for."""

END = "# end\n"
"""What stands below the data where a file says that it is whole: a comment."""

_LINE = re.compile(r"^( *)(- )?(?:([A-Za-z0-9_][A-Za-z0-9_.@-]*):(?: (.+))?|(.+))$", re.MULTILINE)
_SINGLE = re.compile(r"'((?:[^']|'')*)'")
_DOUBLE = re.compile(r'"([^"\\]*)"')
_PLAIN = re.compile(r"(?![-?:] )[^\s\[\]{}&*!|>%@`\"'#,?:=<~-](?:[^:#]|:(?! |\Z)|(?<! )#)*\Z|-[0-9.][0-9.e+-]*\Z")
_EMPTY: dict[str, Callable[[], Any]] = {"[]": list, "{}": dict}
_Line = tuple[str, str, str, str, str]
"""Spaces, dash, name, what follows the name, what stands there without one."""


class _Foreign(Exception):
    """Not in our own form."""


class Reader:
    """Reads files in the form that ``document.dump`` gives. ``plain`` says what an unquoted scalar stands for."""

    def __init__(self, plain: Callable[[str], Any]) -> None:
        self.plain = plain
        self.values: dict[str, Any] = {}
        self.names: set[str] = set()

    def read(self, text: str) -> dict[str, Any] | None:
        """The plain data of a file; None where any of it is in another form."""
        head, _, body = text.partition("\n") if text.startswith("#") else ("", "", text)
        body = body.removesuffix(END)
        # What is odd in a line of ours, and could mean anything, is left to those who know.
        odd = "\n\n" in body or " \n" in body or not head.isprintable() or not body.replace("\n", "").isprintable()
        if odd or not body.endswith("\n") or len(body) > CHARACTERS_MAX:
            return None
        try:
            return self._built(iter(_LINE.findall(body[:-1]))) or None
        except _Foreign:
            return None

    def _built(self, lines: Iterator[_Line]) -> dict[str, Any]:
        """Mappings and lists of lines, by how deep they stand."""
        values, names = self.values, self.names
        root: dict[str, Any] = {}
        here: Any = root
        indent = 0
        above: list[tuple[Any, int]] = []
        due: str | None = None  # the name whose value stands below
        last: tuple[str, str] | None = None  # a name and its value, if that may go on in the next line
        for space, dash, name, text, bare in lines:
            deep = len(space)
            if due is not None:
                new: Any = [] if dash else {}
                if deep != (indent if dash else indent + 2) or len(above) > _DEEP_MAX:
                    raise _Foreign
                here[due] = new
                above.append((here, indent))
                here, indent, due = new, deep, None
            elif last is not None and not name and not dash and deep > indent:
                last = last[0], f"{last[1]} {bare}"
                here[last[0]] = self._value(last[1])
                continue
            else:
                while above and (deep < indent or (deep == indent and not dash and type(here) is list)):
                    here, indent = above.pop()
                if deep != indent or (type(here) is list) != bool(dash):
                    raise _Foreign
            if dash:
                if not name:
                    here.append(values[bare] if bare in values else self._value(bare))
                    last = None
                    continue
                new = {}
                here.append(new)
                above.append((here, indent))
                here, indent = new, deep + 2
            if not name or name in here or (name not in names and not self._is_name(name)):
                raise _Foreign
            last = None
            if not text:
                due = name
            elif text in values:
                here[name] = values[text]
            elif text[0] == "'":
                here[name] = self._value(text if _SINGLE.fullmatch(text) else _whole(text, lines, indent))
            else:
                here[name] = self._value(text)
                last = name, text
        if due is not None:
            raise _Foreign
        return root

    def _value(self, text: str) -> Any:
        """What a text on one line stands for."""
        sign = text[0]
        if sign in "'\"":
            found = (_SINGLE if sign == "'" else _DOUBLE).fullmatch(text)
            if found is None:
                raise _Foreign
            made: Any = found[1].replace("''", "'") if sign == "'" else found[1]
        elif text in _EMPTY:
            return _EMPTY[text]()
        elif _PLAIN.match(text) is None:
            raise _Foreign
        else:
            made = self.plain(text)
        if len(text) < _SHORT and len(self.values) < _KNOWN_MAX:
            self.values[text] = made
        return made

    def _is_name(self, text: str) -> bool:
        if len(text) > _NAME_MAX or type(self.plain(text)) is not str:
            return False
        if len(text) < _SHORT and len(self.names) < _KNOWN_MAX:
            self.names.add(text)
        return True


def _whole(text: str, lines: Iterator[_Line], indent: int) -> str:
    """A text in quotes that is broken over lines, on one line."""
    while _SINGLE.fullmatch(text) is None:
        space, dash, name, more, bare = next(lines, ("", "", "", "", ""))
        if len(space) <= indent:
            raise _Foreign
        named = f"{name}: {more}" if more else f"{name}:" if name else bare
        text = f"{text} {dash}{named}"
    return text
