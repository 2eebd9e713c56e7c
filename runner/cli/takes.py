"""matchcut takes: what was bought, by shot, and the files that say so."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import api
from ..footage import OWN
from ..load import Loaded, loads, warnings
from . import options
from .app import tell

if TYPE_CHECKING:
    from ..plan import Plan
    from ..store import LocalStore
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
@options.variants
@options.as_json
@options.outside
def listing(
    storyboard: Path, provider: str | None, variants: tuple[str, ...], *, as_json: bool, allow_outside: bool
) -> int:
    """Show every take of every shot, those of all variants, and those that are lost. Reads only."""
    found = loads(storyboard, variants=variants, provider=provider, allow_outside=allow_outside)
    names = list(dict.fromkeys(shot.id for loaded in found for shot in loaded.plan.board.shots))
    shots = [_shot(found, name) for name in names]
    store = found[0].project.store
    facts = found[0].plan.facts
    orphans = {name: [_take(take, store) for take in some] for name, some in facts.orphans.items()}
    if as_json:
        options.say({"shots": shots, "orphans": orphans})
        return 0
    tell(warnings(found))
    rows = [_row(shot["shot"], take) for shot in shots for take in shot["takes"]]
    rows += [_row(name, take) for name, some in orphans.items() for take in some]
    several = len(found) > 1
    if rows:
        kept = [row if several else [*row[:3], *row[4:]] for row in rows]
        head = ["shot", "take", "", *(["variants"] if several else []), "state", "USD", "clip", "model"]
        options.columns(head, kept, right=[1, len(head) - 3])
    own = {brief.shot.id for loaded in found for brief in loaded.plan.briefs.values() if brief.footage is not None}
    bare = [shot["shot"] for shot in shots if not shot["takes"] and shot["shot"] not in own]
    none = f"; none yet of {', '.join(bare)}" if bare else ""
    click.echo(f"{options.count(len(rows), 'take')}{none}" if rows else "no takes yet")
    return 0


def _shot(found: Sequence[Loaded], name: str) -> dict[str, Any]:
    """A shot's takes, those of all variants, each once; own footage has none: it lies in the project."""
    plans = {loaded.project.variant: loaded.plan for loaded in found if name in loaded.plan.decisions}
    told: dict[tuple[str, str, str], dict[str, Any]] = {}
    for variant, plan in plans.items():
        for take in _known(plan, name):
            one = told.setdefault(take.identity, _take(take, found[0].project.store) | {"variants": [], "in": {}})
            one["in"][variant] = _fit(plan, name, take)
            one["variants"] += [variant] if variant is not None and take.serves(variant) else []
    rows = sorted(told.values(), key=lambda row: (row["take"], row["key"]))
    states = {variant: plan.decisions[name].state for variant, plan in plans.items()}
    if None in states:  # no variants
        plain = [{**row, **row["in"][None]} for row in rows]
        for row in plain:
            del row["in"], row["variants"]
        return {"shot": name, "state": states[None], "takes": plain}
    return {"shot": name, "states": states, "takes": rows}


def _known(plan: Plan, name: str) -> list[Take]:
    decision = plan.decisions[name]
    variant = plan.board.variant.name if plan.board.variant is not None else None
    lost = (take for take in plan.facts.lost.get(name, ()) if take.serves(variant))
    mine = {take.identity: take for take in (*plan.facts.takes.get(name, ()), *lost)}
    if decision.take is not None:  # it may be another shot's, that asks for the very same
        mine.setdefault(decision.take.identity, decision.take)
    return [take for take in mine.values() if take.provider != OWN]


def _fit(plan: Plan, name: str, take: Take) -> dict[str, Any]:
    """What a take is for a shot: circled, made for its present words and frames or accepted for them, in use."""
    decision = plan.decisions[name]
    key = decision.key.digest if decision.key is not None else None
    circle = plan.facts.circled.get(name, {}).get(key) if key is not None else None
    circled = circle is not None and circle.fits(take)
    return {
        "circled": circled, "fits": None if key is None else take.key == key or circled,
        "accepted": circled and take.key != key,
        "chosen": decision.take is not None and take.identity == decision.take.identity,
    }  # fmt: skip


def _take(take: Take, store: LocalStore) -> dict[str, Any]:
    return {
        "take": take.take, "clip": take.clip, "key": take.key, "provider": take.provider, "model": take.model,
        "usd": None if take.usd is None else float(Decimal(take.usd)), "seed": take.seed, "task_uuid": take.task_uuid,
        "lost": take.lost, "here": store.has(take.clip),
    }  # fmt: skip


def _row(shot: str, take: dict[str, Any]) -> list[str]:
    usd = "" if take["usd"] is None else options.usd(Decimal(str(take["usd"])))
    each = take.get("in") or {None: take}
    mark = "circled" if any(one.get("circled") for one in each.values()) else ""
    states: dict[str, list[str]] = {}
    for variant, one in each.items():
        states.setdefault(_state(take, one), []).append(str(variant))
    state = "; ".join(told if len(states) == 1 else f"{', '.join(names)}: {told}" for told, names in states.items())
    variants = ", ".join(take.get("variants", ()))
    return [shot, str(take["take"]), mark, variants, state, usd, take["clip"][:12], take["model"]]


def _state(take: dict[str, Any], fit: dict[str, Any]) -> str:
    if take["lost"]:
        return "lost: its clip is nowhere any more"
    fits = {True: "fits", False: "other words or frames", None: "not known yet"}
    state = fits[fit["fits"]] if "fits" in fit else "no such shot"
    if fit.get("accepted"):
        state = "made for other words or frames, accepted for these"
    state += ", in use" if fit.get("chosen") else ""
    return state if take["here"] else f"{state}, not on this machine"


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
