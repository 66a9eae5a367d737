"""How many calls a bridge holds: where the p99 of what it adds crosses what a listener hears.

It knows no bridge. Whoever asks can tell the p99 of any number of calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

TOO_SLOW = 20.0
"""Milliseconds of p99 at which a listener hears it."""

STRIDE, STEP = 1.2, 1.06
"""From one load to the next, to find where to begin and to measure."""


@dataclass(frozen=True)
class Tried:
    calls: float
    """What was offered: less than was asked for, if the load can do no more."""
    p99: float
    """Milliseconds; infinite if the calls did not come up."""
    last: bool = False
    """The load can do no more."""

    @property
    def held(self) -> bool:
        return self.p99 <= TOO_SLOW


Try = Callable[[int], Tried]


def crossing(attempt: Try, begin: int, step: float = STEP, enough: float = math.inf) -> float:
    """Calls at which p99 is what a listener hears.

    From `begin` up or down by steps, until of two neighbours one is held and one is not; between
    these by interpolation, as p99 grows by factors. No more than `enough`, nor than was offered.
    """
    here = attempt(begin)
    upwards, most = here.held, 0.0
    while True:
        most = max(most, here.calls)
        if upwards and (most >= enough or here.last):
            return min(most, enough)
        if not upwards and here.calls <= 1:
            return 1.0
        there = attempt(_next(here.calls, step if upwards else 1 / step))
        if there.held != upwards:
            return min(_between(here, there) if upwards else _between(there, here), enough)
        here = there


def _next(calls: float, step: float) -> int:
    return round(max(calls + 1, calls * step)) if step > 1 else max(1, int(calls * step))


def _between(held: Tried, not_held: Tried) -> float:
    below = math.log(max(held.p99, 0.001))
    share = (math.log(TOO_SLOW) - below) / (math.log(not_held.p99) - below)
    return held.calls * math.pow(not_held.calls / held.calls, share)
