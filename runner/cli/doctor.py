"""matchcut doctor: looks at this machine, and asks the paid service whether it lets the key in."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from .. import __version__
from ..clock import RealClock
from ..executors import EXECUTORS
from ..ports import ProviderError, Setting
from . import options

_LIBRARIES = ("av", "numpy", "pillow", "pyyaml", "jsonschema", "jinja2", "networkx", "httpx", "rich", "click")
_CODECS = ("libx264", "libvpx-vp9", "aac", "libopus")


@click.command
@options.env
@options.as_json
def command(env: Path | None, as_json: bool) -> int:
    """Look at this machine: versions, codecs, processors, room on the disk; the paid service, if there is a key."""
    import av.codec

    environ = options.environ(env)
    codecs = {name: name in av.codec.codecs_available for name in _CODECS}
    free = shutil.disk_usage(Path.cwd()).free
    paid = asyncio.run(runware(environ))
    told = {
        "matchcut": __version__, "python": platform.python_version(), "system": platform.platform(terse=True),
        "processors": os.cpu_count(), "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "codecs": codecs, "free_bytes": free, "runware": paid,
        "ok": all(codecs.values()) and paid["let_in"] is not False,
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
        _show(paid)
    return 0 if told["ok"] else 1


async def runware(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the service says: ``let_in`` (None: there is no key to ask with), ``balance`` in USD, and what is wrong."""
    from ..providers.runware.provider import Runware

    told: dict[str, Any] = {"host": None, "key": bool(environ.get("RUNWARE_API_KEY", "").strip()), "let_in": None}
    told |= {"balance": None, "problem": None, "remedy": None}
    nowhere = Path()
    provider = Runware(Setting(EXECUTORS["local"](1), RealClock(), nowhere, nowhere, nowhere, environ))
    told["host"] = provider.host
    if not told["key"]:
        return told | {"problem": "there is no RUNWARE_API_KEY", "remedy": "needed to buy clips, not to rehearse"}
    try:
        await provider.ping()
        told["let_in"] = True
        told["balance"] = float(await provider.balance())
    except ProviderError as error:
        told |= {"let_in": bool(told["let_in"]), "problem": error.fact, "remedy": error.remedy}
    finally:
        await provider.aclose()
    return told


def _show(paid: Mapping[str, Any]) -> None:
    if paid["let_in"]:
        click.echo(f"  ok      {paid['host']} lets the key in")
    elif paid["key"]:
        click.echo(f"  FAILED  {paid['problem']}")
    else:
        click.echo(f"  {paid['problem']}: {paid['host']} was not asked ({paid['remedy']})")
    if paid["let_in"] and paid["balance"] is None:
        click.echo(f"  how much money is left cannot be told: {paid['problem']}")
    elif paid["let_in"]:
        click.echo(f"          ${paid['balance']:,.2f} left in the account")
    if paid["key"] and paid["remedy"]:
        click.echo(click.style("  try: ", fg="cyan") + paid["remedy"])
