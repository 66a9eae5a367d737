"""What `verify` says: a document with every measurement, and a line a file for people."""

from __future__ import annotations

import msgspec

from asyncflow_cli.errors import AsyncflowError, GateError, UsageError
from asyncflow_cli.protocol.levels import SILENCE
from asyncflow_cli.protocol.reports import Report
from asyncflow_cli.protocol.verify import words
from asyncflow_cli.protocol.verify.findings import Finding
from asyncflow_cli.protocol.verify.sound import Sound
from asyncflow_cli.protocol.verify.source import Source
from asyncflow_cli.protocol.verify.words import Said


class SpanReport(msgspec.Struct, frozen=True):
    """Seconds from the beginning."""

    start: float
    end: float


class Measurements(msgspec.Struct, frozen=True, kw_only=True):
    """Of the sound; levels in dBFS, times in seconds."""

    peak_dbfs: float
    level_dbfs: float
    """RMS while there is sound."""
    clipped_ms: float
    silences: tuple[SpanReport, ...]
    """Those of 0.2 s or longer."""
    longest_silence: float
    sounding: float
    """Seconds with sound."""


class FileVerdict(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    verdict: str
    """passed, defective, or unmeasured."""
    bytes: int
    container: str | None = None
    encoding: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    seconds: float | None = None
    sound: Measurements | None = None
    """None where nothing here could decode it."""
    timings: str | None = None
    """The file of word times that it was held against."""
    words: float | None = None
    """About how many, with numbers spelt out."""
    words_per_minute: float | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def defects(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.defect)

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(f"{self.file}: {_told(f)}" for f in self.findings if not f.defect)

    @property
    def failure(self) -> AsyncflowError | None:
        """GateError for a defect, UsageError where nothing was measured."""
        return _failure((self,), msgspec.to_builtins(self))


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
        return _failure(self.files, msgspec.to_builtins(self))


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
    """A file of which nothing can be said but why."""
    finding = Finding(code=error.code, message=error.message)
    return FileVerdict(file=name, verdict="unmeasured", bytes=n_bytes, findings=(finding,))


def _measurements(sound: Sound) -> Measurements:
    from math import log10

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


def _failure(files: tuple[FileVerdict, ...], details: dict[str, object]) -> AsyncflowError | None:
    failed = [file for file in files if file.verdict != "passed"]
    lines = [f"{file.file}: {_told(finding)}" for file in failed for finding in file.defects]
    if not failed:
        return None
    if any(file.verdict == "defective" for file in failed):
        first = next(f.defects[0].code for f in failed if f.verdict == "defective")
        return GateError(
            "\n".join(lines),
            hint=f"asyncflow explain {first}",
            code="AUDIO_DEFECTIVE",
            details=details,
        )
    code = failed[0].findings[0].code
    return UsageError("\n".join(lines), code=code, details=details)


def _told(finding: Finding) -> str:
    place = "" if finding.start is None else f" at {finding.start:.2f} s"
    return f"{finding.code}{place}: {finding.message}"
