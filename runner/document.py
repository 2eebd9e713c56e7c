"""A document: what a YAML file says, as plain data, and where in the file each value stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import yaml

from . import conflict, own
from .errors import Place, Problem, StoryError

BYTES_MAX = 32 * 1024 * 1024
_SMALL = 65536
VALUES_MAX = 1_000_000
"""Values after aliases are followed: a file of a few hundred bytes can otherwise ask for billions."""
DEPTH_MAX = 64
FLOWS_MAX = 2000
"""Brackets after which their depth is measured before the file is read."""

Data = Any
"""Plain data: dict, list, str, int, float, bool, None."""
Route = tuple[str | int, ...]
"""Where a value stands in its document: the keys and indices that lead to it."""


_TAG = "tag:yaml.org,2002:"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Composes nodes. What a plain scalar stands for is decided here and not by the rules of YAML 1.1."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return _TAG + ("merge" if value == "<<" and implicit[0] else "str")
        return _TAG + ("map" if kind is yaml.MappingNode else "seq")


_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_ZEROS = re.compile(r"0[0-9]+\Z")
_WORDS: dict[str, Data] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NESTED = re.compile(r"^ {200}|(?:[-?] ){40}", re.MULTILINE)
_TAGGED = re.compile(r"(?:^|[\s\[{,])!")
_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML takes for the end of a line."""
_PROPERTIES = re.compile(r"(?:&\S+\s+)?!")
_BRACES = "text that begins with {{ must be in quotes", 'quotes around the whole text: "{{ name }} …"'


class Wrong(Protocol):
    """What is wrong with the value at a path, or with its key."""

    @property
    def path(self) -> Route: ...
    @property
    def key(self) -> bool: ...
    def at(self, place: Place | None) -> Problem: ...


class Document:
    """One YAML file, read.

    ``data`` is plain data by the rules of YAML 1.2: ``on``, ``off``, ``no``, dates, ``12:30`` and numbers with a
    leading zero stay text. ``unquoted_zeros`` are the plain scalars that an older reader would take for octal numbers.
    """

    def __init__(self, file: str, text: str, data: Data = None) -> None:
        self.file = file
        self.text = text
        self.unquoted_zeros: list[tuple[str, Place]] = []
        self.parts: tuple[tuple[str, Document], ...] = ()
        """Other files that it takes in, by their paths from the project's folder."""
        self.data: Data = _Reader(self).read() if data is None else data

    @cached_property
    def _root(self) -> Any:
        # Marks cost memory: the nodes are composed a second time, and only when somebody asks for a place.
        return yaml.compose(self.text, Loader=_Loader)

    def nodes(self, path: Sequence[str | int]) -> Iterator[tuple[Any, Any]]:
        """(key node or None, value node) from the root down, as far as the path leads."""
        node = self._root
        yield None, node
        for step in path:
            found = _child(node, step)
            if found is None:
                return
            yield found
            node = found[1]

    def holder(self, path: Route) -> tuple[Document, Route]:
        """The file in which the value at a path stands, and its path there."""
        return self, path

    def place(self, path: Sequence[str | int]) -> Place:
        """Where the value at a path stands; of the nearest value above it if there is none."""
        *_, (_, node) = self.nodes(path)
        return self._at(node.start_mark)

    def key_place(self, path: Sequence[str | int]) -> Place:
        """Where the key of the value at a path stands."""
        *_, (key, node) = self.nodes(path)
        return self._at((key or node).start_mark)

    def problem(self, wrong: Wrong) -> Problem:
        """What is wrong, with its place in this file."""
        return wrong.at(self.key_place(wrong.path) if wrong.key else self.place(wrong.path))

    def place_of(self, path: Sequence[str | int], words: str, nth: int = 0) -> Place:
        """Where the nth occurrence of some words stands inside the text at a path, block scalars included."""
        *_, (_, node) = self.nodes(path)
        start, end = node.start_mark.index, node.end_mark.index
        found = next(islice(_as_written(words).finditer(self.text, start, end), nth, None), None)
        return self._at(node.start_mark) if found is None else _place(self.text, found.start(), self.file)

    def _at(self, mark: Any) -> Place:
        return Place(self.file, mark.line + 1, mark.column + 1)


