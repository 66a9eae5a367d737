"""`asyncflow timestamps`."""

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
from asyncflow_cli.commands.speaking import (
    BitRateOption,
    DryRunOption,
    EncodingOption,
    ForceOption,
    FormatOption,
    JobsOption,
    OutputOption,
    PresetOption,
    RateOption,
    SpeedOption,
    StabilityOption,
    show_plan,
    speech_request,
)
from asyncflow_cli.protocol.captions import CueRules
from asyncflow_cli.protocol.formats import output_format
from asyncflow_cli.protocol.models import TIMED_PATH
from asyncflow_cli.protocol.products import TimedOrder, products
from asyncflow_cli.protocol.subtitles import FORMATS
from asyncflow_cli.protocol.transcript import pieces, prepared
from asyncflow_cli.settings import duration


def register(app: typer.Typer) -> None:
    app.command("timestamps")(timestamps)


CaptionsOption = Annotated[
    str | None,
    typer.Option("--captions", metavar="LIST", help=f"Beside the audio: {', '.join(FORMATS)}."),
]
CaptionsOutputOption = Annotated[
    str | None,
    typer.Option(
        "-c", "--captions-output", metavar="FILE", help="Captions of one format; - stdout."
    ),
]
MaxCharsOption = Annotated[
    int, typer.Option("--max-chars", min=1, metavar="N", help="Columns of a line of a cue.")
]
MaxLinesOption = Annotated[
    int, typer.Option("--max-lines", min=1, metavar="N", help="Lines of a cue.")
]
MaxCueOption = Annotated[
    str, typer.Option("--max-cue", metavar="DURATION", help="How long a cue may last.")
]
GapSplitOption = Annotated[
    str, typer.Option("--gap-split", metavar="DURATION", help="A silence that ends a cue.")
]
SplitOnOption = Annotated[
    str, typer.Option("--split-on", metavar="CHARS", help="Signs that end a sentence and its cue.")
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict/--no-strict",
        show_default=False,
        help="Fail if word times cannot be true; else they are mended.",
    ),
]


def timestamps(
    ctx: typer.Context,
    text: TextArgument = None,
    file: FileOption = None,
    output: OutputOption = None,
    captions: CaptionsOption = None,
    captions_output: CaptionsOutputOption = None,
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
    max_chars: MaxCharsOption = CueRules.max_chars,
    max_lines: MaxLinesOption = CueRules.max_lines,
    max_cue: MaxCueOption = f"{CueRules.max_cue:g}s",
    gap_split: GapSplitOption = f"{1000 * CueRules.gap_split:g}ms",
    split_on: SplitOnOption = CueRules.split_on,
    strict: StrictOption = False,
    plain_text: PlainOption = False,
    jobs: JobsOption = 4,
    verify: VerifyOption = False,
    dry_run: DryRunOption = False,
    show: ShowOption = False,
    force: ForceOption = False,
) -> None:
    """Turn text into audio and captions, or the times of its words. Give -o, --captions or --json.

    Examples:
        asyncflow timestamps -f talk.txt -o talk.mp3 --captions srt,vtt
        asyncflow timestamps "Hello there." --captions lrc --show
        asyncflow timestamps Hello --json
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
    order = TimedOrder(
        request=request,
        pieces=pieces(request.transcript),
        products=products(output, captions, captions_output),
        rules=CueRules(
            max_chars=max_chars,
            max_lines=max_lines,
            max_cue=duration(max_cue),
            gap_split=duration(gap_split),
            split_on=split_on,
        ),
        strict=strict,
        jobs=jobs,
        verify=verify,
        show=show,
        force=force,
    )
    if dry_run:
        show_plan(app, TIMED_PATH, request)
        return
    from asyncflow_cli.transport.timestamps import synthesize_timed

    report = app.run(synthesize_timed(app.api, order, app.out))
    app.out.warnings(report.remarks)
    app.out.files(report, report.files, piped=order.piped)
