"""`asyncflow sandbox`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App

app = typer.Typer(
    name="sandbox", help="The local stand-in of Async and Twilio.", no_args_is_help=True
)

DEFAULT_PORT = 7580

PortOption = Annotated[int, typer.Option("--port", metavar="N", help="0 takes a free one.")]
SpeedOption = Annotated[
    float, typer.Option("--speed", metavar="X", help="How fast the phone line's time runs.")
]
DeterministicOption = Annotated[
    bool, typer.Option("--deterministic", help="The same ids, dates and recordings every time.")
]


@app.command("serve")
def serve(
    ctx: typer.Context,
    port: PortOption = DEFAULT_PORT,
    speed: SpeedOption = 1.0,
    deterministic: DeterministicOption = False,
) -> None:
    """Serve until Ctrl-C. The first line on stdout is one JSON object: it is ready.

    asyncflow sandbox serve & · eval "$(asyncflow sandbox env)"
    """
    app: App = ctx.obj
    sandbox = app.make_sandbox(port=port, speed=speed, deterministic=deterministic)
    app.run(app.serve(sandbox))


@app.command("env")
def env(ctx: typer.Context) -> None:
    """Print the exports that point a shell at the sandbox that is being served.

    eval "$(asyncflow sandbox env)"
    """
    app: App = ctx.obj
    app.out.exports(app.served_sandbox())


@app.command("reset")
def reset(ctx: typer.Context) -> None:
    """Forget every call, recording and cloned voice of the sandbox.

    asyncflow sandbox reset
    """
    app: App = ctx.obj
    app.out.record(app.reset_sandbox())