def read(path: Path, name: str | None = None) -> Document:
    """Read a YAML file; ``name`` is what messages call it.

    Raises StoryError for everything a file can be that is not one UTF-8 YAML document.
    """
    file = name or str(path)
    return parse(_bytes(path, file), file)


def parse_own(raw: bytes, name: str) -> Document:
    """Read what ``dump`` wrote, in a tenth of the time; where people have changed its form, as any other."""
    if len(raw) > BYTES_MAX:
        return parse(raw, name)
    text = _decode(raw, name)
    return Document(name, text, _own.read(text))


def _bytes(path: Path, file: str) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_SMALL)  # room for the largest is not made for each
            return raw if len(raw) < _SMALL else raw + stream.read(BYTES_MAX + 1 - _SMALL)
    except FileNotFoundError:
        raise StoryError.of(f"{file} does not exist", _nearby(path)) from None
    except IsADirectoryError:
        raise StoryError.of(f"{file} is a folder", f"{file}/storyboard.yaml") from None
    except OSError as error:
        raise StoryError.of(f"{file} cannot be read: {error.strerror}") from None


def parse(raw: bytes, file: str) -> Document:
    """A document from its bytes."""
    if len(raw) > BYTES_MAX:
        raise StoryError.of(f"the file is larger than {BYTES_MAX // 1024**2} MiB (bytes_max)", "split it", Place(file))
    return Document(file, _decode(raw, file))


def without(data: Data, paths: Iterable[Route]) -> Data:
    """The data without the values at some paths; where an item of a list goes, None stays in its place."""
    gone = sorted(set(paths), key=len, reverse=True)
    if not gone:
        return data
    data = deepcopy(data)
    for path in filter(None, gone):
        holder: Data = data
        try:
            for step in path[:-1]:
                holder = holder[step]
            if isinstance(holder, dict):
                holder.pop(path[-1], None)
            else:
                holder[path[-1]] = None
        except (KeyError, IndexError, TypeError):
            continue
    return data


