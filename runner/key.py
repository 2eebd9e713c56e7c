"""The key of a take: the digest of what was asked, and the explanation that comes from the same walk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import StoryError
from .footage import OWN

SCHEME = 1


@dataclass(frozen=True, slots=True)
class Key:
    """A digest, and the document it is the digest of."""

    digest: str
    parts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between what was asked and what would be asked now; None where there is nothing."""

    field: str
    old: Any
    new: Any


def make(
    *,
    provider: str,
    request: Mapping[str, Any],
    delivery: frozenset[str],
    first: Mapping[str, str] | None,
    last: Mapping[str, str] | None,
    slate: Mapping[str, Any] | None = None,
) -> Key:
    """The key of a request.

    ``provider`` carries its version where pictures depend on it (``animatic@1``). ``delivery`` names the fields that
    only say how a result comes back. ``first`` and ``last`` are ``{"pixels": digest}`` or ``{"ref": text}``. ``slate``
    is what is written into a drawing. Defaults of the model's card are not filled in.
    """
    asked = {name: value for name, value in request.items() if name not in delivery and name not in {"model", "inputs"}}
    inputs = {name: value for name, value in (request.get("inputs") or {}).items() if name != "frameImages"}
    ends = {name: dict(end) for name, end in (("first", first), ("last", last)) if end is not None}
    parts: dict[str, Any] = {
        "matchcut-key": SCHEME,
        "provider": provider,
        "model": request["model"],
        "request": asked,
        "inputs": {**inputs, "frameImages": ends},
    }
    if slate is not None:
        parts["slate"] = dict(slate)
    if not _is_simple(parts):
        parts = _plain(parts)
    return Key(_digest(parts), parts)


def own(clip: str) -> Key:
    """The key of the author's own footage: the digest of its bytes, and nothing else."""
    return make(provider=OWN, request={"model": OWN, "clip": clip}, delivery=frozenset(), first=None, last=None)


def digest(document: Mapping[str, Any]) -> str:
    """sha256 over the document as RFC 8785 JSON, in hexadecimal."""
    return _digest(_plain(document))


def _digest(document: Mapping[str, Any]) -> str:
    import rfc8785

    try:
        written = _SIMPLE(document).encode() if _is_simple(document) else rfc8785.dumps(document)
        return hashlib.sha256(written).hexdigest()
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise StoryError.of(f"what is asked cannot be written as JSON: {error}") from None


def _plain(value: Any) -> Any:
    """The same value with integral floats as integers, as JSON sees them."""
    if type(value) is str:
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


_SIMPLE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


def _is_simple(value: Any) -> bool:
    """Whether the standard library writes a value as RFC 8785 does: it has no fractions, and is quicker."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-(2**53) < value < 2**53)
    if kind is dict:
        return all(type(name) is str and name.isascii() and _is_simple(item) for name, item in value.items())
    return kind is list and all(map(_is_simple, value))


def explain(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """What differs between the parts of two keys, field by field; nothing where the keys are equal."""
    return list(_walk("", old, new))


def _walk(name: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for field in dict.fromkeys([*old, *new]):
            yield from _walk(f"{name}.{field}" if name else field, old.get(field, _NOTHING), new.get(field, _NOTHING))
    elif _written(old) != _written(new):
        told = [None if value is _NOTHING else value for value in (old, new)]
        yield Change(_SPOKEN.get(name, name.removeprefix("request.")), *told)


_NOTHING = object()


def _written(value: Any) -> str:
    """A value as the digest sees it: true is not 1, and what is empty is there."""
    return "" if value is _NOTHING else json.dumps(_plain(value), sort_keys=True)


_SPOKEN = {
    "inputs.frameImages.first": "first frame",
    "inputs.frameImages.first.pixels": "first frame",
    "inputs.frameImages.first.ref": "first frame",
    "inputs.frameImages.last": "last frame",
    "inputs.frameImages.last.pixels": "last frame",
    "inputs.frameImages.last.ref": "last frame",
    "request.positivePrompt": "prompt",
    "request.negativePrompt": "negative prompt",
}
