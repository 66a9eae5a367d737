"""Line time, which passes faster or slower than ours."""

from __future__ import annotations

import pytest

from asyncflow_cli.errors import UsageError
from asyncflow_cli.sandbox.clock import Clock


@pytest.mark.parametrize(("before", "after"), [(1e6, 1e-6), (1e-6, 1e6)])
def test_a_clock_that_changes_its_speed_goes_on_from_where_it_is(
    before: float, after: float
) -> None:
    clock = Clock(before)
    now = clock.now()
    clock.run_at(after)
    assert clock.now() >= now
    assert clock.real(after) == 1


def test_a_clock_cannot_be_stopped() -> None:
    clock = Clock(2)
    with pytest.raises(UsageError):
        clock.run_at(0)
    assert clock.real(2) == 1
