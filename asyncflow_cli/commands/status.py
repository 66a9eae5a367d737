"""`asyncflow status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from asyncflow_cli.app import App
from asyncflow_cli.commands.declared import Context, Option
from asyncflow_cli.commands.options import seconds

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    app.command("status")(status)


WaitOption = Annotated[
    str | None,
    Option("--wait", metavar="DURATION", help="Ask again and again, so long at most: 60s."),
]


def status(ctx: Context, wait: WaitOption = None) -> None:
    """Is the service up, which version, how fast. It needs no key.

    Examples:
        asyncflow status
        asyncflow --sandbox status --json
        asyncflow status --wait 60s
    """
    from asyncflow_cli.transport import waiting

    app: App = ctx.obj
    report = app.run(waiting.status(app.api, seconds(wait)))
    app.out.record(report)
