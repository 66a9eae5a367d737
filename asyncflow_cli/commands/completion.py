"""`asyncflow completion`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from asyncflow_cli.app import App
from asyncflow_cli.protocol.completion import SCRIPTS, CompletionReport


def register(app: typer.Typer) -> None:
    app.command("completion", no_args_is_help=True)(completion)


ShellArgument = Annotated[
    Literal["bash", "zsh", "fish", "powershell"], typer.Argument(help="The shell you use.")
]


def completion(ctx: typer.Context, shell: ShellArgument) -> None:
    """Print what makes a shell complete commands, options, voices and more. It asks no network.

    The script's first lines say where it goes.

    Examples:
        asyncflow completion bash > asyncflow.bash
        asyncflow completion zsh > _asyncflow
    """
    app: App = ctx.obj
    app.out.value(CompletionReport(shell=shell, script=SCRIPTS[shell]))
