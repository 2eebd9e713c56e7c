"""Sharing: what was bought and made is pushed to the shared store, and pulled from there before it is bought again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from itertools import count

from . import needs
from .errors import Problem, StoryError
from .facts import Done
from .footage import OWN
from .lease import Lease, Leases
from .money import Purse
from .ports import Clock, TaskFailed
from .remote import SharedStore
from .takes import Take
from .work import Desk, Event

TRANSFERS_MAX = 8
"""How many takes are on their way at once."""
WAIT_S_MAX = 1800.0
"""How long a run waits while somebody else buys what it needs."""
ASK_S = 5.0
RENEW_S = 60.0


@dataclass
class Transfer:
    """What was moved: files and bytes, what was there already, and what could not be."""

    files: int = 0
    bytes: int = 0
    there: int = 0
    absent: list[str] = field(default_factory=list)
    """What is nowhere to be had, in words."""
    problems: list[Problem] = field(default_factory=list)

    def add(self, other: Transfer) -> None:
        self.files, self.bytes, self.there = (
            self.files + other.files, self.bytes + other.bytes, self.there + other.there,
        )  # fmt: skip
        self.absent += other.absent
        self.problems += other.problems

    def moved(self, how: str, size: int) -> None:
        if how == "there":
            self.there += 1
        else:
            self.files, self.bytes = self.files + 1, self.bytes + size


def size_in_words(size: int) -> str:
    """Bytes as people write them: ``3.1 MB``."""
    for unit, power in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= power:
            return f"{size / power:.1f} {unit}"
    return f"{size} bytes"


def push_take(shared: SharedStore, name: str, take: Take) -> Transfer:
    """Put a bought take there: its clip, its frames, then the record that leads to them. Raises StoryError."""
    local, done = shared.local, Transfer()
    if local.has(take.clip):
        path = local.path(take.clip)
        done.moved(shared.put_object(take.clip, path), path.stat().st_size)
    else:
        done.absent.append(f"{name} take {take.take}: its clip {take.clip[:12]} is not on this machine")
        return done
    _push_pictures(shared, [frame["digest"] for frame in take.frames.values()], done)
    shared.put_take(take)
    return done


def push_done(shared: SharedStore, result: Done) -> Transfer:
    """Put what a command of the pipeline gave there. Raises StoryError."""
    files, frames = needs.outputs_of(result)
    done = Transfer()
    for digest in files:
        path = shared.local.path(digest)
        done.moved(shared.put_object(digest, path), path.stat().st_size)
    _push_pictures(shared, frames, done)
    shared.put_done(result)
    return done


def _push_pictures(shared: SharedStore, digests: Iterable[str], done: Transfer) -> None:
    for digest in dict.fromkeys(digests):
        path = shared.local.picture(digest)
        if not path.is_file():
            continue  # it can be taken out of the clip again
        try:
            done.moved(shared.put_picture(digest, path), path.stat().st_size)
        except StoryError as error:
            done.problems += error.problems


def pull_take(shared: SharedStore, name: str, take: Take) -> Transfer:
    """Fetch a take's clip and frames. What the store has not, or has damaged, is told; nothing is raised."""
    done = Transfer()
    try:
        done.moved(shared.get_object(take.clip), take.bytes)
    except FileNotFoundError:
        done.absent.append(f"{name} take {take.take}: its clip {take.clip[:12]} is not in {shared.url}")
        return done
    except StoryError as error:
        done.problems += [replace(p, fact=f"{name} take {take.take}: {p.fact}") for p in error.problems]
        return done
    _pull_pictures(shared, [frame["digest"] for frame in take.frames.values()], done)
    return done


def pull_done(shared: SharedStore, key: str) -> Transfer:
    """Fetch what a command of the pipeline gave elsewhere, if it did. Raises StoryError."""
    found, done = shared.done(key), Transfer()
    if found is None:
        return done
    files, frames = needs.outputs_of(found)
    for digest in files:
        try:
            how = shared.get_object(digest)
        except FileNotFoundError:
            return done  # it is made again
        done.moved(how, shared.local.path(digest).stat().st_size)
    _pull_pictures(shared, frames, done)
    shared.local.finish(found)
    return done


