"""The verbs of TwiML that the sandbox performs: https://www.twilio.com/docs/voice/twiml"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Stream:
    """https://www.twilio.com/docs/voice/twiml/stream"""

    url: str
    name: str | None = None
    track: str | None = None
    status_callback: str | None = None
    status_callback_method: str = "POST"
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connect:
    """Bidirectional, and the next verb waits until the other side has closed the socket."""

    stream: Stream


@dataclass(frozen=True, slots=True)
class Start:
    """Unidirectional: the line is copied to the socket while the next verbs run."""

    stream: Stream


@dataclass(frozen=True, slots=True)
class Stop:
    name: str


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    language: str | None = None
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Play:
    url: str
    digits: str | None = None
    loop: int = 1
    clip: bytes | None = None
    """The file, where it has come already: in place of a document."""


@dataclass(frozen=True, slots=True)
class Pause:
    length: float = 1.0


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str = "rejected"


@dataclass(frozen=True, slots=True)
class Gather:
    """Keys only; https://www.twilio.com/docs/voice/twiml/gather"""

    verbs: tuple[Say | Play | Pause, ...] = ()
    action: str = ""
    method: str = "POST"
    timeout: float = 5.0
    finish_on_key: str = "#"
    num_digits: int | None = None
    action_on_empty: bool = False


Verb: TypeAlias = Connect | Start | Stop | Say | Play | Pause | Redirect | Hangup | Reject | Gather
