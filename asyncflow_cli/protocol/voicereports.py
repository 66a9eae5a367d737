"""What the `voices` commands say about their work; see `reports`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from asyncflow_cli.protocol.models import VERSION
from asyncflow_cli.protocol.reports import Report, RequestPlanReport
from asyncflow_cli.protocol.voices import CLONE_PATH, Change, CloneRequest, Voice

if TYPE_CHECKING:
    from asyncflow_cli.protocol.clips import Clip


class VoiceReport(Voice, frozen=True, kw_only=True, tag_field="schema", tag="asyncflow.voice"):
    """One voice; also each line of `voices list --all --json`."""

    schema_version: int = 1


def voice_report(voice: Voice) -> VoiceReport:
    return VoiceReport(**msgspec.structs.asdict(voice))


class VoicesReport(Report, frozen=True, kw_only=True, tag="asyncflow.voices"):
    voices: tuple[Voice, ...]
    next_cursor: str | None = None
    """What `--after` takes for the next page; None if this is the last."""

    @property
    def headline(self) -> str:
        return "\n".join(voice.voice_id for voice in self.voices)

    @property
    def summary(self) -> str:
        more = f"; more with --after {self.next_cursor}, or --all" if self.next_cursor else ""
        return f"{_counted(self.voices)}{more}"

    @property
    def lines(self) -> tuple[VoiceReport, ...]:
        return tuple(map(voice_report, self.voices))


class CloneReport(Report, frozen=True, kw_only=True, tag="asyncflow.voices-clone"):
    voice_id: str
    name: str
    description: str
    language: str
    created: bool
    """False if there was one of that name, and --if-not-exists."""

    @property
    def headline(self) -> str:
        return self.voice_id

    @property
    def summary(self) -> str:
        return f"Cloned: {self.name}" if self.created else f"There is one: {self.name}"


class ClonePlanReport(
    RequestPlanReport, frozen=True, kw_only=True, tag="asyncflow.voices-clone-dry-run"
):
    """What would be sent; no socket was opened."""

    fields: dict[str, str]
    file: str
    format: str
    bytes: int
    seconds: float | None


def clone_plan(base_url: str, request: CloneRequest, clip: Clip, *, key: bool) -> ClonePlanReport:
    secret = {"x-api-key": "***"} if key else {}
    return ClonePlanReport(
        method="POST",
        url=base_url + CLONE_PATH,
        headers={**secret, "version": VERSION, "content-type": "multipart/form-data"},
        fields=request.form(),
        file=clip.file_name,
        format=clip.format,
        bytes=len(clip.content),
        seconds=clip.seconds,
    )


class UpdateReport(Report, frozen=True, kw_only=True, tag="asyncflow.voices-update"):
    voice_id: str
    changes: tuple[Change, ...]
    """Only what is different now."""

    @property
    def headline(self) -> str:
        return self.voice_id

    @property
    def summary(self) -> str:
        return "Updated" if self.changes else "Nothing to change: all of it is so already"


class UpdatePlanReport(Report, frozen=True, kw_only=True, tag="asyncflow.voices-update-dry-run"):
    """What would be different. The voice was looked up, and nothing was changed."""

    voice_id: str
    name: str
    changes: tuple[Change, ...]

    @property
    def headline(self) -> str:
        return self.voice_id

    @property
    def summary(self) -> str:
        would = "Would be changed" if self.changes else "Nothing would be changed"
        return f"{would}: {self.name} ({self.voice_id})"


class DoomedVoice(msgspec.Struct, frozen=True):
    voice_id: str
    name: str


class DeletionPlanReport(Report, frozen=True, kw_only=True, tag="asyncflow.voices-delete-dry-run"):
    """What would be deleted. The voices were looked up, and nothing was deleted."""

    voices: tuple[DoomedVoice, ...]
    missing: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        return "\n".join(voice.voice_id for voice in self.voices)

    @property
    def summary(self) -> str:
        missing = f"; there is no {', '.join(self.missing)}" if self.missing else ""
        return f"Would be deleted: {_counted(self.voices)}{missing}"


class DeletionReport(Report, frozen=True, kw_only=True, tag="asyncflow.voices-delete"):
    deleted: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """Names and ids that named no voice."""

    @property
    def headline(self) -> str:
        return "\n".join(self.deleted)

    @property
    def summary(self) -> str:
        missing = f"; there was no {', '.join(self.missing)}" if self.missing else ""
        return f"Deleted: {_counted(self.deleted)}{missing}"


class PreviewReport(Report, frozen=True, kw_only=True, tag="asyncflow.voices-preview"):
    voice_id: str
    output: str | None
    """The file, `-` for stdout, or None if it was only played."""
    format: str | None
    """wav, mp3, flac or aiff by its content; None for another."""
    bytes: int

    @property
    def headline(self) -> str:
        return self.output or ""

    @property
    def summary(self) -> str:
        where = {None: "Played", "-": "Sent"}.get(self.output, "Written")
        return f"{where}: {self.bytes} bytes of {self.format or 'audio'}"


def _counted(items: Sequence[object]) -> str:
    return f"{len(items)} voice{'s' if len(items) != 1 else ''}"
