"""matchcut serve: stands in for the paid service, or receives its webhooks."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from ..errors import StoryError

KEY = "MATCHCUT_STANDIN_KEY"
"""The variable with the only key that the stand-in lets in; unset: every key."""


def _usd(_ctx: click.Context, _param: click.Parameter, text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as bad:
        raise click.BadParameter(f"{text} is not an amount") from bad
    if not amount.is_finite() or amount < 0:
        raise click.BadParameter(f"{text} is not an amount")
    return amount


_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command
@click.argument("folder", type=_FOLDER, default=Path())
@click.option("--standin", is_flag=True, help="Stand in for the paid service.")
@click.option("--webhooks", is_flag=True, help="Receive the service's calls for the project in FOLDER.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Default 8787 (stand-in) or 8788 (webhooks); 0: a free one."
)
@click.option("--open-to-others", is_flag=True, help="Allow a --host that other machines reach.")
@click.option(
    "--speed", type=click.FloatRange(min=0.001), default=1.0, show_default=True, help="Divides all its times."
)
@click.option(
    "--making", type=click.FloatRange(min=0), metavar="SECONDS", help="Making time of every clip, before --speed."
)
@click.option("--registering", type=click.FloatRange(min=0), metavar="SECONDS", help="Until a task's UUID is known.")
@click.option("--trouble", type=click.FloatRange(0, 1), default=0.0, help="Share of tasks that meet trouble.")
@click.option("--trouble-kinds", metavar="A,B,…", help="Which troubles; help lists them.")
@click.option("--lasting", is_flag=True, help="Troubles of files never heal.")
@click.option("--seed", type=int, default=0, help="What chance follows from.")
@click.option(
    "--ready-made",
    is_flag=True,
    help="Plain clips that are made once, instead of drawn ones; takes may have the same bytes.",
)
@click.option("--cards", type=_FOLDER, help="A folder with cards of more models.")
@click.option("--without", multiple=True, metavar="MODEL", help="A model that is gone.")
@click.option("--balance", default="100000", callback=_usd, metavar="USD", help="What the account holds.")
@click.option("--state", type=click.Path(path_type=Path, dir_okay=False), help="A file that outlives the server.")
@click.option("--allow-any-target", is_flag=True, help="Call webhooks and upload to other machines too.")
@click.option("--call-form", type=click.Choice(["flat", "data", "both"]), default="flat", help="Body of its webhooks.")
def command(
    folder: Path, standin: bool, webhooks: bool, host: str, port: int | None, open_to_others: bool, **given: Any
) -> None:
    """Stand in for the paid service, or receive its webhooks.

    \b
    matchcut serve --standin --speed 100 --trouble 0.1 --seed 7
    matchcut serve --webhooks lantern-market

    The stand-in speaks the service's protocol (HTTP and websocket at /v1), and GET /ledger says what it would have
    charged. Every key is let in, unless MATCHCUT_STANDIN_KEY holds the only one.
    """
    if given["trouble_kinds"] == "help":
        from ..server.trouble import KINDS

        click.echo("\n".join(f"{name:16} {what}" for name, what in KINDS.items()))
        return
    if standin == webhooks:
        raise click.UsageError("say one of --standin and --webhooks")
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        raise StoryError.of("serving needs two more libraries", 'pip install "matchcut[serve]"')
    if not _here(host) and not open_to_others:
        raise StoryError.of(f"{host} can be reached by other machines", "--open-to-others, if that is meant")
    if not _here(host):
        click.echo(f"listening on {host}: other machines can reach this", err=True)
    if standin:
        _standin(host, 8787 if port is None else port, given)
    else:
        _webhooks(host, 8788 if port is None else port, folder)


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _standin(host: str, port: int, given: dict[str, Any]) -> None:
    from dataclasses import replace

    from ..clock import RealClock
    from ..server import standin
    from ..server.service import Options, Service
    from ..server.trouble import USUAL, kinds

    named = given["trouble_kinds"]
    options = Options(
        speed=given["speed"], making=given["making"], registering=given["registering"], trouble=given["trouble"],
        kinds=kinds(named.replace(" ", "").split(",")) if named else USUAL, lasting=given["lasting"],
        seed=given["seed"], ready_made=given["ready_made"], balance=given["balance"], key=os.environ.get(KEY),
        gone=frozenset(given["without"]), cards=given["cards"], state=given["state"],
        allow_any_target=given["allow_any_target"], call_form=given["call_form"],
    )  # fmt: skip
    listener, base = _bound(host, port)
    with listener:
        options = replace(options, base=base)
        service = Service(options, RealClock())
        click.echo(f"stand-in at {base}/v1, ledger at {base}/ledger")
        standin.server(standin.app(options, service=service)).run(sockets=[listener])


def _webhooks(host: str, port: int, folder: Path) -> None:
    from ..server import standin, webhooks

    if not folder.is_dir():
        raise StoryError.of(f"there is no folder {folder}", "the folder of a storyboard")
    served = webhooks.app(folder)
    listener, base = _bound(host, port)
    with listener:
        click.echo(f"webhookURL: {webhooks.shown(base, folder)}")
        standin.server(served).run(sockets=[listener])


def _bound(host: str, port: int) -> Any:
    from ..server.standin import bound

    try:
        return bound(host, port)
    except OSError as busy:
        raise StoryError.of(
            f"can't listen on {host}:{port}: {busy.strerror}", "--port 0 finds a free one", exit_code=1
        ) from busy
