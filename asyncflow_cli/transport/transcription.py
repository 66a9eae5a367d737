"""Speech to text: a recording in, its words out."""

from __future__ import annotations

import time
from pathlib import Path

from asyncflow_cli.protocol.answers import TranscriptionRequest
from asyncflow_cli.protocol.clips import format_of
from asyncflow_cli.protocol.reports import TranscriptReport
from asyncflow_cli.transport.api import ApiClient


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


def _file_name(name: str, content: bytes) -> str:
    """What the form calls the recording. A service may go by the ending alone."""
    if name != "-":
        return Path(name).name
    kind = format_of(content)
    return f"stdin.{kind}" if kind else "stdin"
