"""How long something took or lasts, in words."""

from __future__ import annotations

import pytest

from asyncflow_cli.protocol.spans import lasting, took


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0.00 s"),
        (12.345, "12.35 s"),
        (59.994, "59.99 s"),
        (59.996, "1 min 0 s"),
        (65.4, "1 min 5 s"),
        (3599.6, "1 h 0 min 0 s"),
        (15146.1, "4 h 12 min 26 s"),
    ],
)
def test_a_length_is_told_in_the_units_people_count_in(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (219.4, "219 ms"),
        (9999.4, "9999 ms"),
        (9999.7, "10.00 s"),
        (10_000, "10.00 s"),
        (219_752, "3 min 40 s"),
    ],
)
def test_milliseconds_are_for_what_is_quick(milliseconds: float, words: str) -> None:
    assert took(milliseconds) == words
