"""Speech that came, drawn on the terminal; decoded where it takes a decoder."""

from __future__ import annotations

from collections.abc import Sequence

from asyncflow_cli.errors import IncompleteError, PrerequisiteError
from asyncflow_cli.output import Output
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.protocol.timings import Word
from asyncflow_cli.protocol.verify import source
from asyncflow_cli.protocol.verify.sound import samples_of
from asyncflow_cli.protocol.waveform import ASCII, Waveform
from asyncflow_cli.transport.decoding import decode_as_is


def show(out: Output, audio: bytes, form: OutputFormat, words: Sequence[Word] = ()) -> None:
    """Draw speech that is all there, with its words where they are known, if anybody sees it."""
    if not out.draws:
        return
    try:
        out.drawing(waveform_of(audio, form, words), ASCII)
    except (PrerequisiteError, IncompleteError) as error:
        out.warning(f"It cannot be shown: {error.message}")


def waveform_of(audio: bytes, form: OutputFormat, words: Sequence[Word] = ()) -> Waveform:
    """PrerequisiteError where nothing here decodes it, IncompleteError where it cannot be done."""
    if form.container == "mp3":
        decoded = decode_as_is(audio, "mp3")
        return Waveform(samples_of(decoded.pcm, "pcm_s16le")[0], decoded.sample_rate, tuple(words))
    if form.container == "raw":
        found = source.raw(audio, form.encoding or "", form.sample_rate)
    else:
        found = source.from_wav(audio)
    if found.audio is None or not found.encoding or not found.sample_rate:
        raise IncompleteError("There are no samples in it that are known here")
    samples, _ = samples_of(found.audio, found.encoding)
    return Waveform(samples, found.sample_rate, tuple(words))
