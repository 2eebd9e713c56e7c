"""A world for reruns: a paid project that is edited and run in any order, and a small model of what must come of it.

The model knows three things: which shots the storyboard has, what stands in the files of the project, read plainly, and
the rule by which a shot is made or not. Nothing of the planner is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from runner import journal
from runner.gather import JOURNAL
from runner.load import load
from runner.perform import perform
from runner.plan import Part
from runner.ports import Answer, Made, Order, ProviderError, Ticket
from runner.work import Outcome

from .market import Hands, Market, Shop, jumping

VERBS, PLACES, LOOKS = ("walks", "runs"), ("north", "south"), ("rain", "snow")
NAMES = ("0010", "0020", "0030", "0040", "0050")


@dataclass(frozen=True)
class Shot:
    """One shot as it is written. ``begins``: "" says nothing; ``who`` is its name, or a word that others have too."""

    name: str
    who: str
    verb: str = VERBS[0]
    place: str = PLACES[0]
    begins: str = ""
    ends: str = ""
    seconds: int = 1
    takes: int = 1
    review: bool = False
    hold: bool = False

    def line(self) -> str:
        said: dict[str, Any] = {"shot": self.name, "action": f"{self.who} {self.verb} {self.place}"}
        said |= {"from": self.begins} if self.begins else {}
        said |= {"to": self.ends} if self.ends else {}
        said |= {"duration": self.seconds} if self.seconds != 1 else {}
        said |= {"takes": self.takes} if self.takes != 1 else {}
        said |= {name: True for name in ("review", "hold") if getattr(self, name)}
        return f"- {json.dumps(said)}"


@dataclass(frozen=True)
class Board:
    """A storyboard: its shots in file order, and a value that all of them use."""

    shots: tuple[Shot, ...]
    look: str = LOOKS[0]

    def begins(self, shot: Shot) -> tuple[str, str] | None:
        """The shot and the frame that a shot begins on; None for a cut."""
        at = self.shots.index(shot)
        said = shot.begins or (self.shots[at - 1].name if at else "cut")
        return None if said == "cut" else _point(said)

    def ends(self, shot: Shot) -> tuple[str, str] | None:
        return _point(shot.ends) if shot.ends else None

    def parents(self, shot: Shot) -> list[str]:
        return [point[0] for point in (self.begins(shot), self.ends(shot)) if point is not None]

    def words(self, shot: Shot) -> str:
        return f"{shot.who} {shot.verb} {shot.place} {self.look}"

    def named(self, name: str) -> Shot:
        return next(shot for shot in self.shots if shot.name == name)

    def changed(self, name: str, **fields: Any) -> Board:
        return replace(self, shots=tuple(replace(s, **fields) if s.name == name else s for s in self.shots))

    def without(self, name: str) -> Board:
        """Without a shot. Those that named it begin on the shot before them, and end on nothing."""
        left = []
        for shot in self.shots:
            begins = "" if shot.begins.split("@")[0] == name else shot.begins
            ends = "" if shot.ends.split("@")[0] == name else shot.ends
            left += [replace(shot, begins=begins, ends=ends)] if shot.name != name else []
        return replace(self, shots=tuple(left))

    def part(self, part: Part) -> set[str]:
        """The names of the shots that a part is about."""
        every = {shot.name for shot in self.shots}
        found = set(part.only) or every
        ways = {shot.name: self.parents(shot) for shot in self.shots}
        if part.until:
            found &= _reached(part.until, ways)
        if part.start:
            found &= {name for name in every if part.start in _reached(name, ways)}
        return found


def _point(said: str) -> tuple[str, str]:
    name, _, frame = said.partition("@")
    return name, frame or "last"


def _reached(name: str, ways: dict[str, list[str]]) -> set[str]:
    return {name}.union(*(_reached(other, ways) for other in ways[name]))


def frame(clip: bytes, selector: str) -> str:
    """The digest of a frame of a clip. How a shot ends follows from its place alone, and from every other take's."""
    key, take, who, _, place, _ = clip.decode().split()
    said = f"{who} {place} {int(take) % 2}" if selector == "last" else f"{key} {take} {selector}"
    return hashlib.sha256(said.encode()).hexdigest()


