"""`asyncflow doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.protocol.doctorreport import DoctorOrder


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Open no socket: look at this machine alone.")
]
PortOption = Annotated[
    int,
    typer.Option(
        "--port", metavar="N", min=0, max=65_535, help="The port that calls will use; 0 is any."
    ),
]
FixOption = Annotated[
    bool,
    typer.Option("--fix", help="Mend what is safe: file modes, folders; calls left, if you agree."),
]
BundleOption = Annotated[
    str | None,
    typer.Option("--bundle", metavar="FILE.zip", help="All of it in a file, without secrets."),
]


def doctor(
    ctx: typer.Context,
    offline: OfflineOption = False,
    port: PortOption = 0,
    fix: FixOption = False,
    bundle: BundleOption = None,
) -> None:
    """What is missing, and how to fix it. It synthesises nothing, and calls nobody.

    Examples:
        asyncflow doctor
        asyncflow --sandbox doctor --json
        asyncflow doctor --fix
        asyncflow doctor --offline --bundle doctor.zip
    """
    from asyncflow_cli.transport.doctor.visit import visit

    app: App = ctx.obj
    report = app.run(visit(app.patient, DoctorOrder(offline, port, fix, bundle), app.out))
    app.out.page(report, report.failure)
