"""How the steps went: the document of `asyncflow ci run`, and the failure that comes of it.

Fields are only ever added.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from asyncflow_cli.errors import AsyncflowError, GateError
from asyncflow_cli.protocol.reports import Report


class Result(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    """It ran, and was not as expected."""
    BROKEN = "broken"
    """It could not be run to its end."""
    SKIPPED = "skipped"
    """A step that it needs did not pass."""


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    expected: str
    """Such as `latency < 2s`."""
    passed: bool
    actual: str | None
    """What was there; None if nothing was."""
    line: int
    """Of the file."""

    @property
    def told(self) -> str:
        there = "there is none" if self.actual is None else f"it is {self.actual}"
        return f"{self.expected}: {there}"


class StepReport(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    run: str
    """As it is written, without the values of variables."""
    line: int
    result: Result
    attempts: int
    seconds: float
    """Of the last attempt, from the start of its process to its end."""
    exit_code: int | None
    checks: tuple[CheckReport, ...]
    error: str | None
    """What the command said of its failure, or why it could not be run."""
    document: dict[str, Any]
    """What the command itself reported."""

    @property
    def failed_checks(self) -> list[CheckReport]:
        return [check for check in self.checks if not check.passed]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        """Why it did not pass, each with its line."""
        if self.result is Result.PASSED:
            return []
        if self.result is not Result.FAILED:
            return [(self.line, self.error or self.result)]
        return [(check.line, self._why(check)) for check in self.failed_checks]

    def _why(self, check: CheckReport) -> str:
        """An exit code tells little without the words that came with it."""
        spoke = check.expected.startswith("exit ") and self.error
        return f"{check.told} ({self.error})" if spoke else check.told

    @property
    def summary(self) -> str:
        """A line for whoever watches."""
        return f"{self.result}: {self.name}, {self.seconds:.1f} s"


class StepRow(msgspec.Struct, frozen=True):
    """What people see of a step."""

    result: str
    step: str
    seconds: float
    told: str


class SuiteReport(Report, frozen=True, kw_only=True, tag="asyncflow.ci-run"):
    name: str
    file: str
    sandbox: bool
    passed: int
    failed: int
    broken: int
    skipped: int
    seconds: float
    steps: tuple[StepReport, ...]

    @property
    def headline(self) -> str:
        return f"{self.passed} of {len(self.steps)} steps passed"

    @property
    def rows(self) -> list[StepRow]:
        return [StepRow(s.result, s.name, s.seconds, _row(s)) for s in self.steps]

    @property
    def failure(self) -> AsyncflowError | None:
        """None if every step passed. One that could not be run weighs more than one that failed."""
        if self.passed == len(self.steps):
            return None
        lines = [
            f"{self.file}, line {line}: {step.name}: {why}"
            for step in self.steps
            if step.result in (Result.FAILED, Result.BROKEN)
            for line, why in step.reasons
        ]
        message = "\n".join([self.headline, *lines])
        details = msgspec.to_builtins(self)
        if self.broken:
            return AsyncflowError(message, code="STEP_NOT_RUN", details=details)
        return GateError(message, code="STEP_FAILED", details=details)


def suite_report(
    *, name: str, file: str, sandbox: bool, seconds: float, steps: Sequence[StepReport]
) -> SuiteReport:
    count = {result: sum(s.result is result for s in steps) for result in Result}
    return SuiteReport(
        name=name,
        file=file,
        sandbox=sandbox,
        passed=count[Result.PASSED],
        failed=count[Result.FAILED],
        broken=count[Result.BROKEN],
        skipped=count[Result.SKIPPED],
        seconds=round(seconds, 3),
        steps=tuple(steps),
    )


def _row(step: StepReport) -> str:
    if step.result is Result.PASSED:
        return f"at attempt {step.attempts}" if step.attempts > 1 else ""
    return "; ".join(why for _, why in step.reasons)
