"""Money: what was spent, what is reserved, and the ceiling that holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from .amount import usd as dollars
from .errors import Place, StoryError
from .journal import ENDED, Result, Submit
from .takes import Take


@dataclass(frozen=True, slots=True)
class Charge:
    """What one task cost: USD by its UUID, and which records say so."""

    uuid: str
    shot: str
    model: str
    usd: Decimal
    estimate: Decimal | None
    at: float | None
    sources: tuple[str, ...]
    failed: bool = False


def charges(
    takes: Iterable[tuple[str, Take]],
    submits: Iterable[Submit],
    results: Iterable[Result],
    failed: Mapping[str, tuple[str, Decimal]],
) -> list[Charge]:
    """Every charge once, by task UUID: of takes (with their shots), from the journal, and of failed calls."""
    found: dict[str, Charge] = {}
    by_task: dict[str, dict[str, tuple[str, Take]]] = {}
    for shot, take in takes:
        if take.task_uuid is not None and take.usd is not None:
            by_task.setdefault(take.task_uuid, {})[take.video_uuid or take.clip] = (shot, take)
    for uuid, mine in by_task.items():
        shot, first = next(iter(mine.values()))
        usd = sum((Decimal(take.usd or "0") for _, take in mine.values()), Decimal(0))
        found[uuid] = Charge(uuid, shot, first.model, usd, None, None, ("takes files",))
    for uuid, (shot, usd) in failed.items():
        before = found.get(uuid)
        if before is not None:
            found[uuid] = replace(before, usd=before.usd + usd)
        else:
            found[uuid] = Charge(uuid, shot, "", usd, None, None, ("takes files",), failed=True)
    named: dict[str, list[Result]] = {}
    for result in results:
        named.setdefault(result.uuid, []).append(result)
    for submit in submits:
        known = sum((r.usd or Decimal(0) for r in named.get(submit.uuid, [])), Decimal(0)) + submit.usd
        before = found.get(submit.uuid)
        if before is None and not known and submit.state != "failed":
            continue
        usd = max(known, before.usd if before else Decimal(0))
        sources = (*(before.sources if before else ()), "journal")
        found[submit.uuid] = Charge(
            submit.uuid,
            submit.shot,
            submit.model,
            usd,
            submit.estimate,
            submit.sent_at,
            sources,
            submit.state == "failed",
        )
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Budget:
    """A ceiling in USD, and who set it: the name of an option, of a variable, of a field, or of a saved plan."""

    usd: Decimal
    by: str = ""
    place: Place | None = None
    remedy: str = "a budget of at least {least}"
    """What to try where it is not enough."""

    def __str__(self) -> str:
        named = " at ".join(str(word) for word in (self.by, self.place) if word)
        return dollars(self.usd) + (f" ({named})" if named else "")


@dataclass
class Purse:
    """The ceiling of a storyboard: nothing is submitted while spent, reserved and its own estimate exceed it."""

    budget: Budget | None
    spent: Decimal
    allow_unpriced: bool = False
    whole: Decimal = Decimal(0)
    """What the storyboard may have cost at worst when all of the run is made, as far as that is known."""
    reserved: dict[str, Decimal] = field(default_factory=dict)
    stopped: str | None = None
    """Why nothing more is submitted."""
    remedy: str = ""

    def stop(self, fact: str, remedy: str) -> None:
        """Nothing more is submitted; the first reason is told."""
        if self.stopped is None:
            self.stopped, self.remedy = fact, remedy

    @property
    def held(self) -> Decimal:
        """What is set aside, in USD."""
        return sum(self.reserved.values(), Decimal(0))

    def reserve(self, uuid: str, estimate: Decimal | None) -> None:
        """Set money aside for a submit. Raises StoryError (exit 4) where the ceiling does not allow it."""
        if self.stopped is not None:
            raise StoryError.of(self.stopped, self.remedy, exit_code=4)
        if estimate is None:
            if self.budget is not None and not self.allow_unpriced:
                fact = "this model has no known price, and a budget is set"
                raise StoryError.of(fact, "--allow-unpriced, or take the budget away", exit_code=4)
            return
        if self.budget is not None:
            total = self.spent + self.held + estimate
            if total > self.budget.usd:
                fact = (
                    f"the budget of {self.budget} does not allow it: {dollars(self.spent)} spent, "
                    f"{dollars(self.held)} in flight, {dollars(estimate)} for this"
                )
                least = dollars(max(total, self.whole))
                raise StoryError.of(fact, self.budget.remedy.format(least=least), exit_code=4)
        self.reserved[uuid] = estimate

    def hold(self, submit: Submit, results: Iterable[Result]) -> None:
        """What an earlier run has in flight counts as reserved, but for what is booked already."""
        if submit.state not in ENDED and submit.estimate is not None:
            booked = sum((result.usd or Decimal(0) for result in results), Decimal(0))
            self.reserved[submit.uuid] = max(Decimal(0), submit.estimate - booked)

    def book(self, uuid: str, usd: Decimal | None, share: Decimal | None) -> None:
        """A result was billed. ``share`` is its part of the estimate; where no bill was told, that is booked.

        A bill above it stops further submits.
        """
        bill = usd if usd is not None else share or Decimal(0)
        self.spent += bill
        if uuid in self.reserved:
            self.reserved[uuid] = max(Decimal(0), self.reserved[uuid] - (share if share is not None else bill))
        if share is not None and bill > share:
            fact = f"a bill of {dollars(bill)} came where {dollars(share)} was expected: the price has changed"
            self.stop(fact, "look at the service's prices and at the model card, then run again")

    def release(self, uuid: str) -> None:
        """A submit has ended: nothing is set aside for it any more."""
        self.reserved.pop(uuid, None)


def lowest(*budgets: Budget | None) -> Budget | None:
    """The lowest of the budgets that are set."""
    known = [budget for budget in budgets if budget is not None]
    return min(known, key=lambda budget: budget.usd) if known else None
