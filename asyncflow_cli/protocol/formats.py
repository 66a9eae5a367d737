"""Which audio formats may be asked for, and whether what came is what was asked for."""

from __future__ import annotations

import re
import struct
from typing import NamedTuple, cast

import msgspec

from asyncflow_cli.errors import IncompleteError, UsageError
from asyncflow_cli.protocol.audio import SAMPLE_BYTES, UNKNOWN_LENGTH, Container, Encoding, seconds
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.protocol.presets import PRESETS, PresetName

EXTENSIONS: dict[str, Container] = {
    ".wav": "wav",
    ".mp3": "mp3",
    ".raw": "raw",
    ".pcm": "raw",
}

WHOLE_ENCODINGS = ("pcm_s16le", "pcm_f32le")
"""What `/text_to_speech` makes; μ-law is for streaming and the WebSocket only."""

DEFAULT_RATE = 44_100


def output_format(
    *,
    preset: PresetName | None = None,
    container: str | None = None,
    path: str | None = None,
    encoding: str | None = None,
    sample_rate: int | None = None,
    bit_rate: int | None = None,
) -> OutputFormat:
    """The format for `/text_to_speech`.

    The container is the one given, or the one the path's ending tells, or the preset's; what is
    left open comes from the preset or is usual. UsageError for combinations that the service does
    not make.
    """
    usual = _usual(preset, container or _extension(path), path)
    fields = {
        "container": usual.container,
        "sample_rate": usual.sample_rate if sample_rate is None else sample_rate,
        "encoding": encoding or usual.encoding,
        "bit_rate": usual.bit_rate if bit_rate is None else bit_rate,
    }
    _refuse_what_does_not_fit(usual.container, encoding, bit_rate)
    if encoding not in (None, *WHOLE_ENCODINGS):
        raise UsageError(
            f"A whole file is not made in {encoding}", hint=f"Use {' or '.join(WHOLE_ENCODINGS)}"
        )
    try:
        return msgspec.convert(fields, OutputFormat)
    except msgspec.ValidationError as error:
        raise UsageError(f"No such format: {error}") from None


def stream_format(
    *,
    container: str | None = None,
    path: str | None = None,
    encoding: Encoding | None = None,
    sample_rate: int | None = None,
    bit_rate: int | None = None,
) -> OutputFormat:
    """The format for streaming and the WebSocket, which know no wav: its header is ours to write,
    and `container` stays `wav` here to say so."""
    usual = _usual(None, container or _extension(path), path)
    _refuse_what_does_not_fit(usual.container, encoding, bit_rate)
    return msgspec.structs.replace(
        usual,
        encoding=encoding or usual.encoding,
        sample_rate=sample_rate or usual.sample_rate,
        bit_rate=bit_rate,
    )


def _refuse_what_does_not_fit(
    container: Container, encoding: str | None, bit_rate: int | None
) -> None:
    if container == "mp3" and encoding:
        raise UsageError("mp3 has no --encoding", hint="Leave it out, or write a .wav or .raw file")
    if container != "mp3" and bit_rate is not None:
        raise UsageError("--bit-rate is for mp3 only", hint="Leave it out, or write a .mp3 file")


def streamed(form: OutputFormat) -> OutputFormat:
    """What is asked for to get this format: a wav is raw samples, and a header that we write."""
    return msgspec.structs.replace(form, container="raw") if form.container == "wav" else form


def _usual(preset: PresetName | None, container: str | None, path: str | None) -> OutputFormat:
    """The preset, or what one gets who asks for a container and nothing else."""
    if preset is not None:
        usual = PRESETS[preset].output_format
        if container not in (None, usual.container):
            raise UsageError(
                f"--preset {preset} makes {usual.container}, not {container}",
                hint=f"Name the file *.{usual.container}, or leave the preset out",
            )
        return usual
    if container is None and path not in (None, "-"):
        raise UsageError(
            f"The name {path!r} tells no audio format",
            hint=f"End it in {', '.join(EXTENSIONS)}, or add --format wav, mp3 or raw",
        )
    container = container or "wav"
    encoding: Encoding | None = None if container == "mp3" else "pcm_s16le"
    return OutputFormat(
        container=cast("Container", container), sample_rate=DEFAULT_RATE, encoding=encoding
    )


