"""`asyncflow explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App


def register(app: typer.Typer) -> None:
    app.command("explain", no_args_is_help=True)(explain)


CodeArgument = Annotated[
    str | None, typer.Argument(metavar="CODE", help="Any code, or its number; an exit code, too.")
]
ListOption = Annotated[bool, typer.Option("--list", help="Every code there is.")]


def explain(ctx: typer.Context, code: CodeArgument = None, list_all: ListOption = False) -> None:
    """What a code means, why it usually comes, and what to do. It needs no network.

    Examples:
        asyncflow explain RATE_LIMIT_EXCEEDED
        asyncflow explain 21211
        asyncflow explain 24
    """
    from asyncflow_cli.protocol.catalogue import explained

    app: App = ctx.obj
    wanted = None if list_all else code
    report = explained(wanted)
    if wanted is None:
        app.out.table(report, report.lines)
    else:
        app.out.records(report, report.entries)
