"""What commands say about their work: the documents that `--json` prints.

Each names its `schema` and `schema_version`; fields are only ever added.
"""

from __future__ import annotations

from typing import Any

import msgspec

from asyncflow_cli.protocol.spans import lasting, took
from asyncflow_cli.protocol.verify.verdict import FileVerdict


class Report(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema"):
    schema_version: int = 1

    @property
    def headline(self) -> str:
        """The one value that a script wants, and that `--quiet` prints."""
        raise NotImplementedError


class VerifiableReport(Report, frozen=True, kw_only=True):
    """Of speech that was made, and held against what was asked for if --verify says so."""

    verification: FileVerdict | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is worth a warning, and no defect."""
        return () if self.verification is None else self.verification.remarks


class StatusReport(Report, frozen=True, kw_only=True, tag="asyncflow.status"):
    status: str
    version: str
    base_url: str
    latency_ms: float

    @property
    def headline(self) -> str:
        return self.status


class SpeechReport(VerifiableReport, frozen=True, kw_only=True, tag="asyncflow.tts"):
    output: str | None
    """The file, `-` for stdout, or None if it was only played."""
    container: str
    encoding: str | None
    sample_rate: int
    bytes: int
    seconds: float | None
    """Duration, measured on the audio itself; None where only a decoder could tell."""
    requests: int = 1
    """More than one for long text, which is split and joined."""
    characters: int
    voice_id: str
    model_id: str
    elapsed_ms: float

    @property
    def headline(self) -> str:
        return self.output or ""

    @property
    def summary(self) -> str:
        length = f"{lasting(self.seconds)}, " if self.seconds is not None else ""
        where = {None: "Played", "-": "Sent"}.get(self.output, "Written")
        return f"{where}: {length}{self.bytes} bytes of {self.container} in {took(self.elapsed_ms)}"


class FileReport(msgspec.Struct, frozen=True):
    file: str
    """`-` for stdout."""
    format: str
    bytes: int


class WordReport(msgspec.Struct, frozen=True):
    """When a word is heard, in seconds."""

    text: str
    start: float
    end: float


class TimestampsReport(VerifiableReport, frozen=True, kw_only=True, tag="asyncflow.timestamps"):
    files: tuple[FileReport, ...]
    """The audio first."""
    seconds: float
    """Duration, measured on the audio itself."""
    words: tuple[WordReport, ...]
    cues: int
    requests: int
    characters: int
    voice_id: str
    model_id: str
    elapsed_ms: float

    @property
    def headline(self) -> str:
        """Where the audio is; without audio, where the captions are."""
        return self.files[0].file if self.files else ""

    @property
    def summary(self) -> str:
        count, length = len(self.words), lasting(self.seconds)
        return f"Timed: {count} words, {length} of audio, in {took(self.elapsed_ms)}"


class TranscriptReport(Report, frozen=True, kw_only=True, tag="asyncflow.stt"):
    text: str
    file: str
    """`-` for stdin."""
    bytes: int
    language: str | None
    """The hint that was given."""
    model_id: str
    elapsed_ms: float

    @property
    def headline(self) -> str:
        return self.text


class StreamReport(VerifiableReport, frozen=True, kw_only=True, tag="asyncflow.tts-stream"):
    output: str | None
    transport: str
    container: str
    encoding: str | None
    sample_rate: int
    bytes: int
    seconds: float | None
    characters: int
    voice_id: str
    model_id: str
    connect_ms: float | None
    """To the open WebSocket; None over HTTP."""
    first_byte_ms: float | None
    """From the first text to the first audio."""
    gap_p50_ms: float | None
    gap_p95_ms: float | None
    gap_max_ms: float | None
    total_ms: float
    real_time_factor: float | None

    @property
    def headline(self) -> str:
        return self.output or ""

    @property
    def summary(self) -> str:
        gap = f", longest gap {self.gap_max_ms:.0f} ms" if self.gap_max_ms is not None else ""
        return (
            f"{lasting(self.seconds or 0)}, first audio after {self.first_byte_ms:.0f} ms{gap}, "
            f"{self.real_time_factor or 0:.2f} x real time"
        )


class RequestPlanReport(Report, frozen=True, kw_only=True):
    """A request that would be sent; no socket was opened."""

    method: str
    url: str
    headers: dict[str, str]

    @property
    def headline(self) -> str:
        return f"{self.method} {self.url}"


class DryRunReport(RequestPlanReport, frozen=True, kw_only=True, tag="asyncflow.dry-run"):
    """What would be sent; no socket was opened."""

    body: dict[str, Any]
    requests: int
    characters: int
    estimated_seconds: float
    estimated_usd: float | None


class TranscriptPlanReport(
    RequestPlanReport, frozen=True, kw_only=True, tag="asyncflow.stt-dry-run"
):
    """The form that would be sent; no socket was opened."""

    fields: dict[str, str]
    file: str
    format: str | None
    """wav, mp3, flac or aiff by its content; None for another."""
    bytes: int


class SandboxReport(Report, frozen=True, kw_only=True, tag="asyncflow.sandbox"):
    """The ready line of `sandbox serve`."""

    url: str
    pid: int
    state: str
    environment: dict[str, str]

    @property
    def headline(self) -> str:
        return self.url


class EnvironmentReport(Report, frozen=True, kw_only=True, tag="asyncflow.sandbox-env"):
    """What points a program at the sandbox that is being served."""

    environment: dict[str, str]

    @property
    def headline(self) -> str:
        return "\n".join(f"{name}={value}" for name, value in self.environment.items())


class ResetReport(Report, frozen=True, kw_only=True, tag="asyncflow.sandbox-reset"):
    state: str
    calls: int
    speeches: int

    @property
    def headline(self) -> str:
        return self.state
