"""`asyncflow config`."""

from __future__ import annotations

import typer

from asyncflow_cli.app import App
from asyncflow_cli.protocol.reports import SettingReport, SettingsReport

HELP = """Settings, and where they come from.

Examples:
    asyncflow config list
"""

app = typer.Typer(name="config", help=HELP, no_args_is_help=True)


@app.command("list")
def list_settings(ctx: typer.Context) -> None:
    """Every setting, its value, and which source won. Secrets are not shown.

    Examples:
        asyncflow config list --json
    """
    app: App = ctx.obj
    settings = tuple(SettingReport(*row) for row in app.settings.described())
    app.out.table(SettingsReport(settings=settings), settings)