def _pull_pictures(shared: SharedStore, digests: Iterable[str], done: Transfer) -> None:
    for digest in dict.fromkeys(digests):
        with suppress(FileNotFoundError):  # it can be taken out of the clip again
            try:
                how = shared.get_picture(digest)
            except StoryError as error:
                done.problems += error.problems
                continue
            done.moved(how, shared.local.picture(digest).stat().st_size)


def together(
    shared: SharedStore, acts: Iterable[Callable[[], Transfer]], tell: Callable[[Transfer], None] = lambda _: None
) -> Transfer:
    """Do several transfers at once; one that fails is told and stops no other. ``tell`` is called after each."""
    whole = Transfer()

    def one(act: Callable[[], Transfer]) -> Transfer:
        try:
            return act()
        except StoryError as error:
            return Transfer(problems=list(error.problems))

    pool = ThreadPoolExecutor(TRANSFERS_MAX)
    try:
        for done in pool.map(one, acts):
            whole.add(done)
            tell(done)
    except BaseException:
        shared.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return whole


@dataclass
class Share:
    """What a run of a paid pipeline shares: clips that are not here, purchases of others, and its own."""

    desk: Desk
    shared: SharedStore | None
    clock: Clock
    purse: Purse
    open: Callable[[str], set[int]]
    """The take numbers of a key that are in purchases which have not ended."""

    def __post_init__(self) -> None:
        self.store = self.desk.store
        self.leases = Leases(self.shared.shelf, self.store) if self.shared is not None else None
        self.held: dict[str, Lease] = {}
        self.unpushed: set[str] = set()
        """Keys of takes that were bought and could not be pushed."""
        if self.shared is not None:
            self.desk.sharing = self

    # before anything is made

    async def begin(self) -> None:
        """Fetch every clip the film needs. Raises StoryError (exit 4) that lists those that are nowhere to be had.

        Where a person agreed to that, they are written off instead, and bought again as takes of their own.
        """
        if self.leases is not None:
            for key in await asyncio.to_thread(self.leases.left):
                await self._settle(key)
        wanted = [(name, take) for name, some in needs.takes_of(self.desk.plan).items() for take in some]
        pulled = await self._pull([(name, take) for name, take in wanted if not self._back(name, take)])
        if self.shared is not None and not self.shared.shelf.conditional:
            fact = f"{self.shared.url} has no conditional writes: two who buy a shot in the same second may both pay"
            self.desk.tell(Event("note", "", fact))
        for name, take in wanted:
            await self._see(name, take, drawn=take.clip in pulled)
            await self._found(name, take)
        lost = needs.missing(self.desk.loaded)
        options = self.desk.options
        # What is in flight is fetched before anything is said of what lacks besides.
        if any(not one.coming for one in lost) and not options.again and (options.spend or not self.desk.flights):
            raise needs.problems(self.desk.plan, lost, self.shared.shelf if self.shared is not None else None)
        seen: set[tuple[str, str, str]] = set()
        for one in lost:
            if one.coming or options.again:
                await self._write_off(one, seen)

    async def _write_off(self, one: needs.Missing, seen: set[tuple[str, str, str]]) -> None:
        """Count the takes of a shot no more. Each is lost for good only once another is there, so that a run that
        ends before (at its budget, say) leaves the rest to be asked about again."""
        gone = [take for take in one.takes if take.identity not in seen]
        seen.update(take.identity for take in gone)
        spare = max(0, len(gone) - one.buy - one.flying)
        for n, take in enumerate(gone):
            if n < spare:
                await self.desk.lose(one.shot, take)
            else:
                self.desk.mislay(one.shot, take)

    async def _found(self, name: str, take: Take) -> None:
        """A clip that was written off and never replaced came back: its take counts again."""
        lost = self.desk.lost.get(name, ())
        if self.store.has(take.clip) and any(other.identity == take.identity for other in lost):
            self.desk.lost[name] = tuple(other for other in lost if other.identity != take.identity)
            await self.desk.record(name, take)

    def _back(self, name: str, take: Take) -> bool:
        """Whether the clip of a take is here, or can be put right from its copy under its film name."""
        if self.store.has(take.clip):
            return True
        return any(self.store.sound(take.clip, copy) for copy in needs.copies(self.desk.loaded, name, take))

    async def _pull(self, some: list[tuple[str, Take]]) -> set[str]:
        """Fetch clips; the digests of those that came."""
        if self.shared is None:
            return set()
        shared = self.shared
        acts = [partial(pull_take, shared, name, take) for name, take in some]
        try:
            done = await asyncio.to_thread(together, shared, acts)
            for _ in self.desk.plan.pipeline.shot:  # a command may take what another one gave
                keys = dict.fromkeys(key for _, key, _ in needs.commands_of(self.desk.plan))
                made = await asyncio.to_thread(together, shared, [partial(pull_done, shared, key) for key in keys])
                done.add(made)
                if not made.files + made.there:
                    break
        except asyncio.CancelledError:
            shared.stop()
            raise
        for problem in done.problems:
            self.desk.tell(Event("note", "", problem.fact))
        if done.files:
            files = "1 file" if done.files == 1 else f"{done.files:,} files"
            fact = f"pulled {files}, {size_in_words(done.bytes)}, from {shared.url}"
            self.desk.tell(Event("note", "", fact))
        return {take.clip for _, take in some if self.store.has(take.clip)}

    async def _see(self, name: str, take: Take, *, drawn: bool) -> None:
        """Take frames that are missing here out of the clip again; ``drawn``: its contact strip as well."""
        contact = self.store.contact(take.clip)
        lacks = any(not self.store.picture(frame["digest"]).is_file() for frame in take.frames.values())
        if not self.store.has(take.clip) or not (lacks or (drawn and not contact.is_file())):
            return
        order = {
            "clip": str(self.store.path(take.clip)), "frames": sorted(take.frames), "first": None,
            "into": str(self.store.pictures), "contact": None if contact.is_file() else str(contact),
        }  # fmt: skip
        try:
            await self.desk.job(f"{name}: frames", "runner.media.receive:receive", order)
        except (StoryError, TaskFailed) as error:
            self.desk.tell(Event("note", name, f"its frames could not be taken out again: {error}"))

    async def bring(self, name: str, take: Take) -> None:
        """Fetch a clip that turns out to be needed only now. Raises StoryError (exit 4) where it is not to be had."""
        if self._back(name, take):
            return
        await self._pull([(name, take)])
        await self._see(name, take, drawn=True)
        shown = {shot for film in self.desk.plan.board.films for shot in film.shots}
        if name in shown and not self.store.has(take.clip):
            fact = f"the clip of take {take.take} ({take.clip[:12]}) was bought, and is not to be had here"
            raise StoryError.of(fact, "matchcut store pull, or run --buy-again", exit_code=4)

    # what others bought

    async def find(self, name: str, key: str) -> bool:
        """Whether somebody bought takes of a key; they are fetched, and written down as takes of this shot."""
        assert self.shared is not None
        shared, found = self.shared, False
        gone = (take for some in self.desk.lost.values() for take in some)
        known = {take.identity for take in (*self.desk.by_key.get(key, ()), *gone)}
        for take in await asyncio.to_thread(shared.takes, key):
            if take.identity in known:
                continue
            done = await asyncio.to_thread(pull_take, shared, name, take)
            if not self.store.has(take.clip):
                for fact in [*done.absent, *(problem.fact for problem in done.problems)]:
                    self.desk.tell(Event("note", name, fact))
                continue
            others = (*self.desk.takes.get(name, ()), *self.desk.lost.get(name, ()))
            taken = {other.take for other in others} | self.open(key)
            number = take.take if take.take not in taken else next(n for n in count(1) if n not in taken)
            mine = replace(take, take=number)
            await self._see(name, mine, drawn=True)
            await self.desk.record(name, mine)
            self.purse.spent += Decimal(mine.usd or "0")
            self.desk.tell(
                Event("note", name, f"take {number} was bought by somebody else, and came from {shared.url}")
            )
            found = True
        return found

    # one buyer at a time

    @asynccontextmanager
    async def leased(self, name: str, key: str) -> AsyncIterator[None]:
        """While the block runs nobody else who shares the store buys takes of a key. Raises StoryError (exit 4)."""
        self.held[key] = await self._taken(name, key)
        beat = asyncio.create_task(self._beat(name, key))
        try:
            yield
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat
            await self._settle(key)

    async def _taken(self, name: str, key: str) -> Lease:
        assert self.leases is not None
        began, said = self.clock.ticks(), False
        while True:
            now = self.clock.now()
            lease = await asyncio.to_thread(self.leases.take, key, now, force=self.desk.options.again)
            if lease.owner == self.leases.owner:
                return lease
            if lease.expires < now:
                fact = f"it is being bought by {lease.told()}, who has not been heard of lately: it may be paid for"
                remedy = "ask them to run again, which puts it into the store; or run --buy-again"
                raise StoryError.of(fact, remedy, exit_code=4)
            if self.clock.ticks() - began >= WAIT_S_MAX:
                fact = f"it is still being bought by {lease.told()}, after {WAIT_S_MAX:.0f} s (WAIT_S_MAX) of waiting"
                raise StoryError.of(fact, "run again later", exit_code=4)
            if not said:
                self.desk.tell(Event("note", name, f"is being bought by {lease.told()}: waiting for it"))
                said = True
            await self.clock.sleep(ASK_S)

    async def _beat(self, name: str, key: str) -> None:
        assert self.leases is not None
        while True:
            await self.clock.sleep(RENEW_S)
            try:
                self.held[key] = await asyncio.to_thread(self.leases.renew, self.held[key], self.clock.now())
            except StoryError as error:
                self.desk.tell(Event("note", name, error.problems[0].fact))

    async def sending(self, key: str) -> None:
        """From now on something may be paid for. Raises StoryError where somebody else has the lease."""
        assert self.leases is not None
        if key in self.held:
            self.held[key] = await asyncio.to_thread(self.leases.renew, self.held[key], self.clock.now(), sent=True)

    async def recorded(self, shot: str, take: Take) -> None:
        """Put a take there as soon as it is written down. A store that fails fails nothing here: it is told."""
        assert self.shared is not None
        if take.provider == OWN:
            return  # it was not bought, and lies in the project
        try:
            await asyncio.to_thread(push_take, self.shared, shot, take)
        except StoryError as error:
            self.unpushed.add(take.key)
            fact = f"take {take.take} is bought and kept here, and not in the shared store yet (`matchcut store push`)"
            self.desk.tell(Event("note", shot, f"{fact}: {error.problems[0].fact}"))

    def fetched(self, shot: str, clip: str) -> bool:
        """Fetch a clip that turned out damaged here, and was set aside. What goes wrong is told."""
        assert self.shared is not None
        try:
            self.shared.get_object(clip)
        except FileNotFoundError:
            return False
        except StoryError as error:
            self.desk.tell(Event("note", shot, error.problems[0].fact))
            return False
        fact = "its clip was damaged in the store, and was set aside in .matchcut/store/damaged"
        self.desk.tell(Event("note", shot, f"{fact}; pulled 1 file from {self.shared.url}"))
        return True

    async def give_back(self) -> None:
        """At the end: the leases of what has come to an end meanwhile."""
        if self.leases is not None:
            for key in await asyncio.to_thread(self.leases.left):
                await self._settle(key)

    async def _settle(self, key: str) -> None:
        """Give a lease back, once everything that was bought under it is where others find it."""
        assert self.leases is not None
        assert self.shared is not None
        if self.open(key):
            return
        try:
            for take in self.desk.by_key.get(key, ()):
                await asyncio.to_thread(push_take, self.shared, "", take)
            await asyncio.to_thread(self.leases.give_back, key)
            self.held.pop(key, None)
        except StoryError as error:
            if key not in self.unpushed:
                self.unpushed.add(key)
                self.desk.tell(Event("note", "", f"a lease could not be given back: {error.problems[0].fact}"))
