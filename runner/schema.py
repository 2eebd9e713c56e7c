"""Whether a file is well formed: every fault told at once, in words a person would use.

The rules stand in ``schemas/`` (JSON Schema, draft 2020-12) and jsonschema applies them. This module adds what that
leaves out: sentences instead of dumps, near misses, the one branch of a choice that was meant, steps in decimals.

A schema may say how its faults are told: ``x-noun`` (what an object is called), ``x-message`` and ``x-remedy`` (a text,
or a text for each keyword; ``{value}``, ``{count}`` and names of fields are filled in): ``schemas/models/README.md``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import Place, Problem, Severity, StoryError, did_you_mean
from .inline import inlined
from .shipped import folder

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with plain data: where (keys and indices from the root), the fact, and what to try.

    ``key``: the place meant is that of the key at ``path``, not that of its value (an unknown field, say).
    """

    path: Where
    fact: str
    remedy: str | None = None
    key: bool = False
    severity: Severity = "error"

    def at(self, place: Place | None) -> Problem:
        """The fault as a problem of a file."""
        return Problem(self.fact, self.remedy, place, self.severity)


def check(data: object, schema: str | Mapping[str, object]) -> list[Fault]:
    """Every fault of plain data, in the order of the data; none when it fits.

    ``schema`` names a file of the shipped folder (``"storyboard.schema.json"``, or a part of one:
    ``"storyboard.schema.json#/$defs/shot"``) or is a schema itself, which must not be changed afterwards: what was
    prepared for it is kept. Keys of mappings are text. Raises StoryError when the schema refers to what isn't there
    or has a bad pattern.
    """
    from referencing.exceptions import Unresolvable

    validator = _named(schema) if isinstance(schema, str) else _given(schema)
    try:
        errors = list(validator.iter_errors(data))  # type: ignore[arg-type] # plain data, as promised
    except Unresolvable as lost:
        raise StoryError.of(f'the schema refers to "{lost.ref}", which does not exist') from lost
    except re.error as bad:
        raise StoryError.of(f'the schema has the pattern "{bad.pattern!s}", which is wrong: {bad.msg}') from bad
    if not errors:
        return []
    return sorted(_tell(map(_wrong, errors)), key=lambda fault: _position(data, fault.path))


@cache
def read(name: str) -> dict[str, Any]:
    """A shipped schema, by its file name. Raises StoryError when there is none of that name."""
    path = _file(name)
    if path is None:
        known = (each.name for each in folder("schemas").rglob("*.json"))
        raise StoryError.of(f'there is no schema "{name}"', did_you_mean(name, known))
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@cache
def _named(name: str) -> Validator:
    return _validator({"$ref": name} if "#" in name else inlined(read(name)))


_KEPT_MAX = 64
_kept: dict[int, tuple[Mapping[str, object], Validator]] = {}


def _given(schema: Mapping[str, object]) -> Validator:
    """Kept by identity, as comparing costs as much as preparing; the schema is held, so that its id stays its own."""
    hit = _kept.get(id(schema))
    if hit is None:
        if len(_kept) >= _KEPT_MAX:
            _kept.clear()
        hit = _kept[id(schema)] = (schema, _validator(schema))
    return hit[1]


def _validator(schema: Mapping[str, object]) -> Validator:
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
    from referencing.jsonschema import DRAFT202012

    near = [(uri, DRAFT202012.create_resource(found)) for uri, found in _reachable(schema).items()]
    return _dialect()(dict(schema), registry=REGISTRY.with_resources(near))


@cache
def _dialect() -> type[Validator]:
    from jsonschema import Draft202012Validator, validators

    types = Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number).redefine("integer", _is_integer)
    keywords: dict[str, Any] = {"multipleOf": _multiple_of, "propertyNames": _property_names}
    dialect: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, keywords, type_checker=types
    )
    return dialect


def _is_number(_checker: object, value: object) -> bool:
    return type(value) is int or (isinstance(value, float) and isfinite(value))


def _is_integer(_checker: object, value: object) -> bool:
    return type(value) is int or (isinstance(value, float) and value.is_integer())


