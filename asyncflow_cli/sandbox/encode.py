"""From the engine's samples to the format that was asked for, with PyAV.

The engine speaks s16le mono at 22 050 Hz. `encode_whole` makes a file that tells the truth about
itself; `Encoder` makes the same audio piece by piece, as it comes. Durations are exact: both give
round(n × rate / 22050) samples, except that MP3 knows nine rates only, and the next higher one
serves for the others. PyAV is imported when first needed (0.12 s).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from asyncflow_cli.protocol.audio import encode_mulaw, wav_file
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.sandbox.engine import EngineMissing

if TYPE_CHECKING:
    from av import AudioCodecContext, AudioFrame

SOURCE_RATE = 22050
DEFAULT_BIT_RATE = 192_000

FASTEST = "7"
"""LAME's algorithm, of 0 to 9; beyond 7 no time is saved. A second of speech takes 7 ms, and would
10 ms by default: https://ffmpeg.org/ffmpeg-codecs.html#libmp3lame-1"""

STEP = 2 * SOURCE_RATE
"""Bytes that are encoded at a time, a second of sound. All of a long answer at once would fill
hundreds of megabytes on its way through FFmpeg, and the allocator keeps what it once had."""

MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

_SAMPLE_FORMATS = {"pcm_s16le": "s16", "pcm_f32le": "flt", "pcm_mulaw": "s16"}
_WIDTHS = {"s16": 2, "flt": 4}


def mp3_rate(sample_rate: int) -> int:
    """The rate itself if MP3 has it, else the next one above."""
    return min(rate for rate in MP3_RATES if rate >= sample_rate)


def encode_whole(pcm: bytes, output_format: OutputFormat) -> bytes:
    """A whole answer. WAV has true sizes; MP3 has the Info header that removes its padding."""
    match output_format.container:
        case "mp3":
            return _mp3_file(pcm, output_format)
        case "wav":
            encoding = output_format.encoding or "pcm_s16le"
            return wav_file(encoding, output_format.sample_rate, _raw(pcm, output_format))
        case _:
            return _raw(pcm, output_format)


class Encoder:
    """A stream: raw samples, or bare MP3 frames (about 1105 samples late, like every MP3 stream).

    A stream has no WAV: the service does not stream it, and its header wants the length first.
    """

    def __init__(self, output_format: OutputFormat) -> None:
        encoder = _Mp3Frames if output_format.container == "mp3" else _Samples
        self._encoder = encoder(output_format)

    def feed(self, pcm: bytes) -> bytes:
        """Whole samples in; what is ready by now out, which may be nothing."""
        return self._encoder.feed(pcm)

    def finish(self) -> bytes:
        return self._encoder.finish()


class Resampler:
    """Another rate or sample format, with its state kept from piece to piece."""

    def __init__(
        self, sample_format: str, sample_rate: int, *, source_rate: int = SOURCE_RATE
    ) -> None:
        require_av()
        from av import AudioResampler

        self._resampler = AudioResampler(sample_format, "mono", sample_rate)
        self._width = _WIDTHS[sample_format]
        self._rate = sample_rate
        self._source_rate = source_rate
        self._taken = 0
        self._given = 0

    def feed(self, pcm: bytes) -> bytes:
        if not pcm:
            return b""
        frame = _frame(pcm, self._source_rate, pts=self._taken)
        self._taken += frame.samples
        return self._give(frame)

    def finish(self) -> bytes:
        """The rest, cut or filled so that the whole has its exact length."""
        if not self._taken:
            return b""
        missing = round(Fraction(self._taken * self._rate, self._source_rate)) - self._given
        rest = self._give(None)[: missing * self._width]
        return rest.ljust(missing * self._width, b"\0")

    def _give(self, frame: AudioFrame | None) -> bytes:
        pieces = [
            bytes(made.planes[0])[: made.samples * self._width]
            for made in self._resampler.resample(frame)
        ]
        audio = b"".join(pieces)
        self._given += len(audio) // self._width
        return audio


class _Samples:
    def __init__(self, output_format: OutputFormat) -> None:
        encoding = output_format.encoding or "pcm_s16le"
        sample_format = _SAMPLE_FORMATS[encoding]
        same = sample_format == "s16" and output_format.sample_rate == SOURCE_RATE
        self._resampler = None if same else Resampler(sample_format, output_format.sample_rate)
        self._mulaw = encoding == "pcm_mulaw"

    def feed(self, pcm: bytes) -> bytes:
        return self._encode(self._resampler.feed(pcm) if self._resampler else pcm)

    def finish(self) -> bytes:
        return self._encode(self._resampler.finish() if self._resampler else b"")

    def _encode(self, pcm: bytes) -> bytes:
        return encode_mulaw(pcm) if self._mulaw else pcm


class _Mp3Frames:
    def __init__(self, output_format: OutputFormat) -> None:
        self._resampler = Resampler("s16", mp3_rate(output_format.sample_rate))
        from av import AudioCodecContext

        self._codec = AudioCodecContext.create("libmp3lame", "w")
        _set_up(self._codec, output_format)
        self._given = 0

    def feed(self, pcm: bytes) -> bytes:
        return self._encode(self._resampler.feed(pcm))

    def finish(self) -> bytes:
        last = self._encode(self._resampler.finish())
        return last + b"".join(bytes(packet) for packet in self._codec.encode(None))

    def _encode(self, pcm: bytes) -> bytes:
        if not pcm:
            return b""
        frame = _frame(pcm, self._codec.sample_rate, pts=self._given)
        self._given += frame.samples
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))


def _raw(pcm: bytes, output_format: OutputFormat) -> bytes:
    return b"".join(_in_steps(pcm, _Samples(output_format)))


def _in_steps(pcm: bytes, through: Resampler | _Samples) -> Iterator[bytes]:
    for at in range(0, len(pcm), STEP):
        yield through.feed(pcm[at : at + STEP])
    yield through.finish()


def _mp3_file(pcm: bytes, output_format: OutputFormat) -> bytes:
    rate = mp3_rate(output_format.sample_rate)
    resampler = Resampler("s16", rate)
    import av

    file = io.BytesIO()
    options = {"write_xing": "1", "id3v2_version": "0"}
    with av.open(file, "w", format="mp3", options=options) as container:
        stream = container.add_stream("libmp3lame", rate=rate)
        _set_up(stream.codec_context, output_format)
        given = 0
        for samples in _in_steps(pcm, resampler):
            if samples:
                container.mux(stream.encode(_frame(samples, rate, pts=given)))
            given += len(samples) // 2
        container.mux(stream.encode(None))
    return file.getvalue()


def _set_up(codec: AudioCodecContext, output_format: OutputFormat) -> None:
    codec.sample_rate = mp3_rate(output_format.sample_rate)
    codec.layout = "mono"
    codec.format = "s16p"
    codec.bit_rate = output_format.bit_rate or DEFAULT_BIT_RATE
    codec.options = {"compression_level": FASTEST}


def _frame(pcm: bytes, rate: int, *, pts: int) -> AudioFrame:
    from av import AudioFrame

    frame = AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.planes[0].update(pcm)
    frame.sample_rate = rate
    frame.time_base = Fraction(1, rate)
    frame.pts = pts
    return frame


def require_av() -> None:
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise EngineMissing.because(f"PyAV does not load: {error}") from error
