"""What `asyncflow doctor` found, and what each finding means for the exit code."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from asyncflow_cli.columns import Row
from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.reports import Report

LOCAL = 10
"""The exit code of something local that is missing, which is told before everything else."""

GRAVITY = (2, 4, 3, 22, 5, 6, 7)
"""Exit codes of other problems, the gravest first: what its owner must mend comes before what may
be over by itself."""


@dataclass(frozen=True)
class DoctorOrder:
    """What was asked of it."""

    offline: bool = False
    """Open no socket."""
    port: int = 0
    """The port that a call's server would listen on; 0 is any."""
    fix: bool = False
    """Put right what is safe to."""
    bundle: str | None = None
    """A .zip to write it all to."""


NAMES = 19
"""Columns that the name of a check takes."""

NARROW = 70
"""Columns below which what was found stands under the check and not beside it."""


class Standing(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """Something to know that stops nothing."""
    PROBLEM = "problem"
    SKIPPED = "skipped"
    """Not looked at, and why."""


STYLES = {
    Standing.OK: "green",
    Standing.WARNING: "yellow",
    Standing.PROBLEM: "bold red",
    Standing.SKIPPED: "dim",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found."""

    check: str
    """What was looked at, in words: `Twilio account`."""
    standing: Standing
    found: str
    remedy: str | None = None
    """What to do about it; mostly a command."""
    code: str | None = None
    """As `asyncflow explain` takes it."""
    exit_code: int = 0
    """What a command ends with that fails so; 0 unless it is a problem."""

    @property
    def needs_you(self) -> bool:
        return self.standing in (Standing.WARNING, Standing.PROBLEM)


class DoctorReport(Report, frozen=True, kw_only=True, tag="asyncflow.doctor"):
    verdict: Standing
    """The worst standing there is; `ok` with nothing but skipped checks beside."""
    exit_code: int
    """0; 10 if something local is missing; otherwise that of the gravest problem."""
    findings: tuple[Finding, ...]
    mended: tuple[str, ...] = ()
    """What `--fix` did, and what it left undone."""
    bundle: str | None = None
    """The file that `--bundle` wrote."""

    @classmethod
    def of(cls, findings: tuple[Finding, ...], mended: tuple[str, ...] = ()) -> DoctorReport:
        return cls(
            verdict=_worst(findings),
            exit_code=_exit_code(findings),
            findings=findings,
            mended=mended,
        )

    @property
    def headline(self) -> str:
        """What needs somebody; nothing where all is well."""
        return "\n".join(
            f"{f.standing}: {f.check}: {f.found} → {f.remedy} [{f.code}]"
            for f in self.findings
            if f.needs_you
        )

    @property
    def failure(self) -> AsyncflowError | None:
        """None if nothing stands in the way; else what does, and what to do about the gravest."""
        if not self.exit_code:
            return None
        bad = [f for f in self.findings if f.standing is Standing.PROBLEM]
        gravest = next(f for f in bad if f.exit_code == self.exit_code)
        error = AsyncflowError(
            "\n  ".join([f"{_counted(len(bad), 'problem')} found", *(_told(f) for f in bad)]),
            hint=gravest.remedy,
            code="PROBLEMS_FOUND",
            details=msgspec.to_builtins(self),
        )
        error.exit_code = self.exit_code
        return error

    def page(self, width: int | None) -> Sequence[Row]:
        """For people, on so many columns; None is any number."""
        rows = [row for finding in self.findings for row in _rows(finding, width)]
        below = [line for deed in self.mended for line in _folded(deed, width, "mended   ")]
        below += _folded(self.bundle, width, "bundle   ") if self.bundle else []
        below += _folded(self.summary, width)
        return [*rows, *(((line, "bold"),) for line in below)]

    @property
    def summary(self) -> str:
        counts = {s: sum(f.standing is s for f in self.findings) for s in Standing}
        parts = [
            _counted(counts[Standing.PROBLEM], "problem"),
            _counted(counts[Standing.WARNING], "warning"),
            f"{counts[Standing.OK]} well",
            f"{counts[Standing.SKIPPED]} skipped",
        ]
        return ", ".join(parts)


def _rows(finding: Finding, width: int | None) -> Iterator[Row]:
    """Standing, check and what was found; below it, what to do."""
    style = STYLES[finding.standing]
    first, *more = _wrapped(finding.found, width, "")
    if _is_narrow(width):
        yield (f"{finding.standing:<8} ", style), (finding.check, "bold")
        more = [first, *more]
    else:
        name = f"{finding.check:<{NAMES}} "
        yield (f"{finding.standing:<8} ", style), (name, "bold"), (first, "")
    edge = " " * _indent(width)
    yield from (((edge + line, ""),) for line in more)
    if finding.needs_you:
        remedy = f"{finding.remedy}  [{finding.code}]"
        yield from (((edge + line, style),) for line in _wrapped(remedy, width, "→ "))


def _wrapped(text: str, width: int | None, mark: str) -> list[str]:
    """The lines of a text, each folded where that is asked for."""
    room = None if width is None else max(width - _indent(width), 20)
    lines = text.splitlines() or [""]
    return [piece for line in lines for piece in _folded(line.strip(), room, mark)]


def _folded(text: str, width: int | None, mark: str = "") -> list[str]:
    """Words are not broken: a command or an address is there to be copied."""
    if width is None:
        return [mark + text]
    return textwrap.wrap(
        text,
        width,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [mark]


def _indent(width: int | None) -> int:
    return 4 if _is_narrow(width) else 9 + NAMES + 1


def _is_narrow(width: int | None) -> bool:
    return width is not None and width < NARROW


def _worst(findings: tuple[Finding, ...]) -> Standing:
    found = {finding.standing for finding in findings}
    return next((s for s in (Standing.PROBLEM, Standing.WARNING) if s in found), Standing.OK)


def _exit_code(findings: tuple[Finding, ...]) -> int:
    codes = {f.exit_code for f in findings if f.standing is Standing.PROBLEM}
    if not codes:
        return 0
    return next((code for code in (LOCAL, *GRAVITY) if code in codes), min(codes))


def _told(finding: Finding) -> str:
    return f"{finding.check}: {finding.found}"


def _counted(count: int, word: str) -> str:
    return f"{count or 'no'} {word}{'' if count == 1 else 's'}"
