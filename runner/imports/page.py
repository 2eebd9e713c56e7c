"""A storyboard as the YAML that a person would have written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

WIDTH = 110
_PROSE = 96
"""Characters from which a text gets lines of its own."""
_WORDS = frozenset("null true false yes no on off y n ~".split())
_UNSEEN = frozenset("\x85\u2028\u2029\ufeff")


class _Id(str):
    """Always in quotes: other readers make numbers of ids."""

    __slots__ = ()


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def id(self, data: _Id) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:str", str(data), style='"')

    def text(self, data: str) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=_style(data))


class _Quick(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """The same in C. It would escape what lies beyond the basic plane: emoji."""

    ignore_aliases, id, text = _Plain.ignore_aliases, _Plain.id, _Plain.text


for _dumper in (_Plain, _Quick):
    _dumper.add_representer(str, _dumper.text)
    _dumper.add_representer(_Id, _dumper.id)


def _style(text: str) -> str | None:
    if not text.replace("\n", "").isprintable() or not _UNSEEN.isdisjoint(text) or text != text.strip():
        return '"'
    if "\n" in text:
        return '"' if any(line[:1].isspace() or line[-1:].isspace() for line in text.split("\n")) else "|"
    if len(text) > _PROSE and "  " not in text:
        return ">"
    return None if _is_plain(text) else '"'


def _is_plain(text: str) -> bool:
    """Whether a text may stand without quotes and every reader takes it for a text."""
    if text.casefold() in _WORDS or ": " in text or " #" in text or text.endswith(":"):
        return False
    return text[:1].isalpha() or (text[:1].isdigit() and " " in text)


def written(data: Mapping[str, Any], source: str) -> str:
    """The text of a storyboard; ``source`` is the file it was made from."""
    head = {key: value for key, value in data.items() if key not in {"scenes", "defaults"}}
    head["storyboard"] = _id(str(data["storyboard"]))
    seconds = data["defaults"]["duration"]
    name = "".join(c if c.isprintable() else "?" for c in source)
    parts = [f"# Imported from {name}\n\n", _block(head), f"defaults: {{duration: {seconds}}}\n\nscenes:\n"]
    for scene in data["scenes"]:
        about = {key: value for key, value in scene.items() if key != "shots"}
        shots = [_item({**shot, "shot": _Id(shot["shot"]), **_points(shot)}, 6) for shot in scene["shots"]]
        parts += [_item({**about, "scene": _Id(scene["scene"])}, 2), "    shots:\n", "\n".join(shots), "\n"]
    return "".join(parts).rstrip("\n") + "\n"


def _id(text: str) -> str:
    return text if _is_plain(text) else _Id(text)


def _points(shot: Mapping[str, Any]) -> dict[str, Any]:
    """From and to: a shot's id in quotes as everywhere."""
    found = {key: shot[key] for key in ("from", "to") if isinstance(shot.get(key), str) and shot[key] != "cut"}
    return {key: _Id(value) for key, value in found.items() if "/" not in value}


def _block(data: Any) -> str:
    dumper = _Plain if re.search("[\U00010000-\U0010ffff]", repr(data)) else _Quick
    return str(yaml.dump(data, Dumper=dumper, sort_keys=False, allow_unicode=True, width=WIDTH))


def _item(data: Mapping[str, Any], indent: int) -> str:
    """A mapping as an item of a list, so far to the right."""
    first, *rest = _block(dict(data)).rstrip("\n").split("\n")
    pad = " " * (indent + 2)
    return "\n".join([f"{' ' * indent}- {first}", *(f"{pad}{line}" if line else line for line in rest)]) + "\n"
