"""What can go wrong on the way to a clip, played on purpose: which trouble, when, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ..errors import StoryError, did_you_mean
from .chance import number, share

Occasion = Literal["submit", "poll", "upload", "make", "fetch", "call"]

OCCASIONS: dict[Occasion, tuple[str, ...]] = {
    "submit": (
        "slow", "429", "500", "503", "drop-before", "drop-after", "timeout-after", "duplicate", "empty", "html", "forms"
    ),
    "poll": ("slow", "429", "500", "503", "drop-before", "duplicate", "empty", "unknown-status", "html", "forms"),
    "upload": ("slow", "429", "500", "503", "drop-before"),
    "make": ("never", "error-in-data", "error-in-errors", "mixed", "changed-price"),
    "fetch": (
        "slow", "429", "503", "html", "broken-file", "truncated-file", "cut-connection", "not-ready", "wrong-length"
    ),
    "call": ("duplicate",),
}  # fmt: skip
"""When each trouble can come: as a task is sent in, asked about, or a picture uploaded; while a clip is made; as it is
downloaded; as a webhook is called."""

KINDS: dict[str, str] = {
    "slow": "the answer comes seconds later",
    "429": "too many requests, with Retry-After",
    "500": "an error of the server; on a submit the task may have been accepted all the same",
    "503": "not in service at the moment",
    "drop-before": "the connection closes and nothing was accepted",
    "drop-after": "the task is accepted, then the connection closes without an answer",
    "timeout-after": "the task is accepted, then the answer is 504, or none",
    "duplicate": "everything in an answer stands there twice; webhooks come twice",
    "empty": "the answer has no items",
    "html": "a page of HTML instead of JSON or of a clip",
    "forms": "the answer takes the other forms that are documented or were seen",
    "unknown-status": "the status is a word nobody documented",
    "never": "the clip is not finished for ten times as long, or until it was asked for twelve times",
    "error-in-data": "the clip fails, told as an item of data; nothing is charged",
    "error-in-errors": "the clip fails, told among the errors; nothing is charged",
    "mixed": "of several results the last one fails, the others are there",
    "changed-price": "a clip costs a quarter more than the card says",
    "broken-file": "the file is noise of the right length",
    "truncated-file": "the file ends halfway",
    "cut-connection": "the connection closes halfway through the file",
    "not-ready": "the file is not there yet: 404 or 422",
    "wrong-length": "the clip is half as long as was asked",
}
"""Each trouble by its name, and what it is."""

USUAL = frozenset(KINDS) - {"changed-price"}
"""What is played when no kinds are named. A changed price stops a run for good reason, so it is asked for by name."""

TIMES_MAX = 3
"""How often a trouble comes back for one task and occasion: then it is over, so a client that tries again ends."""

NEVER_TIMES, NEVER_ASKS = 10, 12


def kinds(names: Iterable[str]) -> frozenset[str]:
    """Kinds by name; ``all`` is every one. Raises StoryError for a name that is none."""
    chosen = frozenset(names)
    for name in sorted(chosen - {"all"}):
        if name not in KINDS:
            raise StoryError.of(f'there is no trouble "{name}"', did_you_mean(name, KINDS) or ", ".join(KINDS))
    return frozenset(KINDS) if "all" in chosen else chosen


How = Literal["connect", "read", "timeout"]


class Dropped(Exception):
    """The connection is to die here. ``how`` the client sees it: it can't connect, reads nothing, or waits too long."""

    def __init__(self, how: How) -> None:
        self.how = how
        super().__init__(how)


@dataclass
class Trouble:
    """The troubles of one world. ``rate``: the share of tasks that meet one, for each occasion apart.

    ``lasting``: troubles of files don't heal.
    """

    rate: float
    seed: int
    kinds: frozenset[str] = USUAL
    lasting: bool = False
    met: Counter[tuple[str, Occasion]] = field(default_factory=Counter)

    def kind(self, name: str, occasion: Occasion) -> str | None:
        """The trouble a task (or a clip) has on an occasion, follows from seed and name; None for most."""
        offered = [kind for kind in OCCASIONS[occasion] if kind in self.kinds]
        if not offered or share(self.seed, name, occasion) >= self.rate:
            return None
        return offered[number(self.seed, name, occasion, "kind") % len(offered)]

    def strikes(self, name: str, occasion: Occasion) -> str | None:
        """The trouble that comes now, counting how often it came; None when there is none, or it is over."""
        kind = self.kind(name, occasion)
        times = 1 + number(self.seed, name, occasion, "times") % TIMES_MAX
        if kind is None or (self.met[name, occasion] >= times and not (self.lasting and occasion == "fetch")):
            return None
        self.met[name, occasion] += 1
        return kind

    def coin(self, name: str, what: str) -> bool:
        """One of two ways a trouble can go; follows from seed and name."""
        return bool(number(self.seed, name, what) & 1)
