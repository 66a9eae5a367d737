"""`asyncflow stt`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.answers import RECOGNISES, TranscriptionRequest


def register(app: typer.Typer) -> None:
    app.command("stt")(stt)


RecordingArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="A recording: wav, mp3, flac, …; - reads stdin.")
]
HintOption = Annotated[
    str | None, typer.Option("--language", metavar="CODE", help="What is spoken: en, fr, …")
]
ModelOption = Annotated[
    str, typer.Option("--model", metavar="ID", help="The model that listens.", show_default=True)
]

DryRunOption = Annotated[
    bool,
    typer.Option("-n", "--dry-run", is_eager=True, help="Show the request; send nothing."),
]


def stt(
    ctx: typer.Context,
    file: RecordingArgument,
    language: HintOption = None,
    model: ModelOption = RECOGNISES,
    dry_run: DryRunOption = False,
) -> None:
    """Turn speech into text.

    Examples:
        asyncflow stt order.mp3 --dry-run
        asyncflow stt order.mp3
        asyncflow stt order.mp3 --language en --json
        arecord -d 5 | asyncflow stt -
    """
    app: App = ctx.obj
    request = TranscriptionRequest(model_id=model, language=language)
    recording = _read(file)
    app.out.warnings(request.doubts())
    from asyncflow_cli.transport.transcription import planned, transcribe

    if dry_run:
        app.out.record(planned(app.settings, file, recording, request))
        return
    report = app.run(transcribe(app.api, file, recording, request))
    app.out.value(report)


def _read(file: str) -> bytes:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    if not content:
        name = "stdin" if file == "-" else file
        raise UsageError(f"There is no audio in {name}", code="AUDIO_EMPTY")
    return content
