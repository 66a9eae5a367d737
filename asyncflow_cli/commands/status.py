"""`asyncflow status`."""

from __future__ import annotations

import typer

from asyncflow_cli.app import App


def register(app: typer.Typer) -> None:
    app.command("status")(status)


def status(ctx: typer.Context) -> None:
    """Is the service up, which version, how fast. It needs no key.

    asyncflow status · asyncflow --sandbox status --json
    """
    app: App = ctx.obj
    report = app.run(app.api.status())
    app.out.record(report)
