"""Whether the audio that came is what was asked for, and all of it."""

from __future__ import annotations

import struct
from typing import NamedTuple

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol import wav
from asyncflow_cli.protocol.audio import UNKNOWN_LENGTH, insist_on_whole_samples, seconds
from asyncflow_cli.protocol.models import OutputFormat


class Checked(NamedTuple):
    """Audio that is what was asked for."""

    audio: bytes
    seconds: float | None
    """None for a WAV in an encoding of which we do not know the width."""


def check(audio: bytes, wanted: OutputFormat) -> Checked:
    """The audio, its WAV header put right if it names no length. IncompleteError if truncated."""
    if not audio:
        raise IncompleteError("The service sent no audio", code="AUDIO_EMPTY")
    match wanted.container:
        case "wav":
            return _check_wav(audio, wanted)
        case "mp3":
            return _check_mp3(audio)
        case _:
            return _check_raw(audio, wanted)


def _check_raw(audio: bytes, wanted: OutputFormat) -> Checked:
    encoding = wanted.encoding or "pcm_s16le"
    insist_on_whole_samples(len(audio), encoding)
    return Checked(audio, seconds(len(audio), encoding, wanted.sample_rate))


def _check_mp3(audio: bytes) -> Checked:
    # An ID3 tag, or the eleven set bits of a frame's sync word.
    if not (audio.startswith(b"ID3") or (audio[0] == 0xFF and audio[1:2] >= b"\xe0")):
        raise IncompleteError("The service's answer is no mp3", code="AUDIO_NOT_MP3")
    from asyncflow_cli.protocol import mp3

    return Checked(audio, mp3.duration(audio))


def _check_wav(audio: bytes, wanted: OutputFormat) -> Checked:
    if not wav.is_wav(audio):
        raise IncompleteError("The service's answer is no WAV", code="AUDIO_NOT_WAV")
    form: wav.Form | None = None
    for name, start, size in wav.chunks(audio):
        if name == b"fmt ":
            form = wav.form(audio[start : start + size])
        if name == b"data":
            _check_form(form, wanted)
            return _check_data(audio, start, size, form)
    raise IncompleteError("The WAV ends before its audio", code="AUDIO_TRUNCATED")


def _check_form(form: wav.Form | None, wanted: OutputFormat) -> None:
    """IncompleteError if the WAV says that it is not what was asked for."""
    encoding, sample_rate = wanted.encoding or "pcm_s16le", wanted.sample_rate
    if form is None or form.encoding is None:
        return
    if (form.encoding, form.sample_rate) != (encoding, sample_rate):
        raise IncompleteError(
            f"The WAV is {form.encoding} at {form.sample_rate} Hz, "
            f"not {encoding} at {sample_rate} Hz",
            code="AUDIO_NOT_AS_ASKED",
        )


def _check_data(audio: bytes, start: int, size: int, form: wav.Form | None) -> Checked:
    if len(audio) <= start:
        raise IncompleteError("The WAV holds no audio", code="AUDIO_EMPTY")
    there = wav.length(audio, start, size)
    if size in (0, UNKNOWN_LENGTH):
        audio = _with_length(audio, start)
    if form is None or form.encoding is None or not form.sample_rate:
        return Checked(audio, None)
    insist_on_whole_samples(there, form.encoding)
    return Checked(audio, seconds(there, form.encoding, form.sample_rate))


def _with_length(audio: bytes, start: int) -> bytes:
    """The same WAV, whose header was written before the length was known."""
    return b"".join(
        (
            audio[:4],
            struct.pack("<I", len(audio) - 8),
            audio[8 : start - 4],
            struct.pack("<I", len(audio) - start),
            audio[start:],
        )
    )
