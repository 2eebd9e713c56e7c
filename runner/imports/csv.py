"""CSV: a producer's shot list, one row a shot, whatever its columns are called and whatever stands between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from .. import sheet
from ..errors import Place, Problem, StoryError
from . import seconds
from .base import Entry, Group, ShotList, shown, warning

CELL_MAX = 100_000
"""Characters in a cell. More than that is a quotation mark that is never closed."""
HEAD_ROWS_MAX = 30
"""Rows among which the one with the names of the columns is looked for."""

_LITERAL = "shot."
"""What the head of a column begins with that is read as it is: ``shot.move`` is the free word ``move``."""
_SEPARATORS = ",;\t|"
_MADE_DATE = re.compile(r"[0-9]{1,2}[-. ][A-Za-zäéû]{3,4}\.?\Z|[A-Za-z]{3}-[0-9]{2}\Z")

_PLAIN = re.compile(r"[0-9]+(?:[.,][0-9]+)?\Z")


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands between two separators, and where it begins."""

    text: str
    place: Place


def read(text: str, name: str) -> ShotList:
    """The shot list that a spreadsheet saved. Raises StoryError where no row names the columns."""
    first, _, rest = text.partition("\n")
    said = re.fullmatch(r"\"?sep=(.)\"?[,;\s]*", first, re.IGNORECASE)
    start, body = (2, rest) if said else (1, text)
    separator = said[1] if said and said[1] not in '"\n' else _sniffed(body, name)
    rows = [row for row in _rows(body, separator, name, start) if any(cell.text.strip() for cell in row)]
    at = max(range(min(len(rows), HEAD_ROWS_MAX)), key=lambda n: len(_recognised(rows[n])), default=0)
    found = _recognised(rows[at]) if rows else set()
    if len(found) < 2 and "action" not in found:
        fact = "no row of the list names its columns"
        remedy = "a first row such as: scene, shot, size, lens, move, description, seconds, notes"
        raise StoryError.of(fact, remedy, Place(name, 1, 1))
    return _List(rows[:at], rows[at], rows[at + 1 :]).read()


def _sniffed(text: str, name: str) -> str:
    """The separator with which a row names the most columns."""

    def score(separator: str) -> tuple[int, int]:
        try:
            rows = list(islice(_rows(text, separator, name, 1), HEAD_ROWS_MAX))
        except StoryError:  # quotation marks make no sense with this one
            rows = list(islice(_rows(text.partition("\n")[0].replace('"', ""), separator, name, 1), 1))
        return max(((len(_recognised(row)), len(row)) for row in rows), default=(0, 0))

    return max(_SEPARATORS, key=score)


def _recognised(row: Sequence[Cell]) -> set[str]:
    found = (sheet.meaning(cell.text)[0] for cell in row)
    return {field for field in found if field is not None}


def _rows(text: str, separator: str, name: str, line: int) -> Iterator[list[Cell]]:
    """The rows of a text, whose first line has this number. A cell in quotation marks may have line breaks."""
    plain = re.compile(rf"[^{re.escape(separator)}\n]*")
    row: list[Cell] = []
    at = begin = 0
    while at <= len(text):
        place = Place(name, line, at - begin + 1)
        found = plain.match(text, at)
        end = found.end() if found else at
        value = text[at:end]
        if value.lstrip(" ").startswith('"'):
            value, after = _quoted(text, text.index('"', at), place)
            if breaks := text.count("\n", at, after):
                line, begin = line + breaks, text.rindex("\n", at, after) + 1
            found = plain.match(text, after)
            end = found.end() if found else after
            value += text[after:end].rstrip(" ")
        if len(value) > CELL_MAX:
            fact = f"a cell is longer than {CELL_MAX:,} characters (cell_max)"
            raise StoryError.of(fact, "a shorter one, or close its quotation mark", place)
        row.append(Cell(value, place))
        if end >= len(text) or text[end] == "\n":
            yield row
            row, line, begin = [], line + 1, end + 1
        at = end + 1


def _quoted(text: str, at: int, place: Place) -> tuple[str, int]:
    """What stands in quotation marks that open at a position, and the position after them."""
    pieces: list[str] = []
    start = at + 1
    while (end := text.find('"', start)) >= 0:
        pieces.append(text[start:end])
        if text[end + 1 : end + 2] != '"':
            return '"'.join(pieces), end + 1
        start = end + 2
    fact = "a quotation mark is opened here and never closed"
    raise StoryError.of(fact, 'close it; one inside a text is written twice: ""', place)


