"""Arguments and options that several commands share, and how they print."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

storyboard = click.argument("storyboard", default="storyboard.yaml", type=click.Path(path_type=Path))
provider = click.option("--provider", metavar="NAME", help="animatic rehearses on this machine, for nothing.")
out = click.option("--out", metavar="FOLDER", type=click.Path(path_type=Path), help="Where film and clips go.")
outside = click.option("--allow-outside", is_flag=True, help="Pictures may lie outside the storyboard's folder.")
as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


def say(data: Any) -> None:
    """Data as JSON on stdout."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def columns(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = (), styled: int | None = None
) -> None:
    """Rows in columns; the last one is cut to the terminal's width, and never where there is no terminal.

    ``right`` are columns of numbers; ``styled`` is the column with a state, which gets its colour.
    """
    table = [list(head), *map(list, rows)]
    widths = [max(len(row[at]) for row in table) for at in range(len(head) - 1)]
    room = max(20, shutil.get_terminal_size().columns - sum(widths) - 2 * len(widths)) if sys.stdout.isatty() else None
    lines = []
    for number, row in enumerate(table):
        cells = [row[at].rjust(wide) if at in right else row[at].ljust(wide) for at, wide in enumerate(widths)]
        last = row[-1] if room is None or len(row[-1]) <= room else row[-1][: room - 1] + "…"
        if number == 0:
            lines.append(click.style("  ".join([*cells, last]), dim=True))
            continue
        if styled is not None:
            cells[styled] = click.style(cells[styled], **STYLES.get(row[styled], {}))
        lines.append("  ".join([*cells, last]))
    click.echo("\n".join(lines))


def count(number: int, what: str) -> str:
    """``3 shots``, ``1 shot``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def usd(amount: Decimal | None) -> str:
    """An amount in USD as people write it; "?" for a model without a price."""
    if amount is None:
        return "?"
    text = f"{amount.normalize():f}"
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents.ljust(2, '0')}"


STYLES: dict[str, dict[str, Any]] = {
    "current": {"fg": "green"}, "missing": {"fg": "cyan"}, "stale": {"fg": "yellow"}, "waiting": {"fg": "magenta"},
    "unknown": {"fg": "red"}, "blocked": {"dim": True}, "failed": {"fg": "red", "bold": True},
}  # fmt: skip