def _multiple_of(validator: Any, step: float, value: Any, _schema: object) -> Iterator[ValidationError]:
    """As the number is written: 0.07 is seven hundredths, though in binary it isn't."""
    from jsonschema import ValidationError

    if validator.is_type(value, "number") and exact(value) % exact(step):
        yield ValidationError(f"{value} is not a multiple of {step}")


def exact(number: float) -> Fraction:
    """The number that was written, exactly: 0.1 is one tenth."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def _property_names(validator: Any, rule: Any, value: Any, _schema: object) -> Iterator[ValidationError]:
    """jsonschema forgets which name was wrong; here the fault stands at that key."""
    from jsonschema import ValidationError

    if validator.is_type(value, "object"):
        for name in value:
            if wrong := list(validator.descend(instance=name, schema=rule)):
                yield ValidationError("name", path=[name], context=wrong[:1])


def _reachable(schema: Mapping[str, object]) -> dict[str, Any]:
    """The shipped schemas that this one refers to, near and far, by address: nothing is ever fetched."""
    from urllib.parse import urldefrag, urljoin

    found: dict[str, Any] = {}
    queue: list[tuple[str, object]] = [(str(schema.get("$id", "")), schema)]
    while queue:
        base, node = queue.pop()
        for ref in _refs(node):
            uri = urldefrag(urljoin(base, ref)).url
            if uri and uri not in found and (path := _file(uri)):
                found[uri] = read(path.relative_to(folder("schemas")).as_posix())
                queue.append((uri, found[uri]))
    return found


def _refs(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        ref = node.get("$ref")
        if isinstance(ref, str):
            yield ref
    if isinstance(node, Mapping | list):
        for child in node.values() if isinstance(node, Mapping) else node:
            yield from _refs(child)


def _file(uri: str) -> Path | None:
    """The shipped file at an address: its path below ``schemas/``, whatever stands before that, or its bare name."""
    root = folder("schemas")
    path = uri.partition("#")[0].rpartition("/schemas/")[2].lstrip("/")
    if not path.endswith(".json") or "json-schema.org" in uri:
        return None
    if (root / path).is_file():
        return root / path
    return next(iter(sorted(root.rglob(Path(path).name))), None)


# --- from jsonschema's errors to faults ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What we read of jsonschema's error: the rule that was broken, and by what."""

    keyword: str  # "" for a false schema
    rule: Any
    value: Any
    schema: Mapping[str, Any]
    path: Where
    depth: int  # steps below the choice (anyOf, oneOf) that it comes from
    branch: object  # which branch of that choice
    message: str
    choices: tuple[_Wrong, ...]


def _wrong(error: ValidationError) -> _Wrong:
    return _Wrong(
        keyword=str(error.validator or ""),
        rule=error.validator_value,
        value=error.instance,
        schema=error.schema if isinstance(error.schema, Mapping) else {},
        path=tuple(error.absolute_path),
        depth=len(error.relative_path),
        branch=next(iter(error.relative_schema_path), None),
        message=error.message,
        choices=tuple(map(_wrong, error.context or ())),
    )


def _tell(wrongs: Iterable[_Wrong], remedy: str | None = None) -> list[Fault]:
    """Each fault once; nothing further on a value of the wrong type; a misspelt field isn't missing as well."""
    every = list(wrongs)
    typed = {wrong.path for wrong in every if wrong.keyword == "type"}
    heard = (wrong for wrong in every if wrong.keyword == "type" or wrong.path not in typed)
    faults = list(dict.fromkeys(fault for wrong in heard for fault in _faults(wrong, remedy)))
    misspelt = {(fault.path[:-1], f"{fault.remedy} is missing") for fault in faults if fault.key}
    return [fault for fault in faults if (fault.path, fault.fact) not in misspelt]


