"""A merge conflict that git left in a file: where it stands, and what each side says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MARK = re.compile(r"(<{7}|={7}|>{7}|\|{7})(?: (.*))?\Z")


@dataclass(frozen=True, slots=True)
class Conflict:
    """One place where two sides differ. Lines count from 1; 0 where that part of it is missing.

    One that was half resolved by hand, of which a line is left over, has ``left_over`` with that line's text.
    """

    line: int
    ours: str = ""
    theirs: str = ""
    middle: int = 0
    """The line of ``=======``."""
    end: int = 0
    left_over: str = ""


def find(text: str) -> list[Conflict]:
    """Every conflict of a text, in order. A line of seven equals signs on its own may be somebody's text."""
    return [found for found, _ in _parts(text) if found is not None]


def sides(text: str) -> tuple[str, str]:
    """What the file says on one side, and on the other. Only for a text whose conflicts are all whole."""
    ours: list[str] = []
    theirs: list[str] = []
    lines = _lines(text)
    for conflict, block in _parts(text):
        if conflict is None:
            ours += lines[block.start : block.stop]
            theirs += lines[block.start : block.stop]
            continue
        one = lines[conflict.line : conflict.middle - 1]
        base = next((at for at, line in enumerate(one) if line.startswith("|||||||")), len(one))
        ours += one[:base]
        theirs += lines[conflict.middle : conflict.end - 1]
    return "\n".join(ours), "\n".join(theirs)


def _parts(text: str) -> Iterator[tuple[Conflict | None, range]]:
    """Conflicts, and between them the lines (counted from 0) on which both sides agree."""
    begun: Conflict | None = None
    at = 0
    for number, line in enumerate(_lines(text), 1):
        mark = _MARK.match(line.removesuffix("\r"))
        if mark is None:
            continue
        sign, name = mark[1][0], mark[2] or ""
        if sign == "<":
            if begun is not None:
                yield _left_over(begun), range(0)
            yield None, range(at, number - 1)
            begun, at = Conflict(number, name), number
        elif begun is None:
            if sign != "=":
                yield Conflict(number, left_over=line.strip()), range(0)
        elif sign == "=" and not begun.middle:
            begun = Conflict(begun.line, begun.ours, middle=number)
        elif sign == ">":
            whole = Conflict(begun.line, begun.ours, name, begun.middle, number)
            yield whole if begun.middle else _left_over(begun), range(begun.line - 1, number)
            begun, at = None, number
    if begun is not None:
        yield _left_over(begun), range(0)
    yield None, range(at, text.count("\n") + 1)


def _lines(text: str) -> list[str]:
    return text.split("\n")  # as git counts them


def _left_over(begun: Conflict) -> Conflict:
    return Conflict(begun.line, left_over=f"<<<<<<< {begun.ours}".strip())