class _List:
    """The rows of a list, made into scenes and shots."""

    def __init__(self, before: list[list[Cell]], head: list[Cell], rows: list[list[Cell]]) -> None:
        self.problems: list[Problem] = []
        for row in before:
            self.tell(row[0].place, f"the row is above the names of the columns and is left out: {_words(row)}")
        self.units: dict[str, str] = {}
        """What the head of a column says that its numbers count: ``Lens (mm)``."""
        self.columns = self._columns(head, rows)
        self.head, self.rows = head, rows

    def tell(self, place: Place, fact: str, remedy: str | None = None) -> None:
        self.problems.append(warning(place, fact, remedy))

    def _columns(self, head: list[Cell], rows: list[list[Cell]]) -> list[str]:
        """What each column holds: a field, or a free word."""
        names: list[str] = []
        for n, cell in enumerate(head):
            text = cell.text.strip()
            field, unit = sheet.meaning(text)
            if text.startswith(_LITERAL) and text.removeprefix(_LITERAL) not in {"", *sheet.OWN}:
                names.append(text)
            elif field is not None and field not in names:
                if unit and (field != "seconds" or seconds.is_unit(unit)):
                    self.units[field] = unit
                names.append(field)
            else:
                names.append(self._free(text, n, names))
                if any(len(row) > n and row[n].text.strip() for row in rows):
                    self._tell_free(cell.place, text, field, names[-1])
        return names

    def _free(self, text: str, n: int, names: list[str]) -> str:
        name = sheet.free_name(text) or f"column_{n + 1}"
        same = [other for other in names if other == name or other.startswith(f"{name}_")]
        return f"{name}_{len(same) + 1}" if name in names else name

    def _tell_free(self, place: Place, text: str, field: str | None, name: str) -> None:
        if field is not None:
            self.tell(place, f"column {shown(text)} is a second one for {field}: it is kept as the free word `{name}`")
        elif not text:
            self.tell(place, f"a column has no name: it is kept as the free word `{name}`")
        else:
            self.tell(place, f"column {shown(text)} is kept as the free word `{name}`")

    def read(self) -> ShotList:
        cells = [self._cells(row) for row in self.rows]
        kept = [(row[0].place, words) for row, words in zip(self.rows, cells, strict=True) if self._is_shot(row, words)]
        shots = self._numbers("shot", 4, [words for _, words in kept])
        scenes = self._numbers("scene", 3, [words for _, words in kept])
        groups = self._groups([(*kept[n], scenes[n], shots[n]) for n in range(len(kept))])
        if not groups:
            place = (self.rows[0] if self.rows else self.head)[0].place
            raise StoryError.of("the list has no shots", "a row for each shot, below the names of the columns", place)
        return ShotList(groups, tuple(self.problems))

    def _cells(self, row: list[Cell]) -> dict[str, Cell]:
        found: dict[str, Cell] = {}
        for n, cell in enumerate(row):
            if text := cell.text.strip():
                if n < len(self.columns):
                    column = self.columns[n]
                    unit = self.units.get(column) if _PLAIN.match(text) else None
                    found[column] = Cell(f"{text} {unit}" if unit else text, cell.place)
                else:
                    self.tell(cell.place, f"a cell stands under no column and is left out: {shown(text)}")
        return found

    def _is_shot(self, row: list[Cell], words: Mapping[str, Cell]) -> bool:
        if {"shot", "action"} & {*words}:
            return True
        if words:
            fact = f"the row has neither a number nor a description and is left out: {_words(row)}"
            self.tell(next(iter(words.values())).place, fact, "a shot number, if it is a shot")
        return False

    def _numbers(self, column: str, width: int, rows: Sequence[Mapping[str, Cell]]) -> list[str]:
        """The ids of a column, with the zeros that a spreadsheet took away."""
        raw = [words[column].text if column in words else "" for words in rows]
        free = ["" if text.startswith("'") else text for text in raw]
        made = sheet.numbers(free, width)
        changed = [n for n, text in enumerate(free) if made[n] != text]
        if changed:
            first, others = changed[0], len(changed) - 1
            more = f" (and {others} more)" if others else ""
            fact = f'{column} {free[first]} is read as "{made[first]}", since spreadsheets take zeros away{more}'
            self.tell(rows[first][column].place, fact, f"'{free[first]} if that is not what it was")
        for words, text in zip(rows, free, strict=True):
            if _MADE_DATE.match(text):
                fact = f"{column} {shown(text)} looks like a number that a spreadsheet made a date of"
                self.tell(words[column].place, fact, "format the column as text")
        return [text.lstrip("'") if text.startswith("'") else made[n] for n, text in enumerate(raw)]

    def _groups(self, shots: Sequence[tuple[Place, dict[str, Cell], str, str]]) -> tuple[Group, ...]:
        groups: list[Group] = []
        blank: list[Place] = []
        for place, words, scene, number in shots:
            entry = _entry(place, words, number)
            about = {"title": sheet.bare(words["scene title"].text)} if "scene title" in words else {}
            last = groups[-1] if groups else None
            if last is not None and scene.casefold() in {"", last.number.casefold()}:
                groups[-1] = Group(last.place, last.number, {**about, **last.words}, (*last.shots, entry))
                blank += [place] * (not scene and bool(last.number))
                self._other_title(last, about, words)
            else:
                groups.append(Group(words["scene"].place if "scene" in words else place, scene, about, (entry,)))
        if blank:
            lines = f" (and {len(blank) - 1} more)" if len(blank) > 1 else ""
            self.tell(blank[0], f"the row names no scene: it is in the scene of the row above{lines}")
        return tuple(groups)

    def _other_title(self, group: Group, about: Mapping[str, str], words: Mapping[str, Cell]) -> None:
        if about and "title" in group.words and about["title"] != group.words["title"]:
            fact = f"scene {group.number} has another title already: {shown(about['title'])} is left out"
            self.tell(words["scene title"].place, fact)


def _entry(place: Place, words: Mapping[str, Cell], number: str) -> Entry:
    told = {name: cell for name, cell in words.items() if name not in {"scene", "scene title", "shot", "seconds"}}
    texts = {name.removeprefix(_LITERAL): sheet.bare(cell.text) for name, cell in told.items()}
    places = {name: cell.place for name, cell in words.items()}
    length = sheet.bare(words["seconds"].text) if "seconds" in words else ""
    return Entry(place, number, texts, length, {**places, "number": places.get("shot", place)})


def _words(row: Sequence[Cell]) -> str:
    return shown(" | ".join(cell.text.strip() for cell in row if cell.text.strip()))
