"""What the benchmarks reckon; what they measure is for `make bench`."""

from __future__ import annotations

import math

from benchmarks.bridge.most import TOO_SLOW, Tried, crossing
from benchmarks.measure import Figure


class Bridge:
    """Adds ten times as much for every quarter more calls, and is up to so many."""

    def __init__(self, holds: float, most: float = math.inf) -> None:
        self.holds = holds
        self.most = most
        self.tried: list[int] = []

    def attempt(self, calls: int) -> Tried:
        self.tried.append(calls)
        if calls > self.most:
            return Tried(calls, math.inf)
        return Tried(calls, TOO_SLOW * 10 ** (math.log(calls / self.holds) / math.log(1.25)))


def test_the_most_calls_are_found_from_below_and_from_above() -> None:
    for begin in (1000, 1400, 2000):
        assert math.isclose(crossing(Bridge(1400).attempt, begin), 1400, rel_tol=0.001)


def test_no_load_beyond_what_crosses_is_tried() -> None:
    bridge = Bridge(1040)
    crossing(bridge.attempt, 1000)
    assert bridge.tried == [1000, 1060]


def test_calls_that_cannot_be_had_are_not_held() -> None:
    assert crossing(Bridge(5000, most=1100).attempt, 1000) == 1060
    assert crossing(Bridge(5000, most=900).attempt, 1000) <= 900


def test_what_the_load_could_offer_is_the_least_that_is_held() -> None:
    bridge = Bridge(5000)

    def attempt(calls: int) -> Tried:
        tried = bridge.attempt(min(calls, 1100))
        return Tried(tried.calls, tried.p99, last=calls > 1100)

    assert crossing(attempt, 1000) == 1100
    assert crossing(attempt, 3000) == 1100


def test_what_is_enough_is_not_gone_beyond() -> None:
    bridge = Bridge(5000)
    assert crossing(bridge.attempt, 2000, enough=1999.5) == 1999.5
    assert bridge.tried == [2000]


def test_a_bridge_that_holds_nothing_is_told_to_hold_one_call() -> None:
    assert crossing(Bridge(0.1).attempt, 10) == 1


def test_the_spread_of_few_samples_is_all_of_them() -> None:
    few, many = Figure("few", (3.0, 1.0, 2.0)), Figure("many", tuple(map(float, range(11))))
    assert (few.low, few.high) == (1.0, 3.0)
    assert (many.low, many.high) == (1.0, 9.0)


def test_a_spread_is_never_narrower_than_what_is_known() -> None:
    figure = Figure("memory", (100.0, 100.0, 100.0))
    assert (figure.low, figure.high) == (99.0, 101.0)
