"""The verdict on one file of audio: a part of documents, and the failure that it may be."""

from __future__ import annotations

from typing import Any

import msgspec

from asyncflow_cli.errors import AsyncflowError, GateError, UsageError
from asyncflow_cli.protocol.verify.findings import Finding


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
        return tuple(f"{self.file}: {told(f)}" for f in self.findings if not f.defect)

    @property
    def failure(self) -> AsyncflowError | None:
        """GateError for a defect, UsageError where nothing was measured."""
        return failure_of((self,), msgspec.to_builtins(self))


def failure_of(files: tuple[FileVerdict, ...], details: dict[str, Any]) -> AsyncflowError | None:
    failed = [file for file in files if file.verdict != "passed"]
    lines = [f"{file.file}: {told(finding)}" for file in failed for finding in file.defects]
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


def told(finding: Finding) -> str:
    place = "" if finding.start is None else f" at {finding.start:.2f} s"
    return f"{finding.code}{place}: {finding.message}"
