"""What `verify` says: a document with every measurement, and a line a file for people."""

from __future__ import annotations

from math import log10

import msgspec

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.levels import SILENCE
from asyncflow_cli.protocol.reports import Report
from asyncflow_cli.protocol.verify import words
from asyncflow_cli.protocol.verify.findings import Finding
from asyncflow_cli.protocol.verify.sound import Sound
from asyncflow_cli.protocol.verify.source import Source
from asyncflow_cli.protocol.verify.verdict import (
    FileVerdict,
    Measurements,
    SpanReport,
    failure_of,
)
from asyncflow_cli.protocol.verify.words import Said


class VerifyReport(Report, frozen=True, kw_only=True, tag="asyncflow.verify"):
    files: tuple[FileVerdict, ...]
    elapsed_ms: float

    @property
    def headline(self) -> str:
        return "\n".join(file.verdict for file in self.files)

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(map(_row, self.files))

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(remark for file in self.files for remark in file.remarks)

    @property
    def failure(self) -> AsyncflowError | None:
        return failure_of(self.files, msgspec.to_builtins(self))


class Row(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    verdict: str
    format: str
    seconds: str
    level: str
    peak: str
    longest_silence: str
    words_per_minute: str


def verdict(
    name: str,
    n_bytes: int,
    source: Source,
    sound: Sound | None,
    findings: tuple[Finding, ...],
    *,
    said: Said,
    timings: str | None = None,
) -> FileVerdict:
    """All that was measured, and what follows from it."""
    seconds = sound.seconds if sound is not None else source.seconds
    pace = words.rate(said, sound) if sound is not None and said.is_known else None
    return FileVerdict(
        file=name,
        verdict="defective" if any(finding.defect for finding in findings) else "passed",
        bytes=n_bytes,
        container=source.container,
        encoding=source.encoding,
        sample_rate=source.sample_rate,
        channels=source.channels,
        seconds=None if seconds is None else round(seconds, 3),
        sound=None if sound is None else _measurements(sound),
        timings=timings,
        words=round(said.count, 1) if said.is_known else None,
        words_per_minute=None if pace is None else round(pace, 1),
        findings=findings,
    )


def unmeasured(name: str, n_bytes: int, error: AsyncflowError) -> FileVerdict:
    """A file of which nothing can be said but why, and what to do."""
    message = f"{error.message}. {error.hint}" if error.hint else error.message
    finding = Finding(code=error.code, message=message)
    return FileVerdict(file=name, verdict="unmeasured", bytes=n_bytes, findings=(finding,))


def _measurements(sound: Sound) -> Measurements:
    return Measurements(
        peak_dbfs=round(20 * log10(sound.peak), 1) if sound.peak > 0 else SILENCE,
        level_dbfs=round(sound.level, 1),
        clipped_ms=round(1000 * sound.clipped, 3),
        silences=tuple(SpanReport(round(s.start, 3), round(s.end, 3)) for s in sound.silences),
        longest_silence=round(max((s.seconds for s in sound.silences), default=0.0), 3),
        sounding=round(sound.sounding(0, sound.seconds), 3),
    )


def _row(file: FileVerdict) -> Row:
    sound = file.sound
    form = (file.container, file.encoding if file.encoding != file.container else None)
    rate = f"{file.sample_rate} Hz" if file.sample_rate else None
    return Row(
        file=file.file,
        verdict=file.verdict,
        format=" ".join(part for part in (*form, rate) if part),
        seconds="" if file.seconds is None else f"{file.seconds:.2f}",
        level="" if sound is None else f"{sound.level_dbfs:.1f} dBFS",
        peak="" if sound is None else f"{sound.peak_dbfs:.1f} dBFS",
        longest_silence="" if sound is None else f"{sound.longest_silence:.2f} s",
        words_per_minute="" if file.words_per_minute is None else f"{file.words_per_minute:.0f}",
    )
