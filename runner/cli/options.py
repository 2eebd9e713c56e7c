"""Arguments and options that several commands share, and how they print."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

storyboard = click.argument("storyboard", default="storyboard.yaml", type=click.Path(path_type=Path))
provider = click.option("--provider", metavar="NAME", help="animatic rehearses on this machine, for nothing.")
out = click.option("--out", metavar="FOLDER", type=click.Path(path_type=Path), help="Where film and clips go.")
outside = click.option("--allow-outside", is_flag=True, help="Pictures may lie outside the storyboard's folder.")
as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


def say(data: Any) -> None:
    """Data as JSON on stdout."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def console(*, stderr: bool = False) -> Console:
    """A console that prints plainly where it is not a terminal, at a width that cuts nothing off."""
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=None if terminal else 160, soft_wrap=not terminal)


def usd(amount: Decimal | None) -> str:
    """An amount in USD as people write it; "?" for a model without a price."""
    if amount is None:
        return "?"
    text = f"{amount.normalize():f}"
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents.ljust(2, '0')}"


STYLES = {
    "current": "green", "missing": "cyan", "stale": "yellow", "waiting": "magenta", "unknown": "red",
    "blocked": "bright_black", "failed": "bold red",
}  # fmt: skip
