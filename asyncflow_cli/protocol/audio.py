"""Audio as numbers: formats, G.711 μ-law, WAV headers, durations. No codec beyond μ-law.

Formulas and vectors of μ-law: ITU-T G.711; `audioop` left Python in 3.13.
"""

from __future__ import annotations

import array
import struct
import sys
from collections.abc import Iterator
from functools import cache
from typing import Literal, Protocol

from asyncflow_cli.errors import IncompleteError

Container = Literal["raw", "mp3", "wav"]
Encoding = Literal["pcm_s16le", "pcm_f32le", "pcm_mulaw"]

SAMPLE_BYTES = {"pcm_s16le": 2, "pcm_f32le": 4, "pcm_mulaw": 1}

PHONE_RATE = 8000
"""Samples, and bytes of μ-law, per second on a telephone line."""

FRAME_BYTES = 160
"""20 ms of μ-law: what a telephone line plays at a tick."""

MULAW_SILENCE = b"\xff"
"""Digital silence; 0x7F is negative zero."""

UNKNOWN_LENGTH = 0xFFFF_FFFF
"""Both size fields of a WAV whose length is not known yet. Zeros make readers see no audio."""

BLOCK_BYTES = 1 << 16
"""What is taken at a time of content that may be longer than memory."""


class Content(Protocol):
    """What a file holds: bytes, or something on disk that is sliced like them."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


def blocks(content: Content, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The content from `start` to `end`, or to its own end, a block at a time."""
    end = len(content) if end is None else end
    for at in range(start, end, BLOCK_BYTES):
        yield content[at : min(at + BLOCK_BYTES, end)]


def _decode_code(code: int) -> int:
    code = ~code & 0xFF
    exponent, mantissa = code >> 4 & 7, code & 15
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return -magnitude if code & 0x80 else magnitude


_DECODED = [_decode_code(code) for code in range(256)]


@cache
def _encode_table() -> bytes:
    """The code of every sample, by its bits. It is made of runs, for a formula takes 20 ms: the
    sixteen steps of a segment are twice as wide as those of the segment below.
    """
    runs = (bytes([~code & 0xFF]) * (8 << (code >> 4)) for code in range(0x80))
    positive = b"".join(runs)[4:]  # G.711 moves them by half of the first step
    positive = positive.ljust(0x8001, positive[-1:])
    negative = positive[:0:-1].translate(bytes(code & 0x7F for code in range(0x100)))
    return positive[:0x8000] + negative


def encode_mulaw(pcm: bytes) -> bytes:
    """16-bit little-endian samples to G.711 μ-law, a byte a sample."""
    table = _encode_table()
    samples = array.array("H", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return bytes(map(table.__getitem__, samples))


def decode_mulaw(mulaw: bytes) -> bytes:
    """G.711 μ-law to 16-bit little-endian samples."""
    samples = array.array("h", map(_DECODED.__getitem__, mulaw))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def insist_on_whole_samples(n_bytes: int, encoding: str) -> None:
    """IncompleteError if the last sample is cut off."""
    if n_bytes % SAMPLE_BYTES[encoding]:
        raise IncompleteError("The audio ends in the middle of a sample", code="AUDIO_TRUNCATED")


def seconds(n_bytes: int, encoding: str, sample_rate: int) -> float:
    """How long `n_bytes` of mono audio play."""
    return n_bytes / (SAMPLE_BYTES[encoding] * sample_rate)


# WAVE format tags and the `fact` chunk that every format but PCM must carry:
# https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
_FORMAT_TAGS = {"pcm_s16le": 1, "pcm_f32le": 3, "pcm_mulaw": 7}


def wav_header(encoding: str, sample_rate: int, n_bytes: int | None) -> bytes:
    """The RIFF header of a mono WAV with `n_bytes` of audio, or of unknown length if None."""
    width = SAMPLE_BYTES[encoding]
    tag = _FORMAT_TAGS[encoding]
    fmt = struct.pack("<HHIIHH", tag, 1, sample_rate, sample_rate * width, width, width * 8)
    known = n_bytes is not None
    size = n_bytes if n_bytes is not None else UNKNOWN_LENGTH
    fact = b""
    if tag != 1:
        fmt += b"\0\0"
        fact = b"fact" + struct.pack("<II", 4, size // width if known else UNKNOWN_LENGTH)
    chunks = b"WAVE" + b"fmt " + struct.pack("<I", len(fmt)) + fmt + fact + b"data"
    riff_size = len(chunks) + 4 + size + size % 2 if known else UNKNOWN_LENGTH
    return b"RIFF" + struct.pack("<I", riff_size) + chunks + struct.pack("<I", size)


def wav_file(encoding: str, sample_rate: int, audio: bytes) -> bytes:
    """A whole mono WAV file; an odd number of bytes is padded as RIFF asks."""
    return wav_header(encoding, sample_rate, len(audio)) + audio + b"\0" * (len(audio) % 2)
