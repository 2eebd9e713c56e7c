"""What a machine or a project says about how to run: matchcut.toml and the environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import Place, Problem, StoryError, did_you_mean

_KNOWN = ("jobs",)


@dataclass(frozen=True, slots=True)
class Config:
    """``jobs``: how many processes draw and measure at once."""

    jobs: int
    home: Path
    """Where matchcut remembers what belongs to no project."""


def read(project: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The settings of a project: the environment goes before matchcut.toml."""
    problems: list[Problem] = []
    data: dict[str, object] = {}
    path = project / "matchcut.toml"
    if path.is_file():
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.append(Problem(f"not TOML: {error}", None, Place("matchcut.toml")))
    for name in data:
        if name not in _KNOWN:
            near = did_you_mean(name, _KNOWN)
            problems.append(Problem(f'"{name}" is no setting', near or ", ".join(_KNOWN), Place("matchcut.toml")))
    own = environ.get("MATCHCUT_JOBS")
    where = "MATCHCUT_JOBS" if own else "matchcut.toml: jobs"
    jobs = str(own or data.get("jobs", os.cpu_count() or 1))
    if not jobs.isdecimal() or not 1 <= int(jobs) <= 256:
        problems.append(Problem(f"{where} is {jobs}, but it must be a whole number from 1 to 256", "2"))
    if problems:
        raise StoryError(problems)
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", "~"), ".config")  # noqa: PTH118
    home_folder = Path(home).expanduser() / "matchcut"
    return Config(int(jobs), home_folder)
