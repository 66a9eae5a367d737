"""Where a call is, and for what it waits there."""

from __future__ import annotations

from enum import StrEnum

from asyncflow_cli.protocol.endings import TERMINAL, EndReason


class Phase(StrEnum):
    PREPARING = "preparing"
    DIALLING = "dialling"
    CONNECTING = "connecting"
    SPEAKING = "speaking"
    DRAINING = "draining"
    LINGERING = "lingering"
    RECONNECTING = "reconnecting"
    DONE = "done"


class Timer(StrEnum):
    FIRST_AUDIO = "first audio"
    STALL = "stall"
    RING = "ring"
    MEDIA = "media"
    RECONNECT = "reconnect"
    PUMP = "pump"
    DRAIN = "drain"
    DRY = "dry"
    WRITER = "writer"
    KEYS = "keys"
    VERDICT = "verdict"
    TOTAL = "total"


STALL, PUMP = Timer.STALL, Timer.PUMP
PREPARING, SPEAKING, DONE = Phase.PREPARING, Phase.SPEAKING, Phase.DONE
"""What every chunk of speech asks for: before Python 3.12 a member is looked for in Python code."""

DEAF = frozenset({Phase.LINGERING, Phase.DONE})
"""Where speech that still comes is not wanted."""

OVERDUE = {
    Timer.FIRST_AUDIO: EndReason.TTS_EMPTY,
    Timer.RING: EndReason.NO_ANSWER,
    Timer.MEDIA: EndReason.STREAM_NEVER_CONNECTED,
    Timer.WRITER: EndReason.WRITER_STALLED,
    Timer.TOTAL: EndReason.TIME_LIMIT,
}
"""What has happened when the wait for something ends in vain, where nothing else can be tried."""

RANK = {"queued": 0, "initiated": 1, "ringing": 2, "in-progress": 3}
"""Twilio's statuses in the order of a call's life: callbacks may overtake each other."""


def is_later(status: str, than: str) -> bool:
    """Whether a status is news to whoever knows that one."""
    if status in TERMINAL or than in TERMINAL:
        return than not in TERMINAL
    return RANK.get(status, -1) > RANK.get(than, -1)
