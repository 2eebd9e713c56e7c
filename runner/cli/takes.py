"""matchcut takes: what was bought, by shot, and the files that say so."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import api
from ..load import load
from . import options
from .app import tell

if TYPE_CHECKING:
    from ..plan import Plan
    from ..takes import Take


class _Listing(click.Group):
    """A group that lists where no subcommand is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Listing, subcommand_metavar="[list|rebuild] [STORYBOARD]")
def command() -> None:
    """Show every take of every shot: number, circle, whether it fits what is asked now, cost, clip. Reads only.

    `matchcut takes STORYBOARD` is short for `matchcut takes list STORYBOARD`.
    """


@command.command("list")
@options.storyboard
@options.provider
@options.as_json
@options.outside
def listing(storyboard: Path, provider: str | None, as_json: bool, allow_outside: bool) -> int:
    """Show every take of every shot. Reads only."""
    plan = load(storyboard, provider=provider, allow_outside=allow_outside).plan
    shots = [_shot(plan, shot.id) for shot in plan.board.shots]
    orphans = {name: [_take(take) for take in some] for name, some in plan.facts.orphans.items()}
    if as_json:
        options.say({"shots": shots, "orphans": orphans})
        return 0
    tell(plan.warnings)
    rows = [_row(shot["shot"], take) for shot in shots for take in shot["takes"]]
    rows += [_row(name, take) for name, some in orphans.items() for take in some]
    if rows:
        options.columns(["shot", "take", "", "state", "USD", "clip", "model"], rows, right=[1, 4])
    bare = [shot["shot"] for shot in shots if not shot["takes"]]
    none = f"; none yet of {', '.join(bare)}" if bare else ""
    click.echo(f"{options.count(len(rows), 'take')}{none}" if rows else "no takes yet")
    return 0


def _shot(plan: Plan, name: str) -> dict[str, Any]:
    decision = plan.decisions[name]
    mine = list(plan.facts.takes.get(name, ()))
    if decision.take is not None and all(take.identity != decision.take.identity for take in mine):
        mine.append(decision.take)  # another shot asks for the very same, and it was made for that one
    key = decision.key.digest if decision.key is not None else None
    circles = plan.facts.circled.get(name, {})
    circle = circles.get(key) if key is not None else None
    told = []
    for take in sorted(mine, key=lambda take: (take.take, take.key)):
        known: dict[str, Any] = {"circled": circle is not None and circle.fits(take), "fits": None}
        if key is not None:
            known["fits"] = take.key == key or known["circled"]
        known["chosen"] = decision.take is not None and take.identity == decision.take.identity
        told.append({**_take(take), **known})
    return {"shot": name, "state": decision.state, "takes": told}


def _take(take: Take) -> dict[str, Any]:
    return {
        "take": take.take, "clip": take.clip, "key": take.key, "provider": take.provider, "model": take.model,
        "usd": None if take.usd is None else float(Decimal(take.usd)), "seed": take.seed, "task_uuid": take.task_uuid,
    }  # fmt: skip


def _row(shot: str, take: dict[str, Any]) -> list[str]:
    fits = {True: "fits", False: "other words or frames", None: "not known yet"}
    state = fits[take["fits"]] if "fits" in take else "no such shot"
    if take.get("chosen"):
        state = f"{state}, in use"
    usd = "" if take["usd"] is None else options.usd(Decimal(str(take["usd"])))
    mark = "circled" if take.get("circled") else ""
    return [shot, str(take["take"]), mark, state, usd, take["clip"][:12], take["model"]]


@command.command(short_help="Make takes files anew; join both sides of a merge conflict.")
@options.storyboard
@click.option("--ours", "side", flag_value="ours", help="Where both sides of a merge circled: this branch's circle.")
@click.option("--theirs", "side", flag_value="theirs", help="The circle of the branch that was merged in.")
@click.option("--force", is_flag=True, help="Set a file aside that cannot be read whole, and go on without it.")
@options.as_json
def rebuild(storyboard: Path, *, side: str | None, force: bool, as_json: bool) -> int:
    """Make the takes files anew from what can be read of them, from the journal and from the store.

    Nothing that is known is lost: both sides of a merge conflict are kept, and what was bought on this machine comes
    back. A file that cannot be read whole is refused; --force keeps it beside as SHOT.yaml.bak.
    """
    done = api.rebuild(storyboard, side=side, force=force)  # type: ignore[arg-type]
    if as_json:
        counts = {shot: len(record.takes) for shot, record in done.records.items()}
        aside = [str(path) for path in done.aside]
        options.say({"written": done.written, "takes": counts, "aside": aside, "ownerless": done.ownerless})
        return 0
    for shot in done.written:
        record = done.records[shot]
        charges = f", {options.count(len(record.charges), 'charge')}" if record.charges else ""
        click.echo(f"{shot}: written with {options.count(len(record.takes), 'take')}{charges}")
    for shot in done.torn:
        click.echo(
            f"  {shot} was cut off: what was bought or circled on another machine may be missing; git diff shows it"
        )
    for path in done.aside:
        click.echo(f"set aside, for you to look at: {path}")
    if done.ownerless:
        click.echo(
            f"{options.count(done.ownerless, 'take')} in the store of which nobody knows the shot: found by their keys"
        )
    kept = len(done.records) - len(done.written)
    click.echo(f"{options.count(len(done.written), 'file')} written, {kept} as they were")
    return 0
