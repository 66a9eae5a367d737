"""`asyncflow ci`."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncflow_cli.app import App
from asyncflow_cli.protocol.ci.order import SmokeOrder

app = typer.Typer(
    name="ci",
    help="""Smoke checks for CI.

Examples:
    asyncflow --sandbox ci run smoke.yaml
""",
    no_args_is_help=True,
)

COLUMNS = ("result", "step", "seconds", "told")

StepsArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="Steps, in YAML; - reads stdin. See docs/ci.md.")
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs", min=1, max=16, metavar="N", help="Steps at a time; the file's `parallel`."
    ),
]
JUnitOption = Annotated[
    str | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML there.")
]
SummaryOption = Annotated[
    str | None,
    typer.Option("--summary", metavar="FILE", help="Markdown, too. [env: GITHUB_STEP_SUMMARY]"),
]
AnnotationsOption = Annotated[
    bool | None,
    typer.Option(
        "--annotations/--no-annotations",
        help="Tell failures as GitHub shows them beside the file. [env: GITHUB_ACTIONS]",
    ),
]


@app.command("run")
def run(
    ctx: typer.Context,
    file: StepsArgument,
    jobs: JobsOption = None,
    junit: JUnitOption = None,
    summary: SummaryOption = None,
    annotations: AnnotationsOption = None,
) -> None:
    """Run the steps of a file and check what came of each. Exit 9 if one was not as expected.

    Examples:
        asyncflow --sandbox ci run smoke.yaml
        asyncflow ci run smoke.yaml --junit smoke.xml --summary smoke.md
    """
    from asyncflow_cli.transport.ci.run import SmokeFile, run_file

    app: App = ctx.obj
    order = SmokeOrder(
        file=file,
        commands=ctx.find_root().command.commands,  # type: ignore[attr-defined]
        jobs=jobs,
        junit=junit,
        summary=summary,
        annotations=annotations,
    )
    steps = SmokeFile.read(order.file, app.environ)
    app.configured(sandbox_with=steps.sandbox)
    report = app.run(run_file(steps, order, app.surroundings, app.out))
    app.out.verdict(report, report.rows, COLUMNS, report.failure)
