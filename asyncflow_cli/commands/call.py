"""`asyncflow call`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from asyncflow_cli.app import App
from asyncflow_cli.commands import values
from asyncflow_cli.commands.options import (
    FileOption,
    LanguageOption,
    ModelOption,
    PlainOption,
    TextArgument,
    VoiceOption,
    env,
    text_source,
)
from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.order import CallOrder, send_digits
from asyncflow_cli.protocol.plan import BargeIn, MachinePolicy, Manners
from asyncflow_cli.protocol.transcript import prepared
from asyncflow_cli.settings import duration, read_setting


def register(app: typer.Typer) -> None:
    app.command("call")(call)


ToOption = Annotated[
    str | None,
    typer.Option("--to", metavar="NUMBER", help=f"The number to call. {env('to')}"),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="NUMBER", help=f"Your Twilio number. {env('from_')}"),
]
CallerIdOption = Annotated[
    str | None,
    typer.Option("--caller-id", metavar="NUMBER", help="What the callee sees in place of --from."),
]
AudioOption = Annotated[
    str | None,
    typer.Option("--audio", metavar="FILE", help="Play a file (wav, mp3, raw μ-law), say nothing."),
]
KeepOpenOption = Annotated[
    bool,
    typer.Option(
        "--keep-open/--no-keep-open",
        show_default=False,
        help="Speak every line you type; a blank line hangs up.",
    ),
]
FlushOption = Annotated[
    str,
    typer.Option(
        "--flush-after",
        metavar="DURATION",
        help="Text on stdin: speak an unfinished sentence when its writer pauses so long.",
    ),
]
SilenceOption = Annotated[
    str,
    typer.Option(
        "--max-silence",
        metavar="DURATION",
        help="Text on stdin: hang up when the line was silent so long for want of it.",
    ),
]
RepeatOption = Annotated[
    int, typer.Option("--repeat", metavar="N", min=1, max=100, help="Say it N times.")
]
RepeatKeyOption = Annotated[
    str | None,
    typer.Option("--press-to-repeat", metavar="KEY", help="The callee's key to hear it again."),
]
StopKeyOption = Annotated[
    str | None,
    typer.Option("--press-to-stop", metavar="KEY", help="The callee's key to end it."),
]
BargeInOption = Annotated[
    BargeIn | None,
    typer.Option("--barge-in", help="Fall silent when the callee presses a key, or speaks."),
]
MachineOption = Annotated[
    MachinePolicy,
    typer.Option("--machine", help="If a machine answers: hang up (23), or speak after its beep."),
]
DigitsOption = Annotated[
    str | None,
    typer.Option("--send-digits", metavar="KEYS", help="Press these on answer, as ww12#."),
]
RecordOption = Annotated[
    bool,
    typer.Option("--record/--no-record", show_default=False, help="Have Twilio record the call."),
]
RingOption = Annotated[
    str, typer.Option("--ring-timeout", metavar="DURATION", help="How long to let it ring.")
]
LimitOption = Annotated[
    str, typer.Option("--max-duration", metavar="DURATION", help="Twilio ends the call then.")
]
LeadOption = Annotated[
    str | None,
    typer.Option(
        "--lead",
        metavar="DURATION",
        help="Audio the phone holds ahead; 30s, or 3s with --barge-in.",
    ),
]
TunnelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tunnel",
        metavar="NAME",
        help="ngrok, ngrok-sdk, cloudflared, tailscale, ssh, ssh:HOST, public, loopback, sandbox; "
        "in this order. Repeatable.",
    ),
]
PublicUrlOption = Annotated[
    str | None,
    typer.Option("--public-url", metavar="URL", help="wss://… that leads to --port; no tunnel."),
]
PortOption = Annotated[
    int,
    typer.Option(
        "--port", min=0, max=65535, metavar="N", help="Local port of the media socket; 0 picks one."
    ),
]
ReconnectOption = Annotated[
    str,
    typer.Option(
        "--reconnect",
        metavar="DURATION",
        help="With another tunnel to go to: how long to hold the call meanwhile.",
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Call from an account that may not stream, too.")
]
DryRunOption = Annotated[
    bool,
    typer.Option("-n", "--dry-run", is_eager=True, help="Show what would be done; open no socket."),
]
ReportOption = Annotated[
    list[Path] | None,
    typer.Option("--report", metavar="FILE", help="What happened, as .json or .html. Repeatable."),
]
SaveHeardOption = Annotated[
    Path | None,
    typer.Option("--save-heard", metavar="FILE", help="Sandbox: what the callee heard, as WAV."),
]
CalleeOption = Annotated[
    str | None,
    typer.Option(
        "--callee",
        metavar="SCRIPT",
        help="Sandbox: what the callee does, as 'answer after 2s; press 1; hang up after 9s'.",
    ),
]


def call(
    ctx: typer.Context,
    text: TextArgument = None,
    file: FileOption = None,
    to: ToOption = None,
    from_: FromOption = None,
    caller_id: CallerIdOption = None,
    voice: VoiceOption = None,
    model: ModelOption = None,
    language: LanguageOption = None,
    plain_text: PlainOption = False,
    audio: AudioOption = None,
    keep_open: KeepOpenOption = False,
    flush_after: FlushOption = "2s",
    max_silence: SilenceOption = "30s",
    repeat: RepeatOption = 1,
    press_to_repeat: RepeatKeyOption = None,
    press_to_stop: StopKeyOption = None,
    barge_in: BargeInOption = None,
    machine: MachineOption = "continue",
    send: DigitsOption = None,
    record: RecordOption = False,
    ring_timeout: RingOption = "30s",
    max_duration: LimitOption = "2m",
    lead: LeadOption = None,
    tunnel: TunnelOption = None,
    public_url: PublicUrlOption = None,
    port: PortOption = 0,
    reconnect: ReconnectOption = "10s",
    force: ForceOption = False,
    dry_run: DryRunOption = False,
    report: ReportOption = None,
    save_heard: SaveHeardOption = None,
    callee: CalleeOption = None,
) -> None:
    """Dial a number, speak into the call, and hang up when the last word was heard.

    Examples:
        asyncflow call --to +15551230001 "Your table is ready."
        llm "apologise" | asyncflow call --to +15551230001 -
        asyncflow --sandbox call --to +15551230001 "Hello" --save-heard heard.wav
    """
    app: App = ctx.obj
    settings = app.configured(to=to, from_=from_, voice=voice, model=model, callee=callee)
    order = CallOrder(
        to=read_setting(settings, "to", values.number_to_call) or "",
        from_=read_setting(settings, "from_", values.number_to_call_from) or "",
        caller_id=caller_id and values.caller_id(caller_id),
        **_speech(app, text, file, audio, keep_open=keep_open, plain=plain_text),
        language=language,
        plain_text=plain_text,
        flush_after=duration(flush_after),
        max_silence=duration(max_silence),
        manners=Manners(
            repeat=repeat,
            repeat_key=values.repeat_key(press_to_repeat),
            stop_key=values.stop_key(press_to_stop),
            barge_in=barge_in,
            machine=machine,
            keep_open=keep_open,
            lead=duration(lead or ("3s" if barge_in else "30s")),
        ),
        send_digits=send_digits(send),
        record=record,
        ring_timeout=values.ring_timeout(ring_timeout),
        max_duration=values.max_duration(max_duration),
        public_url=public_url,
        port=port,
        tunnels=tuple(tunnel or ()),
        reconnect=duration(reconnect),
        force=force,
    )
    # What is wrong with the line is told before what is missing.
    settings.need_all("to", "from_") if dry_run else settings.need_for_call(speaks=audio is None)
    if dry_run:
        from asyncflow_cli.transport.callplanning import plan_call

        plan = plan_call(settings, order)
        app.out.warnings(plan.doubts)
        app.out.record(plan)
        return
    from asyncflow_cli.sandbox.client import heard
    from asyncflow_cli.transport.callfiles import CallFiles
    from asyncflow_cli.transport.calling import make_call

    files = CallFiles(reports=report or (), heard=save_heard, ask=heard)
    work = make_call(settings, order, app.journal, app.library, app.out, files=files, stop=app.stop)
    app.out.record(app.run(work, live=True))


def _speech(
    app: App, text: str | None, file: str | None, audio: str | None, *, keep_open: bool, plain: bool
) -> dict[str, Any]:
    """The `text` or the `audio` of a CallOrder, or neither for text that stdin is to bring.

    UsageError for two of them, or none.
    """
    if audio is not None:
        from asyncflow_cli.transport.phoneclip import read_phone_clip

        if text is not None or file is not None or keep_open:
            raise UsageError("Two things to say: a text, and a file with --audio", hint=_ONE)
        return {"text": None, "audio": read_phone_clip(audio, warn=app.out.warning)}
    if keep_open and "-" in (text, file):
        raise UsageError("With --keep-open stdin is for the lines you type", hint=_ONE)
    typed_only = keep_open and text is None and file is None
    said = None if typed_only else text_source(text, file)
    return {"text": said and prepared(said, plain=plain, warn=app.out.warning, width=app.out.room)}


_ONE = "Leave one out"
