"""Steps as GitHub shows them: annotations beside the file's lines, and a summary of the job."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asyncflow_cli.protocol.ci.report import Result, StepReport, SuiteReport

MARKS = {
    Result.PASSED: "✅",
    Result.FAILED: "❌",
    Result.BROKEN: "💥",
    Result.SKIPPED: "⏭️",
}


def annotated(report: SuiteReport, file: str) -> Iterator[str]:
    """A line for each thing that was not as expected, and for each step that had to try again.

    `file` is its path as the repository knows it.
    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    """
    for step in report.steps:
        if step.result in (Result.FAILED, Result.BROKEN):
            for line, why in step.reasons:
                yield _annotation("error", file, line, step.name, why)
        elif step.attempts > 1:
            yield _annotation(
                "warning", file, step.line, step.name, f"Passed at attempt {step.attempts}"
            )


def _annotation(level: str, file: str, line: int, title: str, message: str) -> str:
    where = f"file={_property(file)},line={line},title={_property(title)}"
    return f"::{level} {where}::{_data(message)}"


# As the runner undoes it: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def markdown(report: SuiteReport) -> str:
    """A heading, a table of the steps, and under it what went wrong."""
    where = " in the sandbox" if report.sandbox else ""
    lines = [
        f"### {_text(report.name)}: {report.headline}{where}",
        "",
        "| | step | time | |",
        "| --- | --- | ---: | --- |",
        *map(_row, report.steps),
        "",
    ]
    return "\n".join(lines) + "\n"


def _row(step: StepReport) -> str:
    told = "<br>".join(_text(why) for _, why in step.reasons)
    if step.result is Result.PASSED and step.attempts > 1:
        told = f"at attempt {step.attempts}"
    cells = (MARKS[step.result], _text(step.name), f"{step.seconds:.1f} s", told)
    return "| " + " | ".join(cells) + " |"


def _text(text: str) -> str:
    """As text, whatever it holds of Markdown, HTML or the table's own signs."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(text.split()))
