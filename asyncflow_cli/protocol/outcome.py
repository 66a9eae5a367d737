"""What came of a call: the report of one that was done, the error of one that was not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import msgspec

from asyncflow_cli.errors import AsyncflowError, ServiceError
from asyncflow_cli.protocol.bridge import Bridge
from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.endings import ENDINGS, EndReason, sip_words
from asyncflow_cli.protocol.order import CallOrder


class Recording(Protocol):
    @property
    def sid(self) -> str: ...
    @property
    def url(self) -> str: ...


class Record(Protocol):
    """What Twilio's books say."""

    @property
    def sid(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def duration(self) -> int | None: ...


@dataclass
class Timeline:
    """Moments of a call, on the clock of whoever ran it, in seconds."""

    began: float
    dialled: float | None = None
    started: float | None = None
    """When the media stream's `start` came."""
    first_frame: float | None = None
    """When the first frame of speech was sent."""
    status: str = ""
    sip_code: str = ""
    recording: Recording | None = None

    def since_began_ms(self, now: float) -> float:
        return round((now - self.began) * 1000, 1)

    @property
    def first_frame_ms(self) -> float:
        return _milliseconds(self.started, self.first_frame) or 0.0


def outcome(
    bridge: Bridge,
    order: CallOrder,
    times: Timeline,
    record: Record | None,
    cause: AsyncflowError | None,
) -> CallReport:
    """The report; or, for any ending but the last word heard, the error that has it as details."""
    reason = bridge.end_reason or EndReason.CANCELLED
    if reason is EndReason.COMPLETED and record is not None:
        return _report(bridge, order, times, record, reason)
    error, message = ENDINGS[reason]
    if record is None:
        if cause is not None:
            raise cause
        raise ServiceError(f"{message}, so nobody was called", code="TTS_EMPTY")
    blamed = cause if reason is EndReason.TTS_FAILED else None
    why = blamed.message if blamed else sip_words(times.sip_code, reason)
    raise error(
        f"{message}: {why}" if why else message,
        hint=blamed.hint if blamed else None,
        details=msgspec.to_builtins(_report(bridge, order, times, record, reason)),
    ) from blamed


def _report(
    bridge: Bridge, order: CallOrder, times: Timeline, record: Record, reason: EndReason
) -> CallReport:
    return CallReport(
        call_sid=record.sid,
        status=record.status,
        end_reason=reason,
        to=order.to,
        from_=order.from_,
        seconds_sent=round(bridge.seconds_sent, 3),
        seconds_heard=round(bridge.seconds_heard, 3),
        duration=record.duration,
        answered_after_ms=_milliseconds(times.dialled, bridge.answered_at),
        first_frame_ms=_milliseconds(times.started, times.first_frame),
        digits=bridge.digits,
    )


def _milliseconds(since: float | None, until: float | None) -> float | None:
    return None if since is None or until is None else round((until - since) * 1000, 1)
