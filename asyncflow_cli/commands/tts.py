"""`asyncflow tts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncflow_cli.app import App
from asyncflow_cli.commands.declared import Context
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
from asyncflow_cli.commands.speaking import (
    BitRateOption,
    DryRunOption,
    EncodingOption,
    ForceOption,
    FormatOption,
    JobsOption,
    OutputOption,
    PlayOption,
    PresetOption,
    RateOption,
    SpeedOption,
    StabilityOption,
    show_plan,
    speech_request,
)
from asyncflow_cli.protocol.formats import output_format
from asyncflow_cli.protocol.models import SPEECH_PATH
from asyncflow_cli.protocol.transcript import prepared

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    app.command("tts")(tts)


def tts(
    ctx: Context,
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
    app.configured(voice=voice, model=model)
    transcript = prepared(
        read_text(text, file), plain=plain_text, warn=app.out.warning, width=app.out.room
    )
    form = output_format(
        preset=preset,
        container=format,
        path=output,
        encoding=encoding,
        sample_rate=sample_rate,
        bit_rate=bit_rate,
    )
    request = speech_request(
        app, transcript, form, language=language, speed=speed, stability=stability
    )
    if dry_run:
        show_plan(app, SPEECH_PATH, request)
        return
    from asyncflow_cli.transport.destination import Destination
    from asyncflow_cli.transport.synthesis import synthesize

    destination = Destination.of(output, app.out, play=play, force=force)
    report = app.run(
        synthesize(app.api, request, destination, app.out, jobs=jobs, verify=verify, shown=show)
    )
    app.out.warnings(report.remarks)
    app.out.file(report)
