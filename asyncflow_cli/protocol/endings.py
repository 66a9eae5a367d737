"""How a call can end: a closed list, and what each ending means to the shell."""

from __future__ import annotations

from enum import StrEnum

from asyncflow_cli.errors import (
    CalleeBusyError,
    CallError,
    CallRejectedError,
    CutShortError,
    MediaNeverConnectedError,
    NoAnswerError,
    TimeLimitReachedError,
)
from asyncflow_cli.protocol.catalogue import sip_codes


class EndReason(StrEnum):
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    CALLEE_HUNG_UP = "callee-hung-up"
    STREAM_NEVER_CONNECTED = "stream-never-connected"
    STREAM_ERROR = "stream-error"
    TTS_FAILED = "tts-failed"
    TTS_EMPTY = "tts-empty"
    PLAYBACK_TIMEOUT = "playback-timeout"
    TIME_LIMIT = "time-limit"


ENDINGS: dict[EndReason, tuple[type[CallError], str]] = {
    EndReason.BUSY: (CalleeBusyError, "The line is busy"),
    EndReason.NO_ANSWER: (NoAnswerError, "Nobody answered"),
    EndReason.REJECTED: (CallRejectedError, "The call was rejected or could not be put through"),
    EndReason.CANCELLED: (CallRejectedError, "The call was cancelled before it was answered"),
    EndReason.CALLEE_HUNG_UP: (CutShortError, "The callee hung up before the last word"),
    EndReason.STREAM_NEVER_CONNECTED: (
        MediaNeverConnectedError,
        "The call was answered, but its audio never reached us",
    ),
    EndReason.STREAM_ERROR: (
        CutShortError,
        "The call's media socket was lost before the last word",
    ),
    EndReason.TTS_FAILED: (CutShortError, "The speech service failed before the last word"),
    EndReason.TTS_EMPTY: (CutShortError, "The speech service sent no audio"),
    EndReason.PLAYBACK_TIMEOUT: (
        CutShortError,
        "The phone never confirmed that it played the last word",
    ),
    EndReason.TIME_LIMIT: (TimeLimitReachedError, "The call reached its time limit"),
}
"""What each ending but COMPLETED raises, and says."""

NOT_ANSWERED = {
    "busy": EndReason.BUSY,
    "no-answer": EndReason.NO_ANSWER,
    "failed": EndReason.REJECTED,
    "canceled": EndReason.CANCELLED,
}
"""Twilio's terminal statuses of calls that nobody answered."""

_SIP_WORDS = {entry.number: entry.title for entry in sip_codes.ENTRIES}


def sip_words(sip_code: str, reason: EndReason) -> str:
    """What the telephone network's code tells about a call that was rejected."""
    if reason is not EndReason.REJECTED or not sip_code:
        return ""
    words = _SIP_WORDS.get(sip_code, sip_codes.NOT_PUT_THROUGH)
    return f"{words[0].lower()}{words[1:]} (SIP {sip_code})"


TERMINAL = frozenset({"completed", *NOT_ANSWERED})
