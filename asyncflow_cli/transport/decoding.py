"""Files of audio to 16-bit samples at a rate of ours; knows FFmpeg's libraries, through PyAV.

PyAV is an extra of its own weight (100 MB) and start-up (0.12 s): imported when first needed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncflow_cli.errors import IncompleteError, PrerequisiteError

if TYPE_CHECKING:
    from av.container import InputContainer

INSTALL = "pip install 'asyncflow-cli[audio]'"

_DEMUXERS = {"m4a": "mov", "webm": "matroska"}
"""FFmpeg's names where they are not the kind's own."""

SLACK = 0.1
"""Seconds that a header may be wrong about the duration; encoders round to their frames."""

_ESTIMATED = frozenset({"wav", "mp3", "aac", "amr"})
"""Kinds of which FFmpeg guesses the duration, or that `wav` and `mp3` here judge better."""


@dataclass(frozen=True)
class Decoded:
    """Mono s16le, and what the file had it in."""

    pcm: bytes
    codec: str
    sample_rate: int
    channels: int


def decode(content: bytes, kind: str, rate: int) -> bytes:
    """Mono s16le. `kind` is one of `sniff.kind_of`: FFmpeg is never left to guess, for it takes
    lists of other files and addresses for audio as well, and would open them.

    PrerequisiteError without PyAV, IncompleteError for what cannot be decoded to its end.
    """
    return decode_as_is(content, kind, rate).pcm


def decode_as_is(content: bytes, kind: str, rate: int | None = None) -> Decoded:
    """The same at the file's own rate, with what the file is."""
    try:
        import av
    except ImportError as error:
        raise PrerequisiteError(
            f"To decode {kind} takes PyAV, which does not load: {error}",
            hint=INSTALL,
            code="AUDIO_LIBRARY_MISSING",
        ) from None
    try:
        with av.open(io.BytesIO(content), "r", format=_DEMUXERS.get(kind, kind)) as container:
            codec = container.streams.audio[0].codec_context
            rate = rate or codec.sample_rate
            pcm = b"".join(_resampled(container, rate))
            promised = 0.0 if kind in _ESTIMATED else _promised(container)
            decoded = Decoded(pcm, codec.codec.canonical_name, codec.sample_rate, codec.channels)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise IncompleteError(
            f"The {kind} cannot be decoded: {error}", code="AUDIO_DAMAGED"
        ) from None
    _insist_on_all(kind, len(pcm) / 2 / rate, promised)
    return decoded


def _resampled(container: InputContainer, rate: int) -> Iterator[bytes]:
    """One resampler from end to end, so that no seam is heard; it is emptied at the end."""
    import av

    resampler = av.AudioResampler("s16", "mono", rate)
    for frame in (*container.decode(audio=0), None):
        for made in resampler.resample(frame):
            yield bytes(made.planes[0])[: 2 * made.samples]


def _promised(container: InputContainer) -> float:
    """Seconds of audio that the header tells of; 0 if it does not."""
    stream = container.streams.audio[0]
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1_000_000


def _insist_on_all(kind: str, seconds: float, promised: float) -> None:
    if seconds < promised - SLACK:
        raise IncompleteError(
            f"The {kind} holds {seconds:.1f} of {promised:.1f} s of audio", code="AUDIO_TRUNCATED"
        )
