"""`asyncflow schema`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App


def register(app: typer.Typer) -> None:
    app.command("schema")(show_schema)


NameArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="Such as tts; without it, every name.")
]


def show_schema(ctx: typer.Context, name: NameArgument = None) -> None:
    """The JSON Schema of what --json prints. The document's own `schema` says which one.

    Examples:
        asyncflow schema
        asyncflow schema tts
        asyncflow schema error > error.json
    """
    from asyncflow_cli.published import schema

    app: App = ctx.obj
    app.out.value(schema(name))
