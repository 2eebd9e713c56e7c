"""Timing in turn: two commands or functions alternated, and the median of their ratios."""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

Row = tuple[str, float, float, str]
"""What, measured, at most, unit ("x" for a ratio, "s", "MB")."""


def process_s(argv: Sequence[str], cwd: str | None = None, env: Mapping[str, str] | None = None) -> float:
    """Processor seconds of a whole process, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, cwd=cwd, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wall_s(work: Callable[[], object]) -> float:
    """Seconds on the wall."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(ours: Callable[[], float], theirs: Callable[[], float], rounds: int = 9) -> float:
    """The median of so many ratios, each of two measurements made one after the other."""
    ours(), theirs()
    return statistics.median(ours() / theirs() for _ in range(rounds))


def least(works: Sequence[Callable[[], float]], rounds: int) -> list[float]:
    """The least of so many measurements of each, made in turn: what is left when nothing else disturbed."""
    for work in works:
        work()
    return [min(each) for each in zip(*([work() for work in works] for _ in range(rounds)), strict=True)]


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    wide = max(len(row[0]) for row in rows)
    lines = [f"{'what':{wide}}  {'measured':>10}  {'at most':>8}"]
    for what, measured, most, unit in rows:
        mark = "" if measured <= most else "  over"
        lines.append(f"{what:{wide}}  {measured:>8.2f} {unit:<2} {most:>6g} {unit}{mark}")
    return "\n".join(lines)
