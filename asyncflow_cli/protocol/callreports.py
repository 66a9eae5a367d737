"""What `asyncflow calls` says of the calls in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from asyncflow_cli.protocol.notifications import NotificationReport
from asyncflow_cli.protocol.reports import Report

LIVE, LEFT = "live", "left"
"""States of a call that was not seen to end: somebody owns it, or nobody does any more."""

OWNER_GONE = "owner-gone"
"""The end reason of a call whose run did not live to see it end."""

OUTCOMES = {
    LIVE: "live",
    LEFT: "left open by a run that is gone",
    OWNER_GONE: "ended after its run was gone",
}
"""What people read of states and end reasons; the others are words already."""

SHORTEST = 10
"""Characters that name a call, if they name it alone."""


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

    @property
    def outcome(self) -> str:
        """How it ended, or why it has not."""
        told = self.end_reason or self.state
        return OUTCOMES.get(told, told.replace("-", " "))

    @property
    def lasted(self) -> str:
        return f"{self.duration} s" if self.duration else ""

    @property
    def heard(self) -> str:
        return f"{self.seconds_heard:.1f} s" if self.seconds_heard else ""

    @property
    def brief(self) -> dict[str, Any]:
        """What people see of it: times are of their own clock."""
        return {
            "call_sid": self.call_sid,
            "outcome": self.outcome,
            "to": self.to,
            "from": self.from_,
            "began": datetime.fromisoformat(self.began),
            "ended": datetime.fromisoformat(self.ended) if self.ended else None,
            "lasted": self.lasted,
            "heard": self.heard,
            "exit_code": self.exit_code,
            "account_sid": self.account_sid,
            "twilio": self.twilio,
            "tunnel": self.tunnel,
            "pid": self.pid if self.state == LIVE else None,
        }


class ListedCall(msgspec.Struct, frozen=True):
    """A row of the list that people see."""

    call: str
    """As much of its SID as names it alone; every `calls` command takes that."""
    began: datetime
    to: str
    outcome: str
    lasted: str
    heard: str


class CallsReport(Report, frozen=True, kw_only=True, tag="asyncflow.calls"):
    calls: tuple[JournalledCall, ...]

    @property
    def headline(self) -> str:
        return "\n".join(call.call_sid for call in self.calls)

    @property
    def rows(self) -> list[ListedCall]:
        size = _telling([call.call_sid for call in self.calls])
        return [
            ListedCall(
                call=call.call_sid[:size],
                began=datetime.fromisoformat(call.began),
                to=call.to,
                outcome=call.outcome,
                lasted=call.lasted,
                heard=call.heard,
            )
            for call in self.calls
        ]

    @property
    def summary(self) -> str:
        live = sum(call.state == LIVE for call in self.calls)
        left = sum(call.state == LEFT for call in self.calls)
        told = f"{_counted(len(self.calls))}, {live} live"
        reaping = f", {left} left open by runs that are gone; to end them: asyncflow calls reap"
        return told + reaping if left else told


def _telling(sids: Sequence[str]) -> int:
    """How many characters tell them all apart."""
    sizes = range(SHORTEST, max(map(len, sids), default=SHORTEST) + 1)
    return next((n for n in sizes if len({sid[:n] for sid in sids}) == len(sids)), SHORTEST)


def _counted(calls: int) -> str:
    return "1 call" if calls == 1 else f"{calls} calls"


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

    @property
    def told(self) -> str:
        """The outcome as people read it."""
        if self.error is not None:
            return self.error
        status = (self.status or "").replace("-", " ")
        return TOLD[self.outcome].format(status=status)


TOLD = {
    "hung-up": "hung up",
    "had-ended": "had ended before: {status}",
    "unknown": "over: Twilio knows it no more",
}


class EndedRow(msgspec.Struct, frozen=True):
    """What people see of it."""

    call: str
    outcome: str


class EndedCallsReport(Report, frozen=True, kw_only=True, tag="asyncflow.calls-ended"):
    calls: tuple[EndedCall, ...]

    @property
    def rows(self) -> list[EndedRow]:
        return [EndedRow(call.call_sid, call.told) for call in self.calls]

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
        hung_up = sum(call.outcome == "hung-up" for call in self.calls)
        told, before = _counted(len(self.calls)), len(self.calls) - hung_up
        if not hung_up:
            return f"{before} of {told} had ended before"
        return f"{hung_up} of {told} hung up" + (f", {before} had ended before" if before else "")
