"""How long something took or lasts, in words."""

from __future__ import annotations

SLOW = 10_000.0
"""Milliseconds from which on nobody compares them any more."""


def lasting(seconds: float) -> str:
    """`12.35 s`; from a minute on `4 h 12 min 26 s`."""
    if round(seconds, 2) < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min {rest} s" if hours else f"{minutes} min {rest} s"


def took(milliseconds: float) -> str:
    """`219 ms`; from ten seconds on `10.00 s`, `3 min 40 s`."""
    return f"{milliseconds:.0f} ms" if round(milliseconds) < SLOW else lasting(milliseconds / 1000)
