"""`asyncflow tts-stream`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from asyncflow_cli.app import App
from asyncflow_cli.commands.declared import Context, Option
from asyncflow_cli.commands.options import (
    FileOption,
    LanguageOption,
    ModelOption,
    PlainOption,
    TextArgument,
    VerifyOption,
    VoiceOption,
    read_text,
    seconds,
    text_source,
)
from asyncflow_cli.commands.speaking import (
    BitRateOption,
    DryRunOption,
    ForceOption,
    FormatOption,
    OutputOption,
    PlayOption,
    RateOption,
    SpeedOption,
    StabilityOption,
    speech_request,
    to_show,
)
from asyncflow_cli.protocol.audio import Encoding
from asyncflow_cli.protocol.formats import stream_format
from asyncflow_cli.protocol.streamorder import Gates, StreamOrder
from asyncflow_cli.protocol.transcript import prepared

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    app.command("tts-stream")(tts_stream)


TransportOption = Annotated[
    Literal["ws", "http"], Option("--transport", help="WebSocket, or a request a sentence.")
]
FlushOption = Annotated[
    str | None,
    Option("--flush-after", metavar="DURATION", help="Speak what a slow writer has so far."),
]
EncodingOption = Annotated[Encoding | None, Option("--encoding", help="Of wav and raw.")]
FirstByteOption = Annotated[
    str | None,
    Option("--assert-ttfb", metavar="DURATION", help="Exit 9 if the first audio is later."),
]
GapOption = Annotated[
    str | None,
    Option("--assert-max-gap", metavar="DURATION", help="Exit 9 if audio pauses longer."),
]
FactorOption = Annotated[
    float | None,
    Option(
        "--assert-rtf", min=0.0, metavar="X", help="Exit 9 if it takes more than X x its length."
    ),
]


def tts_stream(
    ctx: Context,
    text: TextArgument = None,
    file: FileOption = None,
    output: OutputOption = None,
    format: FormatOption = None,
    transport: TransportOption = "ws",
    flush_after: FlushOption = None,
    plain_text: PlainOption = False,
    voice: VoiceOption = None,
    model: ModelOption = None,
    language: LanguageOption = None,
    sample_rate: RateOption = None,
    encoding: EncodingOption = None,
    bit_rate: BitRateOption = None,
    speed: SpeedOption = None,
    stability: StabilityOption = None,
    play: PlayOption = False,
    force: ForceOption = False,
    assert_ttfb: FirstByteOption = None,
    assert_max_gap: GapOption = None,
    assert_rtf: FactorOption = None,
    verify: VerifyOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Speak text while it is still being written; audio goes out as it comes.

    Examples:
        llm "tell me a story" | asyncflow tts-stream --play
        asyncflow tts-stream -f talk.txt -o talk.wav --assert-ttfb 800ms
    """
    app: App = ctx.obj
    settings = app.configured(voice=voice, model=model)
    form = stream_format(
        container=format,
        path=output,
        encoding=encoding,
        sample_rate=sample_rate,
        bit_rate=bit_rate,
    )
    request = speech_request(app, "", form, language=language, speed=speed, stability=stability)
    if dry_run:
        from asyncflow_cli.protocol.dryrun import stream_plan

        text, request = read_text(text, file), to_show(app, request)
        plan = stream_plan(settings.base_url, request, text, transport, key=bool(settings.api_key))
        app.out.record(plan)
        return
    source = text_source(text, file)
    order = StreamOrder(
        request=request,
        text=source
        and prepared(source, plain=plain_text, warn=app.out.warning, width=app.out.room),
        transport=transport,
        flush_after=seconds(flush_after),
        gates=Gates(seconds(assert_ttfb), seconds(assert_max_gap), assert_rtf),
        verify=verify,
    )
    from asyncflow_cli.transport.destination import Destination
    from asyncflow_cli.transport.streaming import stream_speech

    destination = Destination.of(output, app.out, play=play, force=force)
    report = app.run(stream_speech(app, order, destination))
    app.out.warnings(report.remarks)
    app.out.file(report)
