"""What `asyncflow calls` says of the calls in the journal."""

from __future__ import annotations

import msgspec

from asyncflow_cli.protocol.notifications import NotificationReport
from asyncflow_cli.protocol.reports import Report

LIVE, LEFT = "live", "left"
"""States of a call that was not seen to end: somebody owns it, or nobody does any more."""


class JournalledCall(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the journal."""

    call_sid: str
    state: str
    """`live`, `left` by a run that is gone, or the status with which it ended."""
    to: str
    """The last four digits."""
    from_: str = msgspec.field(name="from")
    began: str
    """ISO 8601, UTC."""
    ended: str | None = None
    end_reason: str | None = None
    duration: int | None = None
    seconds_heard: float | None = None
    exit_code: int | None = None
    account_sid: str
    twilio: str
    """Address of the Twilio that the call is at."""
    tunnel: str | None = None
    pid: int


class CallsReport(Report, frozen=True, kw_only=True, tag="asyncflow.calls"):
    calls: tuple[JournalledCall, ...]

    @property
    def headline(self) -> str:
        return "\n".join(call.call_sid for call in self.calls)

    @property
    def summary(self) -> str:
        live = sum(call.state == LIVE for call in self.calls)
        left = sum(call.state == LEFT for call in self.calls)
        told = f"{len(self.calls)} calls, {live} live"
        return f"{told}, {left} left by runs that are gone: asyncflow calls reap" if left else told


class TwiliosCall(msgspec.Struct, frozen=True, kw_only=True):
    """What Twilio itself says of a call."""

    status: str
    to: str | None
    from_: str | None = msgspec.field(name="from")
    duration: int | None
    answered_by: str | None
    queue_ms: int | None
    price: str | None
    price_unit: str | None


class ShownCall(Report, frozen=True, kw_only=True, tag="asyncflow.calls-show"):
    call_sid: str
    journal: JournalledCall | None
    """None for a call that is not of ours."""
    twilio: TwiliosCall | None
    """None if Twilio could not be asked."""
    notifications: tuple[NotificationReport, ...] = ()

    @property
    def parts(self) -> list[msgspec.Struct]:
        """What is known, one source after the other."""
        known = (self.journal, self.twilio, *self.notifications)
        return [part for part in known if part is not None]

    @property
    def headline(self) -> str:
        if self.twilio is not None:
            return self.twilio.status
        return self.journal.state if self.journal is not None else ""


class EndedCall(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call that was to end."""

    call_sid: str
    outcome: str
    """`hung-up`, `had-ended` by itself, is `unknown` to Twilio, or `failed` to end."""
    status: str | None = None
    error: str | None = None

    @property
    def is_over(self) -> bool:
        return self.outcome != "failed"


class EndedCallsReport(Report, frozen=True, kw_only=True, tag="asyncflow.calls-ended"):
    calls: tuple[EndedCall, ...]

    @property
    def headline(self) -> str:
        return "\n".join(call.call_sid for call in self.calls if call.is_over)

    @property
    def failed(self) -> tuple[EndedCall, ...]:
        return tuple(call for call in self.calls if not call.is_over)

    @property
    def summary(self) -> str:
        if not self.calls:
            return "There is no call to end"
        return f"{len(self.calls) - len(self.failed)} of {len(self.calls)} calls are over"