def dump(data: Data) -> str:
    """YAML that this reader reads back as the same data: a stable form, mappings in the order given."""
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quotes every text that would be read back as something else."""

    def ignore_aliases(self, data: Data) -> bool:  # noqa: ARG002
        return True

    def text(self, data: str) -> Any:
        quoted = not data or type(_plain(data)) is not str or _ZEROS.match(data) is not None
        return self.represent_scalar(_TAG + "str", data, style='"' if quoted else None)


_Dumper.add_representer(str, _Dumper.text)


def _nearby(path: Path) -> str | None:
    folder = path.parent
    if not folder.is_dir():
        return None
    from .errors import did_you_mean

    names = [p.name for p in folder.iterdir() if p.suffix in {".yaml", ".yml"}]
    near = did_you_mean(path.name, names) or (names[0] if len(names) == 1 else None)
    return str(folder / near) if near else None


def _decode(raw: bytes, file: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw[:2]:
        raise StoryError.of("the file is UTF-16; matchcut reads UTF-8", "save it as UTF-8", Place(file, 1, 1))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        col = error.start - raw.rfind(b"\n", 0, error.start)
        fact = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise StoryError.of(fact, "save the file as UTF-8", Place(file, line, col)) from None
    if "<<<<<<<" in text or ">>>>>>>" in text or "|||||||" in text:
        found = conflict.find(text)
        if found:
            raise StoryError(_conflicts(found, file))
    return text


def _conflicts(found: Iterable[conflict.Conflict], file: str) -> Iterator[Problem]:
    for one in found:
        if one.left_over:
            fact = f"a line of a merge conflict is left over here ({one.left_over})"
            remedy = "delete it, once the lines around it are as they are meant"
        else:
            ours, theirs = one.ours or "one side", one.theirs or "the other"
            fact = (
                f"a merge conflict is not resolved here: {ours} (from line {one.line + 1}) "
                f"against {theirs} (from line {one.middle + 1})"
            )
            remedy = "keep one side and delete the lines with <<<<<<<, ======= and >>>>>>>"
        yield Problem(fact, remedy, Place(file, one.line, 1))


def _as_written(words: str) -> re.Pattern[str]:
    """Some words as they may stand in the file: broken over lines, with their quotes escaped."""
    pieces = (re.escape(piece).replace('"', r'\\?"').replace("'", "''?") for piece in words.split())
    return re.compile(r"\s*\\?\s+".join(pieces))


def _place(text: str, at: int, file: str) -> Place:
    """The place of a position in a text."""
    line, start = 1, 0
    for found in _BREAK.finditer(text, 0, at):
        line, start = line + 1, found.end()
    return Place(file, line, at - start + 1)


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step and key.tag != _TAG + "merge":
                return key, value
        for key, value in node.value:
            if key.tag == _TAG + "merge":
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if (found := _child(source, step)) is not None:
                        return found
    return None


class _Reader:
    """Makes plain data of the nodes, and notes everything that is wrong on the way."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.made: dict[int, tuple[Data, int]] = {}
        self.open: set[int] = set()
        self.values = 0
        self.tagged = _TAGGED.search(document.text) is not None

    def read(self) -> Data:
        text, file = self.document.text, self.document.file
        try:
            # The composer goes down as deep as the file does; a template's braces are no depth.
            if _NESTED.search(text) or text.count("[") + text.count("{") - 2 * text.count("{{") > FLOWS_MAX:
                self._measure_depth()
            loader = _Loader(text)
            try:
                node = loader.get_single_node()
            finally:
                loader.dispose()
        except yaml.YAMLError as error:
            raise StoryError([_translate(error, text, file)]) from None
        if node is None:
            remedy = "`matchcut init` writes a storyboard to start from"
            raise StoryError.of("the file is empty", remedy, Place(file, 1, 1))
        data = self._make(node)
        if self.problems:
            raise StoryError(self.problems)
        return data

    def _measure_depth(self) -> None:
        depth = 0
        for event in yaml.parse(self.document.text, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEPTH_MAX:
                    where = self._place(event)
                    fact = f"values are nested more than {DEPTH_MAX} deep (depth_max)"
                    raise StoryError.of(fact, "a flatter file", where)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _place(self, node: Any) -> Place:
        return Place(self.document.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _tell(self, node: Any, fact: str, remedy: str | None = None) -> None:
        self.problems.append(Problem(fact, remedy, self._place(node)))

    def _make(self, node: Any) -> Data:
        if type(node) is yaml.ScalarNode:
            self.values += 1
            return self._scalar(node)
        name = id(node)
        if name in self.made:  # an alias: the same value again, counted again
            data, size = self.made[name]
            self.values += size
            self._limit(node)
            return data
        if name in self.open:
            self._tell(node, "an anchor contains itself", "write the value out")
            return None
        self.open.add(name)
        if len(self.open) > DEPTH_MAX:
            fact = f"values are nested more than {DEPTH_MAX} deep (depth_max)"
            raise StoryError.of(fact, "a flatter file", self._place(node))
        before = self.values
        self.values += 1
        data = self._sequence(node) if isinstance(node, yaml.SequenceNode) else self._mapping(node)
        self.open.discard(name)
        self.made[name] = data, self.values - before
        return data

    def _limit(self, node: Any) -> None:
        if self.values > VALUES_MAX:
            fact = f"the aliases in this file stand for more than {VALUES_MAX:,} values (values_max)"
            raise StoryError.of(fact, "fewer aliases within aliases", self._place(node))

    def _sequence(self, node: Any) -> list[Data]:
        if node.tag != _TAG + "seq":
            self._tag(node)
        return [self._make(item) for item in node.value]

    def _mapping(self, node: Any) -> dict[str, Data]:
        if node.tag != _TAG + "map":
            self._tag(node)
        data: dict[str, Data] = {}
        firsts: dict[str, Any] = {}
        merged: dict[str, Data] = {}
        for key, value in node.value:
            if key.tag == _TAG + "merge":
                merged = {**self._merge(key, value), **merged}
                continue
            name = self._key(key)
            if name is None:
                continue
            if name in firsts:
                line = firsts[name].start_mark.line + 1
                self._tell(key, f'"{name}" stands twice in one mapping (first in line {line})', "keep one of them")
                continue
            firsts[name] = key
            data[name] = self._make(value)
        return {**{k: v for k, v in merged.items() if k not in data}, **data} if merged else data

    def _merge(self, key: Any, value: Any) -> dict[str, Data]:
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        merged: dict[str, Data] = {}
        for source in reversed(sources):
            if not isinstance(source, yaml.MappingNode):
                # The place of an alias is that of its anchor: the key is nearer to the slip.
                self._tell(key, "<< takes a mapping, or a list of mappings", "<<: *name, where &name is a mapping")
                continue
            made = self._make(source)
            if made is not None:
                merged.update(made)
        return merged

    def _key(self, node: Any) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            place = self._place(node)
            if self.document.text.startswith("{{", node.start_mark.index - 1):
                fact, remedy = _BRACES
                self.problems.append(Problem(fact, remedy, Place(place.file, place.line, place.col - 1)))
            else:
                self._tell(node, "a key must be text")
            return None
        made = node.value if node.style else self._scalar(node)
        if isinstance(made, str):
            return made
        self._tell(node, f"the key {node.value or 'null'} is not text", f'"{node.value}"')
        return None

    def _scalar(self, node: Any) -> Data:
        text: str = node.value
        tag: str = node.tag
        if node.style and tag == _TAG + "str":
            return text
        if not tag.startswith(_TAG):
            self._tag(node)
            return text
        if not node.style:
            if self.tagged and self._explicit(node):
                return self._cast(node, text, tag.removeprefix(_TAG))
            plain = _plain(text)
            if type(plain) is str and text[0] == "0" and _ZEROS.match(text):
                self.document.unquoted_zeros.append((text, self._place(node)))
            return plain
        return self._cast(node, text, tag.removeprefix(_TAG))

    def _explicit(self, node: Any) -> bool:
        """Whether a plain scalar was given its tag by hand, as in ``!!str 10``."""
        return _PROPERTIES.match(self.document.text, node.start_mark.index) is not None

    def _cast(self, node: Any, text: str, kind: str) -> Data:
        if kind == "str":
            return text
        plain = _plain(text)
        wanted: dict[str, type | tuple[type, ...]] = {
            "int": int,
            "float": (int, float),
            "bool": bool,
            "null": type(None),
        }
        if kind in wanted and isinstance(plain, wanted[kind]):
            return plain
        if kind in wanted:
            self._tell(node, f'"{text}" is not of the type that its tag !!{kind} says', "leave the tag out")
        else:
            self._tag(node)
        return text

    def _tag(self, node: Any) -> None:
        tag = node.tag.replace(_TAG, "!!")
        self._tell(node, f"the tag {tag} has no meaning here", "leave it out")


def _plain(text: str) -> Data:
    """What an unquoted scalar stands for: the core schema of YAML 1.2, without octal and hexadecimal."""
    if len(text) <= 5 and text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first.isdigit() or first in "+-.":
        if len(text) > 300:
            return text
        if _INT.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
    return text


_own = own.Reader(_plain)


def _translate(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """PyYAML's complaint in our words, at the place where the slip is rather than where it was noticed."""
    if isinstance(error, yaml.reader.ReaderError):
        at, char = error.position, error.character
        if not isinstance(char, str):  # libyaml counts bytes
            at, char = len(text.encode()[:at].decode("utf-8", "ignore")), chr(char)
        return Problem(f"the character U+{ord(char):04X} is not allowed in YAML", "delete it", _place(text, at, file))
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Problem(f"not YAML: {error}", None, Place(file))
    place = _place(text, min(mark.index, len(text)), file)
    said = str(getattr(error, "problem", None) or "it cannot be read")
    lines = _BREAK.split(text)
    line = lines[mark.line] if mark.line < len(lines) else ""
    for other in (mark, getattr(error, "context_mark", None)):
        if other is not None and other.line < len(lines) and lines[other.line].rstrip() == "=======":
            return next(_conflicts([conflict.Conflict(other.line + 1, left_over="=======")], file))
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return Problem("a tab stands in the indentation; YAML is indented with spaces", "two spaces", place)
    if braces := _OPEN_BRACES.match(line):
        return Problem(*_BRACES, Place(file, mark.line + 1, braces.end() - 1))
    if "cannot start any token" in said or "expected alphabetic or numeric" in said:
        begin = mark.column if "token" in said else error.context_mark.column  # type: ignore[attr-defined]
        sign = line[begin : begin + 1]
        place = replace(place, col=begin + 1)
        if not sign.strip():
            return Problem("a tab stands where only spaces may", "spaces", place)
        return Problem(f"text that begins with {sign} must be in quotes", "quotes around the whole text", place)
    if "did not find expected key" in said and (quoted := _quote_before(text, mark, place)):
        return quoted
    for sign, fact, remedy in _SAID:
        if sign in said:
            begun = getattr(error, "context_mark", None) if "opens" in fact or "colon" in fact else None
            return Problem(fact, remedy, Place(file, begun.line + 1, begun.column + 1) if begun else place)
    context = getattr(error, "context", None)
    return Problem(f"not YAML: {said}" + (f" ({context})" if context else ""), None, place)


def _quote_before(text: str, mark: Any, place: Place) -> Problem | None:
    """Whether a quoted text ended just before the place where something else was expected."""
    last = None
    try:
        for token in yaml.scan(text, Loader=_Loader):
            if token.start_mark.index >= mark.index:
                break
            last = token
    except yaml.YAMLError:
        return None
    if not isinstance(last, yaml.ScalarToken) or last.style not in ("'", '"'):
        return None
    start, end = last.start_mark, last.end_mark
    if start.line == end.line:
        fact, remedy = "the quoted text ends before this", 'quotes around the whole text, those inside as \\"'
        return Problem(fact, remedy, place)
    fact = f"the quote that opens here closes only in line {end.line + 1}"
    return Problem(fact, "close it where the text ends", Place(place.file, start.line + 1, start.column + 1))


_OPEN_BRACES = re.compile(r"""\s*(?:- +)*(?:[^\s"'#][^"'#]*?: +)?\{\{""")
_SAID: tuple[tuple[str, str, str | None], ...] = (
    ("found another document", "a second document begins here", "a file for each"),
    ("expected a single document", "a second document begins here", "a file for each"),
    ("found undefined alias", "the alias has no anchor before it", "define it first with &name"),
    ("found unexpected end of stream", "the quote that opens here is never closed", "close it"),
    ("found duplicate anchor", "an anchor of this name is defined already", "another name"),
    ("control characters are not allowed", "a control character is not allowed in YAML", "delete it"),
    ("mapping values are not allowed", 'a ": " stands inside unquoted text', "quotes around the whole text"),
    (
        "did not find expected key",
        "the indentation fits no line above",
        "line it up with its neighbours",
    ),
    (
        "did not find expected '-' indicator",
        "the list goes on with something that is no item",
        "line it up with its neighbours",
    ),
    ("did not find expected node content", "a value is missing here, or a bracket stands alone", "quotes around text"),
    ("could not find expected ':'", "a key without its colon", "key: value"),
    ("did not find expected ',' or ']'", "the [ that opens here is not closed, or a comma is missing", "]"),
    ("did not find expected ',' or '}'", "the { that opens here is not closed, or a comma is missing", "}"),
)
