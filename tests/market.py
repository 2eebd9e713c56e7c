"""A pretend market for buying: a shop with a ledger and troubles, time that jumps, and hands that need no pictures.

The shop is the other side of ports.Provider. Everything that follows from chance follows from a seed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from runner.gather import JOURNAL
from runner.journal import Journal
from runner.load import Loaded, load
from runner.money import Budget, Purse
from runner.perform import perform
from runner.plan import WHOLE, Part
from runner.ports import Answer, Job, Made, Order, ProviderError, Ticket, Trouble
from runner.remote import SharedStore
from runner.store import LocalStore
from runner.work import Event, Options, Outcome

T = TypeVar("T")
BORN = 1_700_000_000.0
CARD = "tiny.json"

PIPELINE = """
pipeline: market
provider: runware
model: tiny.json
limits: {in_flight: IN_FLIGHT, per_minute: 10000}
shot:
  clip: {uses: generate}
  tail: {uses: frame, in: {clip: clip}}
film:
  cut: {uses: assemble}
  manifest: {uses: manifest}
"""


class Crash(SystemExit):
    """The process is gone. The loop lets this kind of exception through at once."""


class _Inline(ThreadPoolExecutor):
    """Runs what would go to a thread at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed on as a pool does
            done.set_exception(error)
        return done


class _Jumping(selectors.DefaultSelector):
    loop: JumpingLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout:
            self.loop.jumped += timeout
        return found


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when nothing else is to be done."""

    def __init__(self) -> None:
        self.jumped = 0.0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)
        self.set_default_executor(_Inline())

    def time(self) -> float:
        return self.jumped


@dataclass
class Clock:
    """The loop's own time, and a wall clock that may be off."""

    off: float = 0.0

    def now(self) -> float:
        return BORN + asyncio.get_running_loop().time() + self.off

    def ticks(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def jumping(work: Coroutine[Any, Any, T], start: float = 0.0, ended: Callable[[float], None] = lambda _: None) -> T:
    """Run something in time that jumps; ``ended`` is told the time at the end, however it ends."""
    loop = JumpingLoop()
    loop.jumped = start
    loop.set_exception_handler(lambda *_: None)  # what a crash leaves behind is nobody's to retrieve
    try:
        return loop.run_until_complete(work)
    finally:
        ended(loop.jumped)
        try:
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.wait(tasks))
        finally:
            loop.close()


class Hands:
    """Stands in for the executor: a clip is a line of text, its last frame follows from it."""

    def slots(self) -> int:
        return 4

    def frame(self, clip: bytes, selector: str) -> str:
        """The digest of a frame of a clip."""
        return _hash(clip + selector.encode())

    async def run(self, job: Job) -> dict[str, Any]:
        if job.fn.endswith(":receive"):
            return self._received(dict(job.args))
        if job.fn.endswith(":ready"):
            return {}
        clips = [Path(entry["clip"]).read_bytes() for entry in job.args["entries"]]
        Path(job.args["out"]).write_bytes(b"".join(clips))
        return {
            "digest": _hash(b"".join(clips)),
            "bytes": 1,
            "frames": len(clips),
            "duration": 1.0,
            "copied": True,
            "notes": [],
        }

    async def aclose(self) -> None:
        pass

    def _received(self, args: dict[str, Any]) -> dict[str, Any]:
        said = Path(args["clip"]).read_bytes()
        frames = {}
        for selector in ["first", "last", *args["frames"]]:
            digest = self.frame(said, selector)
            Path(args["into"], f"{digest}.png").write_bytes(b"a picture")
            frames[selector] = {"index": 0 if selector == "first" else 23, "time": 0.0, "digest": digest}
        if args.get("contacts"):
            (Path(args["contacts"]) / f"{_hash(said)}.jpg").write_bytes(b"a strip")
        probe = {
            "container": "MP4",
            "codec": "h264",
            "width": 64,
            "height": 64,
            "rate": "24/1",
            "frames": 24,
            "duration": 1.0,
        }
        return {
            "digest": _hash(said),
            "bytes": len(said),
            "probe": probe,
            "frames": frames,
            "inspect": {"findings": []},
        }


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Task:
    """One accepted task of the shop."""

    uuid: str
    order: Order
    at: float
    done: float
    fails: bool = False


