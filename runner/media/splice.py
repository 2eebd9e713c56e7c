"""One entry of a film as it is copied: which packets go over untouched, and when each of their pictures is shown.

A picture that is not to be seen but that others are built on can't be left out of a copy. In front it is squeezed: it
gets one tick of time, just before its successor. At the end the copy stops at the last point from which nothing that is
wanted is missing, and the few pictures after it (0 to 2 as a rule) are written anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from .clip import Moments


@dataclass(frozen=True, slots=True)
class Splice:
    """What becomes of a clip in the film.

    ``copied``: how many packets go over, in decode order. ``anew``: ticks of pictures to write again after them.
    ``shown``: the film's time in seconds, from the entry's start, for each tick that is shown; ``hidden``: ticks to be
    squeezed in front. ``length``: seconds of the entry.
    """

    copied: int
    anew: tuple[int, ...]
    shown: dict[int, Fraction]
    hidden: tuple[int, ...]
    length: Fraction


def plan(times: Moments, decode_order: Sequence[int], first: int, stop: int, *, squeeze: bool) -> Splice:
    """How to show the pictures ``first`` up to, not including, ``stop``, of a clip whose packets come in this order.

    ``decode_order`` are the presentation ticks of all its packets, also of those that an edit list hides.
    """
    wanted = times.ticks[first:stop]
    seconds = _seconds(times)
    end = seconds[stop] if stop < len(times.ticks) else seconds[-1]
    shown = {tick: at - seconds[first] for tick, at in zip(wanted, seconds[first:stop], strict=True)}
    hidden = tuple(sorted(t for t in decode_order if t < wanted[0]))
    copied = 0 if hidden and not squeeze else _clean(decode_order, wanted)
    kept = set(decode_order[:copied])
    anew = tuple(t for t in wanted if t not in kept)
    return Splice(copied, anew, shown, hidden if copied else (), end - seconds[first])


def _clean(decode_order: Sequence[int], wanted: Sequence[int]) -> int:
    """The longest run of packets after which only whole pictures at the end are missing, and none is too many."""
    later = sorted(wanted)
    last, begin = later[-1], later[0]
    best = 0
    most = begin - 1
    missing = set(later)
    position = 0
    for count, tick in enumerate(decode_order, 1):
        if tick > last:
            break
        most = max(most, tick)
        missing.discard(tick)
        while position < len(later) and later[position] not in missing:
            position += 1
        if position == len(later) or most < later[position]:
            best = count
    return best


def _seconds(times: Moments) -> list[Fraction]:
    """The time of each picture and of the end; on the exact grid of the rate where the clip keeps to one."""
    if times.steady:
        rate = times.rate
        return [number / rate for number in range(len(times.ticks) + 1)]
    start = times.ticks[0]
    return [(tick - start) * times.time_base for tick in (*times.ticks, times.end)]
