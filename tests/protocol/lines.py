"""What a telephone line carries besides speech, as μ-law."""

from __future__ import annotations

import array
import base64
import math
import random
from collections.abc import Iterator

from asyncflow_cli.protocol.audio import (
    FRAME_BYTES,
    MULAW_SILENCE,
    PHONE_RATE,
    decode_mulaw,
    encode_mulaw,
)


def silence(seconds: float) -> bytes:
    return MULAW_SILENCE * round(seconds * PHONE_RATE)


def tone(*pitches: float, seconds: float, amplitude: float = 8000) -> bytes:
    """One sine a pitch, each of this amplitude."""
    n = round(seconds * PHONE_RATE)
    turns = [2 * math.pi * pitch / PHONE_RATE for pitch in pitches]
    return _mulaw([sum(amplitude * math.sin(turn * i) for turn in turns) for i in range(n)])


def noise(seconds: float, rms: float, seed: int = 1) -> bytes:
    chance = random.Random(seed)
    return _mulaw([chance.gauss(0, rms) for _ in range(round(seconds * PHONE_RATE))])


def click() -> bytes:
    return tone(900, seconds=0.005, amplitude=30000)


def mixed(one: bytes, other: bytes, *, gain: float = 1.0) -> bytes:
    """Both at once, `one` louder by a factor; as long as the shorter."""
    pairs = zip(_samples(one), _samples(other), strict=False)
    return _mulaw([gain * a + b for a, b in pairs])


def frames(mulaw: bytes) -> Iterator[str]:
    """Payloads of 20 ms."""
    for start in range(0, len(mulaw) - FRAME_BYTES + 1, FRAME_BYTES):
        yield base64.b64encode(mulaw[start : start + FRAME_BYTES]).decode()


def _mulaw(samples: list[float]) -> bytes:
    clipped = (max(-32768, min(32767, round(sample))) for sample in samples)
    return encode_mulaw(array.array("h", clipped).tobytes())


def _samples(mulaw: bytes) -> list[float]:
    return list(array.array("h", decode_mulaw(mulaw)))
