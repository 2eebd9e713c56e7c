"""Runs a command of the user's own: the job behind an exec step."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from .errors import StoryError

_SAID_MAX = 4000


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Run a command in a folder of its own and see that it wrote what it declared.

    ``order``: argv, shell, env, timeout in seconds, folder, outputs by name. Raises StoryError with the end of what the
    command said; the whole of it stays in ``log``.
    """
    folder, log = Path(order["folder"]), Path(order["log"])
    folder.mkdir(parents=True, exist_ok=True)
    argv: Any = " ".join(order["argv"]) if order["shell"] else order["argv"]
    named = order["argv"][0]
    with log.open("wb") as said:
        try:
            with subprocess.Popen(  # noqa: S603 - a person trusted it
                argv, shell=order["shell"], cwd=folder, env=order["env"], stdin=subprocess.DEVNULL,
                stdout=said, stderr=subprocess.STDOUT,
            ) as process:  # fmt: skip
                try:
                    code = process.wait(order["timeout"])
                except BaseException:
                    process.kill()
                    raise
        except FileNotFoundError:
            raise StoryError.of(
                f"the command {named} does not exist", "install it, or give its path", exit_code=1
            ) from None
        except PermissionError:
            raise StoryError.of(f"the command {named} may not be run", f"chmod +x {named}", exit_code=1) from None
        except subprocess.TimeoutExpired:
            fact = f"the command {named} took longer than {order['timeout']:g} s (timeout)"
            raise StoryError.of(_with(fact, log), "a larger timeout: in the step", exit_code=1) from None
    if code != 0:
        raise StoryError.of(_with(f"the command {named} ended with {code}", log), None, exit_code=1)
    missing = [name for name, path in order["outputs"].items() if not Path(path).is_file()]
    if missing:
        fact = f"the command {named} did not write {', '.join(missing)}"
        raise StoryError.of(_with(fact, log), "write to the path that {out.NAME} stands for", exit_code=1)
    return {"log": str(log)}


def _with(fact: str, log: Path) -> str:
    said = log.read_bytes()[-_SAID_MAX:].decode(errors="replace").strip()
    return f"{fact}:\n{said}" if said else fact
