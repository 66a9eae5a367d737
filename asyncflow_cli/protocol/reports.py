"""What commands say about their work: the documents that `--json` prints.

Each names its `schema` and `schema_version`; fields are only ever added.
"""

from __future__ import annotations

import msgspec


class Report(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema"):
    schema_version: int = 1

    @property
    def headline(self) -> str:
        """The one value that a script wants, and that `--quiet` prints."""
        raise NotImplementedError


class StatusReport(Report, frozen=True, kw_only=True, tag="asyncflow.status"):
    status: str
    version: str
    base_url: str
    latency_ms: float

    @property
    def headline(self) -> str:
        return self.status


class SpeechReport(Report, frozen=True, kw_only=True, tag="asyncflow.tts"):
    output: str | None
    """The file, `-` for stdout, or None if it was only played."""
    container: str
    encoding: str | None
    sample_rate: int
    bytes: int
    seconds: float | None
    """Duration, measured on the audio itself; None where only a decoder could tell."""
    characters: int
    voice_id: str
    model_id: str
    elapsed_ms: float

    @property
    def headline(self) -> str:
        return self.output or ""

    @property
    def summary(self) -> str:
        length = f"{self.seconds:.2f} s, " if self.seconds is not None else ""
        where = {None: "Played", "-": "Sent"}.get(self.output, "Written")
        return (
            f"{where}: {length}{self.bytes} bytes of {self.container} in {self.elapsed_ms:.0f} ms"
        )


class CallReport(Report, frozen=True, kw_only=True, tag="asyncflow.call"):
    call_sid: str
    status: str
    end_reason: str
    to: str
    from_: str = msgspec.field(name="from")
    seconds_sent: float
    seconds_heard: float
    duration: int | None
    """Seconds from answer to end, as Twilio counts them."""
    answered_after_ms: float | None
    """From the create request to the answer."""
    first_frame_ms: float | None
    """From the stream's `start` to the first frame of speech sent."""
    digits: str
    heard_file: str | None = None

    @property
    def headline(self) -> str:
        return self.end_reason


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


class SettingReport(msgspec.Struct, frozen=True):
    name: str
    value: str | None
    origin: str


class SettingsReport(Report, frozen=True, kw_only=True, tag="asyncflow.config"):
    settings: tuple[SettingReport, ...]

    @property
    def headline(self) -> str:
        return "\n".join(f"{s.name}={s.value or ''}" for s in self.settings)
