"""Buying: takes from a paid provider, each exactly once, whatever crashes whenever."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from . import key as keys
from .brief import Brief
from .errors import StoryError
from .facts import Flight
from .journal import Journal, Result, Submit
from .money import Purse
from .plan import Decision
from .ports import Clock, Made, Order, Provider, ProviderError, Slate, TaskFailed, Ticket, WorkerLost
from .takes import Take
from .template import filled
from .work import Desk, Event, Unknown

RESEND_S_MAX = 600.0
"""How long after it was first sent a submit of unclear outcome is sent again by itself, under the same UUID."""
EMPTY_MIN = 3
REGISTER_S = 6.0
"""A provider that says nothing of a task so often, over so long, has not registered it."""
ASK_S = 2.0
PAUSE_S_MAX = 60.0
DELIVERED = ("uploadEndpoint", "webhookURL")
"""Where a result is sent to: may name the shot, and never counts for a key."""
FAILURES = (ProviderError, StoryError, TaskFailed, WorkerLost, TimeoutError, Unknown)
"""What fails a shot and nothing else."""
FETCHES_MAX = 5
"""How often a clip that turns out damaged is fetched again."""


@dataclass
class Buyer:
    """Everything between a decision to buy and the take in its file. One for each run."""

    desk: Desk
    provider: Provider
    journal: Journal
    purse: Purse
    clock: Clock
    places: asyncio.Semaphore
    recovering: dict[str, list[asyncio.Task[None]]] = field(default_factory=dict)

    # what an earlier run left

    def recover(self, group: asyncio.TaskGroup) -> None:
        """Take up every submit that has not ended, before anything is decided for its shot."""
        for submit in self.journal.open(board=self.desk.stem):
            if submit.state != "unknown":
                self.recovering.setdefault(submit.shot, []).append(group.create_task(self._recover(submit)))

    async def settled(self, shot: str) -> None:
        """Wait until what is in flight for a shot has come to an end."""
        await asyncio.gather(*self.recovering.get(shot, ()))

    async def _recover(self, submit: Submit) -> None:
        order = self._order(submit)
        try:
            async with self.places:
                self.desk.tell(Event("begun", submit.shot, "bought by an earlier run"))
                if _body(submit.request, submit.takes) != submit.body:
                    await self._unknown(submit, "its request cannot be built again as it was sent")
                if submit.state == "sent":
                    await self._clear_up(submit, order)
                await self._collect(submit, order)
        except FAILURES as error:
            self.desk.fail(submit.shot, error)

    def _order(self, submit: Submit) -> Order:
        said = submit.request
        first, last = (said["ends"].get(name) for name in ("first", "last"))
        return Order(
            submit.shot, submit.key, delivered(said["request"], submit.shot), submit.takes,
            self.desk.store.picture(first) if first else None, self.desk.store.picture(last) if last else None,
            said["seconds"], said["fps"], Slate(**said["slate"]), said["refs"],
        )  # fmt: skip

    # buying

    async def buy(self, brief: Brief, decision: Decision, order: Order) -> None:
        """Buy the takes of an order: reserve, write down, submit, collect. Raises what the shot fails with."""
        assert decision.key is not None
        estimate = brief.card.cost({**brief.request, "numberResults": len(order.takes)})
        name = str(uuid.uuid4())
        self.purse.reserve(name, estimate)
        said = {
            "request": dict(brief.request), "seconds": order.seconds, "fps": order.fps, "slate": order.slate.as_json(),
            "refs": dict(order.refs), "words": dict(brief.words.used), "parts": decision.key.parts,
            "ends": {n: p.stem for n, p in (("first", order.first), ("last", order.last)) if p is not None},
        }  # fmt: skip
        submit = Submit(
            name, self.desk.plan.lane.provider, self.desk.stem, order.shot, order.key, order.takes, brief.card.id, said,
            _body(said, order.takes), estimate, "sent", self.clock.now(), started=False,
        )  # fmt: skip
        try:
            await self.journal.intend(submit)
        except BaseException:
            self.purse.release(name)
            raise
        order = replace(order, request=delivered(order.request, order.shot))
        await self._submit(submit, order)
        await self._collect(submit, order)

    async def _submit(self, submit: Submit, order: Order) -> None:
        """Send until the provider has clearly accepted or refused. What nobody heard is sent again."""
        pause = 1.0
        while True:
            try:
                await self.provider.submit(order, submit.uuid)
            except ProviderError as error:
                if error.trouble == "unclear" or error.started:
                    await self._clear_up(submit, order)
                    return
                if error.trouble not in ("rate", "server"):
                    await self._refused(submit, error)
                    raise
                wait = max(pause, error.retry_after or 0.0)
                self.desk.tell(Event("note", submit.shot, f"{error.fact}; trying again in {wait:.0f} s"))
                await self.clock.sleep(wait)
                pause = min(pause * 2, PAUSE_S_MAX)
            else:
                await self.journal.became(submit.uuid, "accepted")
                return

    async def _refused(self, submit: Submit, error: ProviderError) -> None:
        await self.journal.became(submit.uuid, "failed", error.fact, error.usd)
        self.purse.release(submit.uuid)
        if error.usd:
            self.purse.spent += error.usd
            await self.desk.charged(submit.shot, submit.uuid, error.usd, error.fact)
        if error.trouble in ("money", "auth") and self.purse.stopped is None:
            self.purse.stopped = error.fact

    async def _clear_up(self, submit: Submit, order: Order) -> None:
        """Find out whether a submit was accepted: ask; then send the same again; never another one.

        Raises Unknown where that is too late, and ProviderError where the provider refuses it clearly.
        """
        began = self.clock.ticks()
        age = self.clock.now() - submit.sent_at
        empties, pause = 0, ASK_S
        while True:
            try:
                answer = await self.provider.ask(submit.uuid)
            except ProviderError as error:
                if error.trouble in ("money", "auth"):
                    raise
                self.desk.tell(Event("note", submit.shot, f"{error.fact}; asking again in {pause:.0f} s"))
                await self.clock.sleep(pause)
                pause = min(pause * 2, PAUSE_S_MAX)
                continue
            if answer.known:
                await self.journal.became(submit.uuid, "accepted")
                return
            empties, pause = empties + 1, ASK_S
            waited = self.clock.ticks() - began
            if empties >= EMPTY_MIN and waited >= REGISTER_S:
                if not -60.0 <= age <= RESEND_S_MAX - waited:
                    await self._unknown(
                        submit, f"the provider says nothing of it, and it was sent more than {RESEND_S_MAX:.0f} s ago"
                    )
                if await self._resent(submit, order):
                    return
                empties = 0
            await self.clock.sleep(ASK_S)

    async def _resent(self, submit: Submit, order: Order) -> bool:
        """Whether the same submit, sent again, is accepted now; that the provider knows it already counts."""
        try:
            await self.provider.submit(order, submit.uuid)
        except ProviderError as error:
            if error.trouble in ("unclear", "rate", "server") or error.started:
                await self.clock.sleep(error.retry_after or ASK_S)
                return False
            await self._refused(submit, error)
            raise
        await self.journal.became(submit.uuid, "accepted")
        return True

    async def _unknown(self, submit: Submit, reason: str) -> None:
        await self.journal.became(submit.uuid, "unknown", reason)
        self.desk.flying(submit.shot, Flight(submit.uuid, submit.key, len(submit.takes), known=False, reason=reason))
        raise Unknown(f"{reason} (task {submit.uuid})")

    # collecting

    async def _collect(self, submit: Submit, order: Order) -> None:
        """Take in every result as it comes, each at once; a mixed answer keeps its successes."""
        seen = {result.video: result for result in self.journal.results(submit.uuid)}
        free = [number for number in submit.takes if number not in {result.take for result in seen.values()}]
        share = None if submit.estimate is None else submit.estimate / len(submit.takes)
        refusals: list[ProviderError] = []
        fetching: list[asyncio.Task[None]] = []
        try:
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
                if result.state != "recorded":
                    fetching.append(asyncio.create_task(self._take_in(submit, order, item, result)))
            await asyncio.gather(*fetching)
        except BaseException:
            for task in fetching:
                task.cancel()
            await asyncio.gather(*fetching, return_exceptions=True)
            raise
        await self._ended(submit, refusals, bool(seen))

    def _result(self, submit: Submit, item: Made, number: int) -> Result:
        return Result(
            submit.uuid, item.video_uuid, number, item.seed, item.usd, item.response, "made", None, self.clock.now()
        )

    async def _ended(self, submit: Submit, refusals: Sequence[ProviderError], some: bool) -> None:
        charged = sum((refusal.usd for refusal in refusals if refusal.usd is not None), Decimal(0))
        if charged:
            self.purse.spent += charged
            await self.desk.charged(submit.shot, submit.uuid, charged, refusals[0].fact)
        told = "; ".join(dict.fromkeys(refusal.fact for refusal in refusals))
        await self.journal.became(submit.uuid, "recorded" if some else "failed", told, charged or None)
        self.purse.release(submit.uuid)
        self.desk.landed(submit.shot, submit.uuid)
        if refusals:
            raise refusals[0]

    async def _take_in(self, submit: Submit, order: Order, item: Made, result: Result) -> None:
        """Fetch a clip, look at it once, keep it, write it down."""
        got: dict[str, Any] = {}
        with self.desk.store.scratch() as into:
            for attempt in range(1, FETCHES_MAX + 1):
                clip = await self.provider.fetch(item, into)
                try:
                    got = await self.desk.receive(submit.shot, result.take, clip, order, _asked(submit))
                    break
                except StoryError:
                    if attempt == FETCHES_MAX:
                        raise
                    await self.clock.sleep(ASK_S * attempt)
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
        )  # fmt: skip
        await self.desk.record(submit.shot, take)
        await self.journal.recorded(submit.uuid, result.video)
        self.desk.made += 1
        self.desk.tell(Event("made", submit.shot, take=take.take))


def delivered(request: Mapping[str, Any], shot: str) -> dict[str, Any]:
    """A request with the templates of its delivery fields filled in: ``{{ shot.id }}``."""
    made = dict(request)
    for name in DELIVERED:
        if isinstance(made.get(name), str):
            made[name] = filled(made[name], {"shot": {"id": shot}}) or made[name]
    return made


def _asked(submit: Submit) -> dict[str, Any]:
    said = submit.request
    size = {name: said["request"][name] for name in ("width", "height")}
    return {**size, "seconds": said["seconds"], "fps": said["fps"]}


def _body(said: Mapping[str, Any], takes: Sequence[int]) -> str:
    """The digest of what is sent, but for what only its delivery needs: a resend must have the same."""
    parts = said["parts"]
    return keys.digest({"parts": parts, "refs": said["refs"], "ends": said["ends"], "results": len(takes)})
