"""Runware as a provider: clips are asked for, waited for and fetched; nothing is asked for twice by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from ...ports import Answer, Made, Order, ProviderError, Setting, Ticket
from . import account
from .body import resolved, task
from .download import Downloads
from .habit import Habits
from .hosts import Hosts, Resolve, by_nobody, by_the_system
from .line import Line, NoAnswer
from .memory import Memory
from .pace import Pace
from .result import Told, told
from .upload import Uploads
from .wait import BARE_S_MAX, SAT_OUT, UNHEARD_S_MAX, WAIT_S_MAX, Hints, Outage, sleep_until
from .wire import Envelope

WINDOW_S = 60.0
SETTLED_ASKS = 3
"""Some of several results failed, and of the others nothing is said: after so many equal answers that is the end."""

_UNSURE = frozenset({408, 425})


class Runware:
    """Satisfies ports.Provider. ``transport`` and ``resolve`` stand for the network in tests.

    ``on_wait``, if set, is called with a sentence once in a while when the service is down and a task is waited for.
    """

    name = "runware"

    def __init__(
        self, setting: Setting, transport: httpx.AsyncBaseTransport | None = None, *, resolve: Resolve | None = None
    ) -> None:
        self.on_wait: Callable[[str], None] | None = setting.tell
        self._setting, self._clock = setting, setting.clock
        self._line = Line(setting, transport)
        self._uploads = Uploads(self._line, Memory(setting.memory / "uploads.json"), setting.clock)
        self._habits = Habits(Memory(setting.memory / "durations.json"), self._line.place)
        self._hints = Hints(setting.hints)
        hosts = Hosts(self._line.url, setting.hosts, resolve or (by_nobody if transport is not None else by_the_system))
        self._downloads = Downloads(self._line, setting.clock, hosts)
        self._sent: dict[str, float] = {}
        self._submits: deque[float] = deque()
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Runware({self._line.place})"

    @property
    def host(self) -> str:
        """Which host is asked."""
        return self._line.host

    async def submit(self, order: Order, uuid: str) -> Ticket:
        """One attempt at buying the takes of an order. Raises ProviderError; see ports.Provider.

        A clear refusal has ``started`` False. ``unclear`` and ``started`` True: the outcome is unknown.
        """
        secrets = self._line.secrets
        request: dict[str, Any] = resolved(task(order, uuid, {}), self._setting.environ, secrets)
        pictures = await self._pictures(order)
        body = task(replace(order, request=request), uuid, pictures) if pictures else request
        await self._take_turn()
        sent = self._clock.ticks()
        failure: ProviderError
        try:
            envelope = await self._line.post([body])
        except NoAnswer as error:
            failure = error.of_a_submit()
        else:
            refusal = self._refusal(envelope, uuid)
            if refusal is None:
                if not any(fault.conflict for fault in envelope.faults_of(uuid)):
                    self._sent.setdefault(uuid, sent)
                return Ticket(uuid, order)
            failure = refusal
            if failure.trouble in ("not found", "validation"):
                self._uploads.forget(pictures.values())
        raise failure

    async def ask(self, uuid: str) -> Answer:
        """What is known of a task now, by one question. Raises ProviderError where that cannot be asked."""
        return (await self._ask(uuid)).answer

    async def results(self, ticket: Ticket) -> AsyncIterator[Made | ProviderError]:
        """The results of a task as they come; see ports.Provider. Waits WAIT_S_MAX at most, outages included."""
        waiting = self._waiting(ticket)
        while not waiting.ended:
            await sleep_until(self._clock, waiting.due(self._habits.of(ticket.order)), self._hints, ticket.uuid)
            failure: ProviderError | None = None
            try:
                said = await self._ask(ticket.uuid)
            except ProviderError as error:
                failure = error
            if failure is not None:
                if failure.trouble not in SAT_OUT:
                    raise failure
                waiting.sit_out(failure, self._clock.ticks(), self.on_wait)
                continue
            for result in waiting.hear(said, self._clock.ticks()):
                if isinstance(result, Made) and waiting.telling:
                    waiting.telling = False
                    self._habits.learn(ticket.order, waiting.heard - waiting.begun, waiting.before)
                yield result
        self._hints.take(ticket.uuid)
        self._sent.pop(ticket.uuid, None)

    async def fetch(self, made: Made, into: Path) -> Path:
        """A result's clip as a file in a folder, checked to be a whole clip; see ports.Provider."""
        return await self._downloads.fetch(made, into)

    async def balance(self) -> Decimal:
        """The money left in the account in USD. Raises ProviderError."""
        return await account.balance(self._line)

    async def ping(self) -> None:
        """Return if the service answers and lets the key in. Raises ProviderError."""
        await account.ping(self._line)

    async def aclose(self) -> None:
        self._habits.keep()
        await self._line.aclose()

    async def _pictures(self, order: Order) -> dict[str, str]:
        pictures = {name: ref for name, ref in order.refs.items() if name in ("first", "last")}
        for name, path in (("first", order.first), ("last", order.last)):
            if path is not None:
                pictures[name] = await self._uploads.stands_for(path)
        return pictures

    async def _take_turn(self) -> None:
        """Wait until one more submit fits into ``per_minute``; in the order of asking."""
        async with self._turn:
            while True:
                now = self._clock.ticks()
                while self._submits and self._submits[0] <= now - WINDOW_S:
                    self._submits.popleft()
                if len(self._submits) < self._setting.per_minute:
                    self._submits.append(now)
                    return
                await self._clock.sleep(self._submits[0] + WINDOW_S - now)

    def _refusal(self, envelope: Envelope, uuid: str) -> ProviderError | None:
        """Why the answer to a submit does not count as accepted; None if it does.

        A server's own trouble says nothing about the task, and neither does an answer about something else.
        """
        faults = envelope.faults_of(uuid)
        if any(fault.conflict for fault in faults):
            return None
        if envelope.items_of(uuid) and envelope.status < 400:
            return None
        unsure = envelope.status >= 500 or envelope.status in _UNSURE
        if faults and not unsure and faults[0].rule.trouble not in ("timeout", "server"):
            return faults[0].error(self._line.secrets, started=False, retry_after=envelope.retry_after)
        if not faults and envelope.items and envelope.status < 400:
            return None
        cause = faults[0].error(self._line.secrets, started=True) if faults else None
        said = cause.fact if cause else "the answer says nothing of it"
        fact = f"nobody knows whether the task was accepted: {said} (HTTP {envelope.status})"
        remedy = "run again: the service is asked about this task first, and nothing is bought twice"
        return ProviderError(
            fact, remedy, trouble="unclear", code=cause.code if cause else None, started=True,
            retry_after=envelope.retry_after,
        )  # fmt: skip

    async def _ask(self, uuid: str) -> Told:
        failure: ProviderError
        try:
            envelope = await self._line.post([{"taskType": "getResponse", "taskUUID": uuid}])
            return told(envelope, uuid, self._line.secrets)
        except NoAnswer as error:
            failure = error.of_a_question()
        except ProviderError as error:
            failure = error
            failure.started = True  # the task was accepted, whatever becomes of the question
        raise failure

    def _waiting(self, ticket: Ticket) -> _Waiting:
        begun = self._sent.get(ticket.uuid)
        chance = int(ticket.uuid.replace("-", "")[:6] or "0", 16) / 16**6 if _is_hex(ticket.uuid) else 0.5
        pace = Pace(ticket.order.seconds, chance, resumed=begun is None)
        now = self._clock.ticks()
        return _Waiting(
            len(ticket.order.takes),
            pace,
            now if begun is None else begun,
            heard=now,
            known=now,
            telling=begun is not None,
        )


