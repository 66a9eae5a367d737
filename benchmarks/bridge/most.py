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
    calls: int
    p99: float
    """Milliseconds; infinite if so many calls could not be had."""

    @property
    def held(self) -> bool:
        return self.p99 <= TOO_SLOW


Try = Callable[[int], Tried]


def crossing(attempt: Try, begin: int, step: float = STEP, enough: float = math.inf) -> float:
    """Calls at which p99 is what a listener hears.

    From `begin` up or down by steps, until of two neighbours one is held and one is not; between
    these by interpolation, as p99 grows by factors. No more than `enough`; that is not gone beyond.
    """
    here = attempt(begin)
    upwards = here.held
    while True:
        if upwards and here.calls >= enough:
            return enough
        if not upwards and here.calls == 1:
            return 1.0
        there = attempt(_next(here.calls, step if upwards else 1 / step))
        if there.held != upwards:
            return min(_between(here, there) if upwards else _between(there, here), enough)
        here = there


def _next(calls: int, step: float) -> int:
    return max(calls + 1, round(calls * step)) if step > 1 else max(1, int(calls * step))


def _between(held: Tried, not_held: Tried) -> float:
    below = math.log(max(held.p99, 0.001))
    share = (math.log(TOO_SLOW) - below) / (math.log(not_held.p99) - below)
    return held.calls * math.pow(not_held.calls / held.calls, share)
