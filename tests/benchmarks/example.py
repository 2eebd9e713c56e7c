"""How long the first example takes, from nothing to a film."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .rounds import Row, table

_EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def measure() -> list[Row]:
    """Seconds on the wall for the first rehearsal of lantern-market."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "lantern-market"
        shutil.copytree(_EXAMPLES / "lantern-market", home, ignore=shutil.ignore_patterns("out", ".matchcut"))
        argv = [sys.executable, "-c", "from runner.cli import main; import sys; sys.exit(main())"]
        begun = time.perf_counter()
        subprocess.run(
            [*argv, "run", "storyboard.yaml", "--provider", "animatic"], cwd=home, check=True, capture_output=True
        )
        took = time.perf_counter() - begun
    return [("lantern-market, first rehearsal (25 s of 1080p film)", took, 60, "s")]


if __name__ == "__main__":
    print(table(measure()))
