"""exec: runs a command of the user's own, with declared inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import key

NAME = "exec"
SCOPES = frozenset({"shot", "film"})
NEEDS: tuple[str, ...] = ()
TIMEOUT_S = 600.0
BASIC = ("PATH", "HOME", "LANG", "TMPDIR")
"""What every command may see of the environment."""


def gives(settings: Mapping[str, Any]) -> Mapping[str, str]:
    outputs = settings.get("gives")
    return dict.fromkeys(outputs, "clip") if isinstance(outputs, Mapping) else {}


def fingerprint(
    settings: Mapping[str, Any], inputs: Mapping[str, str], environ: Mapping[str, str], files: Mapping[str, str]
) -> str:
    """The key of a command's result: what is run, on which inputs, with which declared environment and files."""
    names = settings.get("env", [])
    return key.digest(
        {
            "matchcut-exec": key.SCHEME,
            "settings": {name: value for name, value in settings.items() if name != "timeout"},
            "inputs": dict(inputs),
            "env": {name: environ.get(name) for name in names},
            "files": {name: files.get(name) for name in settings.get("files", [])},
        }
    )


def consent(settings: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """The digest of what a person is asked to trust: the command and the files it depends on."""
    return key.digest(
        {"settings": dict(settings), "files": {name: files.get(name) for name in settings.get("files", [])}}
    )


def job(
    settings: Mapping[str, Any],
    *,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    pipeline: str,
    python: str,
    environ: Mapping[str, str],
) -> dict[str, Any]:
    """The command as a job's arguments: placeholders filled in, only the declared environment."""
    words = {f"{{in.{name}}}": path for name, path in inputs.items()}
    words |= {f"{{out.{name}}}": path for name, path in outputs.items()}
    words |= {"{python}": python, "{pipeline}": pipeline}
    names = {*BASIC, *settings.get("env", [])}
    return {
        "argv": [_filled(word, words) for word in settings["argv"]],
        "shell": settings.get("shell", False),
        "env": {name: environ[name] for name in sorted(names) if name in environ},
        "timeout": settings.get("timeout", TIMEOUT_S),
        "outputs": dict(outputs),
    }


def _filled(word: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        word = word.replace(name, value)
    return word