@dataclass(slots=True)
class _Waiting:
    """How far one task is: what was seen of it, when it was asked, and whether the service is there at all."""

    wanted: int
    pace: Pace
    begun: float
    heard: float
    known: float
    seen: set[str] = field(default_factory=set)
    failed: int = 0
    ended: bool = False
    telling: bool = True
    """Whether its duration will say something: it was submitted here, and the service was there all the time."""
    before: float = 0.0
    _down: Outage = field(default_factory=Outage)
    _again: float | None = None
    _same: int = 0
    _bare: float | None = None

    def due(self, learned: list[tuple[float, float]]) -> float:
        """When to ask next, in ticks of the clock."""
        return self._again if self._again is not None else self.begun + self.pace.due(learned)

    def sit_out(self, error: ProviderError, now: float, tell: Callable[[str], None] | None) -> None:
        """The service could not be asked. Raises ProviderError where that lasts longer than one waits."""
        if now - self.heard > WAIT_S_MAX:
            raise error
        self.telling = False
        self._again = now + self._down.pause(error, now, tell)

    def hear(self, said: Told, now: float) -> list[Made | ProviderError]:
        """What is new in an answer. Raises ProviderError where waiting longer has no sense."""
        self._down, self._again, self.heard = Outage(), None, now
        answer = said.answer
        new: list[Made | ProviderError] = [made for made in answer.made if made.video_uuid not in self.seen]
        new = new[: max(self.wanted - len(self.seen), 0)]
        self.seen |= {made.video_uuid for made in new if isinstance(made, Made)}
        failed = list(answer.failed[self.failed :])
        self.failed += len(failed)
        new += failed
        if self.telling:
            self.before = self.pace.asked[-1] if self.pace.asked else 0.0
        self.pace.note(now - self.begun, answer.progress)
        self._same = 0 if new else self._same + 1
        missing = self.wanted - len(self.seen) - self.failed
        alone = bool(answer.failed) and not said.pending and (self.wanted == 1 or self._same >= SETTLED_ASKS)
        self.ended = missing <= 0 or alone
        if not self.ended:
            new += self._limits(said, now)
        return new

    def _limits(self, said: Told, now: float) -> list[ProviderError]:
        """A clip that is done and nowhere is lost; a task that nobody knows, or that never ends, is a person's."""
        self.known = now if said.answer.known else self.known
        self._bare = None if not said.bare else self._bare if self._bare is not None else now
        if self._bare is not None and now - self._bare > BARE_S_MAX:
            self.ended = True
            fact = f"the service says that the clip is done, and for {BARE_S_MAX / 60:.0f} minutes not where it is"
            return [ProviderError(fact, "`matchcut resolve` asks again", trouble="asset", started=True)]
        if now - self.known > UNHEARD_S_MAX:
            fact = f"the service has said nothing of the task for {UNHEARD_S_MAX / 3600:.0f} h (UNHEARD_S_MAX)"
            remedy = "`matchcut resolve` asks again, or decides"
            raise ProviderError(fact, remedy, trouble="not found", started=True)
        if now - self.begun > WAIT_S_MAX:
            fact = f"the task is still not done after {WAIT_S_MAX / 3600:.0f} h (WAIT_S_MAX)"
            raise ProviderError(fact, "`matchcut resolve` asks again, or decides", trouble="timeout", started=True)
        return []


def _is_hex(uuid: str) -> bool:
    return all(letter in "0123456789abcdefABCDEF-" for letter in uuid)