def _faults(wrong: _Wrong, fallback: str | None = None) -> Iterator[Fault]:
    """What one error means. ``fallback``: the remedy that stands around it in the schema."""
    words = _words(wrong, "x-message")
    remedy = _words(wrong, "x-remedy") or fallback
    if words is not None and (said := _filled(words, wrong)):
        near = _FACTS[wrong.keyword](wrong)[1] if wrong.keyword in {"enum", "const"} else None
        yield Fault(wrong.path + _first_field(wrong, words), said, near or remedy)
    elif wrong.keyword in {"anyOf", "oneOf"} and wrong.choices:
        yield from _choice(wrong, remedy)
    elif wrong.keyword == "propertyNames":
        [name] = wrong.choices
        fact = _filled(_words(name, "x-message") or "", name) or f"{_shown(name.value)} can't be a name here"
        yield Fault(wrong.path, fact, _words(name, "x-remedy") or remedy, key=True)
    elif wrong.keyword in {"additionalProperties", "unevaluatedProperties"}:
        for name in (each for each in wrong.value if repr(each) in wrong.message):
            near = did_you_mean(str(name), (each for each in _fields(wrong.schema) if each not in wrong.value))
            yield Fault(
                (*wrong.path, name), f"{_shown(name)} is not a field of {_noun(wrong)}", near or remedy, key=True
            )
    elif wrong.keyword == "not" and wrong.rule == {}:
        yield Fault(wrong.path, f"{_label(wrong)} can't stand here", remedy, key=True)
    elif wrong.keyword == "required":
        for name in (each for each in wrong.rule if each not in wrong.value):
            yield Fault(wrong.path, f"{name} is missing", remedy)
    elif wrong.keyword == "dependentRequired":
        for name, needed in wrong.rule.items():
            for other in (each for each in needed if name in wrong.value and each not in wrong.value):
                fact = f"{name} is there without {other}, but the two go together"
                yield Fault((*wrong.path, name), fact, remedy or f"add {other}, or drop {name}", key=True)
    else:
        fact, hint = _FACTS.get(wrong.keyword, _unlike)(wrong)
        surer = wrong.keyword in {"enum", "const"} or (wrong.keyword == "type" and isinstance(wrong.value, str))
        own = _words(wrong, "x-remedy")
        yield Fault(wrong.path, fact, (hint if surer else None) or own or hint or fallback)


_OF_THE_WHOLE = frozenset({"type", "required", "additionalProperties", "unevaluatedProperties", "dependentRequired"})


def _words(wrong: _Wrong, note: str) -> str | None:
    """The schema's own words for a broken rule. A plain message speaks of the value, not of its type or its fields."""
    words = wrong.schema.get(note)
    if isinstance(words, Mapping):
        words = words.get(wrong.keyword)
    elif note == "x-message" and wrong.keyword in _OF_THE_WHOLE:
        return None
    return words if isinstance(words, str) else None


_SLOT = re.compile(r"\{(\w+)\}")


def _filled(words: str, wrong: _Wrong) -> str | None:
    """A message with its slots filled; None when it speaks of a field that isn't there."""
    value = wrong.value

    def fill(slot: re.Match[str]) -> str:
        if isinstance(value, Mapping) and slot[1] in value:
            return _bare(value[slot[1]])
        if slot[1] == "count" and isinstance(value, list | str | Mapping):
            return str(len(value))
        return _shown(value) if slot[1] == "value" else slot[0]

    said = _SLOT.sub(fill, words)
    return None if any(slot[0] in said for slot in _SLOT.finditer(words)) else said


def _first_field(wrong: _Wrong, words: str) -> Where:
    """A message on several fields stands at the first one that it names."""
    fields = wrong.value if isinstance(wrong.value, Mapping) else {}
    return next(((slot[1],) for slot in _SLOT.finditer(words) if slot[1] in fields), ())


def _choice(wrong: _Wrong, remedy: str | None) -> Iterator[Fault]:
    """The branch that was most likely meant: of the right type, then with the right tag, then wrong deepest inside."""
    branches: dict[object, list[_Wrong]] = {}
    for each in wrong.choices:
        branches.setdefault(each.branch, []).append(each)
    meant = list(branches.values())
    for bars in ({"type": 0}, {"const": 1, "enum": 0}):  # a const just inside is the tag by which branches are told
        barred = [[each for each in branch if each.depth <= bars.get(each.keyword, -1)] for branch in meant]
        if len(meant) > 1 and all(barred):
            yield _none_of(wrong, list(chain(*barred)), remedy)
            return
        meant = [branch for branch, bar in zip(meant, barred, strict=True) if not bar] or meant

    def rank(branch: Iterable[_Wrong]) -> tuple[int, int, int]:
        faults = _tell(branch, remedy)
        hints = sum(fault.remedy is not None for fault in faults)
        return -min(each.depth for each in branch), len(faults), -hints

    faults = _tell(min(meant, key=rank), remedy)
    strangers = {fault.path[:-1] for fault in faults if fault.key}
    # What has a field too many was hardly meant to have the one that it lacks.
    yield from (fault for fault in faults if fault.path not in strangers or not fault.fact.endswith(" is missing"))