def _extension(path: str | None) -> Container | None:
    found = re.search(r"[^/\\.](\.\w+)$", path or "")
    return EXTENSIONS.get(found[1].lower()) if found else None


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
    if len(audio) % SAMPLE_BYTES[encoding]:
        raise IncompleteError("The audio ends in the middle of a sample", code="AUDIO_TRUNCATED")
    return Checked(audio, seconds(len(audio), encoding, wanted.sample_rate))


def _check_mp3(audio: bytes) -> Checked:
    # An ID3 tag, or the eleven set bits of a frame's sync word.
    if not (audio.startswith(b"ID3") or (audio[0] == 0xFF and audio[1:2] >= b"\xe0")):
        raise IncompleteError("The service's answer is no mp3", code="AUDIO_NOT_MP3")
    from asyncflow_cli.protocol import mp3

    return Checked(audio, mp3.duration(audio))


_ENCODINGS: dict[tuple[int, int], Encoding] = {
    (1, 16): "pcm_s16le",
    (3, 32): "pcm_f32le",
    (7, 8): "pcm_mulaw",
}


def _check_wav(audio: bytes, wanted: OutputFormat) -> Checked:
    if audio[:4] != b"RIFF" or audio[8:12] != b"WAVE":
        raise IncompleteError("The service's answer is no WAV", code="AUDIO_NOT_WAV")
    encoding: Encoding | None = None
    sample_rate, position = 0, 12
    while position + 8 <= len(audio):
        name, size = cast("tuple[bytes, int]", struct.unpack_from("<4sI", audio, position))
        start = position + 8
        if name == b"fmt " and start + 16 <= len(audio):
            tag, _, sample_rate, _, _, bits = struct.unpack_from("<HHIIHH", audio, start)
            encoding = _ENCODINGS.get((tag, bits))
        if name == b"data":
            _check_header(encoding, sample_rate, wanted)
            return _check_data(audio, start, size, encoding, sample_rate)
        position = start + size + size % 2
    raise IncompleteError("The WAV ends before its audio", code="AUDIO_TRUNCATED")


def _check_header(encoding: Encoding | None, sample_rate: int, wanted: OutputFormat) -> None:
    """IncompleteError if the WAV says that it is not what was asked for."""
    asked = (wanted.encoding or "pcm_s16le", wanted.sample_rate)
    if encoding is not None and (encoding, sample_rate) != asked:
        raise IncompleteError(
            f"The WAV is {encoding} at {sample_rate} Hz, not {asked[0]} at {asked[1]} Hz",
            code="AUDIO_NOT_AS_ASKED",
        )


def _check_data(
    audio: bytes, start: int, size: int, encoding: Encoding | None, sample_rate: int
) -> Checked:
    there = len(audio) - start
    if there <= 0:
        raise IncompleteError("The WAV holds no audio", code="AUDIO_EMPTY")
    if size in (0, UNKNOWN_LENGTH):
        # The header was written before the length was known; now it is.
        audio = b"".join(
            (
                audio[:4],
                struct.pack("<I", len(audio) - 8),
                audio[8 : start - 4],
                struct.pack("<I", there),
                audio[start:],
            )
        )
        size = there
    if size > there:
        raise IncompleteError(
            f"The WAV holds {there} of {size} bytes of audio", code="AUDIO_TRUNCATED"
        )
    if encoding is None or not sample_rate:
        return Checked(audio, None)
    if size % SAMPLE_BYTES[encoding]:
        raise IncompleteError("The audio ends in the middle of a sample", code="AUDIO_TRUNCATED")
    return Checked(audio, seconds(size, encoding, sample_rate))
