"""Clips for the telephone: what <Play> names, and what callees say.

WAV at 8 kHz, mono, μ-law or 16 bits, is read here and to the bit; all else needs PyAV.
"""

from __future__ import annotations

import struct
import sys

from asyncflow_cli.protocol.audio import PHONE_RATE, encode_mulaw
from asyncflow_cli.sandbox.recording import decode

_PCM, _MULAW = 1, 7


def sound_of(file: bytes) -> bytes | None:
    """Any audio as μ-law, None if it is none; EngineMissing if PyAV is missing and needed."""
    mulaw = read_clip(file)
    if mulaw is not None:
        return mulaw
    samples = decode(file)
    if samples is None:
        return None
    if sys.byteorder == "big":
        samples.byteswap()
    return encode_mulaw(samples.tobytes())


def read_clip(file: bytes) -> bytes | None:
    """The clip as μ-law, or None if it is nothing the sandbox can play without a codec."""
    if file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        return None
    layout = None
    position = 12
    while position + 8 <= len(file):
        name, size = struct.unpack_from("<4sI", file, position)
        body = file[position + 8 : position + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
            layout = (tag, channels, rate, bits)
        if name == b"data":
            return _as_mulaw(layout, body)
        position += 8 + size + size % 2
    return None


def _as_mulaw(layout: tuple[int, int, int, int] | None, samples: bytes) -> bytes | None:
    if layout == (_MULAW, 1, PHONE_RATE, 8):
        return samples
    if layout == (_PCM, 1, PHONE_RATE, 16):
        return encode_mulaw(samples[: len(samples) // 2 * 2])
    return None