def _none_of(choice: _Wrong, barriers: list[_Wrong], remedy: str | None) -> Fault:
    """No branch is near: say what all of them would take."""
    first = barriers[0]
    if first.keyword == "type":
        types = [name for each in barriers for name in _options(each)]
        fact, hint = _wrong_type(_label(choice), types, choice.value)
        return Fault(choice.path, fact, (hint if type(choice.value) in {int, float} else None) or remedy or hint)
    allowed = [value for each in barriers if each.path == first.path for value in _options(each)]
    fact, hint = _not_allowed(_label(first), allowed, first.value)
    return Fault(first.path, fact, hint or remedy)


def _fields(schema: object) -> Iterator[str]:
    """The names that a schema knows, those of its branches too."""
    if isinstance(schema, Mapping):
        yield from schema.get("properties", ())
        ref = schema.get("$ref")
        if isinstance(ref, str) and (path := _file(ref)):
            yield from _fields(read(path.relative_to(folder("schemas")).as_posix()))
        branches = [schema.get(word) for word in ("if", "then", "else")]
        for branch in chain(branches, *(schema.get(word, ()) for word in ("allOf", "anyOf", "oneOf"))):
            yield from _fields(branch)


def _position(data: Any, path: Where) -> tuple[int, ...]:
    """Where a path stands in the data, so that faults come in the order of the file."""
    places: list[int] = []
    for step in path:
        if isinstance(data, Mapping) and step in data:
            places.append(list(data).index(step))
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            places.append(step)
        else:
            break
        data = data[step]
    return tuple(places)


# --- the sentences ---------------------------------------------------------------------------------------------------

Told = tuple[str, str | None]  # a fact, and a hint


def _bound(words: str) -> Callable[[_Wrong], Told]:
    def tell(wrong: _Wrong) -> Told:
        return f"{_label(wrong)} is {_shown(wrong.value)}, but {words.format(_bare(wrong.rule))}", None

    return tell


def _counted(unit: str, words: str) -> Callable[[_Wrong], Told]:
    def tell(wrong: _Wrong) -> Told:
        there = len(wrong.value)
        if not there:
            return f"{_label(wrong)} is empty", None
        limit = words.format(f"{wrong.rule} {'is' if wrong.rule == 1 else 'are'}")
        return f"{_label(wrong)} has {there} {unit}{'' if there == 1 else 's'}, but {limit}", None

    return tell


def _twice(wrong: _Wrong) -> Told:
    double = next((item for at, item in enumerate(wrong.value) if item in wrong.value[:at]), None)
    return f"{_label(wrong)} has {_shown(double)} twice", None


def _pattern(wrong: _Wrong) -> Told:
    """A remedy says it better than the pattern does."""
    form = "the right form" if "x-remedy" in wrong.schema else f"the form {wrong.rule}"
    return f"{_label(wrong)} {_shown(wrong.value)} does not have {form}", None


def _unlike(wrong: _Wrong) -> Told:
    """Any other rule: a ``not``, a ``contains``, a choice that fits twice."""
    if wrong.keyword == "oneOf":
        return f"{_label(wrong)} can be read in more than one way", None
    return f"{_label(wrong)} can't be {_shown(wrong.value)} here", None


def _wrong_type(label: str, types: list[str], value: object) -> Told:
    """``takes must be a whole number, not text "three"``."""
    wanted = list(dict.fromkeys(_TYPES[name] for name in types if name != "null" or len(types) == 1))
    given = f"text {_shown(value)}" if isinstance(value, str) else _shown(value)
    fact = f"{label} must be {_either(wanted)}, not {given}"
    if isinstance(value, str) and {"integer", "number"} & set(types):
        found = _NUMBER.match(value)
        return fact, None if found is None else f"{value}, without quotes" if found[1] == value else found[1]
    if isinstance(value, str) and "boolean" in types:
        return fact, _TRUTH.get(value.casefold())
    return fact, f'"{_bare(value)}"' if isinstance(value, bool | int | float) and "string" in types else None


