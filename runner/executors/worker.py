"""The process that runs jobs for the executor beside it: one line of JSON in, one line out."""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any

from ..errors import StoryError


def main() -> None:
    """Run jobs until there are no more lines. Only answers go to the pipe: what a job prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """What a job gave: ``{"gave": …}``, the author's problems, or a failure of ours with its traceback."""
    module, _, name = job["fn"].partition(":")
    try:
        return {"gave": getattr(importlib.import_module(module), name)(job["args"])}
    except StoryError as error:
        problems = [[p.fact, p.remedy, p.severity] for p in error.problems]
        return {"problems": problems, "exit_code": error.exit_code}
    except Exception:  # noqa: BLE001 - the edge of the process: the cause travels as text
        return {"failed": traceback.format_exc()}
