"""`asyncflow stt`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.protocol.answers import TRANSCRIPTION_MODEL, TranscriptionRequest


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
    model: ModelOption = TRANSCRIPTION_MODEL,
    dry_run: DryRunOption = False,
) -> None:
    """Turn speech into text.

    Examples:
        asyncflow stt order.mp3 --dry-run
        asyncflow stt order.mp3
        asyncflow stt order.mp3 --language en --json
        arecord -d 5 | asyncflow stt -
    """
    from asyncflow_cli.transport.transcription import planned, read_recording, transcribe

    app: App = ctx.obj
    request = TranscriptionRequest(model_id=model, language=language)
    recording = read_recording(file)
    app.out.warnings(request.doubts())
    if dry_run:
        app.out.record(planned(app.settings, file, recording, request))
        return
    report = app.run(transcribe(app.api, file, recording, request))
    app.out.value(report)
