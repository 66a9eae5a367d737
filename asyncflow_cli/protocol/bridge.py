"""The phone call as decisions: an event goes in, actions come out.

Knows neither socket nor clock: whoever runs it says what happened and what time it is, and
does what it is told. So a whole call reads as a test, without a network and without waiting.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from asyncflow_cli.protocol import media, speech
from asyncflow_cli.protocol.audio import MULAW_SILENCE, PHONE_RATE
from asyncflow_cli.protocol.endings import NOT_ANSWERED, TERMINAL, EndReason


class Phase(Enum):
    PREPARING = "preparing"
    DIALLING = "dialling"
    CONNECTING = "connecting"
    SPEAKING = "speaking"
    DRAINING = "draining"
    DONE = "done"


@dataclass(frozen=True)
class Deadlines:
    """How long each phase may last, in seconds of the caller's clock."""

    first_audio: float = 10.0
    ring: float = 30.0
    ring_grace: float = 15.0
    """Twilio may ring five seconds longer than it was asked to."""
    media: float = 10.0
    """From the answer to the stream's `start`."""
    drain_grace: float = 5.0
    """Beyond what is left to play when the last audio was sent."""
    total: float = 120.0
    """The time limit Twilio was given."""
    total_grace: float = 30.0


@dataclass(frozen=True)
class Speak:
    """Synthesise this text; there will be no more."""

    text: str


@dataclass(frozen=True)
class Dial:
    """The first audio is here: ring the phone."""


@dataclass(frozen=True)
class Play:
    """Queue this base64 μ-law on the phone."""

    payload: str


@dataclass(frozen=True)
class Mark:
    """Ask the phone to echo this name once it has played all before it."""

    name: str


@dataclass(frozen=True)
class HangUp:
    reason: EndReason
    tail: float = 0.0
    """Seconds to wait first: the mixer has played the end, the line's jitter buffer not yet."""


Action: TypeAlias = Speak | Dial | Play | Mark | HangUp


@dataclass(frozen=True)
class RanDry:
    """No audio for a while, though the text is complete and no end was announced."""


SpeechEvent: TypeAlias = speech.Audio | speech.Final | RanDry

