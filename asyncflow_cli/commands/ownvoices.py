"""`asyncflow voices`, of your own voices: made of a clip, changed, deleted."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.commands.speaking import DryRunOption
from asyncflow_cli.protocol.voicereports import clone_plan
from asyncflow_cli.protocol.voices import CloneRequest, Gender, UpdateVoiceRequest


def register(app: typer.Typer) -> None:
    app.command("clone")(clone)
    app.command("update")(update)
    app.command("delete")(delete)


VoiceArgument = Annotated[
    str, typer.Argument(metavar="VOICE", help="Id, name, or the beginning of either.")
]
VoicesArgument = Annotated[
    list[str], typer.Argument(metavar="VOICE…", help="Ids, names, or beginnings of either.")
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
NameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="What it is called.")
]
DescriptionOption = Annotated[
    str | None, typer.Option("--description", metavar="TEXT", help="What it is like, or for.")
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
