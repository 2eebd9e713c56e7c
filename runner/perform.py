"""Carries out a plan: every shot as soon as what it begins on is there, then the film."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import finish, takes
from .brief import Brief, settings_of
from .buying import FAILURES, Buyer, Patience, Stop
from .clock import RealClock
from .errors import Problem, StoryError
from .facts import Done, Fit
from .journal import Journal
from .kinds import exec, frame, inspect  # noqa: A004
from .load import Gallery, Loaded
from .money import Purse
from .pipeline import Step
from .placing import Placing
from .plan import Decision, End, State, decide, exec_key, lacking, product_of
from .ports import Clock, Executor, Made, Order, Provider, ProviderError, TaskFailed, Ticket, WorkerLost
from .providers.animatic.version import task_uuid
from .receiving import receive
from .remote import SharedStore
from .sharing import Share
from .store import probe, told
from .takes import Take
from .work import Desk, Event, Options, Outcome, Unknown, What

TAKES_A_SUBMIT_MAX = 4


async def perform(
    loaded: Loaded,
    provider: Provider,
    executor: Executor,
    *,
    journal: Journal | None = None,
    purse: Purse | None = None,
    clock: Clock | None = None,
    options: Options | None = None,
    patience: Patience | None = None,
    place: str = "",
    stop: Stop | None = None,
    shared: SharedStore | None = None,
    tell: Callable[[Event], None] = lambda _: None,
) -> Outcome:
    """Make what a plan lacks. The project's lock must be held. A paid provider needs a journal and a purse.

    ``shared``: where others find what is bought here, and what they bought is found.

    Raises StoryError where nothing can be begun (a command that is not trusted, a folder that cannot be written).
    What fails for one shot stops what follows from it and nothing else.
    """
    desk = Desk(loaded, executor, options or Options(), tell)
    run = _Run(desk, provider)
    if not desk.plan.lane.draws:
        assert journal is not None, "BUG: nothing is bought without a journal"
        assert purse is not None, "BUG: nothing is bought without a purse"
        costs = (desk.plan.cost(shot) for shot in desk.plan.order)
        purse.whole = sum((cost for cost in costs if cost is not None), purse.spent + purse.held)
        patience = patience or Patience()
        run.buyer = Buyer(
            desk, provider, journal, purse, clock or RealClock(), run.places, patience, place, stop or Stop()
        )
        run.share = Share(desk, shared, clock or RealClock(), purse, journal.numbers)
    return await run.all()


@dataclass
class _Run:
    desk: Desk
    provider: Provider
    buyer: Buyer | None = None
    share: Share | None = None

    def __post_init__(self) -> None:
        self.plan, self.store, self.tell = self.desk.plan, self.desk.store, self.desk.tell
        self.decisions, self.takes = self.desk.decisions, self.desk.takes
        self.by_key, self.done = self.desk.by_key, self.desk.done
        self.placing = Placing(self.desk)
        self.alone: dict[str, asyncio.Lock] = {}
        self.ended = {name: asyncio.Event() for name in self.plan.order}
        self.places = asyncio.Semaphore(self._in_flight())

    def _in_flight(self) -> int:
        return self.desk.executor.slots() if self.plan.lane.draws else self.plan.pipeline.limits.in_flight

    async def all(self) -> Outcome:
        self._consent()
        self.store.sweep()
        self.store.make()
        if self.share is not None:
            await self.share.begin()
        self._recordable()
        async with asyncio.TaskGroup() as group:
            if self.buyer is not None:
                self.buyer.recover(group)
                if self.plan.work:
                    group.create_task(self._warm())
            for name in self.plan.order:
                group.create_task(self._shot(name))
        if self.share is not None:
            await self.share.give_back()
        self._know()
        return await finish.finish(self.desk, self.placing)

    def _know(self) -> None:
        """Shots that ask for the very same know of each other's takes at the end, whichever of them had them made."""
        for name, mine in self.takes.items():
            keys = dict.fromkeys(take.key for take in mine)
            every = (sorted(self.by_key.get(key, ()), key=lambda take: take.take) for key in keys)
            self.takes[name] = tuple(take for takes in every for take in takes)

    def _recordable(self) -> None:
        """Raises StoryError, before anything is sent, where what is bought could not be written down."""
        desk = self.desk
        due = [name for name in self.plan.order if self.decisions.get(name, self.plan.decisions[name]).buy]
        due += [name for name, _ in desk.mislaid]
        bought = [name for name in due if self.plan.briefs[name].footage is None]
        if self.buyer is None or not desk.options.spend or not bought:
            return
        place = takes.path(desk.loaded.project.file, bought[0])
        try:
            with told(place):
                probe(place)
        except StoryError as error:
            raise StoryError(
                [replace(p, fact=f"{p.fact}; nothing was bought") for p in error.problems], exit_code=1
            ) from None

    async def _warm(self) -> None:
        """Start the processes that look at clips while the first ones are still being made."""
        slots = range(self.desk.executor.slots())
        with suppress(WorkerLost, TaskFailed):  # what is wrong there is told by the first clip
            await asyncio.gather(*(self.desk.job(f"slot {n}", "runner.media.receive:ready", {}) for n in slots))

    def _consent(self) -> None:
        """Commands run only if a person trusts them as they are now."""
        problems = []
        for step in (*self.plan.pipeline.shot, *self.plan.pipeline.film):
            if step.kind == "exec" and not self.desk.options.trusted(
                exec.consent(step.settings, self.desk.facts.files)
            ):
                place = self.plan.pipeline.document.place((*step.route, "with", "argv"))
                command = " ".join(step.settings["argv"])
                problems.append(
                    Problem(f'step "{step.name}" runs a command: {command}', "--trust, once you have read it", place)
                )
        if problems:
            raise StoryError(problems, exit_code=4)

    # one shot

    async def _shot(self, name: str) -> None:
        try:
            for parent in self.plan.board.by_id[name].parents:
                await self.ended[parent].wait()
            if self.buyer is not None:
                await self.buyer.settled(name)
            await self._take_out_frames(name)
            self.decisions[name] = await self._make(name)
        except FAILURES as error:
            self.decisions[name] = self._failed(name, error)
        finally:
            self.ended[name].set()
        decision = self.decisions[name]
        if not decision.left:
            what: What = "done" if decision.state in ("current", "stale") else decision.state  # type: ignore[assignment]
            # Why it is not bought stands in a problem at the end, with its way out: that is told once.
            told = what == "blocked" and name in self.desk.told
            self.tell(Event(what, name, "" if told else decision.reason))
        with suppress(StoryError):  # what the disk refuses is told at the end, where it is tried again
            await asyncio.to_thread(self.placing.shot, name)

    def _failed(self, name: str, error: Exception) -> Decision:
        before = self.plan.decisions[name]
        state: State = "failed"
        if isinstance(error, Unknown):
            state = "unknown"
        elif isinstance(error, StoryError) and error.exit_code == 4:
            state = "blocked"
        return replace(before, state=state, reason=self.desk.fail(name, error), take=None, kept=False)

    async def _make(self, name: str) -> Decision:
        decision = decide(self.plan, name, self.decisions, self.desk.facts)
        if decision.left:
            return decision
        if decision.state == "blocked":
            if lacking(decision, self.decisions):
                self.desk.fail(name, StoryError.of(decision.reason, f"--until {name}", exit_code=1))
            return replace(decision, take=None)
        ends = [end for end in (decision.first, decision.last) if end is not None and end.unknown]
        if ends:
            if decision.kept:
                return decision
            reason = "; ".join(dict.fromkeys(str(end.unknown) for end in ends))
            return replace(decision, state="blocked", reason=reason, take=None)
        own = self.plan.board.by_id[name].clip
        if decision.buy:
            await self._one_at_a_time(name, decision)
            decision = decide(self.plan, name, self.decisions, self.desk.facts)
        elif decision.take is not None and decision.key is not None and (self.plan.lane.draws or own is not None):
            self._note(name, decision.take.key)
        if decision.take is not None:
            await self.desk.adopt(name, decision.take)
        if self.share is not None and decision.take is not None and (decision.usable or decision.state == "waiting"):
            await self.share.bring(name, decision.take)
        if own is not None and decision.state == "current":
            await asyncio.to_thread(self.desk.loaded.footage.remember, own)
        if decision.take is not None and decision.state in ("current", "waiting"):
            await self._local_steps(name, decision.take)
            decision = decide(self.plan, name, self.decisions, self.desk.facts)
            self._stop_if_told(name, decision)
        return decision

    def _note(self, name: str, key: str) -> None:
        """A shot that finds its take under a key it had before (or another shot has) notes that it is its own now."""
        if not self.takes.get(name) or self.takes[name][-1].key != key:
            lane = self.plan.lane.provider
            self.store.note(lane, self.desk.loaded.project.notebook, name, key=key)
            mine = tuple(self.by_key.get(key, ()))
            self.takes[name] = (*(t for t in self.takes.get(name, ()) if t.key != key), *mine)

    async def _one_at_a_time(self, name: str, decision: Decision) -> None:
        """Shots that ask for the very same share their takes: one has them made, the others wait and find them."""
        assert decision.key is not None
        key = decision.key
        async with self.alone.setdefault(key.digest, asyncio.Lock()):
            if self.buyer is not None:
                await self.buyer.settled(key.digest)
            decision = decide(self.plan, name, self.decisions, self.desk.facts)
            made = self.plan.briefs[name].footage is None  # own footage is nobody's to buy
            if decision.buy and made and self.share is not None and self.share.shared is not None:
                await self._shared(name, key.digest)
            elif decision.buy:
                await self._generate(name, decision)

    async def _shared(self, name: str, key: str) -> None:
        """Buy what nobody else bought, while nobody else buys it."""
        assert self.share is not None
        await self.share.find(name, key)
        decision = decide(self.plan, name, self.decisions, self.desk.facts)
        if not decision.buy:
            return
        if not self.desk.options.spend:
            await self._generate(name, decision)
            return
        async with self.share.leased(name, key):
            await self.share.find(name, key)
            decision = decide(self.plan, name, self.decisions, self.desk.facts)
            if decision.buy:
                await self._generate(name, decision)

    async def _generate(self, name: str, decision: Decision) -> None:
        assert decision.key is not None
        brief = self.plan.briefs[name]
        if brief.footage is not None:
            self.tell(Event("begun", name, decision.reason))
            await receive(self.desk, brief, brief.footage)
            return
        have = {take.take for take in self.takes.get(name, ()) if take.key == decision.key.digest}
        have |= {take.take for take in self.by_key.get(decision.key.digest, ())}
        if self.buyer is not None:  # what is bought has its number in the shot's file, whatever its key
            have |= {take.take for take in (*self.takes.get(name, ()), *self.desk.lost.get(name, ()))}
            have |= self.buyer.numbers(decision.key.digest)
        numbers = [n for n in range(1, decision.buy + len(have) + 1) if n not in have][: decision.buy]
        first, last = self._file(brief, decision.first), self._file(brief, decision.last)
        async with self.places:
            self.tell(Event("begun", name, decision.reason))
            for some in _submits(numbers):
                order = Order(
                    name, decision.key.digest, brief.request, some, first, last, brief.seconds, brief.card.fps,
                    brief.slate, _refs(decision),
                )  # fmt: skip
                await self._have_made(brief, decision, order)

    async def _have_made(self, brief: Brief, decision: Decision, order: Order) -> None:
        if self.buyer is not None:
            if not self.desk.options.spend:
                raise StoryError.of(
                    f"{len(order.takes)} to buy, and nothing is to be spent", "run without --no-spend", exit_code=4
                )
            await self.buyer.buy(brief, decision, order)
            return
        ticket = await self.provider.submit(order, task_uuid(order.key))
        left = list(order.takes)
        async for made in self.provider.results(ticket):
            if isinstance(made, ProviderError):
                raise made
            await self._draw(brief, decision, ticket, made, left.pop(0))

    def _file(self, brief: Brief, end: End | None) -> Path | None:
        """The PNG of the frame at one end of a shot; None for a cut, or for a picture that only the provider has."""
        if end is None or end.pixels is None:
            return None
        path = self.store.picture(end.pixels)
        if not path.is_file() and end.path is not None:
            self.store.write(path, _pixels(self.desk.loaded.pictures, brief, end))
        if not path.is_file():
            raise StoryError.of(
                f"the picture {end.pixels[:12]} is missing from the store", "make its shot again", exit_code=1
            )
        return path

    async def _draw(self, brief: Brief, decision: Decision, ticket: Ticket, made: Made, number: int) -> None:
        """Look at a drawn clip once, keep it, write it down."""
        assert decision.key is not None
        shot = brief.shot.id
        asked = {"width": brief.width, "height": brief.height, "seconds": brief.seconds, "fps": brief.card.fps}
        with self.store.scratch() as into:
            clip = await self.provider.fetch(made, into)
            got = await self.desk.receive(shot, number, clip, ticket.order, asked)
            await self.desk.keep_clip(clip, got)
        take = Take(
            take=number, key=decision.key.digest, clip=got["digest"], provider=self.plan.lane.maker,
            model=brief.card.id, parts=decision.key.parts, words=brief.words.used, bytes=got["bytes"],
            frames=got["frames"], probe=got["probe"], inspect=got["inspect"], task_uuid=ticket.uuid,
            video_uuid=made.video_uuid, seed=made.seed, response=made.response,
        )  # fmt: skip
        await self.desk.record(shot, take)
        self.desk.made += 1
        self.tell(Event("made", shot, take=take.take))

    async def _take_out_frames(self, name: str) -> None:
        """Frames inside a parent's clip that nobody wanted before: they are taken out now, once."""
        shot = self.plan.board.by_id[name]
        for point in (shot.begins, shot.ends):
            if point is None or point.shot is None:
                continue
            decision = self.decisions[point.shot]
            if decision.usable and decision.take is not None:
                await self._freeze(point.shot, self.plan.pipeline.handed, decision.take, point.frame)

    async def _freeze(self, shot: str, step: str, take: Take, selector: str) -> None:
        product = product_of(self.plan, step, shot, take, self.desk.facts)
        if product is None or selector in product.frames:
            return
        got = await self._look(shot, product.clip, {selector}, None)
        frames = {**product.frames, selector: got["frames"][selector]}
        if product.clip == take.clip:
            new = replace(take, frames=frames)
            self.takes[shot] = tuple(new if t == take else t for t in self.takes.get(shot, ()))
            self.by_key[take.key] = tuple(new if t == take else t for t in self.by_key.get(take.key, ()))
            await self.desk.record(shot, new)
            decision = self.decisions.get(shot)
            if decision is not None and decision.take == take:
                self.decisions[shot] = replace(decision, take=new)
            return
        for key, done in list(self.done.items()):
            for output, digest in done.outputs.items():
                if digest == product.clip:
                    receipt = {**done.receipts.get(output, {}), "frames": frames}
                    self.done[key] = replace(done, receipts={**done.receipts, output: receipt})
                    self.store.finish(self.done[key])

    async def _look(self, shot: str, clip: str, selectors: set[str], first: Path | None) -> dict[str, Any]:
        if not self.store.has(clip):
            fact = f"the clip of {shot} was bought, and is not on this machine"
            raise StoryError.of(fact, "bring back .matchcut from where it was bought", exit_code=1)
        order = {
            "clip": str(self.store.path(clip)), "frames": sorted(selectors), "first": str(first) if first else None,
            "into": str(self.store.pictures), "contacts": str(self.store.contacts),
        }  # fmt: skip
        return await self.desk.job(f"{shot}: frames", "runner.media.receive:receive", order)

    async def _local_steps(self, name: str, take: Take) -> None:
        """Commands of the pipeline, and frames its steps want; what has a result already is not done again."""
        for step in self.plan.pipeline.shot:
            if step.kind == "exec":
                await self._command(name, step, take)
            elif step.kind == "frame":
                selector = frame.request(settings_of(step, self.plan.board.by_id[name]))
                current = next((t for t in self.takes.get(name, ()) if (t.key, t.take) == (take.key, take.take)), take)
                await self._freeze(name, step.name, current, selector)

    async def _command(self, name: str, step: Step, take: Take) -> None:
        key = exec_key(self.plan, step, name, take, self.desk.facts)
        if key is None or self.done.get(key) is not None:
            return
        self.tell(Event("begun", name, step.name))
        inputs: dict[str, str] = {}
        for wanted, giver in step.inputs.items():
            product = product_of(self.plan, giver, name, take, self.desk.facts)
            assert product is not None
            inputs[wanted] = product.clip
        settings = settings_of(step, self.plan.board.by_id[name])
        decision = decide(self.plan, name, self.decisions, self.desk.facts)
        first = decision.first.pixels if decision.first else None
        outputs = await self.desk.command(f"{name}.{step.name}", settings, inputs)
        receipts: dict[str, Any] = {}
        for output, digest in outputs.items():
            sent = self.store.picture(first) if first else None
            got = await self._look(name, digest, self.plan.selectors(name), sent if sent and sent.is_file() else None)
            receipts[output] = {part: got[part] for part in ("probe", "frames", "inspect")}
        done = Done(key, outputs, receipts)
        self.store.finish(done)
        self.done[key] = done

    def _stop_if_told(self, name: str, decision: Decision) -> None:
        """A finding of level error fails the shot where the pipeline's inspect step says so."""
        take = decision.take
        for step in self.plan.pipeline.shot:
            if step.kind != "inspect" or take is None:
                continue
            settings = settings_of(step, self.plan.board.by_id[name])
            _, stop = inspect.request(settings, depth=self.plan.briefs[name].depth)
            giver = step.inputs.get("clip", self.plan.pipeline.generate)
            product = product_of(self.plan, giver, name, take, self.desk.facts)
            findings = (product.inspect.get("findings") or []) if product else []
            errors = [finding["fact"] for finding in findings if finding["level"] == "error"]
            if stop and errors:
                raise StoryError.of(
                    "; ".join(errors), "stop: false in the inspect step, or `matchcut retake`", exit_code=1
                )


def _refs(decision: Decision) -> dict[str, str]:
    ends = {"first": decision.first, "last": decision.last}
    return {name: end.ref for name, end in ends.items() if end is not None and end.ref is not None}


def _submits(numbers: list[int]) -> Iterator[tuple[int, ...]]:
    for at in range(0, len(numbers), TAKES_A_SUBMIT_MAX):
        yield tuple(numbers[at : at + TAKES_A_SUBMIT_MAX])


def _pixels(pictures: Gallery, brief: Brief, end: End) -> bytes:
    from .media import picture

    assert end.path is not None
    rgb = pictures.pixels(end.path)
    if picture.digest(rgb) != end.pixels:
        fit: Fit = brief.shot.fit or "crop"
        rgb = picture.fit(rgb, brief.width, brief.height, fit)
    return picture.png(rgb)
