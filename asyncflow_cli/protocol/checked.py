"""Whether the audio that came is what was asked for, and all of it."""

from __future__ import annotations

import struct
from typing import NamedTuple

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol import wav
from asyncflow_cli.protocol.audio import UNKNOWN_LENGTH, Content, insist_on_whole_samples, seconds
from asyncflow_cli.protocol.models import OutputFormat


class Checked(NamedTuple):
    """What there is to say of audio that is what was asked for."""

    head: bytes
    """What has to stand in place of as many bytes at its beginning: a WAV header that was written
    before the length was known."""
    seconds: float | None
    """None for a WAV in an encoding of which we do not know the width."""

    def mended(self, audio: bytes) -> bytes:
        return self.head + audio[len(self.head) :] if self.head else audio


def check(audio: Content, wanted: OutputFormat) -> Checked:
    """Look at audio that is all there. IncompleteError if it is not."""
    if not audio:
        raise IncompleteError("The service sent no audio", code="AUDIO_EMPTY")
    match wanted.container:
        case "wav":
            return _check_wav(audio, wanted)
        case "mp3":
            return _check_mp3(audio)
        case _:
            return _check_raw(audio, wanted)


def _check_raw(audio: Content, wanted: OutputFormat) -> Checked:
    encoding = wanted.encoding or "pcm_s16le"
    insist_on_whole_samples(len(audio), encoding)
    return Checked(b"", seconds(len(audio), encoding, wanted.sample_rate))


def _check_mp3(audio: Content) -> Checked:
    start = audio[:3]
    # An ID3 tag, or the eleven set bits of a frame's sync word.
    if start != b"ID3" and not (start[0] == 0xFF and start[1:2] >= b"\xe0"):
        raise IncompleteError("The service's answer is no mp3", code="AUDIO_NOT_MP3")
    from asyncflow_cli.protocol import mp3

    return Checked(b"", mp3.duration(audio))


def _check_wav(audio: Content, wanted: OutputFormat) -> Checked:
    if not wav.is_wav(audio):
        raise IncompleteError("The service's answer is no WAV", code="AUDIO_NOT_WAV")
    form: wav.Form | None = None
    for name, start, size in wav.chunks(audio):
        if name == b"fmt ":
            form = wav.form(audio, start, size)
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


def _check_data(audio: Content, start: int, size: int, form: wav.Form | None) -> Checked:
    if len(audio) <= start:
        raise IncompleteError("The WAV holds no audio", code="AUDIO_EMPTY")
    there = wav.length(audio, start, size)
    head = _with_length(audio, start) if size in (0, UNKNOWN_LENGTH) else b""
    if form is None or form.encoding is None or not form.sample_rate:
        return Checked(head, None)
    insist_on_whole_samples(there, form.encoding)
    return Checked(head, seconds(there, form.encoding, form.sample_rate))


def _with_length(audio: Content, start: int) -> bytes:
    """The WAV up to its samples, with the lengths that were not known when it was written."""
    return b"".join(
        (
            audio[:4],
            struct.pack("<I", len(audio) - 8),
            audio[8 : start - 4],
            struct.pack("<I", len(audio) - start),
        )
    )
