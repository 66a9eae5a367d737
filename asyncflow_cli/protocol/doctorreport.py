"""What `asyncflow doctor` found, and what each finding means for the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec

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


class Standing(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """Something to know that stops nothing."""
    PROBLEM = "problem"
    SKIPPED = "skipped"
    """Not looked at, and why."""


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
    def lines(self) -> Iterator[str]:
        first, *more = self.found.splitlines() or [""]
        yield f"{self.standing:<8} {self.check:<20} {first}"
        yield from (f"{'':<29} {line.strip()}" for line in more)
        if self.standing in (Standing.WARNING, Standing.PROBLEM):
            code = f"  [{self.code}]" if self.code else ""
            yield f"{'':<29} → {self.remedy or f'asyncflow explain {self.code}'}{code}"


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
        told = [line.rstrip() for finding in self.findings for line in finding.lines]
        done = [f"mended   {line}" for line in self.mended]
        return "\n".join([*told, *done, self.summary])

    @property
    def summary(self) -> str:
        counts = {s: sum(f.standing is s for f in self.findings) for s in Standing}
        parts = [
            _counted(counts[Standing.PROBLEM], "problem"),
            _counted(counts[Standing.WARNING], "warning"),
            f"{counts[Standing.OK]} well",
            f"{counts[Standing.SKIPPED]} not looked at",
        ]
        return ", ".join(parts)


def _worst(findings: tuple[Finding, ...]) -> Standing:
    found = {finding.standing for finding in findings}
    return next((s for s in (Standing.PROBLEM, Standing.WARNING) if s in found), Standing.OK)


def _exit_code(findings: tuple[Finding, ...]) -> int:
    codes = {f.exit_code for f in findings if f.standing is Standing.PROBLEM}
    if not codes:
        return 0
    return next((code for code in (LOCAL, *GRAVITY) if code in codes), min(codes))


def _counted(count: int, word: str) -> str:
    return f"{count or 'no'} {word}{'' if count == 1 else 's'}"
