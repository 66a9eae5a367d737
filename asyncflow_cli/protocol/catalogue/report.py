"""What `asyncflow explain` says."""

from __future__ import annotations

import msgspec

from asyncflow_cli.protocol.reports import Report


class CodeReport(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    owner: str
    title: str
    meaning: str
    cause: str
    next: str
    exit_code: int | None
    """What a command that fails so ends with, if it is always the same."""
    link: str | None


class CodeLine(msgspec.Struct, frozen=True):
    code: str
    owner: str
    title: str


class ExplainReport(Report, frozen=True, kw_only=True, tag="asyncflow.explain"):
    entries: tuple[CodeReport, ...]
    """More than one for a number that several services use."""

    @property
    def headline(self) -> str:
        return "\n".join(f"{entry.code}: {entry.title}" for entry in self.entries)

    @property
    def lines(self) -> tuple[CodeLine, ...]:
        return tuple(CodeLine(entry.code, entry.owner, entry.title) for entry in self.entries)