class Reel(Hands):
    """Hands that take the frames of a clip as the model does."""

    def frame(self, clip: bytes, selector: str) -> str:
        return frame(clip, selector)


@dataclass
class Studio(Shop):
    """A shop whose clips say what was asked for, at a price a second."""

    def _usd(self, uuid: str) -> Decimal:
        return self.price * int(self.tasks[uuid].order.seconds)

    @property
    def total(self) -> Decimal:
        return sum((len(task.order.takes) * self._usd(task.uuid) for task in self.tasks.values()), Decimal(0))

    async def results(self, ticket: Ticket) -> AsyncIterator[Made | ProviderError]:
        async for item in super().results(ticket):
            yield replace(item, usd=self._usd(ticket.uuid)) if isinstance(item, Made) else item

    async def fetch(self, made: Made, into: Path) -> Path:
        place = await super().fetch(made, into)
        uuid, take = made.source.split("/")[-2:]
        order = self.tasks[uuid].order
        place.write_text(f"{order.key} {take} {order.request['positivePrompt']}\n", encoding="utf-8")
        return place


class Pencil:
    """Draws clips for nothing: each says what was asked for."""

    name = "animatic"

    async def submit(self, order: Order, uuid: str) -> Ticket:
        return Ticket(uuid, order)

    async def ask(self, uuid: str) -> Answer:
        raise AssertionError(f"nothing is asked about {uuid}: what is drawn is drawn here")

    async def results(self, ticket: Ticket) -> AsyncIterator[Made | ProviderError]:
        order = ticket.order
        for take in order.takes:
            said = f"{order.key} {take} {order.request['positivePrompt']}\n"
            yield Made(said, f"{ticket.uuid} {take}", response={"take": take})

    async def fetch(self, made: Made, into: Path) -> Path:
        (into / "clip.mp4").write_text(made.source, encoding="utf-8")
        return into / "clip.mp4"

    async def aclose(self) -> None:
        pass


@dataclass(frozen=True)
class Known:
    """A take, wherever it is written down."""

    key: str
    clip: str
    video: str
    number: int


@dataclass
class Facts:
    """What the files of a project say."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: list[Known] = field(default_factory=list)
    wanted: dict[str, dict[str, int]] = field(default_factory=dict)
    flights: list[journal.Submit] = field(default_factory=list)
    shown: dict[str, set[str]] = field(default_factory=dict)
    """The frames that are written down of each clip."""
    folder: Path = Path()

    def takes(self, shot: str) -> list[Known]:
        """The takes in a shot's file, by number."""
        found = (_known(take) for take in self.files.get(shot, {}).get("takes", []))
        return sorted(found, key=lambda take: take.number)

    def every(self) -> set[tuple[str, str, str]]:
        """Every take that is written down anywhere."""
        told = [take for shot in self.files for take in self.takes(shot)] + self.stored
        return {(take.key, take.clip, take.video) for take in told}

    def of(self, key: str) -> list[Known]:
        """The takes of a key, by number: as the takes files have it, where they have it."""
        found = {(t.clip, t.video): t for t in self.stored if t.key == key}
        found |= {(t.clip, t.video): t for shot in sorted(self.files) for t in self.takes(shot) if t.key == key}
        return sorted(found.values(), key=lambda take: take.number)

    def frames(self, clip: str) -> set[str]:
        """The frames that were taken out of a clip."""
        return self.shown.get(clip, set())

    def clip(self, digest: str) -> bytes:
        return (self.folder / ".matchcut" / "store" / "objects" / digest[:2] / digest).read_bytes()

    def flying(self, key: str) -> int:
        done = {(t.key, t.video) for t in self.stored}
        return sum(
            len([n for n in submit.takes if (key, f"{submit.uuid}-{n}") not in done])
            for submit in self.flights
            if submit.key == key
        )


def _known(take: dict[str, Any]) -> Known:
    return Known(take["key"], take["clip"], take.get("video_uuid", ""), take["take"])


