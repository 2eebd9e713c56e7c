"""What a machine or a project says about how to run: matchcut.toml and the environment."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from .errors import Place, Problem, StoryError, did_you_mean

FILE = "matchcut.toml"
JOBS_MAX = 256
_KNOWN = ("jobs", "store")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://(.+)")


@dataclass(frozen=True, slots=True)
class Config:
    """``jobs``: how many processes draw and measure at once. ``budget``: USD, from the environment."""

    jobs: int
    budget: Decimal | None
    home: Path
    """Where matchcut remembers what belongs to no project."""
    store: str | None = None
    """The address of the shared store; the storyboard's own goes before it."""


def read(project: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The settings of a project: the environment goes before matchcut.toml."""
    problems: list[Problem] = []
    data, text = _file(project / FILE, problems)
    for name in data:
        if name not in _KNOWN:
            near = did_you_mean(name, _KNOWN)
            problems.append(Problem(f'"{name}" is no setting', near or ", ".join(_KNOWN), _place(text, name)))
    own = environ.get("MATCHCUT_JOBS")
    said = own or data.get("jobs", os.cpu_count() or 1)
    whole = said.isdecimal() if isinstance(said, str) and own else type(said) is int
    if not whole or not 1 <= int(str(said)) <= JOBS_MAX:
        shown = said if own else json.dumps(said, default=str)
        fact = f"{'MATCHCUT_JOBS' if own else 'jobs'} is {shown}, but it must be a whole number from 1 to {JOBS_MAX}"
        problems.append(Problem(fact, "2", None if own else _place(text, "jobs")))
    budget = amount(environ.get("MATCHCUT_BUDGET"), "MATCHCUT_BUDGET", problems)
    store = data.get("store")
    if store is not None and (fault := address(store)) is not None:
        problems.append(Problem(*fault, _place(text, "store")))
    if problems:
        raise StoryError(problems)
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", "~"), ".config")  # noqa: PTH118
    home_folder = Path(home).expanduser() / "matchcut"
    return Config(int(str(said)), budget, home_folder, None if store is None else str(store))


def _file(path: Path, problems: list[Problem]) -> tuple[dict[str, object], str]:
    """What the project's file says, and its text; nothing where there is none."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except FileNotFoundError:
        return {}, ""
    except UnicodeDecodeError:
        problems.append(Problem("this is not UTF-8 text", "save it as UTF-8", Place(FILE)))
    except OSError as error:
        problems.append(Problem(f"it cannot be read: {error.strerror}", None, Place(FILE)))
    except tomllib.TOMLDecodeError as error:
        said, _, where = str(error).partition(" (at ")
        found = [int(number) for number in re.findall(r"[0-9]+", where)]
        place = Place(FILE, *found) if len(found) == 2 else Place(FILE)
        problems.append(Problem(f"this is not TOML: {said}", None, place))
    return {}, ""


def _place(text: str, name: str) -> Place:
    """The line in which a setting is given a value."""
    lines = text.split("\n")
    found = next((n for n, line in enumerate(lines, 1) if re.match(rf"{re.escape(name)}\s*=", line)), None)
    return Place(FILE, found, 1) if found else Place(FILE)


def address(url: object) -> tuple[str, str] | None:
    """What is wrong with the address of a shared store, and the way out; None if nothing is.

    An address stands in a file that belongs in git: it holds no password.
    """
    found = _URL.match(url) if isinstance(url, str) else None
    if found is None:
        shown = json.dumps(url, default=str)
        return f"store is {shown}, but it must be an address", "s3://bucket/path, gs://…, sftp://… or file:///a/folder"
    host, at, _ = found[2].partition("/")[0].rpartition("@")
    if (at and ":" in host) or "?" in found[2]:
        fact = "the address of the shared store holds a secret, or what may be one"
        return fact, f"{found[1]}://{found[2].rpartition('@')[2].partition('?')[0]}; credentials in the environment"
    return None


def amount(text: str | None, where: str, problems: list[Problem]) -> Decimal | None:
    """An amount in USD; what is none is a problem."""
    if not text:
        return None
    try:
        usd = Decimal(text)
    except InvalidOperation:
        usd = Decimal("NaN")
    if not usd.is_finite() or usd < 0:
        problems.append(Problem(f"{where} is {text}, but it must be an amount in USD", "12.00"))
        return None
    return usd
