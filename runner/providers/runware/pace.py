"""When to ask whether a clip is done: seldom, and yet soon after it is.

A pause is at most a tenth of the time that the clip has been making (or 3 s), so that it is noticed within a tenth of
its making time; what keeps the requests few is that the first of those pauses begins where such clips usually end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

KNOWN_MIN = 5
"""Durations after which the usual making time of a model counts as known; as many are kept."""

PROBES_S = (2.2, 5.0)
"""The first looks at a task of a model that nothing is known of, in seconds: a rehearsal is done by then."""
LOOK_S = 3.0
"""One early look at a task that takes long: most refusals come within seconds."""
LONG_S = 12.0
TIGHT = 1.25
NOTICED_S = 3.0
STEP_PART_MAX = 0.1
STEP_PART_MIN = 0.02
STEP_S_MIN = 0.05
DEFAULT_S = 60.0
DEFAULT_S_PER_S = 18.0
"""Before anything is known, a clip of n seconds is expected after 60 + 18 n s at the earliest: 150 s for 5 s, 240 s for
10 s. Users of the service report 3 to 5 minutes for the short ones."""
READING_PART = 0.75
"""Where the service tells its percents, one look on the way reads them: after that the end is known."""
PROGRESS_MIN = 3
NEARLY = 1.15
"""Percents below say nothing, rounded as they are; those that leave less than 15 % of the time mean: nearly done."""
RESUMED_GROWTH = 1.5


def first_expected(seconds: float) -> float:
    """When a clip of so many seconds is first worth asking about, before anything is known."""
    return DEFAULT_S + DEFAULT_S_PER_S * seconds


Learned = tuple[float, float]
"""One finished clip: when it was last seen unfinished, and how long it is believed to have taken, in seconds."""


@dataclass(slots=True)
class Pace:
    """The asking times of one task, in seconds since it was submitted. ``chance`` (0 to 1) keeps tasks apart."""

    seconds: float
    chance: float
    resumed: bool = False
    """Submitted by an earlier run, nobody here knows when: it is asked at once, and then more and more seldom."""
    asked: list[float] = field(default_factory=list)
    """When it was asked, and was not done."""
    _likely: list[tuple[float, float]] = field(default_factory=list)
    _speaks: bool = False

    def note(self, elapsed: float, progress: int | None) -> None:
        """It was asked and is not done. ``progress``: percent, as the service says."""
        self.asked.append(elapsed)
        self._speaks = progress is not None
        if progress is not None and progress >= PROGRESS_MIN:
            percent = min(progress, 99)
            self._likely.append((100 * elapsed / (percent + 1), 100 * elapsed / (percent - 1)))
        else:
            self._likely.clear()

    def due(self, learned: Sequence[Learned]) -> float:
        """When to ask next, given how long the last ones took."""
        if self.resumed:
            usual = min((took for _, took in learned), default=first_expected(self.seconds))
            longest = max(NOTICED_S, STEP_PART_MAX * max(usual, *self.asked, 0.0))
            pause = min(NOTICED_S * RESUMED_GROWTH ** float(min(len(self.asked), 99)), longest)
            return self.asked[-1] + pause if self.asked else 0.0
        now = self.asked[-1] if self.asked else 0.0
        due = self._by_habit(now, sorted(took for _, took in learned), learned[-1][0] if learned else 0.0)
        if self._speaks and len(self.asked) == 1 and learned and not self._likely:
            due = min(due, READING_PART * min(took for _, took in learned))
        if self._likely:
            low, high = self._likely[-1]
            if len(self._likely) > 1:
                low, high = max(low, self._likely[-2][0]), min(high, self._likely[-2][1])
            if low <= high and now < low:
                # One reading may bring the next look forward; two that agree may also put it off.
                due = low if len(self._likely) > 1 else min(due, low)
            elif self._likely[-1][1] <= NEARLY * now:
                due = min(due, self._step(now))
        return max(due, now + max(STEP_S_MIN, STEP_PART_MIN / 2 * now))

    def _by_habit(self, now: float, learned: list[float], floor: float) -> float:
        if not learned:
            early = next((probe for probe in PROBES_S if probe > now + STEP_S_MIN), None)
            return early if early is not None else max(self._step(now), first_expected(self.seconds))
        known = len(learned) >= KNOWN_MIN
        if not self.asked and (look := _look(learned, floor)) is not None:
            return look
        ahead = [usual for usual in learned if usual * 1.2 > now]
        if not ahead:
            return self._overdue(now, learned[-1])
        group = _nearest(ahead)
        # The wider they lie apart, the likelier the next one ends before all of them.
        start = group[0] * ((group[0] / group[-1]) ** 0.25 if known else 0.9)
        start *= 1 + 0.01 * self.chance
        if now < start:
            # One that took far longer is no reason to leave a clip lying that is only a little late.
            passed = learned[: len(learned) - len(ahead)]
            return min(start, self._overdue(now, passed[-1])) if len(passed) > len(ahead) else start
        if now > 1.05 * group[-1]:
            return self._overdue(now, group[-1])
        if not known:
            return self._step(now)
        # Two looks cross the span in which the last ones ended, or as many as a tenth each needs.
        part = (1.05 * group[-1] / group[0]) ** (1 / 2) - 1
        return self._step(now, min(max(part, STEP_PART_MIN), STEP_PART_MAX))

    def _overdue(self, now: float, usual: float) -> float:
        """Later than ever: pauses double from a tenth, up to what a clip may wait to be noticed."""
        looks = sum(asked > 1.05 * usual for asked in self.asked)
        pause = min(STEP_PART_MAX * now * 2.0 ** min(looks - 1, 16), NOTICED_S)
        return max(now + pause, self._step(now))

    def _step(self, now: float, part: float = STEP_PART_MAX) -> float:
        return now * (1 + part * (1 - 0.05 * self.chance))


def learn(learned: Sequence[Learned], elapsed: float, before: float) -> list[Learned]:
    """The durations with one more, of which only the last five count.

    ``before`` is when it was last seen unfinished (0: never). Between two looks that are near each other it ended half
    way; a clip that was done at the first look worth the name took less than that, by nobody knows how much: the next
    look is then a little earlier, until one is too early.
    """
    if elapsed <= 1.2 * before:
        took = (before + elapsed) / 2
    else:
        familiar = any(0.8 * elapsed <= usual <= 1.25 * elapsed for _, usual in learned)
        took = elapsed * (0.94 if familiar else 0.8)
    return [*learned, (round(before, 3), round(took, 3))][-KNOWN_MIN:]


def _look(learned: list[float], floor: float) -> float | None:
    """One early look: half way (by ratio) into what is unknown, or for refusals, which mostly come within seconds."""
    floor = max(floor, 1.0)
    if learned[0] > 1.5 * floor:
        return math.sqrt(floor * learned[0])
    return LOOK_S if learned[0] > LONG_S and learned[-1] <= TIGHT * learned[0] else None


def _nearest(ahead: list[float]) -> list[float]:
    """The first of the durations that lie together: where nothing ever ended, nothing is asked."""
    for number, (one, other) in enumerate(pairwise(ahead), 1):
        if other > 1.35 * one:
            return ahead[:number]
    return ahead
