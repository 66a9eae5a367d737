"""A clip to clone a voice from: what it is by its content, and whether it can do.

https://docs.async.com/clone-voice-16699697e0

A refusal has the code that the service would give, so that it is the same wherever it comes from.
"""

from __future__ import annotations

import array
import sys
from dataclasses import dataclass

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol import wav
from asyncflow_cli.protocol.audio import decode_mulaw, seconds
from asyncflow_cli.protocol.failures import from_code
from asyncflow_cli.protocol.sniff import kind_of

LARGEST = 10 * 1024 * 1024
"""The service says 10 MB."""

SHORTEST = 3.0
"""Seconds. The service wants as much speech; we can measure only how much sound there is."""

QUIETEST = 10 ** (-50 / 20)
"""A peak below this part of full scale is the noise of a microphone that nobody spoke into."""

TAKEN = frozenset({"wav", "mp3", "flac", "aiff"})


@dataclass(frozen=True)
class Loudness:
    """How long a clip is, and its highest peak as a part of full scale."""

    seconds: float
    peak: float


@dataclass(frozen=True)
class Clip:
    file_name: str
    content: bytes
    format: str
    loudness: Loudness | None
    """None where nothing here could measure it."""

    @property
    def seconds(self) -> float | None:
        return None if self.loudness is None else round(self.loudness.seconds, 2)

    @property
    def summary(self) -> str:
        length = "" if self.seconds is None else f"{self.seconds:.1f} s, "
        return f"{self.file_name}: {length}{len(self.content)} bytes of {self.format}"


def format_of(content: bytes) -> str | None:
    """wav, mp3, flac or aiff, by content; None for everything else."""
    kind = kind_of(content)
    if kind is None and _is_layer_3(content[:2]):
        return "mp3"
    return kind if kind in TAKEN else None


def _is_layer_3(start: bytes) -> bool:
    """Eleven set bits, a version that is one, and layer III, which AAC does not say."""
    if len(start) < 2 or start[0] != 0xFF or start[1] & 0xE0 != 0xE0:
        return False
    return start[1] >> 3 & 3 != 1 and start[1] >> 1 & 3 == 1


def check_content(name: str, content: bytes) -> str:
    """The format of a clip of a kind and size that the service takes, or its refusal."""
    if len(content) > LARGEST:
        raise from_code("FILE_TOO_LARGE", f"{name} is larger than 10 MB")
    found = format_of(content)
    if found is None:
        what = "is no wav, mp3, flac or aiff, whatever its name says" if content else "is empty"
        raise from_code("FORMAT_NOT_RECOGNIZED", f"{name} {what}")
    return found


def check_loudness(name: str, loudness: Loudness) -> None:
    """Refuse a clip that is too short or silent."""
    if loudness.seconds < SHORTEST:
        message = f"{name} lasts {loudness.seconds:.1f} s; a voice needs {SHORTEST:g} s of speech"
        raise from_code("SHORT_SPEECH_DURATION", message)
    if loudness.peak < QUIETEST:
        raise from_code("BAD_SPEECH_QUALITY", f"{name} is silent")


def wav_loudness(content: bytes) -> Loudness | None:
    """Of a mono WAV; None for the kinds that are not read here."""
    try:
        found = wav.read(content)
    except IncompleteError:
        return None
    lasts = seconds(len(found.audio), found.encoding, found.sample_rate)
    if found.encoding == "pcm_f32le":
        return Loudness(lasts, _peak(array.array("f", found.audio)))
    is_mulaw = found.encoding == "pcm_mulaw"
    return pcm_loudness(decode_mulaw(found.audio) if is_mulaw else found.audio, lasts)


def pcm_loudness(pcm: bytes, lasts: float) -> Loudness:
    """Of 16-bit little-endian samples."""
    return Loudness(lasts, _peak(array.array("h", pcm)) / 32768)


def _peak(samples: array.array[int] | array.array[float]) -> float:
    if sys.byteorder == "big":
        samples.byteswap()
    return max(max(samples), -min(samples)) if samples else 0.0
