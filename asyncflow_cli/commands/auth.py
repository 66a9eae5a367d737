"""`asyncflow auth`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.protocol.configreports import ASKED, SECRETS, ServiceName

HELP = """Keys of the services: signing in, out, and seeing whether you are.

Examples:
    asyncflow auth login
    asyncflow auth status
"""

app = typer.Typer(name="auth", help=HELP, no_args_is_help=True)

ServiceOption = Annotated[
    ServiceName, typer.Option("--service", help="Whose key it is; async unless you say.")
]
AccountOption = Annotated[
    str | None, typer.Option("--account-sid", metavar="SID", help="AC…, with --service twilio.")
]
NoCheckOption = Annotated[
    bool, typer.Option("--no-check", help="Keep it without asking the service.")
]
NoKeyringOption = Annotated[
    bool, typer.Option("--no-keyring", help="Keep it in the config file, which only you can read.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Of every service.")]


@app.command("login")
def login(
    ctx: typer.Context,
    service: ServiceOption = "async",
    account_sid: AccountOption = None,
    no_check: NoCheckOption = False,
    no_keyring: NoKeyringOption = False,
) -> None:
    """Keep a key for your profile. It is typed unseen, or comes through a pipe, and is checked.

    It goes into the system's keyring if the extra [keyring] is installed and works; else into the
    config file, which only you can read. An address given with --base-url is kept with it.

    Examples:
        pass show async | asyncflow auth login
        pass show ngrok | asyncflow auth login --service ngrok
        pass show twilio | asyncflow auth login --service twilio --account-sid AC5f --no-check
    """
    app: App = ctx.obj
    accounts, check = app.accounts, not no_check
    accounts.insist(service, account_sid=account_sid, check=check)
    secret = app.out.secret(ASKED[service])
    work = accounts.login(
        service, secret, account_sid=account_sid, check=check, keyring=not no_keyring
    )
    report = app.run(work)
    for kept in (SECRETS[service], *(["base_url"] if report.base_url else [])):
        app.out.warnings(app.configuration.outranked(kept, project=False))
    app.out.file(report)


@app.command("status")
def status(ctx: typer.Context) -> None:
    """Which services you are signed in to, and where each key comes from. Nobody is asked.

    Examples:
        asyncflow auth status
        asyncflow auth status --json
    """
    app: App = ctx.obj
    report = app.accounts.status()
    app.out.table(report, report.services)


@app.command("logout")
def logout(ctx: typer.Context, service: ServiceOption = "async", every: AllOption = False) -> None:
    """Forget a key that your profile keeps, in the keyring or in the config file.

    What was kept with it goes, too: the address of Async, or the SID of the Twilio account.

    Examples:
        asyncflow auth logout --service ngrok
        asyncflow auth logout --all
    """
    app: App = ctx.obj
    services: list[ServiceName] = list(SECRETS) if every else [service]
    report = app.accounts.logout(services)
    for name in report.forgotten:
        app.out.warnings(app.configuration.outranked(SECRETS[name], project=False))
    app.out.file(report)
