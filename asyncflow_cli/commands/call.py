"""`asyncflow call`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.commands.options import (
    FileOption,
    LanguageOption,
    ModelOption,
    PlainOption,
    TextArgument,
    VoiceOption,
    read_text,
)
from asyncflow_cli.protocol.order import CallOrder, phone_number
from asyncflow_cli.protocol.transcript import prepared
from asyncflow_cli.settings import whole_seconds


def register(app: typer.Typer) -> None:
    app.command("call")(call)


ToOption = Annotated[
    str | None,
    typer.Option("--to", metavar="NUMBER", help="The number to call [OUTBOUND_NUMBER]."),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="NUMBER", help="Your Twilio number [INBOUND_NUMBER]."),
]
RingOption = Annotated[
    str, typer.Option("--ring-timeout", metavar="DURATION", help="How long to let it ring.")
]
LimitOption = Annotated[
    str, typer.Option("--max-duration", metavar="DURATION", help="Twilio ends the call then.")
]
PublicUrlOption = Annotated[
    str | None,
    typer.Option("--public-url", metavar="URL", help="wss://… that leads to --port; no tunnel."),
]
PortOption = Annotated[
    int, typer.Option("--port", metavar="N", help="Local port of the media socket; 0 picks one.")
]
SaveHeardOption = Annotated[
    Path | None,
    typer.Option("--save-heard", metavar="FILE", help="Sandbox: what the callee heard, as WAV."),
]


def call(
    ctx: typer.Context,
    text: TextArgument = None,
    file: FileOption = None,
    to: ToOption = None,
    from_: FromOption = None,
    voice: VoiceOption = None,
    model: ModelOption = None,
    language: LanguageOption = None,
    plain_text: PlainOption = False,
    ring_timeout: RingOption = "30s",
    max_duration: LimitOption = "2m",
    public_url: PublicUrlOption = None,
    port: PortOption = 0,
    save_heard: SaveHeardOption = None,
) -> None:
    """Dial a number, speak into the call, and hang up when the last word was heard.

    asyncflow call --to +15551230001 "Your table is ready." ·
    asyncflow --sandbox call --to +15551230001 "Hello" --save-heard heard.wav
    """
    app: App = ctx.obj
    settings = app.configured(to=to, from_=from_, voice=voice, model=model)
    settings.need_all("to", "from_")
    order = CallOrder(
        to=phone_number(settings.need("to"), "number to call"),
        from_=phone_number(settings.need("from_"), "number to call from"),
        text=prepared(read_text(text, file), plain=plain_text, warn=app.out.warning),
        language=language,
        ring_timeout=whole_seconds(ring_timeout, at_most=600),
        max_duration=whole_seconds(max_duration, at_most=86_400),
        public_url=public_url,
        port=port,
    )
    report = app.run(app.call(order, save_heard))
    app.out.record(report)
