"""A .env file: lines with a name and a value, for what is not to stand in the shell's own settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from .errors import Place, Problem, StoryError

BYTES_MAX = 1024 * 1024
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_QUOTED = re.compile(r"""(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(?:#.*)?""")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def read(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with what a file adds to it; what is set already stays.

    Lines are ``NAME=value``, with ``export`` before it or not, quoted or not; ``#`` begins a comment. Nothing is
    expanded. Raises StoryError with every line that is none, by its place; values are told in no message.
    """
    try:
        data = path.read_bytes()
        if len(data) > BYTES_MAX:
            raise StoryError.of(f"{path} is larger than 1 MiB: that is no .env file")
        lines = data.decode("utf-8-sig").splitlines()
    except OSError as error:
        fact = f"the environment file {path} cannot be read: {error.strerror}"
        raise StoryError.of(fact, "a file with lines NAME=value in --env or MATCHCUT_ENV, or neither") from None
    except UnicodeDecodeError:
        raise StoryError.of(f"{path} is not UTF-8 text", "save it as UTF-8") from None
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        said = line.strip()
        if not said or said.startswith("#"):
            continue
        place = Place(str(path), number, 1)
        match = _LINE.fullmatch(said)
        value = None if match is None else _value(match[2])
        if match is None:
            problems.append(Problem("this line is no NAME=value", "NAME=value, or # before a comment", place))
        elif value is None:
            problems.append(Problem(f"the value of {match[1]} has a quote that is not closed", "close it", place))
        else:
            found[match[1]] = value
    if problems:
        raise StoryError(problems)
    return {**found, **environ}


def _value(text: str) -> str | None:
    """A value without its quotes and its comment; None where a quote is not closed."""
    if text[:1] in ("'", '"'):
        match = _QUOTED.fullmatch(text)
        if match is None:
            return None
        if match[2] is not None:
            return match[2]
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), match[1])
    return re.split(r"\s#", f" {text}", maxsplit=1)[0].strip()
