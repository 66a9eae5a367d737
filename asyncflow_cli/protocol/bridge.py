"""The phone call as decisions: an event goes in, actions come out.

Knows neither socket nor clock: whoever runs it says what happened and what time it is, and
does what it is told. So a whole call reads as a test, without a network and without waiting.
"""

from __future__ import annotations

from typing import Literal

from asyncflow_cli.protocol import callevents, media
from asyncflow_cli.protocol.actions import Action, Dial, HangUp, Reconnect
from asyncflow_cli.protocol.delivery import REFILL, Delivery, End
from asyncflow_cli.protocol.endings import (
    DONE_IF_HEARD,
    LOOKS_LIKE_A_HANG_UP,
    NOT_ANSWERED,
    TERMINAL,
    EndReason,
)
from asyncflow_cli.protocol.news import News
from asyncflow_cli.protocol.phases import (
    DEAF,
    OVERDUE,
    PREPARING,
    PUMP,
    RANK,
    SPEAKING,
    STALL,
    Phase,
    Timer,
)
from asyncflow_cli.protocol.plan import PLAIN, USUAL, Deadlines, Manners
from asyncflow_cli.protocol.script import Line, Script
from asyncflow_cli.protocol.speechmessages import Final, RanDry, SpeechEvent
from asyncflow_cli.protocol.takes import Takes
from asyncflow_cli.protocol.timers import Timers

TAIL = 0.3
"""Seconds between the echo of the last mark and the hang-up: the echo comes from Twilio's mixer,
and the line behind it has a jitter buffer of its own."""

HELLO = 1.5
"""Seconds into our speech in which the callee's voice is their "Hello?" and no interruption."""

MOST_RECONNECTS = 5
"""Sockets a call may lose, one after the other."""