def facts(folder: Path) -> Facts:
    """What the files of a project say, read plainly."""
    found = Facts(folder=folder)
    for path in sorted((folder / "storyboard.takes").glob("*.yaml")):
        found.files[path.stem] = yaml.safe_load(path.read_text(encoding="utf-8"))
        for take in found.files[path.stem].get("takes", []):
            found.shown.setdefault(take["clip"], set()).update(take["frames"])
    for path in sorted((folder / ".matchcut" / "store" / "takes").glob("*/*/*.json")):
        take = json.loads(path.read_bytes())
        if take["provider"] != "runware":
            continue
        found.stored.append(_known(take))
        found.shown.setdefault(take["clip"], set()).update(take["frames"])
    for path in (folder / ".matchcut" / "lanes" / "runware" / "storyboard").glob("*.json"):
        found.wanted[path.stem] = json.loads(path.read_bytes()).get("wanted", {})
    submits, _ = journal.read(folder / ".matchcut" / JOURNAL)
    found.flights = [s for s in submits if s.state not in journal.ENDED]
    return found


@dataclass(frozen=True)
class Foretold:
    """What the model says of a shot. ``buy`` takes at most; exactly so many if it is ``certain``."""

    state: str
    buy: int = 0
    certain: bool = True
    clip: str | None = None
    usable: bool = False
    stuck: bool = False
    """Whether nothing that follows from it can be made in this run."""
    left: bool = False
    asks: tuple[Any, ...] = ()
    """Words, seconds and frames; None for a frame that is not there yet."""


@dataclass
class Model:
    """What must come of a storyboard, from what its project's files say. ``keys``: which digest names what was asked."""

    keys: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def foretell(self, board: Board, known: Facts, part: Part, digests: dict[str, str | None]) -> dict[str, Foretold]:
        """Shot by shot. ``digests`` are the planner's: they must name the same thing always, and nothing else."""
        told: dict[str, Foretold] = {}
        scope = board.part(part)
        for shot in board.shots:
            said = self._foretold(board, shot, known, part, told, digests[shot.name])
            if said.buy and shot.name not in scope:
                said = replace(said, buy=0, certain=True, left=True, stuck=not said.usable)
            told[shot.name] = said
        return told

    def _foretold(
        self, board: Board, shot: Shot, known: Facts, part: Part, told: dict[str, Foretold], digest: str | None
    ) -> Foretold:
        points = {"first": board.begins(shot), "last": board.ends(shot)}
        frames: dict[str, str | None] = {}
        open_: list[Foretold] = []
        for end, point in points.items():
            if point is None:
                continue
            pinned = known.files.get(shot.name, {}).get("pinned") if end == "first" else None
            frames[end] = pinned or self._frame(known, told[point[0]], point[1])
            if frames[end] is None:
                open_.append(told[point[0]])
        asks = (board.words(shot), shot.seconds, *sorted(frames.items()))
        history = known.takes(shot.name)
        held = shot.hold or part.keep_stale
        if open_:
            assert digest is None, "a key of something that is not known yet"
            if history and held:
                return Foretold("stale", clip=_latest(known, shot.name), usable=True, asks=asks)
            if any(parent.stuck for parent in open_) and shot.name in board.part(part):
                return Foretold("blocked", stuck=True, asks=asks, clip=_latest(known, shot.name))
            late = [n - len(known.of(key)) for key, n in known.wanted.get(shot.name, {}).items()]
            most = max([shot.takes, *late])
            if history:
                old, stuck = _latest(known, shot.name), _gated(shot, known, None)
                return Foretold("stale", most, certain=False, clip=old, asks=asks, stuck=stuck)
            sure = most == shot.takes and not (held and any(f.shot == shot.name for f in known.flights))
            return Foretold("missing", most, certain=sure, asks=asks, stuck=_gated(shot, known, None))
        assert digest is not None, "no key for something that is known"
        assert self.keys.setdefault(asks, digest) == digest, "the same was asked under two keys"
        assert len(set(self.keys.values())) == len(self.keys), "one key for two things"
        return replace(self._settled(shot, known, digest, history, held=held), asks=asks)

    def _settled(self, shot: Shot, known: Facts, key: str, history: list[Known], *, held: bool) -> Foretold:
        mine = known.of(key)
        circle = known.files.get(shot.name, {}).get("circled", {}).get(key)
        clip = circle or (mine[0].clip if mine else None)
        by_hand = known.wanted.get(shot.name, {}).get(key, 0)
        want = max(shot.takes, by_hand)
        waits = shot.review and not circle
        if clip and (len(mine) >= want or (circle and not by_hand)):
            return Foretold("waiting" if waits else "current", clip=clip, usable=not waits, stuck=waits)
        if flying := known.flying(key):
            return Foretold("missing", max(0, want - len(mine) - flying), clip=clip, stuck=waits)
        if mine:
            return Foretold("missing", want - len(mine), clip=clip, usable=not waits, stuck=waits)
        old = circle or _latest(known, shot.name)
        if history and held:
            return Foretold("stale", clip=old, usable=True)
        state = "stale" if history else "missing"
        sure = bool(history) or not (held and any(f.shot == shot.name for f in known.flights))
        return Foretold(state, want, certain=sure, stuck=waits, clip=old)

    def _frame(self, known: Facts, parent: Foretold, selector: str) -> str | None:
        if not parent.usable or parent.clip is None or selector not in known.frames(parent.clip):
            return None
        return frame(known.clip(parent.clip), selector)


