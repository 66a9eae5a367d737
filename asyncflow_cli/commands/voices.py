"""`asyncflow voices`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.commands.speaking import DryRunOption, ForceOption, PlayOption
from asyncflow_cli.protocol.voicereports import clone_plan, voice_report
from asyncflow_cli.protocol.voices import (
    CloneRequest,
    Gender,
    ListVoicesRequest,
    UpdateVoiceRequest,
    doubts,
)

HELP = """The voice library, and your own voices.

Examples:
    asyncflow voices list --language en
    asyncflow voices preview Jennie -o jennie.mp3
"""

app = typer.Typer(name="voices", help=HELP, no_args_is_help=True)

COLUMNS = ("voice_id", "name", "language", "gender", "accent", "style")

VoiceArgument = Annotated[
    str, typer.Argument(metavar="VOICE", help="Id, name, or the beginning of either.")
]
VoicesArgument = Annotated[
    list[str], typer.Argument(metavar="VOICE…", help="Ids, names, or beginnings of either.")
]
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
NameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="What it is called.")
]
DescriptionOption = Annotated[
    str | None, typer.Option("--description", metavar="TEXT", help="What it is like, or for.")
]
AccentOption = Annotated[
    str | None, typer.Option("--accent", metavar="TEXT", help="Such as 'American (US)'.")
]
GenderOption = Annotated[
    Gender | None, typer.Option("--gender", case_sensitive=False, help="How it sounds.")
]
StyleOption = Annotated[
    str | None, typer.Option("--style", metavar="LIST", help="Such as 'Storytelling,Calm'.")
]
ClipArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="wav, mp3, flac or aiff, from 3 s of speech to 10 MB; - is stdin."
    ),
]
CloneNameOption = Annotated[
    str, typer.Option("--name", metavar="NAME", help="What to call the voice.")
]
EnhanceOption = Annotated[
    bool,
    typer.Option(
        "--enhance/--no-enhance", show_default=False, help="Remove background noise first."
    ),
]
TranscriptOption = Annotated[
    str | None, typer.Option("--transcript", metavar="TEXT", help="What is said in the clip.")
]
ClipLanguageOption = Annotated[
    str | None, typer.Option("--language", metavar="CODE", help="Language of the clip.")
]
IfNotExistsOption = Annotated[
    bool,
    typer.Option(
        "--if-not-exists/--no-if-not-exists",
        show_default=False,
        help="If you have a voice of that name, print that.",
    ),
]
IgnoreMissingOption = Annotated[
    bool,
    typer.Option(
        "--ignore-missing/--no-ignore-missing",
        show_default=False,
        help="What is not there counts as deleted.",
    ),
]
TryOption = Annotated[
    bool,
    typer.Option("-n", "--dry-run", is_eager=True, help="Look it up and show it; change nothing."),
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


@app.command("clone")
def clone(
    ctx: typer.Context,
    file: ClipArgument,
    name: CloneNameOption,
    description: DescriptionOption = None,
    accent: AccentOption = None,
    gender: GenderOption = None,
    style: StyleOption = None,
    enhance: EnhanceOption = False,
    transcript: TranscriptOption = None,
    language: ClipLanguageOption = None,
    if_not_exists: IfNotExistsOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Make a voice from a clip. It is sent once only, whatever fails.

    Examples:
        asyncflow voices clone me.wav --name Me --enhance
        asyncflow voices clone me.wav --name Me -n
    """
    from asyncflow_cli.transport.clipfile import read_clip

    app: App = ctx.obj
    clip = read_clip(file, warn=app.out.warning)
    request = CloneRequest(
        name=name,
        description=description,
        accent=accent,
        gender=gender,
        style=style,
        enhance=enhance,
        transcript=transcript,
        language=language,
    )
    if dry_run:
        settings = app.settings
        key = bool(settings.api_key)
        app.out.record(clone_plan(settings.base_url, request, clip, key=key))
        return
    app.out.step(clip.summary)
    report = app.run(app.own_voices.clone(request, clip, if_not_exists=if_not_exists))
    app.out.value(report)
    app.out.step(report.summary)


@app.command("update")
def update(
    ctx: typer.Context,
    voice: VoiceArgument,
    name: NameOption = None,
    description: DescriptionOption = None,
    accent: AccentOption = None,
    gender: GenderOption = None,
    style: StyleOption = None,
    dry_run: TryOption = False,
) -> None:
    """Change what is said of a voice of yours, and show what was and what is.

    Examples:
        asyncflow voices update Me --description "Calm and close" --dry-run
        asyncflow voices update Me --name Narrator --style Storytelling
    """
    app: App = ctx.obj
    wanted = UpdateVoiceRequest(
        name=name, description=description, gender=gender, style=style, accent=accent
    )
    if dry_run:
        plan = app.run(app.own_voices.planned_update(voice, wanted))
        app.out.table(plan, plan.changes)
        app.out.step(plan.summary)
        return
    report = app.run(app.own_voices.update(voice, wanted))
    app.out.table(report, report.changes)
    app.out.step(report.summary)


@app.command("delete")
def delete(
    ctx: typer.Context,
    voices: VoicesArgument,
    ignore_missing: IgnoreMissingOption = False,
    dry_run: TryOption = False,
) -> None:
    """Delete voices of yours, for good. It asks first; -y answers.

    Examples:
        asyncflow voices delete Narrator --dry-run
        asyncflow voices delete Narrator -y
    """
    app: App = ctx.obj
    if dry_run:
        plan = app.run(app.own_voices.planned_deletion(voices, ignore_missing=ignore_missing))
        app.out.table(plan, plan.voices)
        app.out.step(plan.summary)
        return
    work = app.own_voices.delete(voices, app.out.confirm, ignore_missing=ignore_missing)
    report = app.run(work)
    app.out.value(report)
    app.out.step(report.summary)


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
