"""What happens in a call, as it is told while it happens: one event, one line of `--json`.

Each says itself what people read of it, too. Fields are only ever added. Nothing here decides
anything: the bridge and its shell do.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import msgspec

from asyncflow_cli.errors import AsyncflowError

STATUS_WORDS = {
    "ringing": "Ringing",
    "in-progress": "Answered",
    "no-answer": "No answer",
    "canceled": "Cancelled",
    "busy": "Busy",
    "failed": "Failed",
}
"""What people read of Twilio's statuses. The end has an event of its own."""

VERDICTS = {
    "human": "A human answered",
    "machine_start": "A machine answered",
    "machine_end_beep": "A machine answered, and has beeped",
    "machine_end_silence": "A machine answered, and is silent now",
    "machine_end_other": "A machine answered, and has said its greeting",
    "fax": "A fax machine answered",
    "unknown": "Nobody can tell who answered",
}
"""https://www.twilio.com/docs/voice/answering-machine-detection"""

ENDS = {
    "callee-hung-up": "The callee hung up",
    "hung-up": "Hung up from elsewhere",
    "time-limit": "Ended by its time limit",
}

UNANSWERED = frozenset({"busy", "no-answer", "rejected", "cancelled"})
"""Ends of calls in which nobody could hang up."""

REPEATS = {
    "asked": "Once more",
    "key": "Once more, for the callee's key",
    "beep": "From the beginning, for the machine's tape",
}


class CallEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=False):
    schema: Literal["asyncflow.call-event"] = "asyncflow.call-event"
    schema_version: int = 1
    at: float
    """Seconds since the call was asked for."""

    warns: ClassVar[bool] = False
    """Whether it is something that should not have happened and stops nothing."""

    @property
    def words(self) -> str | None:
        """What people read of it; None if it is only for programs."""
        return None


class Ready(CallEvent, frozen=True, kw_only=True, tag="ready"):
    """All was checked, and the first words are there: now it will ring."""

    to: str
    from_: str = msgspec.field(name="from")
    tunnel: str | None = None
    """The way to our socket: ngrok, public, …; None on this machine."""
    first_audio_ms: float | None = None

    @property
    def words(self) -> str:
        way = f", through {self.tunnel}" if self.tunnel else ""
        return f"Calling {self.to} from your number {self.from_}{way}"


class Placed(CallEvent, frozen=True, kw_only=True, tag="placed"):
    call_sid: str


class Status(CallEvent, frozen=True, kw_only=True, tag="status"):
    """Twilio's word, unchanged: initiated, ringing, in-progress, completed, busy, …"""

    status: str
    sip_code: str | None = None

    @property
    def words(self) -> str | None:
        return STATUS_WORDS.get(self.status)


class Connected(CallEvent, frozen=True, kw_only=True, tag="connected"):
    """The call's audio has reached us."""

    stream_sid: str


class FirstFrame(CallEvent, frozen=True, kw_only=True, tag="first-frame"):
    """Speech has begun to flow to the phone."""

    after_start_ms: float

    @property
    def words(self) -> str:
        return "Speaking"


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

    @property
    def words(self) -> str:
        return f"Heard: {self.text.strip()}" if self.text else "The file was heard to its end"


class Key(CallEvent, frozen=True, kw_only=True, tag="key"):
    """The callee pressed a key."""

    digit: str

    @property
    def words(self) -> str:
        return f"Key {self.digit}"


class Machine(CallEvent, frozen=True, kw_only=True, tag="answered-by"):
    """Twilio's verdict: human, machine_start, machine_end_beep, fax, unknown, …"""

    answered_by: str

    @property
    def words(self) -> str:
        return VERDICTS.get(self.answered_by, f"Answered by {self.answered_by}")


class Interrupted(CallEvent, frozen=True, kw_only=True, tag="interrupted"):
    """The callee cut in, and we fell silent."""

    by: Literal["key", "speech"]
    heard_text: str
    """What was heard until then; inside a sentence an estimate."""
    seconds_heard: float

    @property
    def words(self) -> str:
        how = "spoke" if self.by == "speech" else "pressed a key"
        until = f", and had heard: {self.heard_text.strip()}" if self.heard_text.strip() else ""
        return f"The callee {how}, so we fell silent{until}"


class Repeating(CallEvent, frozen=True, kw_only=True, tag="repeating"):
    """The text begins anew."""

    why: Literal["asked", "key", "beep"]
    """--repeat, --press-to-repeat, or the end of a machine's greeting."""

    @property
    def words(self) -> str:
        return REPEATS[self.why]


class Lost(CallEvent, frozen=True, kw_only=True, tag="lost"):
    """A connection is gone, and another is sought."""

    what: Literal["media", "speech", "tunnel"]
    reason: str

    @property
    def words(self) -> str:
        return f"The {self.what} connection was lost ({self.reason}); seeking another"


class Resumed(CallEvent, frozen=True, kw_only=True, tag="resumed"):
    """It goes on, with this sentence."""

    what: Literal["media", "speech"]
    index: int

    @property
    def words(self) -> str:
        return f"Going on with sentence {self.index + 1}, over a new {self.what} connection"


class Waiting(CallEvent, frozen=True, kw_only=True, tag="waiting"):
    """All text there is was queued, and whoever writes it has not ended."""

    @property
    def words(self) -> str:
        return "Waiting for more text"


class Silent(CallEvent, frozen=True, kw_only=True, tag="gap"):
    """The line ran dry in mid-text, by our own reckoning."""

    seconds: float

    @property
    def words(self) -> str:
        return f"The line was silent for about {self.seconds:.1f} s, for want of speech"


class LastWord(CallEvent, frozen=True, kw_only=True, tag="last-word"):
    """The phone says that it has played everything."""

    @property
    def words(self) -> str:
        return "The last word was heard"


class AwaitingKey(CallEvent, frozen=True, kw_only=True, tag="awaiting-key"):
    """All was heard, and the callee may have it once more."""

    key: str
    seconds: float
    """For which we wait."""

    @property
    def words(self) -> str:
        return f"Waiting {self.seconds:g} s for key {self.key}, to say it once more"


class HungUp(CallEvent, frozen=True, kw_only=True, tag="hung-up"):
    """Twilio says that the call has ended."""

    end_reason: str
    duration: int | None
    """Seconds from answer to end, as Twilio counts them: begun ones whole."""
    seconds_answered: float | None = None
    """The same on our own clock."""

    @property
    def words(self) -> str | None:
        if self.end_reason in UNANSWERED:
            return None  # the status has told it
        seconds = self.seconds_answered
        after = f", {seconds:.1f} s after the answer" if seconds is not None else ""
        return f"{ENDS.get(self.end_reason, 'Hung up')}{after}"


class Warned(CallEvent, frozen=True, kw_only=True, tag="warning"):
    text: str

    warns: ClassVar[bool] = True

    @property
    def words(self) -> str:
        return self.text


class Failed(CallEvent, frozen=True, kw_only=True, tag="error"):
    """The last of a stream that did not end well; stderr has it too."""

    code: str
    message: str
    exit_code: int
    hint: str | None = None

    @classmethod
    def of(cls, error: AsyncflowError, at: float) -> Failed:
        return cls(
            at=at,
            code=error.code,
            message=error.message,
            exit_code=error.exit_code,
            hint=error.hint,
        )


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
    | AwaitingKey
    | HungUp
    | Warned
    | Failed
)
