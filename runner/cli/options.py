"""Arguments and options that several commands share, and how they print."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import amount
from .. import env as env_file
from ..errors import StoryError

if TYPE_CHECKING:
    from ..plan import Part, Plan

storyboard = click.argument("storyboard", default="storyboard.yaml", type=click.Path(path_type=Path))
provider = click.option("--provider", metavar="NAME", help="animatic rehearses on this machine, for nothing.")
out = click.option("--out", metavar="FOLDER", type=click.Path(path_type=Path), help="Where film and clips go.")
outside = click.option(
    "--allow-outside", is_flag=True, help="Pictures and includes may lie outside the storyboard's folder."
)
variant = click.option("--variant", metavar="NAME", help="Which variant, where it makes a difference.")
variants = click.option(
    "--variant", "variants", metavar="NAME", multiple=True, help="Only this variant; may be repeated. Else all of them."
)
env = click.option(
    "--env", metavar="FILE", type=click.Path(path_type=Path), help="A .env file; what is set already goes before it."
)
keep_stale = click.option(
    "--keep-stale", is_flag=True, help="Stale takes stay in use; only what was never made is made."
)
only = click.option("--only", metavar="SHOT", multiple=True, help="Make these shots and no others. Repeatable.")
until = click.option("--until", metavar="SHOT", help="Make SHOT and all that it needs, however far back.")
start = click.option("--from", "start", metavar="SHOT", help="Make SHOT and all that follows from it.")
as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")
force = click.option("--force", is_flag=True, help="Write over a file that is there.")


def environ(file: Path | None) -> dict[str, str]:
    """The environment, with what the .env file adds that --env or MATCHCUT_ENV names. Raises StoryError."""
    named = str(file) if file is not None else os.environ.get("MATCHCUT_ENV", "")
    return env_file.read(Path(named), os.environ) if named else dict(os.environ)


def vacant(file: Path | None, *, force: bool, ours: Callable[[Path], bool] = lambda _: False) -> None:
    """Raise StoryError where a file is there that nobody said to write over; ``ours``: whether it may go unasked."""
    if file is not None and file.exists() and not force and not ours(file):
        raise StoryError.of(f"{file} is there already", "another name, or --force to write over it")


def part(only: Sequence[str], until: str | None, start: str | None, *, keep_stale: bool) -> Part:
    """The part of a storyboard that the options name."""
    from ..plan import Part

    return Part(tuple(only), until, start, keep_stale)


def flights(plan: Plan) -> list[str]:
    """A line for each purchase that has not ended: shot, variant, takes, estimate, since when."""
    lines = []
    for shot, some in plan.facts.flights.items():
        for flight in some:
            whose = f"{shot} ({flight.variant})" if flight.variant else shot
            named = f"{shot} --variant {flight.variant}" if flight.variant else shot
            since = datetime.fromtimestamp(flight.since or 0, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            told = f"{count(flight.takes, 'take')}, about {usd(flight.usd)}, sent {since}, task {flight.uuid}"
            if flight.known:
                lines.append(f"in flight: {whose}, {told}")
            else:
                lines.append(f"unknown: {whose}, {told}: {flight.reason}\n  try: matchcut resolve {named}")
    return lines


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


usd = amount.usd


def count(number: int, what: str) -> str:
    """``3 shots``, ``1 shot``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def enough(budget: Decimal, spent: Decimal, best: Decimal | None, worst: Decimal | None) -> str:
    """The end of a sentence that names a budget: whether it is enough for what was spent and what a run spends."""
    if best is not None and spent + best > budget:
        return ": that is not enough."
    return ": that may not be enough." if worst is not None and spent + worst > budget else "."


def wordwise(old: str, new: str) -> str:
    """The new words with what went marked [-so-] and what came marked {+so+}."""
    from ..exports.words import wordwise as pieces

    said = []
    for kind, text in pieces(old, new):
        if kind == "same":
            said.append(text)
        else:
            said.append(
                click.style(f"[-{text}-]", fg="red") if kind == "gone" else click.style(f"{{+{text}+}}", fg="green")
            )
    return " ".join(said)


def value(said: Any) -> str:
    """One side of a change: a digest cut short, "nothing" where there is none."""
    if isinstance(said, str) and _DIGEST.match(said):
        return said[:16]
    return "nothing" if said is None else said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
STYLES: dict[str, dict[str, Any]] = {
    "current": {"fg": "green"}, "missing": {"fg": "cyan"}, "stale": {"fg": "yellow"}, "waiting": {"fg": "magenta"},
    "unknown": {"fg": "red"}, "blocked": {"dim": True}, "failed": {"fg": "red", "bold": True},
}  # fmt: skip
