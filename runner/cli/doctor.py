"""matchcut doctor: looks at this machine."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

import click

from .. import __version__
from . import options

_LIBRARIES = ("av", "numpy", "pillow", "pyyaml", "jsonschema", "jinja2", "networkx", "httpx", "rich", "click")
_CODECS = ("libx264", "libvpx-vp9", "aac", "libopus")


@click.command
@options.as_json
def command(as_json: bool) -> int:
    """Look at this machine: versions, codecs, processors, room on the disk."""
    import av.codec

    codecs = {name: name in av.codec.codecs_available for name in _CODECS}
    free = shutil.disk_usage(Path.cwd()).free
    told = {
        "matchcut": __version__, "python": platform.python_version(), "system": platform.platform(terse=True),
        "processors": os.cpu_count(), "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "codecs": codecs, "free_bytes": free, "ok": all(codecs.values()),
    }  # fmt: skip
    if as_json:
        options.say(told)
    else:
        click.echo(
            f"matchcut {__version__}, Python {told['python']}, {told['system']}, {told['processors']} processors"
        )
        click.echo(", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES))
        for name, there in codecs.items():
            click.echo(f"  {'ok     ' if there else 'MISSING'} {name}")
        click.echo(f"  {free / 1e9:.0f} GB free here")
    return 0 if told["ok"] else 1