LEAD_IN = base64.b64encode(MULAW_SILENCE * (PHONE_RATE // 5)).decode()
"""200 ms: the first syllable is lost on some lines otherwise."""

TAIL = 0.3

PROGRESS = PHONE_RATE
"""A mark behind every second of audio tells how much was heard if the call is cut."""

_RANK = {"queued": 0, "initiated": 1, "ringing": 2, "in-progress": 3}


@dataclass
class Heard:
    """How much of what was sent the phone says it has played. Positions are bytes of speech."""

    sent: int = 0
    echoed: int = 0
    echoed_at: float = 0.0
    pending: dict[str, int] = field(default_factory=dict)

    def echo(self, name: str, now: float) -> bool:
        if name not in self.pending:
            return False
        self.echoed, self.echoed_at = self.pending.pop(name), now
        return True

    def until(self, now: float) -> float:
        """Seconds heard: the last echo, and the clock since, short of the next echo."""
        ahead = int((now - self.echoed_at) * PHONE_RATE)
        bound = min(self.pending.values(), default=self.sent)
        return min(self.echoed + max(ahead, 0), bound) / PHONE_RATE

    @property
    def left(self) -> float:
        """Seconds sent and not yet confirmed."""
        return (self.sent - self.echoed) / PHONE_RATE


class Bridge:
    """One call that speaks one text.

        PREPARING ──first audio──▶ DIALLING ──answered──▶ CONNECTING ──start──▶ SPEAKING
                                                                                   │ final
                         DONE ◀──echo of the last mark── DRAINING ◀────────────────┘

    "Finished" is the echo of the mark behind the last audio, never a timer. Audio that comes
    before `start` is held, and afterwards forwarded the moment it comes, unchanged.
    Whatever else ends the call leads to DONE as well, with one HangUp that names the reason.

    A bridge whose `begin` nobody called, because the call is there already, speaks on `start`.
    """

    def __init__(self, text: str, deadlines: Deadlines = Deadlines()) -> None:
        self.text = text
        self.deadlines = deadlines
        self.phase = Phase.PREPARING
        self.end_reason: EndReason | None = None
        self.status = "queued"
        self.digits = ""
        self.heard = Heard()
        self.assumed_end = False
        """The speech service never announced its end; we took its silence for it."""
        self.answered_at: float | None = None
        self.started_at: float | None = None
        self.deadline: float | None = None
        """When `on_clock` wants to be called at the latest."""
        self._overdue = EndReason.TTS_EMPTY
        self._now = 0.0
        self._spoken = False
        self._held: list[SpeechEvent] = []
        self._end_mark: str | None = None
        self._marks = 0

    @property
    def seconds_sent(self) -> float:
        return self.heard.sent / PHONE_RATE

    @property
    def seconds_heard(self) -> float:
        return self.heard.until(self._now)

    # What happens

    def begin(self) -> list[Action]:
        """Start synthesis; the phone rings once there is audio to play."""
        self._set_deadline(self.deadlines.first_audio, EndReason.TTS_EMPTY)
        return self._speak()

    def on_clock(self, now: float) -> list[Action]:
        """Call before every other event, and when `deadline` has come."""
        self._now = now
        if self.deadline is not None and now >= self.deadline:
            return self._end(self._overdue)
        return []

    def on_status(self, status: str) -> list[Action]:
        """A status of the call, from a callback or a fetch, in whatever order they arrive."""
        if self.phase is Phase.DONE:
            return []
        if status in TERMINAL:
            self.status = status
            return self._end(NOT_ANSWERED.get(status) or self._why_completed())
        if _RANK.get(status, -1) > _RANK.get(self.status, -1):
            self.status = status
            if status == "in-progress":
                self._answered()
        return []

    def on_phone(self, message: media.Message) -> list[Action]:
        """A message of the phone's media stream."""
        if self.phase is Phase.DONE:
            return []
        match message:
            case media.Start():
                return self._start()
            case media.Mark(mark=media.MarkBody(name=name)):
                return self._echo(name)
            case media.Dtmf(dtmf=media.DtmfBody(digit=digit)):
                self.digits += digit
            case media.Stop():
                return self._end(self._why_completed())
            case _:
                pass
        return []

    def on_phone_lost(self) -> list[Action]:
        """The media socket closed, or could not be opened, and no `stop` told why."""
        lost = self.started_at is not None
        return self._end(EndReason.STREAM_ERROR if lost else EndReason.STREAM_NEVER_CONNECTED)

    def on_speech(self, event: SpeechEvent) -> list[Action]:
        """Audio, or the end of it."""
        match self.phase:
            case Phase.PREPARING:
                return self._prepare(event)
            case Phase.DIALLING | Phase.CONNECTING:
                self._held.append(event)
                return []
            case Phase.SPEAKING | Phase.DRAINING:
                return self._forward(event)
            case Phase.DONE:
                return []

    def on_speech_lost(self) -> list[Action]:
        """The speech connection failed."""
        return self._end(EndReason.TTS_FAILED)

    def on_duration(self, seconds: float) -> None:
        """What Twilio says the call lasted: only that tells its time limit from a hang-up."""
        if self.end_reason is EndReason.CALLEE_HUNG_UP and seconds >= self.deadlines.total:
            self.end_reason = EndReason.TIME_LIMIT

    # What follows

    def _speak(self) -> list[Action]:
        if self._spoken:
            return []
        self._spoken = True
        return [Speak(self.text)]

    def _prepare(self, event: SpeechEvent) -> list[Action]:
        if not isinstance(event, RanDry) and event.audio:
            self._held.append(event)
            self.phase = Phase.DIALLING
            self._set_deadline(self.deadlines.ring + self.deadlines.ring_grace, EndReason.NO_ANSWER)
            return [Dial()]
        return [] if isinstance(event, speech.Audio) else self._end(EndReason.TTS_EMPTY)

    def _answered(self) -> None:
        if self.answered_at is None:
            self.answered_at = self._now
        if self.phase is Phase.DIALLING:
            self.phase = Phase.CONNECTING
            self._set_deadline(self.deadlines.media, EndReason.STREAM_NEVER_CONNECTED)

    def _start(self) -> list[Action]:
        self._answered()
        self.started_at = self._now
        self.heard.echoed_at = self._now
        self.phase = Phase.SPEAKING
        held, self._held = self._held, []
        actions: list[Action] = [*self._speak(), Play(LEAD_IN)]
        self._set_deadline(self.deadlines.first_audio, EndReason.TTS_EMPTY)
        for event in held:
            actions += self._forward(event)
        return actions

    def _forward(self, event: SpeechEvent) -> list[Action]:
        actions: list[Action] = []
        if not isinstance(event, RanDry) and event.audio:
            actions += self._play(event.audio)
        if not isinstance(event, speech.Audio):
            self.assumed_end = isinstance(event, RanDry)
            actions += self._close_speech()
        return actions

    def _play(self, payload: str) -> list[Action]:
        before = self.heard.sent
        self.heard.sent += len(payload) * 3 // 4 - payload.count("=")
        self._end_mark = None
        self.phase = Phase.SPEAKING
        # While audio flows only the end of the call bounds it; the session sees to stalls.
        self._set_deadline(self._remaining(), EndReason.TIME_LIMIT)
        crossed = before // PROGRESS != self.heard.sent // PROGRESS
        return [Play(payload), *([self._mark(str(self._marks))] if crossed else [])]

    def _close_speech(self) -> list[Action]:
        if not self.heard.sent:
            return self._end(EndReason.TTS_EMPTY)
        self.phase = Phase.DRAINING
        mark = self._mark("end" if not self.assumed_end else f"dry{self._marks}")
        self._end_mark = mark.name
        self._expect_echo()
        return [mark]

    def _mark(self, name: str) -> Mark:
        # Marks carry a generation, which every `clear` will raise: an echo that a `clear`
        # released tells nothing of what was heard.
        mark = Mark(f"g0-{name}")
        self._marks += 1
        self.heard.pending[mark.name] = self.heard.sent
        return mark

    def _echo(self, name: str) -> list[Action]:
        if not self.heard.echo(name, self._now):
            return []
        if name == self._end_mark:
            return self._end(EndReason.COMPLETED)
        if self.phase is Phase.DRAINING:
            self._expect_echo()
        return []

    def _expect_echo(self) -> None:
        self._set_deadline(self.heard.left + self.deadlines.drain_grace, EndReason.PLAYBACK_TIMEOUT)

    def _remaining(self) -> float:
        spent = self._now - self.answered_at if self.answered_at is not None else 0.0
        return self.deadlines.total + self.deadlines.total_grace - spent

    def _why_completed(self) -> EndReason:
        if self.started_at is None:
            return EndReason.STREAM_NEVER_CONNECTED
        return EndReason.CALLEE_HUNG_UP

    def _end(self, reason: EndReason) -> list[Action]:
        if self.phase is Phase.DONE:
            return []
        self.phase = Phase.DONE
        self.end_reason = reason
        self.deadline = None
        return [HangUp(reason, TAIL if reason is EndReason.COMPLETED else 0.0)]

    def _set_deadline(self, after: float, reason: EndReason) -> None:
        self.deadline = self._now + after
        self._overdue = reason
