"""What audio sounds like, in sixteen bits every 16 ms, and whether two recordings are the same.

Pure. A bit says whether one of 17 bands between 300 and 3300 Hz has gained on its neighbour, after
J. Haitsma and T. Kalker, "A Highly Robust Audio Fingerprinting System" (2002). μ-law at 8 kHz and
mp3 at 32 kbit/s change up to a tenth of the bits of speech, other speech about half.
"""

from __future__ import annotations

import array
import math
import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

RATE = 8000
_WINDOW, _HOP = 256, 128
_SMOOTH, _LAG = 8, 4
"""Hops over which energies are added up, and over which they are compared."""

_BANDS = 17
_HERTZ = [300 * 11 ** (band / (_BANDS - 1)) for band in range(_BANDS)]
_WAVES = [
    [
        [
            (0.5 - 0.5 * math.cos(2 * math.pi * n / _WINDOW)) * wave(2 * math.pi * hertz * n / RATE)
            for n in range(_WINDOW)
        ]
        for wave in (math.cos, math.sin)
    ]
    for hertz in _HERTZ
]

_LOUD = 1e-3
"""Of the loudest: what is 30 dB below it counts as silence, whose bits are noise."""

_SAME = 0.14
"""Of all bits. Measured: at most 0.09 for the same audio, 0.16 for "No" in "Hello"."""

_PIECE, _SAME_PIECE = 16, 0.20
"""Frames, a quarter of a second: sentences may differ in a word. Measured in the worst piece: 0.18
for the same audio, 0.22 for "five" in place of "nine" in the same voice."""

_FEWEST = 6
"""Loud frames that tell anything about a piece."""


class Fingerprint(msgspec.Struct, frozen=True, array_like=True):
    bits: bytes
    """Two bytes a frame, little-endian."""
    loud: bytes
    """One byte a frame: 1, or 0 where there is silence."""

    @property
    def frames(self) -> int:
        return len(self.loud)


class Match(NamedTuple):
    start: int
    """Frame of the recording at which the speech begins."""
    end: int
    errors: float


def fingerprint(samples: array.array[int]) -> Fingerprint:
    """Of 16-bit samples at 8 kHz."""
    # Silence around it, so that its first and last sounds are in it wherever it is heard.
    around = array.array("h", bytes(2 * _HOP * (_SMOOTH + _LAG)))
    energies = _smoothed([_energies(frame) for frame in _windows(around + samples + around)])
    totals = [sum(bands) for bands in energies]
    floor = max(totals, default=0.0) * _LOUD
    bits = array.array("H")
    for before, now in zip(energies, energies[_LAG:], strict=False):
        bits.append(_bits([a - b for a, b in zip(now, before, strict=True)]))
    loud = bytes(total > floor for total in totals[_LAG:])
    return Fingerprint(b"".join(word.to_bytes(2, "little") for word in bits), loud)


def find(speech: Fingerprint, recording: Fingerprint) -> Match | None:
    """Where in the recording the speech is heard, if it is, from its beginning to its end."""
    if sum(speech.loud) < _FEWEST:
        return None
    whole, heard = int.from_bytes(speech.bits, "little"), int.from_bytes(recording.bits, "little")
    mask = _mask(speech.loud)
    first, last = -_SMOOTH, max(recording.frames - speech.frames, 0) + _SMOOTH
    count = mask.bit_count()

    def errors(offset: int) -> float:
        shifted = heard >> 16 * offset if offset >= 0 else heard << -16 * offset
        return ((shifted ^ whole) & mask).bit_count() / count

    best = min(range(first, last + 1), key=errors)
    if errors(best) > _SAME or not _same_everywhere(speech, recording, best):
        return None
    return Match(best, best + speech.frames, errors(best))


def covered(recording: Fingerprint, matches: Sequence[Match]) -> float:
    """How much of what is loud in the recording the matches account for."""
    loud = [index for index, value in enumerate(recording.loud) if value]
    inside = sum(any(m.start - _LAG <= i < m.end + _LAG for m in matches) for i in loud)
    return inside / len(loud) if loud else 0.0


def _same_everywhere(speech: Fingerprint, recording: Fingerprint, offset: int) -> bool:
    """Whether every quarter of a second agrees."""
    for start in range(0, speech.frames, _PIECE // 2):
        wrong = loud = 0
        for frame in range(start, min(start + _PIECE, speech.frames)):
            there = frame + offset
            if speech.loud[frame]:
                loud += 1
                wrong += (_word(speech, frame) ^ _word(recording, there)).bit_count()
        if loud >= _FEWEST and wrong > _SAME_PIECE * 16 * loud:
            return False
    return True


def _word(of: Fingerprint, frame: int) -> int:
    return int.from_bytes(of.bits[2 * frame : 2 * frame + 2], "little") if frame >= 0 else 0


def _mask(loud: bytes) -> int:
    return int.from_bytes(b"".join(b"\xff\xff" if value else b"\0\0" for value in loud), "little")


def _windows(samples: array.array[int]) -> list[list[int]]:
    starts = range(0, len(samples) - _WINDOW + 1, _HOP)
    return [samples[start : start + _WINDOW].tolist() for start in starts]


def _energies(frame: list[int]) -> list[float]:
    return [
        sum(map(operator.mul, frame, cosine)) ** 2 + sum(map(operator.mul, frame, sine)) ** 2
        for cosine, sine in _WAVES
    ]


def _smoothed(energies: list[list[float]]) -> list[list[float]]:
    return [
        [sum(band) for band in zip(*energies[start : start + _SMOOTH], strict=True)]
        for start in range(len(energies) - _SMOOTH + 1)
    ]


def _bits(gains: list[float]) -> int:
    word = 0
    for left, right in pairwise(gains):
        word = word << 1 | (left > right)
    return word
