"""Which audio format is asked for, by options, by the name of a file or by a preset."""

from __future__ import annotations

import re
from typing import Literal, cast

import msgspec

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.audio import Container, Encoding
from asyncflow_cli.protocol.models import OutputFormat

PresetName = Literal["phone", "web", "hd", "stt"]

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
    """The preset, or the usual format in this container. UsageError if neither is known."""
    if preset is not None:
        from asyncflow_cli.protocol.presets import PRESETS

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