_NUMBER = re.compile(r"\$?(-?\d+(?:\.\d+)?) ?(?:s|sec|seconds|\$|USD)?\Z")
_TRUTH = {**dict.fromkeys(("yes", "y", "on", "true"), "true"), **dict.fromkeys(("no", "n", "off", "false"), "false")}
"""What other YAML readers take for true and false."""


def _not_allowed(label: str, allowed: list[object], value: object) -> Told:
    """``duration is 7, but it must be 5 or 10``; ``outputFormat "AVI" is not one of MP4, WEBM, MOV``."""
    words = list(dict.fromkeys(map(_bare, allowed)))
    if len(words) == 1 or not any(isinstance(each, str) for each in allowed):
        fact = f"{label} is {_shown(value)}, but it must be {_either(words)}"
    else:
        fact = f"{label} {_shown(value)} is not one of {', '.join(words)}"
    return fact, did_you_mean(value, words) if isinstance(value, str) and len(words) > 1 else None


_FACTS: dict[str, Callable[[_Wrong], Told]] = {
    "type": lambda wrong: _wrong_type(_label(wrong), _options(wrong), wrong.value),
    "enum": lambda wrong: _not_allowed(_label(wrong), _options(wrong), wrong.value),
    "const": lambda wrong: _not_allowed(_label(wrong), _options(wrong), wrong.value),
    "pattern": _pattern,
    "uniqueItems": _twice,
    "minimum": _bound("at least {} is needed"),
    "maximum": _bound("at most {} is allowed"),
    "exclusiveMinimum": _bound("it must be more than {}"),
    "exclusiveMaximum": _bound("it must be less than {}"),
    "multipleOf": _bound("it must be a multiple of {}"),
    "minLength": _counted("character", "at least {} needed"),
    "maxLength": _counted("character", "at most {} allowed"),
    "minItems": _counted("item", "at least {} needed"),
    "maxItems": _counted("item", "at most {} allowed"),
    "minProperties": _counted("field", "at least {} needed"),
    "maxProperties": _counted("field", "at most {} allowed"),
}

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "empty",
}


def _options(wrong: _Wrong) -> list[Any]:
    """What a type, a const or an enum allows."""
    return list(wrong.rule) if isinstance(wrong.rule, list) and wrong.keyword != "const" else [wrong.rule]


def _label(wrong: _Wrong) -> str:
    """The name under which a value stands; "item 2 of frameImages" in a list."""
    if not wrong.path:
        return _noun(wrong)
    last, above = wrong.path[-1], wrong.path[-2:-1]
    return last if isinstance(last, str) else f"item {last + 1}{f' of {above[0]}' if above else ''}"


def _noun(wrong: _Wrong) -> str:
    """What an object is called: ``x-noun``, else the name it stands under, else the schema's title."""
    name = wrong.path[-1] if wrong.path and isinstance(wrong.path[-1], str) else wrong.schema.get("title")
    noun = wrong.schema.get("x-noun", name)
    return str(noun) if noun is not None else _label(wrong) if wrong.path else "this file"


_TEXT_MAX = 60  # code points of a value that a message shows


def _shown(value: object) -> str:
    """A value as people write it, shortened when long; text in double quotes."""
    if isinstance(value, str):
        return json.dumps(value if len(value) <= _TEXT_MAX else f"{value[:_TEXT_MAX]}…", ensure_ascii=False)
    return _bare(value)


def _bare(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | Mapping):
        return "a list" if isinstance(value, list) else "a mapping"
    if isinstance(value, int) and value.bit_length() > 4000:
        return "a number of more than a thousand digits"
    return _SPELT.get(repr(value), repr(value))


_SPELT = {"None": "empty", "True": "true", "False": "false", "nan": "NaN", "inf": "infinity", "-inf": "-infinity"}


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