@dataclass
class Shop:
    """Sells clips. ``rate`` is the share of calls in which something goes wrong, ``seed`` decides which."""

    seed: int = 0
    rate: float = 0.0
    kinds: tuple[str, ...] = ("refused", "unheard", "lost before", "lost after", "down", "rate", "not ready")
    making: float = 60.0
    price: Decimal = Decimal("0.10")
    tasks: dict[str, Task] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    """UUIDs in the order of submits that arrived, accepted or not."""
    watch: Callable[[Order, str], None] = lambda _, __: None
    fails: frozenset[str] = frozenset()
    forgets: bool = False
    """Whether it denies every task it knows."""
    most: int = 0
    troubles: dict[str, int] = field(default_factory=dict)
    name: str = "runware"

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    @property
    def total(self) -> Decimal:
        """What it has charged in all."""
        return sum((len(task.order.takes) * self.price for task in self.tasks.values() if not task.fails), Decimal(0))

    def keys(self) -> list[tuple[str, int]]:
        """Every take it was paid for, by key and number."""
        return sorted(
            (task.order.key, take) for task in self.tasks.values() if not task.fails for take in task.order.takes
        )

    def _trouble(self, uuid: str) -> str | None:
        """What goes wrong this time; at most five times for one task."""
        if self.chance.random() >= self.rate or self.troubles.get(uuid, 0) >= 5:
            return None
        self.troubles[uuid] = self.troubles.get(uuid, 0) + 1
        return self.chance.choice(self.kinds)

    async def submit(self, order: Order, uuid: str) -> Ticket:
        self.watch(order, uuid)
        await asyncio.sleep(0.05)
        trouble = self._trouble(uuid)
        if trouble == "lost before":
            raise _error("unclear", started=True)
        if trouble in ("down", "unheard"):
            raise _error("server")
        if trouble == "rate":
            raise _error("rate")
        self.heard.append(uuid)
        if uuid not in self.tasks:
            if trouble == "refused" or order.shot in self.fails:
                raise _error("validation")
            now = asyncio.get_running_loop().time()
            self.tasks[uuid] = Task(uuid, order, now, now + self.making * self.chance.uniform(0.5, 1.5))
            going = sum(task.done > now for task in self.tasks.values())
            self.most = max(self.most, going)
        if trouble == "lost after":
            raise _error("unclear", started=True)
        return Ticket(uuid, order)

    async def ask(self, uuid: str) -> Answer:
        await asyncio.sleep(0.05)
        if self._trouble(uuid) in ("down", "lost before", "rate"):
            raise _error("server")
        if self.forgets or uuid not in self.tasks:
            return Answer(known=False)
        return Answer()

    async def results(self, ticket: Ticket) -> AsyncIterator[Made | ProviderError]:
        task = self.tasks[ticket.uuid]
        await asyncio.sleep(max(0.0, task.done - asyncio.get_running_loop().time()))
        for take in task.order.takes:
            if task.fails:
                yield _error("provider", started=True)
            else:
                yield Made(f"https://x/{task.uuid}/{take}", f"{task.uuid}-{take}", take, self.price)

    async def fetch(self, made: Made, into: Path) -> Path:
        await asyncio.sleep(0.2)
        uuid, take = made.source.split("/")[-2:]
        if self._trouble(uuid) == "not ready":
            await asyncio.sleep(5)
        place = into / "clip.mp4"
        order = self.tasks[uuid].order
        place.write_bytes(f"{order.shot} {order.request['positivePrompt']} {take}".encode())
        return place

    async def aclose(self) -> None:
        pass


def _error(trouble: Trouble, *, started: bool = False) -> ProviderError:
    return ProviderError(f"the shop says {trouble}", trouble=trouble, started=started)


