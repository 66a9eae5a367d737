"""What a call's decisions are: what whoever runs the bridge is told to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from asyncflow_cli.protocol.endings import EndReason


@dataclass(frozen=True, slots=True)
class Speak:
    """Have this text synthesised; its events carry the number of the take."""

    text: str
    take: int = 1
    anew: bool = False
    """On a new connection: the one there was is lost."""


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop the synthesis that is under way."""


@dataclass(frozen=True, slots=True)
class Dial:
    """The first audio is here: ring the phone."""


class Play(msgspec.Struct, frozen=True, gc=False):
    """Queue this base64 μ-law on the phone."""

    payload: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Ask the phone to echo this name once it has played all before it."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Have the phone drop what it has queued. It echoes the marks in it, which proves nothing."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Find the call another way to us, and send it there."""


@dataclass(frozen=True, slots=True)
class HangUp:
    reason: EndReason
    tail: float = 0.0
    """Seconds to wait first: the mixer has played the end, the line's jitter buffer not yet."""


Action: TypeAlias = Speak | Hush | Dial | Play | Mark | Clear | Reconnect | HangUp
