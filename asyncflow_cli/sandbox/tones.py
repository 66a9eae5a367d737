"""Tones on the line: keys as telephones sound them, and an answering machine's beep.

The pairs of frequencies are those of ITU-T Q.23.
"""

from __future__ import annotations

import array
import math
import sys
from functools import cache

from asyncflow_cli.protocol.audio import MULAW_SILENCE, PHONE_RATE, encode_mulaw

KEY_SECONDS = 0.2
"""How long a key takes: three quarters of that it sounds."""

PAUSES = {"w": 0.5, "W": 1.0}
"""Seconds of silence: https://www.twilio.com/docs/voice/api/call-resource"""

BEEP_HZ, BEEP_SECONDS = 1000, 0.5

_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")
_PAIRS = {
    key: (low, high)
    for low, row in zip(_ROWS, _KEYS, strict=True)
    for high, key in zip(_COLUMNS, row, strict=True)
}

_LEVEL = 8000
"""Of each frequency: a quarter of full scale."""


def keys(digits: str) -> bytes:
    """The μ-law of keys and of the pauses between them."""
    return b"".join(map(_key, digits))


def beep() -> bytes:
    return _tone(BEEP_SECONDS, BEEP_HZ)


def silence(seconds: float) -> bytes:
    return MULAW_SILENCE * round(seconds * PHONE_RATE)


@cache
def _key(digit: str) -> bytes:
    if digit in PAUSES:
        return silence(PAUSES[digit])
    return _tone(0.75 * KEY_SECONDS, *_PAIRS[digit]) + silence(0.25 * KEY_SECONDS)


@cache
def _tone(seconds: float, *frequencies: int) -> bytes:
    steps = [2 * math.pi * hz / PHONE_RATE for hz in frequencies]
    samples = array.array(
        "h",
        (
            round(_LEVEL * sum(math.sin(step * at) for step in steps))
            for at in range(round(seconds * PHONE_RATE))
        ),
    )
    if sys.byteorder == "big":
        samples.byteswap()
    return encode_mulaw(samples.tobytes())
