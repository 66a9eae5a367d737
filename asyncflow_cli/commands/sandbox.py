"""`asyncflow sandbox`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from asyncflow_cli.app import App
from asyncflow_cli.sandbox.choices import Choices, Cursor, Era, ModelRule, Paging
from asyncflow_cli.settings import duration

HELP = """The local stand-in of Async and Twilio.

Examples:
    asyncflow sandbox serve &
    eval "$(asyncflow sandbox env)"
"""

app = typer.Typer(name="sandbox", help=HELP, no_args_is_help=True)

DEFAULT_PORT = 7580

PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, metavar="N", help="0 takes a free one.")
]
SpeedOption = Annotated[
    float, typer.Option("--speed", metavar="X", help="How fast the phone line's time runs.")
]
DeterministicOption = Annotated[
    bool,
    typer.Option(
        "--deterministic/--no-deterministic",
        show_default=False,
        help="The same ids, dates and recordings every time.",
    ),
]

WaitOption = Annotated[
    str, typer.Option("--wait", metavar="DURATION", help="For one that has just been started.")
]
FaultOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="WHERE:WHAT",
        help="Make it fail, such as 'POST /text_to_speech:429 RATE_LIMIT_EXCEEDED x2'. Repeatable.",
    ),
]
CalleeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--callee",
        metavar="[NUMBER=]SCRIPT",
        help="Who answers, such as '+15551230001=say \"Hello?\"; press 1; hang up'. Repeatable.",
    ),
]
AccountOption = Annotated[
    list[str] | None,
    typer.Option(
        "--account",
        metavar="KNOB",
        help="How the Twilio account stands, such as trial, balance=0.00, cps=1. Repeatable.",
    ),
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict/--no-strict",
        show_default=False,
        help="Exit 1 if anything was logged, or a call was left alive.",
    ),
]
EraOption = Annotated[Era, typer.Option("--era", help="asyncflow is the service of 2025.")]
CursorOption = Annotated[
    Cursor, typer.Option("--cursor", help="What next_cursor is: this page's last id, or the next.")
]
PagingOption = Annotated[
    list[Paging] | None, typer.Option("--paging", help="A list's bad manners. Repeatable.")
]
ModelRuleOption = Annotated[
    ModelRule, typer.Option("--model-rule", help="june: Pro and Flash 1.5 are for streaming only.")
]
InitAckOption = Annotated[
    bool,
    typer.Option(
        "--init-ack/--no-init-ack",
        show_default=False,
        help="Answer the first frame of a speech WebSocket.",
    ),
]
ValidationOption = Annotated[
    Literal["422", "400"], typer.Option("--validation", help="Status of what does not validate.")
]


@app.command("serve")
def serve(
    ctx: typer.Context,
    port: PortOption = DEFAULT_PORT,
    speed: SpeedOption = 1.0,
    deterministic: DeterministicOption = False,
    fault: FaultOption = None,
    callee: CalleeOption = None,
    account: AccountOption = None,
    strict: StrictOption = False,
    era: EraOption = "voice-api",
    cursor: CursorOption = "last",
    paging: PagingOption = None,
    model_rule: ModelRuleOption = "july",
    init_ack: InitAckOption = False,
    validation: ValidationOption = "422",
) -> None:
    """Serve until Ctrl-C. The first line on stdout is one JSON object: it is ready.

    Examples:
        asyncflow sandbox serve &
        eval "$(asyncflow sandbox env)"
    """
    from asyncflow_cli.sandbox import attending

    app: App = ctx.obj
    choices = Choices(
        era=era,
        cursor=cursor,
        paging=frozenset(paging or ()),
        model_rule=model_rule,
        init_ack=init_ack,
        validation=int(validation),
    )
    sandbox = app.make_sandbox(
        port=port,
        speed=speed,
        deterministic=deterministic,
        choices=choices,
        faults=fault or (),
        callees=callee or (),
        account=account or (),
        strict=strict,
    )
    app.run(attending.serve(sandbox, app.sandbox_folder, app.out))


@app.command("env")
def env(ctx: typer.Context, wait: WaitOption = "3s") -> None:
    """Print the exports that point a shell at the sandbox that is being served.

    Examples:
        eval "$(asyncflow sandbox env)"
    """
    from asyncflow_cli.sandbox import attending

    app: App = ctx.obj
    app.out.exports(attending.environment(app.sandbox_folder, patience=duration(wait)))


@app.command("reset")
def reset(ctx: typer.Context) -> None:
    """Forget every call, recording and voice of the sandbox's own.

    Examples:
        asyncflow sandbox reset
    """
    from asyncflow_cli.sandbox import attending

    app: App = ctx.obj
    app.out.record(attending.reset(app.sandbox_folder))
