"""What came of a call: the report of one that was done, the error of one that was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol

import msgspec

from asyncflow_cli.errors import AsyncflowError, CallError, ServiceError
from asyncflow_cli.protocol.bridge import Bridge
from asyncflow_cli.protocol.callevents import CallEvent, Interrupted, Key
from asyncflow_cli.protocol.callresult import CallReport, CostReport, GapsReport, KeyReport
from asyncflow_cli.protocol.endings import ENDINGS, TERMINAL, EndReason, sip_words
from asyncflow_cli.protocol.notifications import NotificationReport, lines
from asyncflow_cli.protocol.order import CallOrder


class Recording(Protocol):
    @property
    def sid(self) -> str: ...
    @property
    def url(self) -> str: ...


class Record(Protocol):
    """What Twilio's books say of the call."""

    @property
    def sid(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def duration(self) -> int | None: ...
    @property
    def answered_by(self) -> str | None: ...
    @property
    def price(self) -> str | None: ...
    @property
    def price_unit(self) -> str | None: ...


@dataclass
class Timeline:
    """Moments of a call on the clock of whoever ran it, in seconds, and what came with them."""

    began: float
    asked: float | None = None
    """When the first text went to the speech service."""
    first_audio: float | None = None
    dialled: float | None = None
    ringing: float | None = None
    started: float | None = None
    """When the media stream's `start` came."""
    first_frame: float | None = None
    """When the first frame of speech was sent."""
    interrupted: float | None = None
    ended: float | None = None
    """When we knew that the call was over."""
    status: str = ""
    sip_code: str = ""
    tunnel: str | None = None
    recording: Recording | None = None
    keys: list[KeyReport] = field(default_factory=list)
    notifications: tuple[NotificationReport, ...] = ()

    def note(self, event: CallEvent) -> None:
        """Keep what the report will tell of an event."""
        match event:
            case Key(digit=digit, at=at):
                self.keys.append(KeyReport(digit, at))
            case Interrupted(at=at) if self.interrupted is None:
                self.interrupted = at
            case _:
                pass


def outcome(
    report: CallReport | None, reason: EndReason, cause: AsyncflowError | None
) -> CallReport:
    """The report; or, for any ending but the last word heard, the error that has it as details.

    It is None if nobody was called. `cause` is what the speech service failed with last.
    """
    if report is None:
        raise cause or _nobody_called(reason)
    if report.status not in TERMINAL:
        raise CallError(
            "The call may still be live",
            hint=f"asyncflow calls hangup {report.call_sid}",
            code="CALL_NOT_ENDED",
            details=msgspec.to_builtins(report),
        )
    if reason is EndReason.COMPLETED:
        return report
    blamed = cause if reason is EndReason.TTS_FAILED else None
    raise _cut_short(report, reason, blamed) from blamed


def _nobody_called(reason: EndReason) -> AsyncflowError:
    error, message = ENDINGS[reason]
    if reason is EndReason.TTS_EMPTY:
        return ServiceError(f"{message}, so nobody was called", code="TTS_EMPTY")
    return error(message)


def _cut_short(report: CallReport, reason: EndReason, blamed: AsyncflowError | None) -> CallError:
    error, message = ENDINGS[reason]
    why = blamed.message if blamed else sip_words(report.sip_code or "", reason)
    return error(
        "\n  ".join([f"{message}: {why}" if why else message, *lines(report.notifications)]),
        hint=blamed.hint if blamed else None,
        details=msgspec.to_builtins(report),
    )


def report(bridge: Bridge, order: CallOrder, times: Timeline, record: Record) -> CallReport:
    playout, recording = bridge.delivery.playout, times.recording
    return CallReport(
        call_sid=record.sid,
        status=record.status,
        end_reason=bridge.end_reason or EndReason.STOPPED,
        to=order.to,
        from_=order.from_,
        tunnel=times.tunnel,
        seconds_sent=round(bridge.seconds_sent, 3),
        seconds_heard=round(bridge.seconds_heard, 3),
        last_word_heard=bridge.script.all_heard,
        heard_text=bridge.heard_text,
        sentences=len(bridge.script.text),
        sentences_heard=bridge.sentences_heard,
        duration=record.duration,
        seconds_answered=_seconds(bridge.answered_at, times.ended),
        answered_after_ms=_milliseconds(times.dialled, bridge.answered_at),
        ring_ms=_milliseconds(times.ringing, bridge.answered_at),
        first_audio_ms=_milliseconds(times.asked, times.first_audio),
        first_frame_ms=_milliseconds(times.started, times.first_frame),
        mark_lag_ms=round(median(playout.lags) * 1000, 1) if playout.lags else None,
        digits=bridge.digits,
        keys=tuple(times.keys),
        answered_by=bridge.answered_by or record.answered_by,
        interrupted_at=times.interrupted,
        reconnects=bridge.reconnects,
        gaps=_gaps(playout.gaps),
        sip_code=times.sip_code or None,
        notifications=times.notifications,
        cost=_cost(bridge, order, record),
        price=record.price,
        price_unit=record.price_unit if record.price else None,
        recording_sid=recording.sid if recording else None,
        recording_url=recording.url if recording else None,
    )


def _gaps(gaps: Sequence[float]) -> GapsReport:
    return GapsReport(
        count=len(gaps),
        longest_seconds=round(max(gaps, default=0.0), 3),
        total_seconds=round(sum(gaps), 3),
    )


def _cost(bridge: Bridge, order: CallOrder, record: Record) -> CostReport:
    return CostReport(
        billed_minutes=-(-(record.duration or 0) // 60),
        machine_detection=order.manners.machine != "continue",
        recording=order.record,
        speech_seconds=round(bridge.seconds_spoken, 3),
    )


def _seconds(since: float | None, until: float | None) -> float | None:
    return None if since is None or until is None else round(until - since, 3)


def _milliseconds(since: float | None, until: float | None) -> float | None:
    return None if since is None or until is None else round((until - since) * 1000, 1)
