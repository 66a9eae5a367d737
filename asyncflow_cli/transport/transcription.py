"""Speech to text: a recording in, its words out."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.answers import TRANSCRIPTION_PATH, TranscriptionRequest
from asyncflow_cli.protocol.clips import format_of
from asyncflow_cli.protocol.models import VERSION
from asyncflow_cli.protocol.reports import TranscriptPlanReport, TranscriptReport
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.reading import read_whole


def read_recording(file: str) -> bytes:
    """The recording at this path, or on stdin for `-`. UsageError if there is none in it."""
    content = read_whole(file)
    if not content:
        name = "stdin" if file == "-" else file
        raise UsageError(f"There is no audio in {name}", code="AUDIO_EMPTY")
    return content


async def transcribe(
    api: ApiClient, name: str, content: bytes, request: TranscriptionRequest
) -> TranscriptReport:
    """What is said in the recording `name`, or `-` for one from stdin."""
    began = time.perf_counter()
    answer = await api.transcribe(_file_name(name, content), content, request)
    elapsed = time.perf_counter() - began
    return TranscriptReport(
        text=answer.text,
        file=name,
        bytes=len(content),
        language=request.language,
        model_id=request.model_id,
        elapsed_ms=round(elapsed * 1000, 1),
    )


def planned(
    settings: Settings, name: str, content: bytes, request: TranscriptionRequest
) -> TranscriptPlanReport:
    """What `transcribe` would send, without a socket and without a key."""
    fields: dict[str, str] = msgspec.to_builtins(request)
    secret = {"x-api-key": "***"} if settings.api_key else {}
    return TranscriptPlanReport(
        method="POST",
        url=settings.base_url + TRANSCRIPTION_PATH,
        headers={**secret, "version": VERSION, "content-type": "multipart/form-data"},
        fields=fields,
        file=_file_name(name, content),
        format=format_of(content),
        bytes=len(content),
    )


def _file_name(name: str, content: bytes) -> str:
    """What the form calls the recording. A service may go by the ending alone."""
    if name != "-":
        return Path(name).name
    kind = format_of(content)
    return f"stdin.{kind}" if kind else "stdin"
