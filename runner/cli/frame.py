"""matchcut frame: one exact frame of any clip."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import StoryError
from ..store import told, write
from ..storyboard import SELECTOR
from . import options


@click.command
@click.argument("clip", type=click.Path(path_type=Path))
@click.option(
    "--at", default="last", show_default=True, metavar="WHICH", help="first, last, sharpest, or seconds such as 2.5."
)
@click.option("-o", "file", type=click.Path(path_type=Path), required=True, metavar="FRAME.png", help="Where it goes.")
@options.force
def command(clip: Path, at: str, file: Path, force: bool) -> int:
    """Take one frame out of CLIP, exactly, with its right colours, as PNG."""
    from ..media import decode, picture

    selector = f"{at}s" if at.replace(".", "", 1).isdecimal() else at
    if not SELECTOR.match(selector):
        raise StoryError.of(f"{at} names no frame", "first, last, sharpest, or seconds such as 2.5")
    if file.suffix.lower() != ".png":
        raise StoryError.of(f"{file} is not named as PNG", str(file.with_suffix(".png")))
    options.vacant(file, force=force)
    found = decode.frame(str(clip), selector)
    with told(file.parent):
        write(file, picture.png(found.rgb))
    height, width = found.rgb.shape[:2]
    click.echo(f"{file}: frame {found.index} at {found.time:g} s, {width}x{height}, pixels {found.digest[:16]}")
    return 0
