"""Buying: takes from a paid provider, each exactly once, whatever crashes whenever."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from . import key as keys
from .brief import DELIVERED, Brief, delivered, unsigned
from .errors import StoryError
from .facts import Flight
from .journal import Journal, Result, Submit
from .money import Purse
from .plan import Decision
from .ports import Clock, Made, Order, Provider, ProviderError, Slate, TaskFailed, Ticket, WorkerLost
from .store import copy
from .takes import Take
from .work import Desk, Event, Unknown

FAILURES = (ProviderError, StoryError, TaskFailed, WorkerLost, TimeoutError, Unknown)
"""What fails a shot and nothing else."""
FETCHES_MAX = 5
"""How often a clip that turns out damaged is fetched again."""
NOTE_S = 30.0
"""The same trouble of the service is told once in so many seconds, however many shots meet it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How a submit of unclear outcome is cleared up. Seconds; the defaults are for the real service."""

    resend_s_max: float = 600.0
    """How long after it was first sent it is sent again by itself, under the same UUID."""
    empty_min: int = 3
    register_s: float = 6.0
    """A provider that says nothing of a task so often, over so long, has not registered it."""
    ask_s: float = 2.0
    pause_s_max: float = 60.0


@dataclass
class Stop:
    """How a run is asked to stop: nothing more is begun; what is on its way to the provider is heard out."""

    asked: bool = False
    _sending: int = 0
    _quiet: asyncio.Event = field(default_factory=asyncio.Event)

    async def quiet(self) -> None:
        """Wait until nothing is on its way."""
        while self._sending:
            self._quiet.clear()
            await self._quiet.wait()

    @contextmanager
    def sending(self) -> Iterator[None]:
        self._sending += 1
        try:
            yield
        finally:
            self._sending -= 1
            self._quiet.set()

    async def gate(self) -> None:
        """Pass, or wait for the end of the run."""
        if self.asked:
            await asyncio.Event().wait()


@dataclass
class Buyer:
    """Everything between a decision to buy and the take in its file. One for each run."""

    desk: Desk
    provider: Provider
    journal: Journal
    purse: Purse
    clock: Clock
    places: asyncio.Semaphore
    patience: Patience = field(default_factory=Patience)
    place: str = ""
    """Where the provider is asked, if not at its usual address: what was bought elsewhere is not asked for here."""
    stop: Stop = field(default_factory=Stop)
    recovering: dict[str, list[asyncio.Task[None]]] = field(default_factory=dict)
    """What an earlier run left, by shot and by key."""
    _told: dict[str, float] = field(default_factory=dict)

    # what an earlier run left

    def recover(self, group: asyncio.TaskGroup) -> None:
        """Take up every submit that has not ended, before anything is decided for its shot or its key."""
        for submit in self.journal.open(board=self.desk.stem):
            if self._foreign(submit) and submit.request.get("place", self.place) != self.place:
                continue  # the run of its own variant asks where it was bought
            task = group.create_task(self._recover(submit))
            for name in (submit.shot, submit.key):
                self.recovering.setdefault(name, []).append(task)

    async def settled(self, name: str) -> None:
        """Wait until what is in flight for a shot, or for a key, has come to an end."""
        await asyncio.gather(*self.recovering.get(name, ()))

    def numbers(self, key: str) -> set[int]:
        """The take numbers of a key that are spoken for by what has not ended."""
        return self.journal.numbers(key)

    def _foreign(self, submit: Submit) -> bool:
        """Whether it was bought for another variant than this run makes."""
        return submit.request.get("variant") not in (None, self.desk.variant) and self.desk.variant is not None

    async def _recover(self, submit: Submit) -> None:
        try:
            async with self.places:
                await self._take_up(submit)
        except FAILURES as error:
            if self._foreign(submit):
                text = f"bought for {submit.request['variant']}: {error}".splitlines()[0]
                self.desk.tell(Event("note", submit.shot, text))
            else:
                self.desk.fail(submit.shot, error)

    async def _take_up(self, submit: Submit) -> None:
        place = submit.request.get("place", self.place)
        if submit.state == "intended":
            await self.journal.became(submit.uuid, "failed", "never sent")
            self._released(submit)
            return
        if place != self.place:
            fact = f"it was bought from {place or 'the service itself'}, and this run asks {self.place or 'that one'}"
            raise StoryError.of(fact, "the address it was bought at, in MATCHCUT_RUNWARE_URL or `url:`", exit_code=1)
        if submit.state == "unknown" and not (await self.provider.ask(submit.uuid)).known:
            return  # it stays so until a person decides
        self.desk.tell(Event("begun", submit.shot, "bought by an earlier run"))
        if _body(submit.request, submit.takes) != submit.body:
            await self._unknown(submit, "its request cannot be built again as it was sent")
        order = self._order(submit)
        if submit.state == "unknown":
            await self.journal.became(submit.uuid, "accepted")
            self.desk.flying(submit.shot, _flight(submit))
        elif submit.state == "sent":
            await self._clear_up(submit, order)
        await self._collect(submit, order, await self._seen(submit, order))

    def _order(self, submit: Submit) -> Order:
        said = submit.request
        first, last = (said["ends"].get(name) for name in ("first", "last"))
        brief = self.desk.plan.briefs.get(submit.shot)
        now = {name: brief.request[name] for name in DELIVERED if brief is not None and name in brief.request}
        return Order(
            submit.shot, submit.key, delivered({**said["request"], **now}, submit.shot), submit.takes,
            self.desk.store.picture(first) if first else None, self.desk.store.picture(last) if last else None,
            said["seconds"], said["fps"], Slate.from_json(said["slate"]), said["refs"],
        )  # fmt: skip

    # buying

    async def buy(self, brief: Brief, decision: Decision, order: Order) -> None:
        """Buy the takes of an order: reserve, write down, submit, collect. Raises what the shot fails with."""
        assert decision.key is not None
        if self.desk.sharing is not None:
            await self.desk.sharing.sending(order.key)
        estimate = brief.card.cost({**brief.request, "numberResults": len(order.takes)})
        name = str(uuid.uuid4())
        self.purse.reserve(name, estimate)
        said = {
            "request": unsigned(brief.request), "seconds": order.seconds, "fps": order.fps,
            "slate": order.slate.as_json(), "refs": dict(order.refs), "words": dict(brief.words.used),
            "parts": decision.key.parts,
            "ends": {n: p.stem for n, p in (("first", order.first), ("last", order.last)) if p is not None},
            "place": self.place, **({"variant": self.desk.variant} if self.desk.variant else {}),
        }  # fmt: skip
        submit = Submit(
            name, self.desk.plan.lane.provider, self.desk.stem, order.shot, order.key, order.takes, brief.card.id, said,
            _body(said, order.takes), estimate, "sent", self.clock.now(),
        )  # fmt: skip
        await self.stop.gate()
        with self.stop.sending():
            try:
                await self.journal.intend(submit)
            except BaseException:
                self.purse.release(name)
                raise
            order = replace(order, request=delivered(order.request, order.shot))
            failure = await self._send(submit, order)
        await self._submit(submit, order, failure)
        await self._collect(submit, order, {})

    async def _send(self, submit: Submit, order: Order) -> ProviderError | None:
        """One attempt, and what it came to, written down unless that is unclear."""
        try:
            await self.provider.submit(order, submit.uuid)
        except ProviderError as error:
            if error.trouble != "unclear" and not error.started and error.trouble in ("rate", "server"):
                # Nothing of it is under way now: should the run end here, there is nothing to ask about.
                await self.journal.became(submit.uuid, "intended", error.fact)
            return error
        await self.journal.became(submit.uuid, "accepted")
        return None

    async def _submit(self, submit: Submit, order: Order, failure: ProviderError | None) -> None:
        """Send again until the provider has clearly accepted or refused. ``failure``: what came of the first time."""
        pause = 1.0
        while failure is not None:
            if failure.trouble == "unclear" or failure.started:
                await self._clear_up(submit, order)
                return
            if failure.trouble not in ("rate", "server"):
                await self._refused(submit, failure)
                raise failure
            wait = max(pause, failure.retry_after or 0.0)
            self._note(submit.shot, failure.fact, f"trying again in {wait:.0f} s")
            await self.clock.sleep(wait)
            pause = min(pause * 2, self.patience.pause_s_max)
            await self.stop.gate()
            with self.stop.sending():
                submit = replace(submit, sent_at=self.clock.now())
                await self.journal.resent(submit.uuid, submit.sent_at)
                failure = await self._send(submit, order)

    def _note(self, shot: str, fact: str, what: str) -> None:
        now = self.clock.ticks()
        if now - self._told.get(fact, -NOTE_S) >= NOTE_S:
            self._told[fact] = now
            self.desk.tell(Event("note", shot, f"{fact}; {what}"))

    async def _refused(self, submit: Submit, error: ProviderError) -> None:
        await self.journal.became(submit.uuid, "failed", error.fact, error.usd)
        self._released(submit)
        if error.usd:
            self.purse.spent += error.usd
            await self.desk.charged(submit.shot, submit.uuid, error.usd, error.fact)
        self._stop(error)

    def _stop(self, error: ProviderError) -> None:
        if error.trouble in ("money", "auth"):
            self.purse.stop(error.fact, error.remedy or "run again")

    def _released(self, submit: Submit) -> None:
        self.purse.release(submit.uuid)
        self.desk.landed(submit.shot, submit.uuid)

    async def _clear_up(self, submit: Submit, order: Order) -> None:
        """Find out whether a submit was accepted: ask; then send the same again; never another one.

        Raises Unknown where that is too late, and ProviderError where the provider refuses it clearly.
        """
        patience = self.patience
        began = self.clock.ticks()
        age = self.clock.now() - submit.sent_at
        empties, pause = 0, patience.ask_s
        while True:
            try:
                answer = await self.provider.ask(submit.uuid)
            except ProviderError as error:
                if error.trouble in ("money", "auth"):
                    self._stop(error)
                    raise
                self._note(submit.shot, error.fact, f"asking again in {pause:.0f} s")
                await self.clock.sleep(pause)
                pause = min(pause * 2, patience.pause_s_max)
                continue
            if answer.known:
                await self.journal.became(submit.uuid, "accepted")
                return
            empties, pause = empties + 1, patience.ask_s
            waited = self.clock.ticks() - began
            if empties >= patience.empty_min and waited >= patience.register_s:
                if not self.desk.options.resend:
                    raise Unknown(f"the provider says nothing of it, and nothing is to be sent (task {submit.uuid})")
                if not -60.0 <= age <= patience.resend_s_max - waited:
                    limit = f"{patience.resend_s_max:.0f} s"
                    await self._unknown(
                        submit, f"the provider says nothing of it, and it was sent more than {limit} ago"
                    )
                if await self._resent(submit, order):
                    return
                empties = 0
            await self.clock.sleep(patience.ask_s)

    async def _resent(self, submit: Submit, order: Order) -> bool:
        """Whether the same submit, sent again, is accepted now; that the provider knows it already counts."""
        try:
            await self.provider.submit(order, submit.uuid)
        except ProviderError as error:
            if error.trouble in ("unclear", "rate", "server") or error.started:
                await self.clock.sleep(error.retry_after or self.patience.ask_s)
                return False
            if error.trouble in ("money", "auth"):
                # This says nothing of the first time it was sent: that may even be what took the last money.
                self._stop(error)
                raise
            await self._refused(submit, error)
            raise
        await self.journal.became(submit.uuid, "accepted")
        return True

    async def _unknown(self, submit: Submit, reason: str) -> None:
        await self.journal.became(submit.uuid, "unknown", reason)
        self.desk.flying(submit.shot, _flight(submit, reason))
        raise Unknown(f"{reason} (task {submit.uuid})")

    # collecting

    async def _collect(self, submit: Submit, order: Order, seen: dict[str, Result]) -> None:
        """Take in every result as it comes, each at once; a mixed answer keeps its successes.

        ``seen`` are those that an earlier run knew, by their UUID.
        """
        free = [number for number in submit.takes if number not in {result.take for result in seen.values()}]
        share = None if submit.estimate is None else submit.estimate / len(submit.takes)
        refusals: list[ProviderError] = []
        fetching: list[asyncio.Task[None]] = []
        here = {video for video, result in seen.items() if result.state == "recorded"}
        try:
            if free or len(here) < len(seen):
                async for item in self.provider.results(Ticket(submit.uuid, order)):
                    if isinstance(item, ProviderError):
                        refusals.append(item)
                        continue
                    result = seen.get(item.video_uuid)
                    if result is None:
                        if not free:
                            continue  # more than were asked for: nothing is lost by leaving them
                        result = self._result(submit, item, free.pop(0))
                        await self.journal.made(submit.uuid, result)
                        self.purse.book(submit.uuid, item.usd, share)
                        seen[result.video] = result
                    if result.video not in here:
                        here.add(result.video)
                        fetching.append(asyncio.create_task(self._take_in(submit, order, item, result)))
            # One clip that cannot be fetched does not stop the others.
            ended = await asyncio.gather(*fetching, return_exceptions=True)
        except BaseException:
            for task in fetching:
                task.cancel()
            await asyncio.gather(*fetching, return_exceptions=True)
            raise
        for failure in ended:
            if failure is not None:
                raise failure
        await self._ended(submit, refusals, some=bool(here), lost=len(here) < len(seen))

    async def _seen(self, submit: Submit, order: Order) -> dict[str, Result]:
        """The results that an earlier run knew, by their UUID; those whose clips are here are taken in at once."""
        seen = {result.video: result for result in self.journal.results(submit.uuid)}
        takes = self.desk.by_key.get(submit.key, ())
        told = {take.video_uuid: take for take in takes if take.task_uuid == submit.uuid}
        for video, result in seen.items():
            if result.state == "recorded":
                continue
            if result.usd is None and submit.estimate is not None:
                # No bill was told: nothing has counted it as spent, and it is not to be reserved any more.
                self.purse.book(submit.uuid, None, submit.estimate / len(submit.takes))
            if video in told:
                await self.desk.record(submit.shot, told[video])  # it may stand in the store alone
                await self.journal.recorded(submit.uuid, video)
                seen[video] = replace(result, state="recorded")
            elif result.clip is not None and self.desk.store.has(result.clip):
                await self._take_in(submit, order, None, result)
                seen[video] = replace(result, state="recorded")
        return seen

    def _result(self, submit: Submit, item: Made, number: int) -> Result:
        return Result(
            submit.uuid, item.video_uuid, number, item.seed, item.usd, item.response, "made", None, self.clock.now()
        )

    async def _ended(self, submit: Submit, refusals: Sequence[ProviderError], *, some: bool, lost: bool) -> None:
        nowhere = next((refusal.fact for refusal in refusals if refusal.trouble == "asset"), None)
        if nowhere is not None or lost:
            # Made and paid for, as far as anybody knows: that is no reason to buy it again.
            await self._unknown(submit, nowhere or "a clip that it named is not to be had any more")
        told = "; ".join(dict.fromkeys(refusal.fact for refusal in refusals))
        charged = sum((refusal.usd for refusal in refusals if refusal.usd is not None), Decimal(0))
        if charged:
            self.purse.spent += charged
            await self.desk.charged(submit.shot, submit.uuid, charged, told)
        await self.journal.became(submit.uuid, "recorded" if some else "failed", told, charged or None)
        self._released(submit)
        if refusals:
            self._stop(refusals[0])
            raise refusals[0]

    async def _take_in(self, submit: Submit, order: Order, item: Made | None, result: Result) -> None:
        """Fetch a clip, look at it once, keep it, write it down. ``item`` None: it is in the store already."""
        got: dict[str, Any] = {}
        with self.desk.store.scratch() as into:
            for attempt in range(1, FETCHES_MAX + 1):
                clip = await self.provider.fetch(item, into) if item is not None else self._here(result, into)
                try:
                    got = await self.desk.receive(submit.shot, result.take, clip, order, _asked(submit))
                    break
                except StoryError:
                    if attempt == FETCHES_MAX or item is None:
                        raise
                    await self.clock.sleep(self.patience.ask_s * attempt)
            await self.desk.keep_clip(clip, got)
        await self.journal.fetched(submit.uuid, result.video, got["digest"])
        said = submit.request
        usd = result.usd
        if usd is None and submit.estimate is not None:
            usd = submit.estimate / len(submit.takes)
        take = Take(
            take=result.take, key=submit.key, clip=got["digest"], provider=submit.lane, model=submit.model,
            parts=said["parts"], words=said["words"], bytes=got["bytes"], frames=got["frames"], probe=got["probe"],
            inspect=got["inspect"], task_uuid=submit.uuid, video_uuid=result.video, seed=result.seed,
            usd=None if usd is None else str(usd), response=dict(result.response),
            variants=(said["variant"],) if "variant" in said else (),
        )  # fmt: skip
        take = await self.desk.record(submit.shot, take)
        await self.journal.recorded(submit.uuid, result.video)
        self.desk.made += 1
        self.desk.tell(Event("made", submit.shot, take=take.take))

    def _here(self, result: Result, into: Path) -> Path:
        assert result.clip is not None
        copy(self.desk.store.path(result.clip), into / "clip")
        return into / "clip"


def _flight(submit: Submit, unknown: str = "") -> Flight:
    """A submit as the planner sees it. ``unknown``: why nobody knows how it stands."""
    return Flight(
        submit.uuid, submit.key, len(submit.takes), not unknown, unknown, submit.estimate, submit.sent_at,
        submit.request.get("variant"),
    )  # fmt: skip


def _asked(submit: Submit) -> dict[str, Any]:
    said = submit.request
    size = {name: said["request"][name] for name in ("width", "height")}
    return {**size, "seconds": said["seconds"], "fps": said["fps"]}


def _body(said: Mapping[str, Any], takes: Sequence[int]) -> str:
    """The digest of what is sent, but for what only its delivery needs: a resend must have the same."""
    parts = said["parts"]
    return keys.digest({"parts": parts, "refs": said["refs"], "ends": said["ends"], "results": len(takes)})
