"""Whether what a step did is what was expected of it.

A command that succeeds prints its document; one that fails, an error whose `details` hold what it
had measured. So both can be asked the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from asyncflow_cli.protocol.ci.conditions import Condition
from asyncflow_cli.protocol.ci.report import CheckReport, Result, StepReport
from asyncflow_cli.protocol.ci.suite import TIMES, Expectation, Step
from asyncflow_cli.protocol.paths import NOTHING, at
from asyncflow_cli.protocol.picking import bare

LATENCIES = ("first_audio_ms", "first_byte_ms", "latency_ms", "elapsed_ms")
"""How long the service let us wait, in whichever of these a command tells it."""

DURATIONS = ("seconds_heard", "seconds")
OUTCOMES = ("end_reason", "status")
TEXTS = ("heard_text", "text")


@dataclass(frozen=True, kw_only=True)
class Done:
    """A process that has ended."""

    exit_code: int
    document: Mapping[str, Any]
    """What it printed, or the `details` of its error; empty if neither was there."""
    error: Mapping[str, Any]
    """`code`, `message`, …; empty if it printed none."""
    seconds: float
    """From its start to its end."""

    @classmethod
    def of(cls, exit_code: int, stdout: bytes, stderr: bytes, seconds: float) -> Done:
        """Of what `--json` printed. The document is the last line: events may stand before it."""
        error = _object(_last_object(stderr).get("error"))
        return cls(
            exit_code=exit_code,
            document=_object(error.get("details")) if error else _last_object(stdout),
            error=error,
            seconds=seconds,
        )

    @property
    def problem(self) -> str | None:
        """What it said of its failure."""
        if not self.error:
            return None
        return f"{self.error.get('message', '')} [{self.error.get('code', '')}]"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _last_object(output: bytes) -> dict[str, Any]:
    lines = output.strip().splitlines()
    try:
        return msgspec.json.decode(lines[-1], type=dict[str, Any]) if lines else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def judged(step: Step, done: Done, *, attempts: int) -> StepReport:
    """A step that has run: everything that was expected of it, and whether it was so."""
    checks = tuple(check(expectation, done) for expectation in step.expectations)
    passed = all(each.passed for each in checks)
    return StepReport(
        name=step.name,
        run=step.run,
        line=step.line,
        result=Result.PASSED if passed else Result.FAILED,
        attempts=attempts,
        seconds=round(done.seconds, 3),
        exit_code=done.exit_code,
        checks=checks,
        error=done.problem,
        document=dict(done.document),
    )


def unrun(step: Step, result: Result, why: str, *, attempts: int) -> StepReport:
    """A step that was skipped, or did not come to its end."""
    return StepReport(
        name=step.name,
        run=step.run,
        line=step.line,
        result=result,
        attempts=attempts,
        seconds=0.0,
        exit_code=None,
        checks=(),
        error=why,
        document={},
    )


def check(expectation: Expectation, done: Done) -> CheckReport:
    """One expectation, and what was there in its place."""
    condition = expectation.condition
    value = (
        at(done.document, expectation.name)
        if expectation.is_field
        else MEASURES[expectation.name](done, condition)
    )
    return CheckReport(
        expected=expectation.text,
        passed=value is not NOTHING and condition.holds(value),
        actual=_told(value, time=expectation.name in TIMES and not expectation.is_field),
        line=expectation.line,
    )


def _told(value: Any, *, time: bool) -> str | None:
    if value is NOTHING:
        return None
    return f"{value:.3g} s" if time else bare(value)


def _first(document: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((document[name] for name in names if document.get(name) is not None), NOTHING)


def _latency(done: Done, _: Condition) -> Any:
    found = _first(done.document, LATENCIES)
    return NOTHING if found is NOTHING else found / 1000


def _words(done: Done, condition: Condition) -> Any:
    """How many words there are; where they are searched, the words themselves."""
    words = done.document.get("words")
    text = (
        " ".join(word["text"] for word in words)
        if isinstance(words, list)
        else _first(done.document, TEXTS)
    )
    if text is NOTHING or condition.operator in ("contains", "matches"):
        return text
    return len(words) if isinstance(words, list) else len(text.split())


MEASURES: Mapping[str, Callable[[Done, Condition], Any]] = {
    "exit": lambda done, _: done.exit_code,
    "error": lambda done, _: done.error.get("code", NOTHING),
    "latency": _latency,
    "duration": lambda done, _: _first(done.document, DURATIONS),
    "elapsed": lambda done, _: done.seconds,
    "words": _words,
    "outcome": lambda done, _: _first(done.document, OUTCOMES),
}
"""What each key under `expect` looks at."""
