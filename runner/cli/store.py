"""matchcut store: looks after the store of this machine, and the shared one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from .. import api, gather, lock, prune, takes
from ..clock import RealClock
from ..errors import Problem, StoryError
from ..footage import OWN
from ..load import Loaded
from ..needs import commands_of, takes_of
from ..remote import SharedStore
from ..roots import Roots, roots
from ..sharing import Transfer, pull_done, pull_take, push_done, push_take, size_in_words, together
from ..store import LocalStore
from ..takes import Take
from . import options
from .app import as_data, tell

project = click.argument("project", default=".", type=click.Path(path_type=Path))


@click.group
def command() -> None:
    """Look after the project's store, and the shared one (`store:` in the storyboard or in matchcut.toml)."""


@command.command(short_help="Put what was bought into the shared store.")
@project
@options.as_json
def push(project: Path, *, as_json: bool) -> int:
    """Put everything PROJECT bought, and what its pipeline's commands gave, into the shared store.

    PROJECT is a folder, or a storyboard in it. What is there already is not moved again, and nothing is overwritten.
    Everything put is read back and held against its name.
    """
    loaded, shared = _shared(project)
    local = loaded.project.store
    acts: list[Callable[[], Transfer]] = [partial(push_take, shared, name, take) for name, take in _bought(loaded)]
    results = [local.done(path.stem) for path in sorted(local.results.glob("*.json"))]
    acts += [partial(push_done, shared, done) for done in results if done is not None]
    with _bar("pushing", len(acts), quiet=as_json) as seen:
        done = together(shared, acts, seen)
    return _end("pushed", done, shared, as_json=as_json)


@command.command(short_help="Fetch what the film needs from the shared store.")
@project
@click.option("--all", "everything", is_flag=True, help="All that the takes files name, not only what the film needs.")
@options.as_json
def pull(project: Path, *, everything: bool, as_json: bool) -> int:
    """Fetch what PROJECT's film needs from the shared store, each file held against its name before it counts.

    PROJECT is a folder, or a storyboard in it. What is here already is not fetched; what was interrupted goes on.
    """
    loaded, shared = _shared(project)
    shared.present()
    some = [(name, take) for name, mine in takes_of(loaded.plan).items() for take in mine]
    if everything:
        some = list(_bought(loaded))
    acts = [partial(pull_take, shared, name, take) for name, take in some]
    with lock.held(loaded.project.store.root, RealClock().now()):
        loaded.project.store.make()
        with _bar("pulling", len(acts), quiet=as_json) as seen:
            done = together(shared, acts, seen)
            for _ in loaded.pipeline.shot:  # a command may take what another one gave
                keys = dict.fromkeys(key for _, key, _ in commands_of(loaded.plan))
                made = together(shared, [partial(pull_done, shared, key) for key in keys])
                done.add(made)
                if not made.files + made.there:
                    break
    return _end("pulled", done, shared, as_json=as_json)


@command.command(short_help="Hold every stored byte against its name.")
@project
@click.option("--shared", "there", is_flag=True, help="The shared store instead of this machine's.")
@options.as_json
def verify(project: Path, *, there: bool, as_json: bool) -> int:
    """Hold every stored byte of PROJECT (a folder, or a storyboard in it) against its name.

    What is damaged is set aside and told. Ends with 1 if anything is.
    """
    if there:
        return _verify_shared(project, as_json=as_json)
    folder = project if project.is_dir() else project.parent
    store = LocalStore(folder / ".matchcut")
    count = len(list(store.objects.glob("*/*")))
    with _held(store, acts=True):
        problems = store.verify(aside=True)
    return _verified(count, "object", problems, as_json=as_json)


def _verify_shared(project: Path, *, as_json: bool) -> int:
    _, shared = _shared(project)
    shared.present()
    names = [name for name, _ in shared.inventory()]

    def one(name: str) -> Transfer:
        problem = shared.verify(name)
        return Transfer(problems=[problem] if problem is not None else [])

    with _bar("reading", len(names), quiet=as_json) as seen:
        done = together(shared, [partial(one, name) for name in names], seen)
    return _verified(len(names), "file", done.problems, as_json=as_json)


def _verified(count: int, what: str, problems: Sequence[Problem], *, as_json: bool) -> int:
    if as_json:
        options.say({f"{what}s": count, "problems": [as_data(problem) for problem in problems]})
        return 1 if problems else 0
    tell(problems)
    whole = f", {options.count(len(problems), 'problem')}" if problems else ", all whole"
    click.echo(options.count(count, what) + whole)
    return 1 if problems else 0


