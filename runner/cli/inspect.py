"""matchcut inspect: measures any clip."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from . import options


@click.command
@click.argument("clip", type=click.Path(path_type=Path))
@click.option("--first", type=click.Path(path_type=Path), metavar="PICTURE", help="What it should begin on.")
@click.option("--last", type=click.Path(path_type=Path), metavar="PICTURE", help="What it should end on.")
@options.as_json
def command(clip: Path, first: Path | None, last: Path | None, as_json: bool) -> int:
    """Measure CLIP: frames counted, colour tags, black, frozen, cuts, likeness to the frames it was given."""
    from ..media import receive

    with tempfile.TemporaryDirectory() as into:
        order = {"clip": str(clip), "into": into, "first": first and str(first), "last": last and str(last)}
        got: dict[str, Any] = receive.receive(order)
    if as_json:
        options.say(got)
        return 0
    probe, seen = got["probe"], got["inspect"]
    colour = probe["colour"]
    audio = probe["audio"]
    click.echo(
        f"{clip}: {probe['container']}, {probe['codec']}, {probe['width']}x{probe['height']}, {probe['rate']} a second"
    )
    click.echo(f"  {probe['frames']} frames, {probe['duration']:g} s, {got['bytes']:,} bytes")
    guessed = " (guessed)" if colour["guessed"] else ""
    click.echo(f"  colour: matrix {colour['matrix']}{guessed}, range {colour['range']}, chroma {colour['chroma']}")
    click.echo(f"  sound: {audio['codec']}, {audio['rate']} Hz, {audio['duration']:g} s" if audio else "  silent")
    for name in ("head", "foot"):
        if like := seen[name]:
            click.echo(
                f"  {name}: {like['likeness']}, SSIM {like['ssim']}, luma {like['luma']:+g}, colour {like['colour']}"
            )
    for finding in seen["findings"]:
        click.echo(f"  {finding['level']}: {finding['fact']}")
    click.echo(f"  sha256 {got['digest']}")
    return 1 if any(finding["level"] == "error" for finding in seen["findings"]) else 0
