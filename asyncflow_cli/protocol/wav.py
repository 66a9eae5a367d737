"""A mono WAV file taken apart; `audio.wav_file` puts one together.

https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol.audio import UNKNOWN_LENGTH, Content, Encoding, insist_on_whole_samples

_ENCODINGS: dict[tuple[int, int], Encoding] = {
    (1, 16): "pcm_s16le",
    (3, 32): "pcm_f32le",
    (7, 8): "pcm_mulaw",
}
EXTENSIBLE = 0xFFFE
"""Then the true format tag begins the sub-format, 24 bytes into the chunk."""

_FORM_BYTES = 26
"""As much of a `fmt ` chunk as is looked at, which may say that it is as large as it likes."""


class Wav(NamedTuple):
    encoding: Encoding
    sample_rate: int
    audio: bytes


class Place(NamedTuple):
    """Where a WAV has its samples, in bytes, and what they are."""

    encoding: Encoding
    sample_rate: int
    start: int
    end: int


class Form(NamedTuple):
    """What a WAV says of its samples."""

    tag: int
    channels: int
    sample_rate: int
    bits: int

    @property
    def encoding(self) -> Encoding | None:
        """None for one that the service does not make."""
        return _ENCODINGS.get((self.tag, self.bits))


def read(file: bytes) -> Wav:
    """The samples, whether or not the header knows their length. IncompleteError if some miss."""
    found = locate(file)
    return Wav(found.encoding, found.sample_rate, file[found.start : found.end])


def locate(file: Content) -> Place:
    """The same where they stand."""
    if not is_wav(file):
        raise IncompleteError("This is no WAV", code="AUDIO_NOT_WAV")
    kind: tuple[Encoding, int] | None = None
    for name, start, size in chunks(file):
        if name == b"fmt ":
            kind = _kind(form(file, start, size))
        if name == b"data" and kind is not None:
            size = length(file, start, size)
            insist_on_whole_samples(size, kind[0])
            return Place(*kind, start, start + size)
    raise IncompleteError("The WAV ends before its audio", code="AUDIO_TRUNCATED")


def insist_on_all(file: bytes) -> None:
    """IncompleteError if audio is missing at the end, of whatever kind it is."""
    for name, start, size in chunks(file):
        if name == b"data":
            length(file, start, size)


def is_wav(file: Content) -> bool:
    return file[:4] == b"RIFF" and file[8:12] == b"WAVE"


def chunks(file: Content) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's name, where it starts, and how many bytes it says that it has."""
    position = 12
    while position + 8 <= len(file):
        name, size = struct.unpack("<4sI", file[position : position + 8])
        yield name, position + 8, size
        position += 8 + size + size % 2


def form(file: Content, start: int, size: int) -> Form:
    """What a `fmt ` chunk says. IncompleteError if it is cut off."""
    chunk = file[start : start + min(size, _FORM_BYTES)]
    if len(chunk) < 16:
        raise IncompleteError("The WAV ends before its audio", code="AUDIO_TRUNCATED")
    tag, channels, sample_rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    return Form(tag, channels, sample_rate, bits)


def length(file: Content, start: int, size: int) -> int:
    """Bytes of a `data` chunk that says it has `size`. IncompleteError if some are missing."""
    there = len(file) - start
    if size in (0, UNKNOWN_LENGTH):
        return there
    if size > there:
        raise IncompleteError(
            f"The WAV holds {there} of {size} bytes of audio", code="AUDIO_TRUNCATED"
        )
    return size


def _kind(told: Form) -> tuple[Encoding, int]:
    encoding = told.encoding
    if encoding is None or told.channels != 1 or not told.sample_rate:
        raise IncompleteError(
            f"The WAV is of a kind we did not ask for: format {told.tag}, {told.bits} bits, "
            f"{told.channels} channels, {told.sample_rate} Hz",
            code="AUDIO_MISMATCH",
        )
    return encoding, told.sample_rate