@command.command(short_help="Show or remove what nothing needs any more.")
@project
@click.option("--delete", is_flag=True, help="Remove it. Without this, it is only shown.")
@click.option("--paid", is_flag=True, help="Clips that were bought as well, and those of unknown origin.")
@options.as_json
def gc(project: Path, *, delete: bool, paid: bool, as_json: bool) -> int:
    """Show what this machine's store of PROJECT holds that nothing needs; remove it with --delete.

    What any takes file names is kept: beside the storyboards, staged, and in every git branch, tag and stash. So are
    present drawings, purchases under way, and what the pipeline's own commands gave. The shared store is not touched.
    """
    folder = project if project.is_dir() else project.parent
    store = LocalStore(folder / ".matchcut")
    with _held(store, acts=delete):
        kept = roots(folder)
        found = prune.unneeded(store, kept, store.root / gather.JOURNAL)
        going = [item for item in found if paid or not item.paid]
        if delete:
            prune.remove(store, going)
    if as_json:
        options.say(_pruned(kept, going, found, removed=delete))
        return 0
    _show(kept, going, found, removed=delete)
    return 0


def _pruned(
    kept: Roots, going: Sequence[prune.Item], found: Sequence[prune.Item], *, removed: bool
) -> dict[str, object]:
    return {
        "removed": removed, "refs": kept.refs, "takes_files": kept.files,
        "items": [{"kind": i.kind, "name": i.name, "bytes": i.bytes, "paid": i.paid} for i in going],
        "bytes": sum(item.bytes for item in going),
        "paid_kept": [item.name for item in found if item.paid and item not in going],
    }  # fmt: skip


_WORDS = {"record": "record of a take", "clip": "clip", "picture": "frame", "strip": "contact strip", "part": "part"}


def _show(kept: Roots, going: Sequence[prune.Item], found: Sequence[prune.Item], *, removed: bool) -> None:
    where = "no git: only the takes files in the folder count" if kept.refs is None else None
    where = where or f"{options.count(kept.refs or 0, 'commit')} with a name in git and the work tree"
    click.echo(f"kept: what {options.count(kept.files, 'takes file')} name ({where})")
    for item in going:
        mark = "  bought, or of unknown origin" if item.paid else ""
        name = item.name if " " in item.name else item.name[:12]
        click.echo(f"  {_WORDS[item.kind]} {name}  {size_in_words(item.bytes)}{mark}")
    size = size_in_words(sum(item.bytes for item in going))
    if not going:
        click.echo("nothing to remove")
    elif removed:
        click.echo(f"removed {options.count(len(going), 'file')}, {size}")
    else:
        click.echo(f"{options.count(len(going), 'file')}, {size}, may go: --delete removes them")
    stays = [item for item in found if item.paid and item not in going]
    if stays:
        size = size_in_words(sum(item.bytes for item in stays))
        click.echo(f"{options.count(len(stays), 'file')}, {size}, bought or of unknown origin: kept without --paid")


# what they share


@contextmanager
def _held(store: LocalStore, *, acts: bool) -> Iterator[None]:
    """The project's lock, where something is to be changed and there is a store at all."""
    if not acts or not store.root.is_dir():
        yield
        return
    with lock.held(store.root, RealClock().now()):
        yield


def _shared(project: Path) -> tuple[Loaded, SharedStore]:
    loaded = api.load(project)
    shared = api.shared_store(loaded)
    if shared is None:
        if loaded.lane.draws:
            raise StoryError.of("this storyboard buys nothing: what the animatic draws is drawn anew anywhere")
        remedy = "store: s3://bucket/path, gs://…, sftp://… or file:///a/folder"
        raise StoryError.of("no shared store is named, in the storyboard or in matchcut.toml", remedy)
    return loaded, shared


def _bought(loaded: Loaded) -> Iterator[tuple[str, Take]]:
    """Every take that was bought: those of takes files, of shots that are gone as well, and of the store's records."""
    found: dict[tuple[str, str, str], tuple[str, Take]] = {}
    folder = takes.folder(loaded.project.file)
    for path in sorted(folder.glob("*.yaml")):
        record = takes.read(path, f"{folder.name}/{path.name}")
        found |= {take.identity: (record.shot, take) for take in record.takes if not take.lost}
    for name, some in takes_of(loaded.plan, everything=True).items():
        for take in some:
            if take.provider != OWN:  # own footage is in the project, and goes where the project goes
                found.setdefault(take.identity, (name, take))
    yield from found.values()


def _end(how: str, done: Transfer, shared: SharedStore, *, as_json: bool) -> int:
    code = 1 if done.problems or done.absent else 0
    if as_json:
        options.say({
            "store": shared.url, "files": done.files, "bytes": done.bytes, "there": done.there, "absent": done.absent,
            "noticed": shared.noticed, "problems": [as_data(problem) for problem in done.problems],
        })  # fmt: skip
        return code
    for fact in shared.noticed:
        click.echo(f"noticed: {fact}", err=True)
    tell([*done.problems, *(Problem(fact) for fact in done.absent)])
    moved = f"{options.count(done.files, 'file')}, {size_in_words(done.bytes)}"
    click.echo(f"{how} {moved}; {done.there:,} there already ({shared.url})")
    return code


@contextmanager
def _bar(what: str, length: int, *, quiet: bool) -> Iterator[Callable[[Transfer], None]]:
    """A bar in a terminal; nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=length, label=what, file=sys.stderr) as bar:
        yield lambda _: bar.update(1)