class Tripping(Journal):
    """A journal at whose nth commit the process dies: before it (n), or right after it (-n)."""

    trip = 0
    count = 0
    dead = False

    def _commit(self, batch: list[tuple[str, tuple[Any, ...]]]) -> None:
        if self.dead:
            raise asyncio.CancelledError
        self.count += 1
        self.dead = self.count == abs(self.trip)
        if self.trip > 0 and self.count == self.trip:
            raise Crash
        super()._commit(batch)
        if self.trip < 0 and self.count == -self.trip:
            raise Crash


@dataclass
class Market:
    """A project whose shots are bought at a shop."""

    folder: Path
    shots: str
    shop: Shop = field(default_factory=Shop)
    in_flight: int = 3
    now: float = 0.0
    events: list[Event] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    place: str = ""
    more: str = ""
    """More lines at the head of the storyboard."""
    shared: Callable[[LocalStore], SharedStore | None] = lambda _: None
    hands: Hands = field(default_factory=Hands)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        card = Path(__file__).parent / "server" / "cards" / CARD
        (self.folder / CARD).write_bytes(card.read_bytes())
        (self.folder / "market.yaml").write_text(PIPELINE.replace("IN_FLIGHT", str(self.in_flight)), encoding="utf-8")
        self.write(self.shots)

    @property
    def file(self) -> Path:
        return self.folder / "storyboard.yaml"

    def write(self, shots: str) -> None:
        self.shots = shots
        head = "storyboard: market\npipeline: market.yaml\naspect: '1:1'\ndefaults: {duration: 1}\n" + self.more
        body = "\n".join(f"      {line}" for line in shots.strip().splitlines())
        self.file.write_text(f'{head}scenes:\n  - scene: "010"\n    shots:\n{body}\n', encoding="utf-8")

    def run(
        self, *, budget: str | None = None, trip: int = 0, options: Options | None = None, variant: str | None = None,
        part: Part = WHOLE, begin: Callable[[Loaded], None] = lambda _: None,
    ) -> Outcome:  # fmt: skip
        """One run. ``trip``: see Tripping. ``begin`` is told what is about to be run."""
        going = self.going(budget=budget, trip=trip, options=options, variant=variant, part=part, begin=begin)
        return jumping(going, self.now, lambda now: setattr(self, "now", now))

    async def going(
        self, *, budget: str | None = None, trip: int = 0, options: Options | None = None, variant: str | None = None,
        part: Part = WHOLE, begin: Callable[[Loaded], None] = lambda _: None,
    ) -> Outcome:  # fmt: skip
        """The same in a loop that somebody else runs."""
        loaded = load(self.file, variant=variant, part=part)
        begin(loaded)
        store = loaded.project.store
        store.make()
        journal = Tripping(store.root / JOURNAL)
        journal.trip = trip
        purse = Purse(None if budget is None else Budget(Decimal(budget)), loaded.plan.facts.spent)
        for submit in journal.open(board=loaded.project.stem):
            purse.hold(submit, journal.results(submit.uuid))
        self.shop.watch = lambda _, uuid: self._known(journal, uuid)
        try:
            return await perform(
                loaded, self.shop, self.hands, journal=journal, purse=purse, clock=self.clock, options=options,
                place=self.place, shared=self.shared(store), tell=self.events.append,
            )  # fmt: skip
        finally:
            journal.close()

    def _known(self, journal: Journal, uuid: str) -> None:
        assert any(submit.uuid == uuid for submit in journal.submits()), "a submit without a journal entry"

    def takes(self) -> dict[str, list[int]]:
        """Take numbers in the takes files, by shot."""
        found: dict[str, list[int]] = {}
        for path in sorted((self.folder / "storyboard.takes").glob("*.yaml")):
            from runner.document import read

            found[path.stem] = [take["take"] for take in read(path).data.get("takes", [])]
        return found

    def films(self) -> dict[str, str]:
        return {path.name: _hash(path.read_bytes()) for path in sorted((self.folder / "out").glob("film*"))}

    def record(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.folder / "out" / "manifest.json").read_text(encoding="utf-8"))
        return data
