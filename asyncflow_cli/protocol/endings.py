"""How a call can end: a closed list, and what each ending means to the shell."""

from __future__ import annotations

from enum import StrEnum

from asyncflow_cli.errors import (
    CalleeBusyError,
    CallError,
    CallRejectedError,
    CutShortError,
    MachineAnsweredError,
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
    HUNG_UP = "hung-up"
    """From elsewhere, by `asyncflow calls hangup`."""
    INTERRUPTED = "interrupted"
    STOPPED_BY_KEY = "stopped-by-key"
    MACHINE = "machine"
    FAX = "fax"
    STREAM_NEVER_CONNECTED = "stream-never-connected"
    STREAM_ERROR = "stream-error"
    TUNNEL_LOST = "tunnel-lost"
    TTS_FAILED = "tts-failed"
    TTS_EMPTY = "tts-empty"
    WRITER_STALLED = "writer-stalled"
    PLAYBACK_TIMEOUT = "playback-timeout"
    TIME_LIMIT = "time-limit"
    STOPPED = "stopped"
    """By us: a signal, or a failure that has nothing to do with the call."""


ENDINGS: dict[EndReason, tuple[type[CallError], str]] = {
    EndReason.BUSY: (CalleeBusyError, "The line is busy"),
    EndReason.NO_ANSWER: (NoAnswerError, "Nobody answered"),
    EndReason.REJECTED: (CallRejectedError, "The call was rejected or could not be put through"),
    EndReason.CANCELLED: (CallRejectedError, "The call was cancelled before it was answered"),
    EndReason.CALLEE_HUNG_UP: (CutShortError, "The callee hung up before the last word"),
    EndReason.HUNG_UP: (
        CutShortError,
        "The call was hung up from elsewhere, by `asyncflow calls hangup`, before the last word",
    ),
    EndReason.INTERRUPTED: (CutShortError, "The callee cut in before the last word"),
    EndReason.STOPPED_BY_KEY: (CutShortError, "The callee stopped it with a key"),
    EndReason.MACHINE: (MachineAnsweredError, "A machine answered"),
    EndReason.FAX: (MachineAnsweredError, "A fax machine answered"),
    EndReason.STREAM_NEVER_CONNECTED: (
        MediaNeverConnectedError,
        "The call was answered, but its audio never reached us",
    ),
    EndReason.STREAM_ERROR: (
        CutShortError,
        "The call's media socket was lost before the last word",
    ),
    EndReason.TUNNEL_LOST: (
        CutShortError,
        "The tunnel was lost before the last word, and no other took its place in time",
    ),
    EndReason.TTS_FAILED: (CutShortError, "The speech service failed before the last word"),
    EndReason.TTS_EMPTY: (CutShortError, "The speech service sent no audio"),
    EndReason.WRITER_STALLED: (
        CutShortError,
        "Whoever writes the text left the line silent for too long",
    ),
    EndReason.PLAYBACK_TIMEOUT: (
        CutShortError,
        "The phone never confirmed that it played the last word",
    ),
    EndReason.TIME_LIMIT: (TimeLimitReachedError, "The call reached its time limit"),
}
"""What each ending but COMPLETED and STOPPED raises, and says."""


def exit_code_of(reason: EndReason) -> int | None:
    """None for a call that was stopped from outside: whoever stopped it knows."""
    if reason is EndReason.STOPPED:
        return None
    return ENDINGS[reason][0].exit_code if reason in ENDINGS else 0


DONE_IF_HEARD = frozenset(
    {
        EndReason.CALLEE_HUNG_UP,
        EndReason.INTERRUPTED,
        EndReason.STOPPED_BY_KEY,
        EndReason.STREAM_ERROR,
        EndReason.TUNNEL_LOST,
        EndReason.TIME_LIMIT,
    }
)
"""Ways to end it that come too late to cut it short once the last word was heard."""

LOOKS_LIKE_A_HANG_UP = frozenset(
    {
        EndReason.CALLEE_HUNG_UP,
        EndReason.STREAM_NEVER_CONNECTED,
        EndReason.STREAM_ERROR,
        EndReason.TUNNEL_LOST,
    }
)
"""What the end of an answered call seems to be when somebody ends it at Twilio."""

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
