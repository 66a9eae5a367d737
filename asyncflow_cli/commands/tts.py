"""`asyncflow tts`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.commands.options import (
    FileOption,
    LanguageOption,
    ModelOption,
    PlainOption,
    ShowOption,
    TextArgument,
    VerifyOption,
    VoiceOption,
    read_text,
)
from asyncflow_cli.protocol.audio import Container
from asyncflow_cli.protocol.formats import output_format
from asyncflow_cli.protocol.models import SpeechRequest, VoiceSelector, doubts
from asyncflow_cli.protocol.presets import PresetName
from asyncflow_cli.protocol.transcript import pieces, prepared


def register(app: typer.Typer) -> None:
    app.command("tts")(tts)


OutputOption = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="wav, mp3 or raw by its ending; - stdout."),
]
FormatOption = Annotated[
    Container | None, typer.Option("--format", help="Whatever the file's name says.")
]
RateOption = Annotated[
    int | None,
    typer.Option("--sample-rate", min=8000, max=48000, metavar="HZ", help="8000 to 48000; 44100."),
]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", metavar="NAME", help="pcm_s16le or pcm_f32le.")
]
BitRateOption = Annotated[
    int | None,
    typer.Option("--bit-rate", min=32_000, max=320_000, metavar="BIT/S", help="For mp3; 192000."),
]
SpeedOption = Annotated[
    float | None,
    typer.Option("--speed", min=0.7, max=2.0, metavar="X", help="0.7 to 2; async_flash_v1.0 only."),
]
StabilityOption = Annotated[
    int | None,
    typer.Option("--stability", min=0, max=100, metavar="N", help="0–100; async_flash_v1.0 only."),
]
PresetOption = Annotated[
    PresetName | None, typer.Option("--preset", help="phone, web, hd or stt in place of a format.")
]
JobsOption = Annotated[
    int, typer.Option("--jobs", min=1, max=16, metavar="N", help="Requests at a time; long text.")
]
DryRunOption = Annotated[  # early, for --field is held against what it prints
    bool,
    typer.Option(
        "-n", "--dry-run", is_eager=True, help="Show the request and its price; send nothing."
    ),
]
PlayOption = Annotated[bool, typer.Option("--play/--no-play", help="Play it.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Write audio to a terminal.")]


def tts(
    ctx: typer.Context,
    text: TextArgument = None,
    file: FileOption = None,
    output: OutputOption = None,
    format: FormatOption = None,
    voice: VoiceOption = None,
    model: ModelOption = None,
    language: LanguageOption = None,
    sample_rate: RateOption = None,
    encoding: EncodingOption = None,
    bit_rate: BitRateOption = None,
    speed: SpeedOption = None,
    stability: StabilityOption = None,
    preset: PresetOption = None,
    plain_text: PlainOption = False,
    jobs: JobsOption = 4,
    dry_run: DryRunOption = False,
    play: PlayOption = False,
    show: ShowOption = False,
    verify: VerifyOption = False,
    force: ForceOption = False,
) -> None:
    """Turn text into an audio file, stdout or sound. Without -o it goes into the pipe behind it.

    Examples:
        asyncflow tts "Your order ships today." -o order.mp3
        asyncflow tts -f talk.txt --play --show
        echo Hi | asyncflow tts -o - | ffplay -i -
    """
    app: App = ctx.obj
    settings = app.configured(voice=voice, model=model)
    transcript = prepared(read_text(text, file), plain=plain_text, warn=app.out.warning)
    request = SpeechRequest(
        model_id=settings.model,
        transcript=transcript,
        voice=VoiceSelector(settings.voice),
        output_format=output_format(
            preset=preset,
            container=format,
            path=output,
            encoding=encoding,
            sample_rate=sample_rate,
            bit_rate=bit_rate,
        ),
        language=language,
        speed_control=speed,
        stability=stability,
    )
    app.out.warnings(doubts(request))
    if dry_run:
        from asyncflow_cli.protocol.dryrun import speech_plan

        url, key = f"{settings.base_url}/text_to_speech", bool(settings.api_key)
        app.out.record(speech_plan(url, request, pieces(request.transcript), key=key))
        return
    from asyncflow_cli.transport.destination import Destination
    from asyncflow_cli.transport.synthesis import synthesize

    destination = Destination.of(output, app.out, play=play, force=force)
    report = app.run(
        synthesize(app.api, request, destination, app.out, jobs=jobs, verify=verify, shown=show)
    )
    app.out.warnings(report.remarks)
    app.out.file(report)
