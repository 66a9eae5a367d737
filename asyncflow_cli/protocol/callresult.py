"""What a call came to: the last document of `asyncflow call`, and the few rows people see of it.

Fields are only ever added.
"""

from __future__ import annotations

import msgspec

from asyncflow_cli.protocol.notifications import NotificationReport
from asyncflow_cli.protocol.reports import Report


class KeyReport(msgspec.Struct, frozen=True):
    digit: str
    at: float
    """Seconds since the call was asked for."""


class GapsReport(msgspec.Struct, frozen=True, kw_only=True):
    """Silences in mid-text for want of speech. An estimate: the phone does not tell of them."""

    count: int = 0
    longest_seconds: float = 0.0
    total_seconds: float = 0.0


class CostReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a call is billed by."""

    billed_minutes: int = 0
    """Twilio's, begun ones counted whole."""
    machine_detection: bool = False
    recording: bool = False
    speech_seconds: float = 0.0
    """Synthesised, whether it was heard or not."""


class CallReport(Report, frozen=True, kw_only=True, tag="asyncflow.call"):
    """Lengths of speech are counted on the audio; what was heard of it, by the phone's echoes of
    our marks, and between two of them by the clock."""

    call_sid: str
    status: str
    end_reason: str
    to: str
    from_: str = msgspec.field(name="from")
    tunnel: str | None = None
    """The way Twilio found us; None on this machine."""

    seconds_sent: float
    seconds_heard: float
    last_word_heard: bool = False
    heard_text: str = ""
    """Up to the last word heard; within a sentence that is an estimate. Of a text that was begun
    more than once, it is the last time any of it was heard; the seconds are those of all times."""
    sentences: int = 0
    sentences_heard: int = 0
    """To their ends, as the phone says, of the same time as `heard_text`."""

    duration: int | None
    """Seconds from answer to end, as Twilio counts them: begun ones whole."""
    seconds_answered: float | None = None
    """The same on our own clock, until we knew of the end."""
    answered_after_ms: float | None
    """From the create request to the answer."""
    ring_ms: float | None = None
    """From the first ring to the answer."""
    first_audio_ms: float | None = None
    """From the first text to the first speech that came of it."""
    first_frame_ms: float | None
    """From the stream's `start` to the first frame of speech sent."""
    mark_lag_ms: float | None = None
    """How much later than the length of the audio says marks come back: the median."""

    digits: str
    keys: tuple[KeyReport, ...] = ()
    answered_by: str | None = None
    """Twilio's verdict, if it was asked who answered: human, machine_start, …"""
    interrupted_at: float | None = None
    """Seconds since the call was asked for; when the callee cut in the first time."""
    reconnects: int = 0
    """Connections that were lost and replaced."""
    gaps: GapsReport = GapsReport()

    sip_code: str | None = None
    """What the telephone network answered."""
    notifications: tuple[NotificationReport, ...] = ()
    """What Twilio noted of the call. It may come too late to be here."""
    cost: CostReport = CostReport()
    price: str | None = None
    """Twilio's, which is negative. It is known minutes later as a rule."""
    price_unit: str | None = None
    recording_sid: str | None = None
    recording_url: str | None = None
    heard_file: str | None = None
    report_files: tuple[str, ...] = ()
    """What `--report` wrote."""

    @property
    def headline(self) -> str:
        return self.end_reason

    @property
    def brief(self) -> dict[str, str]:
        """What people see: how it ended, what was heard, how quick it was, and what was odd."""
        rows = {
            "call sid": self.call_sid,
            "ended": self._ending,
            "heard": self._heard,
            "rang": _span(self.ring_ms),
            "first speech": _span(self.first_audio_ms, " after its text"),
            "first frame": _span(self.first_frame_ms, " after the line opened"),
            "echoes": self._lag,
            "keys": self.digits,
            "answered by": self.answered_by or "",
            "gaps": self._gaps,
            "reconnects": str(self.reconnects or ""),
            "price": f"{self.price} {self.price_unit or ''}" if self.price else "",
            "recording": self.recording_url or self.recording_sid or "",
            "heard file": self.heard_file or "",
            "report": ", ".join(self.report_files),
        }
        noted = (f"Twilio {note.code}, {note.title or note.level}" for note in self.notifications)
        return {**rows, "noted": "; ".join(dict.fromkeys(noted))}

    @property
    def _ending(self) -> str:
        seconds = self.seconds_answered
        long = f", {seconds:.1f} s after the answer" if seconds is not None else ""
        sip = f", SIP {self.sip_code}" if self.sip_code and not self.last_word_heard else ""
        return f"{self.end_reason}{long}{sip}"

    @property
    def _heard(self) -> str:
        if not self.seconds_sent:
            return ""
        seconds = f"{self.seconds_heard:.1f} of {self.seconds_sent:.1f} s"
        if self.last_word_heard:
            return f"{seconds}, to the last word"
        words = self.heard_text.split()
        last = " ".join(["…"] * (len(words) > LAST_WORDS) + words[-LAST_WORDS:])
        return f"{seconds} sent, up to about: {last}" if last else f"{seconds} sent"

    @property
    def _lag(self) -> str:
        """Worth a row where the phone plays later than it should."""
        lag = self.mark_lag_ms or 0.0
        return f"{_span(lag)} later than the speech is long" if lag >= LATE else ""

    @property
    def _gaps(self) -> str:
        gaps = self.gaps
        if not gaps.count:
            return ""
        times = "once" if gaps.count == 1 else f"{gaps.count} times, the longest"
        return f"silent {times} for about {gaps.longest_seconds:.1f} s, for want of speech"


LAST_WORDS = 5
"""As many tell where in the text it was."""


LATE = 500.0
"""Milliseconds of lag in a phone's echoes from which on people are told."""


def _span(ms: float | None, after: str = "") -> str:
    if ms is None:
        return ""
    return f"{round(ms)} ms{after}" if ms < 1000 else f"{ms / 1000:.1f} s{after}"
