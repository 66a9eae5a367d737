"""`asyncflow voices`: the library; your own ones are in ownvoices.py."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.commands import ownvoices
from asyncflow_cli.commands.ownvoices import (
    AccentOption,
    GenderOption,
    StyleOption,
    VoiceArgument,
    VoicesArgument,
)
from asyncflow_cli.commands.speaking import ForceOption, PlayOption
from asyncflow_cli.protocol.voicereports import voice_report
from asyncflow_cli.protocol.voices import ListVoicesRequest, doubts

HELP = """The voice library, and your own voices.

Examples:
    asyncflow voices list --language en
    asyncflow voices preview Jennie -o jennie.mp3
"""

app = typer.Typer(name="voices", help=HELP, no_args_is_help=True)

COLUMNS = ("voice_id", "name", "language", "gender", "accent", "style")

LimitOption = Annotated[
    int | None,
    typer.Option("--limit", min=1, max=100, metavar="N", help="At most so many; 10 a page."),
]
AfterOption = Annotated[
    str | None, typer.Option("--after", metavar="ID", help="Go on behind this voice.")
]
ForModelOption = Annotated[
    str | None, typer.Option("--model", metavar="ID", help="Voices of a model.")
]
SpeaksOption = Annotated[
    str | None, typer.Option("--language", metavar="CODE", help="Voices that speak it: en, fr, …")
]
AllOption = Annotated[bool, typer.Option("--all", help="Every page; --json is a line for each.")]
SearchOption = Annotated[
    str | None,
    typer.Option(
        "--search", metavar="TEXT", help="In name, description, accent and style, of --all."
    ),
]
MineOption = Annotated[
    bool, typer.Option("--mine/--no-mine", show_default=False, help="Only your own.")
]
ClipOutputOption = Annotated[
    str | None, typer.Option("-o", "--output", metavar="FILE", help="Where to; - is stdout.")
]


@app.command("list")
def list_voices(
    ctx: typer.Context,
    limit: LimitOption = None,
    after: AfterOption = None,
    model: ForModelOption = None,
    language: SpeaksOption = None,
    accent: AccentOption = None,
    gender: GenderOption = None,
    style: StyleOption = None,
    mine: MineOption = False,
    every: AllOption = False,
    search: SearchOption = None,
) -> None:
    """List voices: a page of them, or every one.

    Examples:
        asyncflow voices list --language fr --gender Female
        asyncflow voices list --search calm
    """
    app: App = ctx.obj
    request = ListVoicesRequest(
        limit=limit,
        after=after,
        model_id=model,
        language=language,
        accent=accent,
        gender=gender,
        style=style,
        my_voice=mine or None,
    )
    app.out.warnings(doubts(request))
    if every or search is not None:
        report = app.run(app.library.search(request, search))
        app.out.lines(report, report.lines, COLUMNS)
    else:
        report = app.run(app.library.list_voices(request))
        app.out.table(report, report.voices, COLUMNS)
    app.out.step(report.summary)


@app.command("get")
def get(ctx: typer.Context, voices: VoicesArgument) -> None:
    """Show voices by id or name; several ids are one request.

    Examples:
        asyncflow voices get Jennie
        asyncflow voices get Jennie Stella --json
    """
    app: App = ctx.obj
    report = app.run(app.library.described(voices))
    if len(voices) == 1:
        app.out.record(voice_report(report.voices[0]))
    else:
        app.out.table(report, report.voices, COLUMNS)


@app.command("preview")
def preview(
    ctx: typer.Context,
    voice: VoiceArgument,
    output: ClipOutputOption = None,
    play: PlayOption = False,
    force: ForceOption = False,
) -> None:
    """A voice's sample, to a file, stdout or the loudspeaker.

    Examples:
        asyncflow voices preview Jennie -o jennie.mp3
        asyncflow voices preview Jennie --play
    """
    from asyncflow_cli.transport import preview as previews
    from asyncflow_cli.transport.destination import Destination

    app: App = ctx.obj
    destination = Destination.of(output, app.out, play=play, force=force)
    report = app.run(previews.preview(app.library, voice, destination))
    app.out.file(report)


ownvoices.register(app)
