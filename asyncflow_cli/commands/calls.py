"""`asyncflow calls`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App

HELP = """The calls you made: which there were, how they ended, and ending those that have not.

Examples:
    asyncflow calls list --live
    asyncflow calls reap
"""

app = typer.Typer(name="calls", help=HELP, no_args_is_help=True)

SidArgument = Annotated[
    str, typer.Argument(metavar="SID", help="CA…, or as much of it as is unique.")
]
SidsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[SID…]", help="CA…, or the beginnings of them.")
]
LiveOption = Annotated[
    bool, typer.Option("--live/--no-live", show_default=False, help="Only those not seen to end.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Every live call of the journal.")]


@app.command("list")
def list_calls(ctx: typer.Context, live: LiveOption = False) -> None:
    """List the calls of the journal, the latest first. Twilio is not asked.

    Examples:
        asyncflow calls list
        asyncflow calls list --live --json
    """
    from asyncflow_cli.transport.journalled import journalled

    app: App = ctx.obj
    report = journalled(app.journal, live_only=live)
    app.out.table(report, report.rows)
    app.out.step(report.summary)


@app.command("show")
def show(ctx: typer.Context, sid: SidArgument) -> None:
    """Show a call: what the journal has, what Twilio has, and what went wrong.

    Examples:
        asyncflow calls show CA5f
        asyncflow calls show CA5f --json
    """
    app: App = ctx.obj
    report = app.run(app.own_calls.show(sid))
    app.out.records(report, report.parts)


@app.command("hangup")
def hang_up(ctx: typer.Context, sids: SidsArgument = None, every: AllOption = False) -> None:
    """End calls, whoever owns them. It asks first; -y answers.

    Examples:
        asyncflow calls hangup CA5f
        asyncflow calls hangup --all -y
    """
    app: App = ctx.obj
    report = app.run(app.own_calls.hang_up(sids or [], app.out.confirm, every=every))
    app.out.table(report, report.rows)
    app.out.step(report.summary)


@app.command("reap")
def reap(ctx: typer.Context) -> None:
    """End the calls that runs left which are gone, and no others.

    Examples:
        asyncflow calls reap
        asyncflow calls reap --json
    """
    app: App = ctx.obj
    report = app.run(app.own_calls.reap())
    app.out.table(report, report.rows)
    app.out.step(report.summary)