class Bridge:
    """One call that says one script.

        PREPARING ──first audio──▶ DIALLING ──answered──▶ CONNECTING ──start──▶ SPEAKING
                                                                                │ ▲  │
                                  RECONNECTING ◀──socket lost────────────────────┘ │  │ all sent
                                        └──start──────────────────────────────────┘  ▼
                    DONE ◀──no key, a verdict── LINGERING ◀──last mark's echo── DRAINING

    "Finished" is the echo of the mark behind the last audio, never a timer. Audio that comes
    before `start` is held, and afterwards forwarded the moment it comes, unchanged.
    Whatever else ends the call leads to DONE as well, with one HangUp that names the reason.

    A bridge whose `begin` nobody called, because the call is there already, speaks on `start`.
    """

    __slots__ = (
        "_now",
        "_sockets_lost",
        "_takes",
        "_tunnel_lost",
        "_waiting",
        "answered_at",
        "answered_by",
        "deadlines",
        "delivery",
        "digits",
        "end_reason",
        "manners",
        "news",
        "phase",
        "reconnects",
        "said",
        "script",
        "started_at",
        "status",
        "timers",
    )

    def __init__(
        self,
        script: Script | str,
        deadlines: Deadlines = USUAL,
        manners: Manners = PLAIN,
    ) -> None:
        self.script = script if isinstance(script, Script) else Script([script])
        self.deadlines = deadlines
        self.manners = manners
        self.phase = Phase.PREPARING
        self.end_reason: EndReason | None = None
        self.status = "queued"
        self.answered_by: str | None = None
        self.digits = ""
        self.news = News()
        self.answered_at: float | None = None
        self.started_at: float | None = None
        self.reconnects = 0
        """Connections that were lost, of the phone or of the speech service."""
        self.said = 1
        """Times the text was begun."""
        self.delivery = Delivery(self.script, manners.lead)
        self.timers: Timers[Timer] = Timers()
        self._now = 0.0
        self._takes = Takes(self.script)
        self._tunnel_lost = False
        self._sockets_lost = 0
        self._waiting = False

    @property
    def assumed_end(self) -> bool:
        """Whether the speech service's silence was taken for its end."""
        return self._takes.assumed_end

    @property
    def seconds_spoken(self) -> float:
        """Of speech that was synthesised, sent or not."""
        return self._takes.seconds

    @property
    def seconds_sent(self) -> float:
        return self.delivery.playout.seconds_sent

    @property
    def seconds_heard(self) -> float:
        return self.delivery.playout.seconds_heard(self._now)

    @property
    def heard_text(self) -> str:
        return self.script.heard_text(self._position)

    @property
    def sentences_heard(self) -> int:
        """To their ends."""
        return self.script.sentences_heard(self._position)

    @property
    def _position(self) -> int:
        return self.delivery.playout.position(self._now)

    # What happens

    def begin(self) -> list[Action]:
        """Start synthesis; the phone rings once there is audio to play."""
        if self.script.to_speak() is None and (self.script.waiting or self.manners.keep_open):
            return self._dial()
        return self._ask()

    def on_clock(self, now: float) -> list[Action]:
        """Call before every other event, and when `timers.none_before` has come."""
        self._now = self.news.now = now
        if self.news.began is None:
            self.news.began = now
        actions: list[Action] = []
        if now < self.timers.none_before:
            return actions
        while (timer := self.timers.due(now)) is not None:
            actions += self._on_timer(timer)
        return actions

    def on_dialled(self, now: float) -> None:
        """It rings: only now what waited for all else to be checked begins to count."""
        self._now = self.news.now = now
        self._expect_answer()
        if Timer.STALL in self.timers:
            self.timers.set(Timer.STALL, now + self.deadlines.stall)

    def on_text(self, text: str) -> list[Action]:
        """The next sentence of a text that is still being written."""
        if self.phase is Phase.DONE:
            return []
        self.script.add(text)
        self._waiting = False
        self.timers.cancel(Timer.WRITER, Timer.DRY)
        return self._ask()

    def on_text_end(self) -> list[Action]:
        """Whoever writes has written everything."""
        if self.phase is Phase.DONE:
            return []
        self.script.more = False
        self.timers.cancel(Timer.WRITER, Timer.DRY)
        return self._first_audio() if self.phase is Phase.PREPARING else self._go_on()

    def on_status(self, status: str) -> list[Action]:
        """A status of the call, from a callback or a fetch, in whatever order they arrive."""
        if self.phase is Phase.DONE:
            return []
        if status in TERMINAL:
            self.status = status
            return self._end(NOT_ANSWERED.get(status) or self._why_completed())
        if RANK.get(status, -1) > RANK.get(self.status, -1):
            self.status = status
            if status == "ringing":
                self._expect_answer()
            if status == "in-progress":
                self._answered()
        return []

    def on_machine(self, answered_by: str) -> list[Action]:
        """Twilio's verdict on who answered."""
        if self.phase is Phase.DONE or self.manners.machine == "continue":
            return []
        self.answered_by = answered_by
        still_greets = answered_by == "machine_start" and self.manners.machine == "after-beep"
        if not still_greets:
            self.timers.cancel(Timer.VERDICT)
        self.news.tell(callevents.Machine, answered_by=answered_by)
        if answered_by == "fax":
            return self._cut(EndReason.FAX)
        if answered_by.startswith("machine"):
            return self._on_machine_found(answered_by)
        return self._on_verdict()

    def _on_verdict(self) -> list[Action]:
        """It was no machine, or nobody will ever know."""
        if self.phase is not Phase.LINGERING:
            return []
        self.news.tell(callevents.LastWord)
        return self._part()

    def on_phone(self, message: media.Message) -> list[Action]:
        """A message of the phone's media stream."""
        if self.phase is Phase.DONE:
            return []
        match message:
            case media.Start(stream_sid=stream_sid):
                return self._start(stream_sid)
            case media.Mark(mark=media.MarkBody(name=name)):
                return self._echo(name)
            case media.Dtmf(dtmf=media.DtmfBody(digit=digit)):
                return self._on_key(digit)
            case media.Stop():
                return self._end(self._why_completed())
            case _:
                return []

    def on_voice(self) -> list[Action]:
        """The callee has begun to speak."""
        answering = self._now - (self.started_at or 0.0) < HELLO
        if self.manners.barge_in != "speech" or answering or not self._is_playing:
            return []
        return self._interrupt("speech")

    def on_phone_lost(self, why: str = "the socket closed") -> list[Action]:
        """The media socket closed, or could not be opened, and no `stop` told why."""
        if self.phase in (Phase.DONE, Phase.RECONNECTING, Phase.PREPARING):
            return []
        if self.deadlines.reconnect:
            return self._reconnect("media", why)
        return self._end(self._why_lost())

    def on_tunnel_lost(self, why: str) -> list[Action]:
        """The way to our socket is gone, whether or not the socket knows it yet."""
        if self.phase is Phase.DONE:
            return []
        self._tunnel_lost = True
        if self.phase is Phase.PREPARING or self.phase is Phase.RECONNECTING:
            return [Reconnect()]
        if not self.deadlines.reconnect:
            return self._end(self._why_lost())
        if self.phase is Phase.DIALLING:
            self.news.tell(callevents.Lost, what="tunnel", reason=why)
            self.reconnects += 1
            return [Reconnect()]
        return self._reconnect("tunnel", why)

    def on_speech(self, event: SpeechEvent, take: int | None = None) -> list[Action]:
        """Audio, or the end of it; of a take that was given up it is ignored."""
        line = self._takes.concerned(take)
        if line is None or self.phase in DEAF:
            return []
        if isinstance(event, RanDry):
            return self._ran_dry(line)
        self.timers.set(STALL, self._now + self.deadlines.stall)
        if event.audio:
            if line.complete:
                self._go_back_to(line)
            self._takes.add(line, event.audio)
        if isinstance(event, Final):
            self._complete(line)
        return self._first_audio() if self.phase is PREPARING else self._go_on()

    def on_speech_lost(
        self, take: int | None = None, *, passing: bool = False, why: str = "no frame came in time"
    ) -> list[Action]:
        """The speech connection failed; a `passing` failure is worth another connection.

        The sentence it was at is said from its beginning: rather twice than not to its end.
        """
        line = self._takes.concerned(take)
        if self.phase is Phase.DONE or (line is None and take is not None):
            return []
        if line is not None and line.complete:
            self._complete(line)  # its end was assumed, and this is it
            return []
        if line is None or not passing or not self._takes.fail():
            return self._end(EndReason.TTS_FAILED)
        actions = self.delivery.flush(self._now)
        self.script.respeak(line, self.delivery.playout.sent)
        if self.phase is not Phase.PREPARING:  # of which nobody hears
            self.reconnects += 1
            self.news.tell(callevents.Lost, what="speech", reason=why)
            self.news.tell(callevents.Resumed, what="speech", index=line.number)
        return [*actions, *self._speak(line, anew=True)]

    def stop(self, now: float) -> None:
        """Whoever runs the call gives it up, and ends it."""
        if self.phase is not Phase.DONE:
            self._now = self.news.now = now  # until which it was heard
            self._end(EndReason.STOPPED)

    def on_duration(self, seconds: float) -> None:
        """What Twilio says the call lasted: only that tells its time limit from a hang-up."""
        if self.end_reason is EndReason.CALLEE_HUNG_UP and seconds >= self.deadlines.total:
            self.end_reason = EndReason.TIME_LIMIT

    def on_hung_up_elsewhere(self) -> None:
        """Another process of ours ended the call: from here it looked like somebody else's deed."""
        if self.end_reason in LOOKS_LIKE_A_HANG_UP:
            self.end_reason = EndReason.HUNG_UP

    # Synthesis

    def _ask(self) -> list[Action]:
        """Have the next sentence spoken, unless there is enough to play already."""
        line = self._takes.wanted()
        return [] if line is None or self._ahead >= self.manners.lead else self._speak(line)

    @property
    def _ahead(self) -> float:
        """Seconds of audio that were not played yet."""
        return self.delivery.playout.lead(self._now) + self.script.waiting

    def _speak(self, line: Line, *, anew: bool = False) -> list[Action]:
        if self.phase is Phase.PREPARING:
            self.timers.set(Timer.FIRST_AUDIO, self._now + self.deadlines.first_audio)
        else:
            self.timers.set(Timer.STALL, self._now + self.deadlines.stall)
        return [self._takes.begin(line, anew=anew)]

    def _go_back_to(self, line: Line) -> None:
        """The end that was assumed was none."""
        self.script.reopen(line)
        self.delivery.resume(line)
        self._takes.assumed_end = False
        self.timers.cancel(Timer.DRAIN)
        if self.phase is Phase.DRAINING:
            self.phase = Phase.SPEAKING

    def _complete(self, line: Line) -> None:
        self._takes.end(line)
        self.timers.cancel(Timer.STALL, Timer.FIRST_AUDIO)

    def _ran_dry(self, line: Line) -> list[Action]:
        """Its end is assumed, unless too much is missing: that is a stall, and has its own time.
        More audio of the last sentence may come all the same."""
        if line.complete or not line.is_plausible:
            return []
        self._takes.assumed_end = True
        if self.script.is_last(line):
            line.complete = True
            self.timers.cancel(Timer.STALL)
        else:
            self._complete(line)
        return self._go_on()

    def _first_audio(self) -> list[Action]:
        if self.script.waiting:
            return self._dial() + self._ask()
        if self.script.to_speak() is None and not self.script.more:
            return self._end(EndReason.TTS_EMPTY)
        return self._ask()

    def _dial(self) -> list[Action]:
        self.phase = Phase.DIALLING
        self.timers.cancel(Timer.FIRST_AUDIO)
        return [Dial()]

    # The call

    def _expect_answer(self) -> None:
        self.timers.set(Timer.RING, self._now + self.deadlines.ring + self.deadlines.ring_grace)

    def _answered(self) -> None:
        if self.answered_at is None:
            self.answered_at = self._now
            limit = self.deadlines.total + self.deadlines.total_grace
            self.timers.set(Timer.TOTAL, self._now + limit)
            if self.manners.machine != "continue" and self.answered_by is None:
                self.timers.set(Timer.VERDICT, self._now + self.deadlines.verdict)
        if self.phase is Phase.DIALLING:
            self.phase = Phase.CONNECTING
            self.timers.cancel(Timer.RING)
            self.timers.set(Timer.MEDIA, self._now + self.deadlines.media)

    def _start(self, stream_sid: str) -> list[Action]:
        again = self.started_at is not None
        self._answered()
        self.started_at = self.started_at if again else self._now
        self.phase = Phase.SPEAKING
        self.script.forgets = not self.deadlines.reconnect
        self.timers.cancel(Timer.MEDIA, Timer.RECONNECT, Timer.RING)
        self.news.tell(callevents.Connected, stream_sid=stream_sid)
        actions = self.delivery.open(self._now)
        if again and (line := self.script.current) is not None:
            self.news.tell(callevents.Resumed, what="media", index=line.number)
        return [*self._ask(), *actions, *self._go_on()]

    def _go_on(self) -> list[Action]:
        """Send what can be sent, and see what is to be done next."""
        if self.phase is not SPEAKING:
            return self._ask()
        delivery, gaps = self.delivery, self.delivery.playout.gaps
        known = len(gaps)
        actions = delivery.pump(self._now)
        if len(gaps) > known:
            for seconds in gaps[known:]:
                self.news.tell(callevents.Silent, seconds=round(seconds, 3))
        if delivery.ended:
            self.news.tell_sent(delivery.ended)
            delivery.ended.clear()
        speaking = self._takes.line is not None
        if not speaking:
            actions += self._ask()
        if self.script.current is None:
            if not self.script.more:
                return actions + self._all_sent()
            self._await_text()
        self.timers.set(PUMP, delivery.wake or (None if speaking else self._next_ask()))
        return actions

    def _next_ask(self) -> float | None:
        """When there is room for the next sentence, which is not asked for before."""
        if self._takes.wanted() is None:
            return None
        return self._now + max(self._ahead - self.manners.lead, 0.0) + REFILL

    def _await_text(self) -> None:
        self.delivery.starve()
        patience = self.deadlines.writer
        dry = self._now + self.delivery.playout.lead(self._now)
        self.timers.set(Timer.DRY, None if self._waiting else dry)
        self.timers.set(Timer.WRITER, None if patience is None else dry + patience)

    def _run_dry(self) -> list[Action]:
        self._waiting = True
        self.news.tell(callevents.Waiting)
        return []

    def _all_sent(self) -> list[Action]:
        if not self.seconds_sent:
            nothing_asked = self.manners.keep_open and not self.script.text
            return self._end(EndReason.COMPLETED if nothing_asked else EndReason.TTS_EMPTY)
        if self.said < self.manners.repeat:
            pause = self.delivery.pause(self._now)
            return pause + self._say_again("asked")
        self.phase = Phase.DRAINING
        self.timers.cancel(Timer.PUMP)
        actions = self.delivery.end(self._now, assumed=self.assumed_end)
        self._expect_echo()
        return actions

    def _echo(self, name: str) -> list[Action]:
        proved = self.delivery.echo(name, self._now)
        if isinstance(proved, Line):
            self.news.tell_heard(proved, self.seconds_heard)
        elif isinstance(proved, End):
            return self._all_heard(proved.line)
        if self.phase is Phase.DRAINING:
            self._expect_echo()
        return self._go_on()

    def _all_heard(self, last: Line | None) -> list[Action]:
        if last is not None:
            self.news.tell_heard(last, self.seconds_heard)
        self.timers.cancel(Timer.DRAIN)
        self.phase = Phase.LINGERING
        if not self._awaits_verdict:
            self.news.tell(callevents.LastWord)
        if (key := self.manners.repeat_key) is not None:
            self.timers.set(Timer.KEYS, self._now + self.deadlines.keys)
            self.news.tell(callevents.AwaitingKey, key=key, seconds=self.deadlines.keys)
        return self._part()

    def _part(self) -> list[Action]:
        """Hang up, once nothing that was asked for can come any more."""
        if self._awaits_verdict or Timer.KEYS in self.timers:
            return []
        return self._end(EndReason.COMPLETED)

    @property
    def _awaits_verdict(self) -> bool:
        """Whether all may have to be said again, after a machine's beep."""
        return Timer.VERDICT in self.timers

    def _expect_echo(self) -> None:
        left = self.delivery.playout.left
        self.timers.set(Timer.DRAIN, self._now + left + self.deadlines.drain_grace)

    # What the callee does

    def _on_key(self, digit: str) -> list[Action]:
        self.digits += digit
        self.news.tell(callevents.Key, digit=digit)
        if digit == self.manners.stop_key:
            return self._cut(EndReason.STOPPED_BY_KEY)
        if digit == self.manners.repeat_key:
            return self._restart("key")
        if self.manners.barge_in == "key" and self._is_playing:
            return self._interrupt("key")
        return []

    @property
    def _is_playing(self) -> bool:
        return self.phase in (Phase.SPEAKING, Phase.DRAINING) and self.delivery.playout.left > 0

    def _interrupt(self, by: Literal["key", "speech"]) -> list[Action]:
        self.news.tell(
            callevents.Interrupted,
            by=by,
            heard_text=self.heard_text,
            seconds_heard=round(self.seconds_heard, 3),
        )
        if not (self.manners.keep_open and self.script.more):
            return self._cut(EndReason.INTERRUPTED)
        actions = self._hush()
        self.script.skip()
        return [*actions, *self.delivery.clear(self._now), *self._go_on()]

    def _cut(self, reason: EndReason) -> list[Action]:
        started = self.phase in (Phase.SPEAKING, Phase.DRAINING)
        actions = self._hush() + (self.delivery.clear(self._now) if started else [])
        return actions + self._end(reason)

    def _hush(self) -> list[Action]:
        self.timers.cancel(Timer.STALL)
        return self._takes.stop()

    def _on_machine_found(self, answered_by: str) -> list[Action]:
        if self.manners.machine == "hangup":
            return self._cut(EndReason.MACHINE)
        if answered_by == "machine_start":
            return []
        return self._restart("beep")

    def _restart(self, why: Literal["key", "beep"]) -> list[Action]:
        """Stop in mid-word, and begin anew."""
        if self.started_at is None or not self.script.text:
            return []
        self.script.skip()
        self.timers.cancel(Timer.DRAIN, Timer.KEYS)
        if self.phase is Phase.RECONNECTING:
            return self._say_again(why)
        self.phase = Phase.SPEAKING
        return self.delivery.clear(self._now) + self._say_again(why)

    def _say_again(self, why: Literal["asked", "key", "beep"]) -> list[Action]:
        self.said += 1
        self.news.tell_repeat(why, self.script.text[-1])
        self.script.again()
        self._takes.follow()
        return self._go_on()

    # What is lost

    def _reconnect(self, what: Literal["media", "tunnel"], why: str) -> list[Action]:
        if self._sockets_lost == MOST_RECONNECTS:
            return self._end(self._why_lost())
        self.phase = Phase.RECONNECTING
        self._sockets_lost += 1
        self.reconnects += 1
        self.delivery.forget(self._now)
        self.script.rewind()
        self.timers.cancel(Timer.DRAIN, Timer.PUMP, Timer.MEDIA, Timer.KEYS)
        self.timers.set(Timer.RECONNECT, self._now + self.deadlines.reconnect)
        self.news.tell(callevents.Lost, what=what, reason=why)
        return [Reconnect()]

    def _why_lost(self) -> EndReason:
        if self.started_at is None:
            return EndReason.STREAM_NEVER_CONNECTED
        return EndReason.TUNNEL_LOST if self._tunnel_lost else EndReason.STREAM_ERROR

    def _why_completed(self) -> EndReason:
        if self.phase is Phase.RECONNECTING or self.started_at is None:
            return self._why_lost()
        return EndReason.CALLEE_HUNG_UP

    def _on_timer(self, timer: Timer) -> list[Action]:
        match timer:
            case Timer.PUMP:
                return self._go_on()
            case Timer.DRY:
                return self._run_dry()
            case Timer.KEYS:
                return self._part()
            case Timer.VERDICT:
                return self._on_verdict()
            case Timer.STALL:
                return self.on_speech_lost(passing=True)
            case Timer.DRAIN:
                return self._never_played()
            case Timer.RECONNECT:
                return self._end(self._why_lost())
            case _:
                return self._end(OVERDUE[timer])

    def _never_played(self) -> list[Action]:
        if self.deadlines.reconnect:
            return self._reconnect("media", "the phone confirms nothing that it plays")
        return self._end(EndReason.PLAYBACK_TIMEOUT)

    def _end(self, reason: EndReason) -> list[Action]:
        if self.phase is Phase.DONE:
            return []
        if reason in DONE_IF_HEARD and self.script.all_heard:
            reason = EndReason.COMPLETED
        self.phase = Phase.DONE
        self.end_reason = reason
        self.timers.clear()
        return [HangUp(reason, TAIL if reason is EndReason.COMPLETED else 0.0)]
