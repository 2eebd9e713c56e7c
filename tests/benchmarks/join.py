"""How long a film of clips that agree takes to be put together, against ffmpeg's concat."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from types import ModuleType

from runner.media.join import join

ROUNDS = 7
CLIPS = 20
FRAMES = 120
LIMIT = 0.7


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ours(clips: list[Path], film: Path, method: str) -> float:
    """Seconds for our film; each clip's head repeats the frame handed on."""
    entries = [{"clip": str(c), "in": 0, "out": FRAMES, "repeat": n > 0} for n, c in enumerate(clips)]
    begun = time.perf_counter()
    join({"entries": entries, "out": str(film), "method": method, "conform": None})
    return time.perf_counter() - begun


def theirs(clips: list[Path], film: Path, ffmpeg: str) -> float:
    """Seconds for ffmpeg's film of the same clips, copied."""
    names = film.with_suffix(".txt")
    names.write_text("".join(f"file '{c}'\n" for c in clips))
    command = [ffmpeg, "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", str(names), "-c", "copy", str(film)]
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun


def measure() -> list[tuple[str, float, float]]:
    """Rows of what was measured, the median ratio, and its limit; none where there is no ffmpeg to compare with."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        sys.stdout.write("join: skipped, there is no ffmpeg here to compare with\n")
        return []
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        first = _beside("receive").clip(here / "0.mp4", 1280, 720, FRAMES)
        clips = [first, *(here / f"{n}.mp4" for n in range(1, CLIPS))]
        for copy in clips[1:]:
            shutil.copyfile(first, copy)
        for method in ("squeeze", "keep"):
            ratios = []
            for number in range(ROUNDS + 1):
                ratio = ours(clips, here / "ours.mp4", method) / theirs(clips, here / "theirs.mp4", ffmpeg)
                ratios += [ratio] if number else []  # the first round warms up
            rows.append((f"a film of {CLIPS} clips ({method}) / ffmpeg -f concat -c copy", median(ratios), LIMIT))
    return rows


if __name__ == "__main__":
    for what, ratio, limit in measure():
        sys.stdout.write(f"{what:<70} {ratio:6.2f}  at most {limit}\n")
