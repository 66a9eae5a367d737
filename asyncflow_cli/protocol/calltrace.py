"""What happened in a call, and when, as `--report` writes it down.

Times are seconds since the call was asked for. What was sent is known. When it was heard is known
where the phone echoed a mark; between two marks it is reckoned from a line that plays what it has,
at 8000 bytes a second, and is dry when it has nothing.
"""

from __future__ import annotations

import msgspec

from asyncflow_cli.protocol.callevents import AnyCallEvent
from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.reports import Report

SLICE = 0.05
"""Seconds for which the envelope keeps the loudest sample."""

CALLEE_SLICE = 0.1
"""The same for what the callee says."""


class Sent(msgspec.Struct, frozen=True):
    """Audio was queued at the phone."""

    at: float
    seconds: float


class Stretch(msgspec.Struct, frozen=True):
    """Audio that was played without a break."""

    at: float
    """When its first sample was heard, by our reckoning."""
    seconds: float
    peaks: tuple[int, ...]
    """Of each 50 ms: 0 to 100, in percent of the loudest."""


class MarkTrace(msgspec.Struct, frozen=True):
    name: str
    at: float
    """When it was queued."""
    due: float
    """When all before it will have been played, by our reckoning."""
    echoed: float | None
    """None if it never came back."""
    cleared: bool
    """Its echo, if any, followed from a `clear`, and proves nothing."""


class Gap(msgspec.Struct, frozen=True):
    """The line was dry in mid-text, by our reckoning."""

    at: float
    seconds: float


class CalleeLevels(msgspec.Struct, frozen=True):
    """How loud the callee was: the loudest frame of each 100 ms in dBFS; -96 where none came."""

    at: float
    levels: tuple[float, ...]


class CallTrace(msgspec.Struct, frozen=True, kw_only=True):
    events: tuple[AnyCallEvent, ...]
    sent: tuple[Sent, ...]
    played: tuple[Stretch, ...]
    marks: tuple[MarkTrace, ...]
    clears: tuple[float, ...]
    """When the phone was told to forget what it had not played."""
    gaps: tuple[Gap, ...]
    callee: CalleeLevels | None

    @property
    def end(self) -> float:
        """When the last thing happened."""
        last = [event.at for event in self.events[-1:]]
        played = [stretch.at + stretch.seconds for stretch in self.played[-1:]]
        return max([0.0, *last, *played, *(mark.echoed or 0.0 for mark in self.marks)])


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why the call did not end as it should."""

    code: str
    message: str
    hint: str | None = None


class CallFile(Report, frozen=True, kw_only=True, tag="asyncflow.call-report"):
    """What `call --report call.json` writes."""

    began: str
    """When the call was asked for: ISO 8601, UTC."""
    exit_code: int
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    report: CallReport | None
    """None if nobody was called."""
    trace: CallTrace

    @property
    def headline(self) -> str:
        return self.report.end_reason if self.report else ""
