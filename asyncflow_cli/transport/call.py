"""One phone call from preparation to hang-up: the shell that `protocol.bridge` decides for.

Everything that happens becomes an event on one queue; one loop takes it off, asks the bridge
and does what it says. Whatever breaks the loop, `_finish` ends the call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeAlias

from asyncflow_cli.errors import AsyncflowError, UsageError
from asyncflow_cli.protocol import callevents, media, speech
from asyncflow_cli.protocol.bridge import (
    LEAD_IN,
    Action,
    Bridge,
    Clear,
    Dial,
    HangUp,
    Hush,
    Mark,
    Phase,
    Play,
    Reconnect,
    Speak,
)
from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.calltrace import Watcher
from asyncflow_cli.protocol.endings import TERMINAL, EndReason, exit_code_of
from asyncflow_cli.protocol.levels import level
from asyncflow_cli.protocol.markupcheck import escape
from asyncflow_cli.protocol.models import PHONE, VoiceSelector, doubts
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.protocol.outcome import Timeline, outcome, report
from asyncflow_cli.protocol.phases import is_later
from asyncflow_cli.protocol.speech import Initialize
from asyncflow_cli.protocol.vad import SpeechDetector
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.callbacks import CallStatus, StreamFailed, Verdict
from asyncflow_cli.transport.inbox import Broken, Event, Inbox, TunnelLost, Voiced, Written
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.leg import PhoneLost
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.line import Line
from asyncflow_cli.transport.preflight import Check, preflight
from asyncflow_cli.transport.streaming import texts_of
from asyncflow_cli.transport.voice import SpeechLost, Spoken, Voice
from asyncflow_cli.transport.writer import typed

log = logging.getLogger(__name__)

END_WITHIN = 3.0
"""Seconds in which a call whose socket we closed should report its end."""

LAST_CHANCE = 3.0
"""Seconds that hanging up still has when a second Ctrl-C comes."""

Tell: TypeAlias = Callable[[callevents.CallEvent], None]


class PhoneCall:
    """Runs once. `warn` hears, in words, what should not happen and stops nothing.

    Without a `journal` the call is written down where the command line finds it, and `asyncflow
    calls reap` can end it; without a `library` voices are looked up at the service of `settings`.
    """

    def __init__(
        self,
        settings: Settings,
        order: CallOrder,
        journal: Journal | None = None,
        library: VoiceLibrary | None = None,
        *,
        warn: Callable[[str], None] = log.warning,
        watcher: Watcher | None = None,
    ) -> None:
        self._settings = settings
        self._order = order
        self._library = library
        self._tell: Tell = lambda _event: None
        self._watcher = watcher or Watcher()
        self.report: CallReport | None = None
        """What came of it, however it ended; None if nobody was called."""
        self._tell_warning = warn
        self.warnings: list[str] = []
        self._inbox = Inbox()
        self._bridge = Bridge(order.script(), order.deadlines(), order.manners)
        self._detector = SpeechDetector() if order.manners.barge_in == "speech" else None
        self._line = Line(
            settings,
            order,
            journal or Journal.usual(warn=warn),
            self._inbox,
            warn=self._warn,
            hear=self._hear if self._detector or watcher else None,
        )
        self._voice: Voice | None = None
        self._times = Timeline(began=time.monotonic())
        self._cause: AsyncflowError | None = None
        self._now = self._times.began
        self._dial_wanted = False
        self._leading: asyncio.Task[None] | None = None

    @property
    def sid(self) -> str | None:
        """The call's, once it was dialled."""
        return self._line.placed.sid

    async def run(self, tell: Tell = lambda _event: None) -> CallReport:
        """Make the call, and `tell` what happens. Any ending but the last word heard is raised,
        with the report."""
        self._tell = tell
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._line.opened())
            try:
                await self._prepare(stack)
                await self._converse()
            finally:
                await _insistently(self._finish())
        return await self._outcome()

    # Before anybody is called

    async def _prepare(self, stack: contextlib.AsyncExitStack) -> None:
        """Check everything that can be, and have the first words ready; or raise all that fails."""
        # Whoever still writes the text must not keep back what is wrong already.
        speech = self._open_voice if self._order.is_live else self._first_words
        await preflight([*self._line.checks(), Check("speech", lambda: speech(stack))])
        if self._order.is_live:
            await self._begin()
        patience = replace(self._bridge.deadlines, reconnect=self._line.grace)
        self._bridge.deadlines = patience

    async def _first_words(self, stack: contextlib.AsyncExitStack) -> None:
        await self._open_voice(stack)
        await self._begin()

    async def _open_voice(self, stack: contextlib.AsyncExitStack) -> None:
        if self._order.audio is None:
            library = self._library or await self._open_library(stack)
            initialize = await library.with_id(self._initialize())
            for doubt in doubts(initialize):
                self._warn(doubt)
            opened = Voice.opened(self._settings, initialize, self._inbox.put, self._inbox.done)
            self._voice = await stack.enter_async_context(opened)

    async def _open_library(self, stack: contextlib.AsyncExitStack) -> VoiceLibrary:
        return VoiceLibrary(await stack.enter_async_context(aclosing(ApiClient(self._settings))))

    async def _begin(self) -> None:
        if self._bridge.script.more:
            self._inbox.start(self._read())
        await self._do(self._bridge.on_clock(self._times.began))
        await self._do(self._bridge.begin())
        while self._bridge.phase is Phase.PREPARING:
            await self._step()
        if self._bridge.phase is Phase.DONE:
            await self._outcome()

    def _initialize(self) -> Initialize:
        return Initialize(
            model_id=self._settings.model,
            voice=VoiceSelector(self._settings.voice),
            output_format=PHONE,
            language=self._order.language,
        )

    # The loop: receive, decide, do

    async def _converse(self) -> None:
        if self._dial_wanted:
            await self._dial()
        while self._bridge.phase is not Phase.DONE:
            await self._step()

    async def _step(self) -> None:
        """Wait until something happens, or is due, and do what follows from it."""
        happened = await self._inbox.get(self._bridge.deadline)
        self._now = time.monotonic()
        actions = self._bridge.on_clock(self._now)
        if happened is not None:
            at, event = happened
            self._time(at, event)
            actions += self._decide(event)
        self._pass_on_news()
        await self._do(actions)

    def _time(self, at: float, event: Event) -> None:
        match event:
            case media.Start():
                if self._times.first_frame is None:
                    self._times.started = at
                if self._detector is not None:  # a stream's timestamps begin at 0
                    self._detector = SpeechDetector()
            case Spoken(event=speech.Audio()) if self._times.first_audio is None:
                self._times.first_audio = at
            case media.Mark(mark=media.MarkBody(name=name)):
                self._watcher.echo(name, self._at(at))
            case CallStatus(status="ringing") if self._times.ringing is None:
                self._times.ringing = at
            case _:
                pass

    def _decide(self, event: Event) -> list[Action]:
        bridge = self._bridge
        match event:
            case Broken(error=bug):
                raise bug
            case Spoken(take=take, event=spoken):
                return bridge.on_speech(spoken, take)
            case SpeechLost():
                return self._on_speech_lost(event)
            case Written(text=text):
                return bridge.on_text_end() if text is None else bridge.on_text(text)
            case Voiced():
                return bridge.on_voice()
            case TunnelLost(why=why):
                return bridge.on_tunnel_lost(why)
            case PhoneLost(token=token):
                return bridge.on_phone_lost() if token == self._line.phone.token else []
            case StreamFailed():
                return self._on_stream_failed(event)
            case CallStatus():
                return self._on_status(event)
            case Verdict(answered_by=answered_by):
                return bridge.on_machine(answered_by)
            case _:
                return bridge.on_phone(event)

    def _on_speech_lost(self, lost: SpeechLost) -> list[Action]:
        if self._bridge.phase is Phase.PREPARING and not lost.passing:
            raise lost.error
        self._cause = lost.error
        return self._bridge.on_speech_lost(lost.take, passing=lost.passing, why=lost.error.message)

    def _on_stream_failed(self, failed: StreamFailed) -> list[Action]:
        if self._line.phone.stream_sid not in ("", failed.stream_sid):
            return []  # news of a stream that was given up already
        self._warn(f"Twilio could not keep the media socket: {failed.reason}")
        return self._bridge.on_phone_lost(failed.reason)

    def _on_status(self, event: CallStatus) -> list[Action]:
        self._times.sip_code = event.sip_code or self._times.sip_code
        self._times.recording = event.recording or self._times.recording
        if is_later(event.status, self._times.status):
            self._times.status = event.status
            told: dict[str, Any] = {"status": event.status, "sip_code": event.sip_code or None}
            self._say(callevents.Status, self._now, **told)
        return self._bridge.on_status(event.status)

    async def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Speak(text=text, take=take, anew=anew):
                    assert self._voice is not None
                    self._times.asked = self._times.asked or time.monotonic()
                    self._voice.speak(text, take, anew=anew)
                case Hush():
                    if self._voice is not None:
                        await self._voice.hush()
                case Dial():
                    self._dial_wanted = True
                case Play(payload=payload):
                    self._play(payload)
                case Mark(name=name):
                    self._watcher.mark(name, self._at(time.monotonic()))
                    self._line.phone.mark(name)
                case Clear():
                    self._watcher.clear(self._at(time.monotonic()))
                    self._line.phone.clear()
                case Reconnect():
                    self._watcher.clear(self._at(time.monotonic()))
                    if self._leading is not None:
                        self._leading.cancel()
                    self._leading = self._inbox.start(self._lead_elsewhere())
                case HangUp(tail=tail):
                    self._line.phone.flush()
                    await asyncio.sleep(tail)
        self._line.phone.flush()

    def _play(self, payload: str) -> None:
        self._watcher.sent(payload, self._at(time.monotonic()))
        self._line.phone.play(payload)
        if self._times.first_frame is None and payload != LEAD_IN:
            self._times.first_frame = time.monotonic()
            since = self._times.started or self._times.first_frame
            after = round((self._times.first_frame - since) * 1000, 1)
            self._say(callevents.FirstFrame, after_start_ms=after)

    # What runs beside it

    async def _read(self) -> None:
        """Take in a text that is still being written."""
        async with aclosing(self._texts()) as texts:
            written = self._order.text is not None
            async for text in texts:
                written = True
                self._inbox.put(Written(escape(text) if self._order.plain_text else text))
        if not written and self._bridge.phase is Phase.PREPARING:
            raise UsageError("There is no text to speak", code="TEXT_EMPTY")
        self._inbox.put(Written(None))

    def _texts(self) -> AsyncGenerator[str, None]:
        if self._order.manners.keep_open:
            return typed()
        return texts_of(None, self._order.flush_after)

    def _hear(self, payload: str, milliseconds: int) -> None:
        self._watcher.callee(level(payload), self._at(time.monotonic()))
        if self._detector is not None and self._detector.feed(payload, milliseconds / 1000):
            self._inbox.put(Voiced())

    # Dialling, leading elsewhere, and hanging up

    async def _dial(self) -> None:
        since, heard = self._times.asked, self._times.first_audio
        self._times.tunnel = self._line.tunnel
        self._say(
            callevents.Ready,
            to=self._order.to,
            from_=self._order.from_,
            tunnel=self._line.tunnel,
            first_audio_ms=round((heard - since) * 1000, 1) if since and heard else None,
        )
        self._times.dialled = time.monotonic()
        self._say(callevents.Placed, call_sid=await self._line.dial())
        self._bridge.on_dialled(time.monotonic())

    async def _lead_elsewhere(self) -> None:
        await self._line.lead_elsewhere()
        self._times.tunnel = self._line.tunnel

    async def _finish(self) -> None:
        """End the call whatever happened, and see that it has ended."""
        self._bridge.stop()
        await self._inbox.stop()
        self._line.phone.close()
        if self._ends_by_itself():
            await self._reported_end()
        record = await self._line.placed.end()
        if record is None:
            return
        if self._order.record and self._times.recording is None:
            await self._reported_end()  # which names the recording
        self._bridge.on_duration(record.duration or 0)
        if self._line.placed.hung_up_elsewhere:
            self._bridge.on_hung_up_elsewhere()
        reason = self._bridge.end_reason or EndReason.STOPPED
        if reason is not EndReason.COMPLETED:
            self._times.notifications = await self._line.complaints()
        self.report = report(self._bridge, self._order, self._times, record)
        if not record.ended:
            return
        self._say(callevents.HungUp, end_reason=reason, duration=record.duration)
        self._line.placed.note_outcome(
            end_reason=reason,
            seconds_heard=self._bridge.seconds_heard,
            exit_code=exit_code_of(reason),
        )

    def _ends_by_itself(self) -> bool:
        """Whether closing the socket ends the call: nothing follows the stream then."""
        open_call = self._bridge.started_at is not None and self._bridge.status not in TERMINAL
        return open_call and not self._bridge.deadlines.reconnect

    async def _reported_end(self) -> None:
        """Wait for the callback that follows the close of the socket."""
        deadline = time.monotonic() + END_WITHIN
        while (happened := await self._inbox.get(deadline)) is not None:
            _, event = happened
            if isinstance(event, CallStatus) and event.status in TERMINAL:
                self._on_status(event)
                return

    # What came of it

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self._tell_warning(text)

    def _say(
        self, kind: type[callevents.CallEvent], now: float | None = None, **fields: Any
    ) -> None:
        at = self._at(time.monotonic() if now is None else now)
        self._pass_on(kind(at=round(at, 3), **fields))

    def _at(self, now: float) -> float:
        """Seconds since the call was asked for."""
        return now - self._times.began

    def _pass_on(self, event: callevents.CallEvent) -> None:
        self._times.note(event)
        self._watcher.event(event)
        self._tell(event)

    def _pass_on_news(self) -> None:
        news, self._bridge.news = self._bridge.news, []
        for event in news:
            self._pass_on(event)

    async def _outcome(self) -> CallReport:
        self._pass_on_news()
        if self._bridge.assumed_end:
            self._warn("The speech service never said that it was done")
        return outcome(
            self._bridge, self._order, self._times, self._line.placed.record, self._cause
        )


async def _insistently(work: Coroutine[Any, Any, None]) -> None:
    """Do it to the end; whoever cancels it meanwhile waits a little for it."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=LAST_CHANCE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
