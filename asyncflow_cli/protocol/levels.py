"""How loud μ-law is, by tables: a frame of 20 ms takes a few microseconds and no decoder."""

from __future__ import annotations

import math
from array import array
from sys import byteorder

from asyncflow_cli.protocol.audio import decode_mulaw
from asyncflow_cli.protocol.frames import decode

FULL_SCALE = 32768

SILENCE = -96.0
"""dBFS of digital silence, a number where the logarithm has none. The softest μ-law is -72."""

_SAMPLES = array("h", decode_mulaw(bytes(range(256))))
if byteorder == "big":
    _SAMPLES.byteswap()
_SQUARES = [sample * sample for sample in _SAMPLES]

# μ-law with sign and inversion taken off rises with the loudness, so bytes compare as samples do.
_LOUDNESS = bytes(~code & 0x7F for code in range(256))


def level(payload: str) -> float:
    """The RMS of base64 μ-law in dBFS: 0 for a full-scale square wave, -3 for a sine."""
    mulaw = decode(payload)
    power = sum(map(_SQUARES.__getitem__, mulaw))
    if not power:
        return SILENCE
    return 10 * math.log10(power / (len(mulaw) * FULL_SCALE * FULL_SCALE))


def peak(mulaw: bytes) -> int:
    """The largest distance from zero, 0 to 32124."""
    return _SAMPLES[~max(mulaw.translate(_LOUDNESS), default=0) & 0xFF]
