"""Measure everything and print one table: ``python -m tests.benchmarks [NAME…]``."""

from __future__ import annotations

import sys
from importlib import import_module

from .rounds import Row, table

NAMES = ("receive", "join", "animatic", "scale", "example", "market")


def main(names: list[str]) -> None:
    rows: list[Row] = []
    for name in names or NAMES:
        print(f"{name} …", file=sys.stderr)
        measured = import_module(f"{__package__}.{name}").measure()
        rows += [(*row, "x") if len(row) == 3 else row for row in measured]
    print(table(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