def _latest(known: Facts, shot: str) -> str | None:
    """The clip in use last: circled for the words of the newest take, or the first one made for them."""
    history = known.takes(shot)
    if not history:
        return None
    key = history[-1].key
    circle: str | None = known.files[shot].get("circled", {}).get(key)
    return circle or known.of(key)[0].clip


def _gated(shot: Shot, known: Facts, key: str | None) -> bool:
    """Whether a shot waits for a person for sure, once it has its takes."""
    circled = known.files.get(shot.name, {}).get("circled", {})
    return shot.review and not (circled if key is None else key in circled)


@dataclass
class World:
    """A project, its shop, and all that was ever seen in its files."""

    folder: Path
    board: Board = Board((Shot(NAMES[0], NAMES[0]), Shot(NAMES[1], NAMES[1])))
    model: Model = field(default_factory=Model)
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    """Take numbers by shot and video."""

    def __post_init__(self) -> None:
        more = 'prompt: "{{ shot.action }} {{ look }}"\nvalues: {look: ' + LOOKS[0] + "}\n"
        self.market = Market(self.folder, "", Studio(), more=more, hands=Reel())
        self.write(self.board)

    def write(self, board: Board) -> None:
        """Put a storyboard into the file."""
        self.board = board
        self.market.more = f'prompt: "{{{{ shot.action }}}} {{{{ look }}}}"\nvalues: {{look: {board.look}}}\n'
        self.market.write("\n".join(shot.line() for shot in board.shots))

    def rehearse(self) -> Outcome:
        """A run in which everything is drawn."""

        async def go() -> Outcome:
            loaded = load(self.market.file, provider="animatic")
            return await perform(loaded, Pencil(), self.market.hands)

        return jumping(go())

    def facts(self) -> Facts:
        return facts(self.folder)

    def film(self, folder: str = "out") -> bytes | None:
        path = self.folder / folder / "film.mp4"
        return path.read_bytes() if path.is_file() else None

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Every file but the journal's and the lock, with its time of change."""
        every = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return {
            str(path.relative_to(self.folder)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in every
            if not path.name.startswith(("journal", "lock"))
        }

    def bought(self) -> set[tuple[str, int]]:
        """Every take the shop was paid for. Raises AssertionError where one was paid for twice."""
        keys = self.market.shop.keys()
        assert len(set(keys)) == len(keys), "bought twice"
        return set(keys)

    def check_nothing_is_lost(self) -> Facts:
        """Every take that ever stood in a file stands in one; none has another number; circles name takes."""
        known = self.facts()
        every = known.every()
        assert self.seen <= every, "a take is lost"
        self.seen = every
        for shot, file in known.files.items():
            clips = {take.clip for take in known.takes(shot)}
            assert set(file.get("circled", {}).values()) <= clips, "a circle without its take"
            for take in known.takes(shot):
                assert self.numbers.setdefault((shot, take.video), take.number) == take.number, "renumbered"
            assert len({take.number for take in known.takes(shot)}) == len(known.takes(shot)), "a number twice"
        flying = {(flight.key, number) for flight in known.flights for number in flight.takes}
        there = {(key, int(video.rsplit("-", 1)[1])) for key, _, video in every}
        assert self.bought() <= there | flying, "paid for, and nowhere"
        assert there <= self.bought(), "a take that nobody sold"
        return known
