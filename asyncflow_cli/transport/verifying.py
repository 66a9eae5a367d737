"""Files of audio read, decoded where it takes a decoder, and held against what was asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from asyncflow_cli.errors import AsyncflowError, IncompleteError, PrerequisiteError, UsageError
from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.protocol.models import SpeechRequest
from asyncflow_cli.protocol.sniff import kind_of
from asyncflow_cli.protocol.timings import Word
from asyncflow_cli.protocol.verify import source, words
from asyncflow_cli.protocol.verify.findings import (
    EXTENSIONS,
    MULAW_EXTENSIONS,
    Finding,
    Limits,
    VerifyOrder,
    insist_on_known,
)
from asyncflow_cli.protocol.verify.judging import judge
from asyncflow_cli.protocol.verify.report import VerifyReport, unmeasured, verdict
from asyncflow_cli.protocol.verify.sound import Sound, measure, samples_of
from asyncflow_cli.protocol.verify.source import Source
from asyncflow_cli.protocol.verify.verdict import FileVerdict
from asyncflow_cli.protocol.verify.words import Said
from asyncflow_cli.transport.decoding import decode_as_is
from asyncflow_cli.transport.phoneclip import insist_on_last_page
from asyncflow_cli.transport.reading import read_whole

_TIMINGS = (".json", ".srt", ".vtt")
"""What is looked for beside the audio, in this order."""


def verify(files: Sequence[str], order: VerifyOrder) -> VerifyReport:
    """The verdict on each file. PrerequisiteError where nothing here can decode one.

    UsageError for an order that cannot be carried out, whatever the files hold.
    """
    if len(files) > 1 and (order.timings or order.text is not None):
        raise UsageError("Words are of one file", hint="Verify the files one by one")
    began = time.perf_counter()
    verdicts = tuple(_verified(file, order) for file in files)
    elapsed = time.perf_counter() - began
    return VerifyReport(files=verdicts, elapsed_ms=round(elapsed * 1000, 1))


def _verified(file: str, order: VerifyOrder) -> FileVerdict:
    limits = declared(file, order.limits)
    insist_on_known(limits)
    timings, found = _words(file, order)
    said = Said(found, order.text)
    if not said.is_known and (limits.min_wpm or limits.max_wpm):
        raise UsageError(f"There are no words of {file} to count", hint="Add --timings or --text")
    content = b""
    try:
        content = _read(file)
        return examine(file, content, limits, said, timings=timings)
    except UsageError as error:
        return unmeasured(file, len(content), error)


def examine(
    name: str, content: bytes, limits: Limits, said: Said, *, timings: str | None = None
) -> FileVerdict:
    """The verdict on a file's content. UsageError where nothing can be measured."""
    found, sound = _opened(content, kind_of(content), name, limits)
    findings = judge(found, sound, limits, said)
    return verdict(name, len(content), found, sound, findings, said=said, timings=timings)


def insist_on_sound(
    name: str | None, audio: bytes, request: SpeechRequest, timed: Sequence[Word] = ()
) -> FileVerdict:
    """The verdict on speech that came, held against what was asked for and what it says.

    GateError for a defect, so that nothing takes its place.
    """
    form = request.output_format
    limits = Limits(container=form.container, encoding=form.encoding, sample_rate=form.sample_rate)
    said = Said(tuple(timed), request.transcript, request.speed_control or 1.0)
    found = examine(name or "The speech", audio, limits, said)
    failure = found.failure
    if failure is not None:
        failure.hint = "Leave --verify out to hear it as it is"
        raise failure
    return found


def declared(file: str, limits: Limits) -> Limits:
    """The limits, with what the file's name says where nothing else does."""
    extension = Path(file).suffix.lower()
    container = limits.container or EXTENSIONS.get(extension)
    if container == "raw" and (extension in MULAW_EXTENSIONS or limits.encoding == "pcm_mulaw"):
        limits = replace(
            limits,
            encoding=limits.encoding or "pcm_mulaw",
            sample_rate=limits.sample_rate or PHONE_RATE,
        )
    return replace(limits, container=container)


def _opened(
    content: bytes, kind: str | None, name: str, limits: Limits
) -> tuple[Source, Sound | None]:
    match kind:
        case None if limits.container == "raw":
            found = _raw(content, name, limits)
        case None if limits.container is not None:
            return Source(container="unknown"), None
        case None:
            raise UsageError(
                f"{name} is no audio, or samples without a header",
                hint="Of samples say what they are: --container raw --encoding … --sample-rate …",
                code="NOT_AUDIO",
            )
        case "wav" if content.startswith(b"RIFX"):
            # FFmpeg takes its samples for little-endian ones, and noise for sound.
            raise UsageError(
                f"{name} is a WAV in the other byte order, which is not read here",
                hint="Convert it with sox, or ask for an ordinary WAV",
                code="NOT_AUDIO",
            )
        case "wav":
            found = source.from_wav(content)
        case "mp3":
            found = source.from_mp3(content)
        case _:
            found = Source(container=kind)
    if found.audio is not None and found.encoding and found.sample_rate:
        samples, ceiling = samples_of(found.audio, found.encoding)
        return found, measure(samples, found.sample_rate, ceiling)
    return _decoded(content, found)


def _raw(content: bytes, name: str, limits: Limits) -> Source:
    if limits.encoding is None or limits.sample_rate is None:
        raise UsageError(
            f"{name} has no header that says what its samples are",
            hint="Say it, such as: --encoding pcm_s16le --sample-rate 44100",
            code="NOT_AUDIO",
        )
    return source.raw(content, limits.encoding, limits.sample_rate)


def _decoded(content: bytes, found: Source) -> tuple[Source, Sound | None]:
    """With the sound, where a decoder gives it. What is cut or damaged was seen, or is now."""
    try:
        if found.container == "ogg":
            insist_on_last_page(content)
        decoded = decode_as_is(content, found.container)
    except IncompleteError as error:
        return (found if found.findings else _with(found, error, defect=True)), None
    except PrerequisiteError as error:
        if found.seconds is None and not found.findings:
            raise
        return _with(found, error, defect=False), None
    found = replace(
        found,
        encoding=found.encoding or decoded.codec,
        sample_rate=decoded.sample_rate,
        channels=decoded.channels,
    )
    samples, ceiling = samples_of(decoded.pcm, "pcm_s16le")
    return found, measure(samples, decoded.sample_rate, ceiling)


def _with(found: Source, error: AsyncflowError, *, defect: bool) -> Source:
    finding = Finding(code=error.code, message=error.message, defect=defect)
    return replace(found, findings=(*found.findings, finding))


def _words(file: str, order: VerifyOrder) -> tuple[str | None, tuple[Word, ...]]:
    """The file of word times, and what is in it."""
    if order.timings is not None:
        return order.timings, words.read(order.timings, _read(order.timings))
    # Nothing stands beside stdin; and `.` and `/` have no name that could end otherwise.
    for extension in _TIMINGS if file != "-" and Path(file).name else ():
        beside = Path(file).with_suffix(extension)
        if beside.is_file():
            try:
                return str(beside), words.read(str(beside), _read(str(beside)))
            except UsageError:
                continue  # another document of the same name
    return None, ()


def _read(file: str) -> bytes:
    content = read_whole(file)
    if not content:
        raise UsageError(f"There is nothing in {file}", code="AUDIO_EMPTY")
    return content
