"""Pieces of speech to one legal file, and where in it each piece begins."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from asyncflow_cli.errors import IncompleteError, LocalProtocolError, UsageError
from asyncflow_cli.protocol import mp3join, wav
from asyncflow_cli.protocol.audio import (
    UNKNOWN_LENGTH,
    insist_on_whole_samples,
    seconds,
    wav_file,
)
from asyncflow_cli.protocol.models import OutputFormat

_WAV_ROOM = UNKNOWN_LENGTH - 1024
"""Bytes of audio that 32-bit sizes can name, headers apart."""


def join(pieces: Sequence[bytes], output_format: OutputFormat) -> bytes:
    """One file that plays the pieces in order. IncompleteError if one is cut short or unlike."""
    match output_format.container:
        case "mp3":
            return mp3join.join(pieces)
        case "wav":
            return _join_wav(_wavs(pieces))
        case _:
            return b"".join(_raws(pieces, output_format))


def starts(pieces: Sequence[bytes], output_format: OutputFormat) -> list[float]:
    """Seconds into the joined file at which each piece begins: what to add to its word times."""
    if output_format.container == "mp3":
        return mp3join.starts(pieces)
    if output_format.container == "wav":
        wavs = _wavs(pieces)
        audios, encoding = [piece.audio for piece in wavs], str(wavs[0].encoding)
        sample_rate = wavs[0].sample_rate
    else:
        audios, encoding = _raws(pieces, output_format), output_format.encoding or "pcm_s16le"
        sample_rate = output_format.sample_rate
    before = accumulate(map(len, audios[:-1]), initial=0)
    return [seconds(n_bytes, encoding, sample_rate) for n_bytes in before]


def _raws(pieces: Sequence[bytes], output_format: OutputFormat) -> list[bytes]:
    _insist_on_some(pieces)
    for piece in pieces:
        insist_on_whole_samples(len(piece), output_format.encoding or "pcm_s16le")
    return list(pieces)


def _wavs(pieces: Sequence[bytes]) -> list[wav.Wav]:
    _insist_on_some(pieces)
    wavs = [wav.read(piece) for piece in pieces]
    kinds = {(piece.encoding, piece.sample_rate) for piece in wavs}
    if len(kinds) > 1:
        told = ", ".join(f"{encoding} {rate} Hz" for encoding, rate in sorted(kinds))
        raise IncompleteError(f"The pieces do not fit together: {told}", code="AUDIO_MISMATCH")
    return wavs


def _join_wav(wavs: Sequence[wav.Wav]) -> bytes:
    if sum(len(piece.audio) for piece in wavs) > _WAV_ROOM:
        raise UsageError("That is more audio than a WAV can hold", hint="Write a .mp3 or .raw file")
    audio = b"".join(piece.audio for piece in wavs)
    return wav_file(wavs[0].encoding, wavs[0].sample_rate, audio)


def _insist_on_some(pieces: Sequence[bytes]) -> None:
    if not pieces:
        raise LocalProtocolError("There is nothing to join")
