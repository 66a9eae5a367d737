"""`asyncflow config`."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from asyncflow_cli.app import App
from asyncflow_cli.commands.defaults import options, typed
from asyncflow_cli.commands.options import read_text
from asyncflow_cli.commands.values import doubts
from asyncflow_cli.errors import UsageError
from asyncflow_cli.settings.names import KEYS

HELP = """Settings, and where they come from.

Examples:
    asyncflow config list
"""

app = typer.Typer(name="config", help=HELP, no_args_is_help=True)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="voice, tts.format, aliases.host; see config list.")
]
ValueArgument = Annotated[str, typer.Argument(metavar="VALUE", help="What it shall be; - stdin.")]

ProjectOption = Annotated[
    bool, typer.Option("--project", help="In asyncflow.toml, for all who work on the project.")
]


@app.command("path")
def show_path(ctx: typer.Context) -> None:
    """Where your config file is, whether it is there yet or not.

    Examples:
        asyncflow config path
        asyncflow config path --json
    """
    app: App = ctx.obj
    app.out.value(app.configuration.path())


@app.command("list")
def list_settings(ctx: typer.Context) -> None:
    """Every setting, its value, and which source won. Secrets are not shown.

    Examples:
        asyncflow config list
        asyncflow config list --json
    """
    app: App = ctx.obj
    report = app.configuration.list(app.settings)
    app.out.table(report, report.settings)


@app.command("get")
def get(ctx: typer.Context, name: NameArgument) -> None:
    """One value, as it is for commands now. Of a secret only *** is shown.

    Examples:
        asyncflow config get voice
        asyncflow config get timeout --json
    """
    app: App = ctx.obj
    app.out.value(app.configuration.get(name, app.settings))


_DASHED = re.compile(r"-\.?\d.*")
"""A value that would be read as a flag."""


class SetCommand(TyperCommand):
    """Takes a value such as -3 as it stands, where other commands want `--` before it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        takers = {flag for option in options(self) if not option.is_flag for flag in option.opts}
        others: list[str] = []
        numbers: list[str] = []
        named = False
        for before, word in pairwise(["", *args]):
            is_number = named and before not in takers and _DASHED.fullmatch(word)
            (numbers if is_number else others).append(word)
            named = named or not (before in takers or word.startswith("-"))
        if numbers and "--" not in args:
            args = [*others, "--", *numbers]
        return super().parse_args(ctx, args)


@app.command("set", cls=SetCommand)
def set_value(
    ctx: typer.Context, name: NameArgument, value: ValueArgument, project: ProjectOption = False
) -> None:
    """Write a value into your profile, or into the project's file. Comments there stay.

    Examples:
        asyncflow config set voice Jennie
        asyncflow config set tts.format wav --project
        asyncflow config set from +15557654321 --profile support
    """
    app: App = ctx.obj
    text = _text(name, value)
    report = app.configuration.set(name, typed(ctx, name, text), project=project)
    app.out.warnings(doubts(name, text.strip()))
    app.out.warnings(app.configuration.outranked(name, project=project))
    app.out.file(report)


@app.command("unset")
def unset(ctx: typer.Context, name: NameArgument, project: ProjectOption = False) -> None:
    """Take a value out of your profile, or out of the project's file.

    Examples:
        asyncflow config unset voice
        asyncflow config unset tts.format --project
    """
    app: App = ctx.obj
    app.out.file(app.configuration.unset(name, project=project))


def _text(name: str, value: str) -> str:
    if value != "-" and name in KEYS and KEYS[name]["secret"]:
        raise UsageError(
            "A secret on the command line stays in the shell's history",
            hint=f"asyncflow auth login, or pipe it into: asyncflow config set {name} -",
            code="SECRET_IN_ARGUMENTS",
        )
    if not value.strip():
        raise UsageError(
            f"{name}: no value was given", hint=f"To take it away: asyncflow config unset {name}"
        )
    return read_text(value, None)
