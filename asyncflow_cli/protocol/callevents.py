"""What happens in a call, as it is told while it happens: one event, one line of `--json`.

Fields are only ever added. Nothing here decides anything: the bridge and its shell do.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec


class CallEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=False):
    schema: Literal["asyncflow.call-event"] = "asyncflow.call-event"
    schema_version: int = 1
    at: float
    """Seconds since the call was asked for."""


class Ready(CallEvent, frozen=True, kw_only=True, tag="ready"):
    """All was checked, and the first words are there: now it will ring."""

    to: str
    from_: str = msgspec.field(name="from")
    tunnel: str | None = None
    """The way to our socket: ngrok, public, …; None on this machine."""
    first_audio_ms: float | None = None


class Placed(CallEvent, frozen=True, kw_only=True, tag="placed"):
    call_sid: str


class Status(CallEvent, frozen=True, kw_only=True, tag="status"):
    """Twilio's word, unchanged: initiated, ringing, in-progress, completed, busy, …"""

    status: str
    sip_code: str | None = None


class Connected(CallEvent, frozen=True, kw_only=True, tag="connected"):
    """The call's audio has reached us."""

    stream_sid: str


class FirstFrame(CallEvent, frozen=True, kw_only=True, tag="first-frame"):
    """Speech has begun to flow to the phone."""

    after_start_ms: float


class Sentence(CallEvent, frozen=True, kw_only=True, tag="sentence"):
    """All of a sentence is queued at the phone; it was not heard yet."""

    index: int
    text: str
    seconds: float


class Heard(CallEvent, frozen=True, kw_only=True, tag="heard"):
    """The phone says that it has played a sentence to its end."""

    index: int
    text: str
    seconds_heard: float


class Key(CallEvent, frozen=True, kw_only=True, tag="key"):
    """The callee pressed a key."""

    digit: str


class Machine(CallEvent, frozen=True, kw_only=True, tag="answered-by"):
    """Twilio's verdict: human, machine_start, machine_end_beep, fax, unknown, …"""

    answered_by: str


class Interrupted(CallEvent, frozen=True, kw_only=True, tag="interrupted"):
    """The callee cut in, and we fell silent."""

    by: Literal["key", "speech"]
    heard_text: str
    """What was heard until then; inside a sentence an estimate."""
    seconds_heard: float


class Repeating(CallEvent, frozen=True, kw_only=True, tag="repeating"):
    """The text begins anew."""

    why: Literal["asked", "key", "beep"]
    """--repeat, --press-to-repeat, or the end of a machine's greeting."""


class Lost(CallEvent, frozen=True, kw_only=True, tag="lost"):
    """A connection is gone, and another is sought."""

    what: Literal["media", "speech", "tunnel"]
    reason: str


class Resumed(CallEvent, frozen=True, kw_only=True, tag="resumed"):
    """It goes on, with this sentence."""

    what: Literal["media", "speech"]
    index: int


class Waiting(CallEvent, frozen=True, kw_only=True, tag="waiting"):
    """All text there is was queued, and whoever writes it has not ended."""


class Silent(CallEvent, frozen=True, kw_only=True, tag="gap"):
    """The line ran dry in mid-text, by our own reckoning."""

    seconds: float


class LastWord(CallEvent, frozen=True, kw_only=True, tag="last-word"):
    """The phone says that it has played everything."""


class HungUp(CallEvent, frozen=True, kw_only=True, tag="hung-up"):
    """Twilio says that the call has ended."""

    end_reason: str
    duration: int | None


class Warned(CallEvent, frozen=True, kw_only=True, tag="warning"):
    text: str


class Failed(CallEvent, frozen=True, kw_only=True, tag="error"):
    """The last of a stream that did not end well; stderr has it too."""

    code: str
    message: str
    exit_code: int
    hint: str | None = None


AnyCallEvent: TypeAlias = (
    Ready
    | Placed
    | Status
    | Connected
    | FirstFrame
    | Sentence
    | Heard
    | Key
    | Machine
    | Interrupted
    | Repeating
    | Lost
    | Resumed
    | Waiting
    | Silent
    | LastWord
    | HungUp
    | Warned
    | Failed
)
