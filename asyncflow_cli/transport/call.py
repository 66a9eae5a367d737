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
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from asyncflow_cli.errors import AsyncflowError, CallRejectedError, UsageError
from asyncflow_cli.protocol import callevents, media
from asyncflow_cli.protocol.bridge import (
    LEAD_IN,
    Action,
    Bridge,
    Clear,
    Deadlines,
    Dial,
    HangUp,
    Hush,
    Mark,
    Phase,
    Play,
    Reconnect,
    Speak,
)
from asyncflow_cli.protocol.callrequest import CallRequest, Machine, stream_twiml
from asyncflow_cli.protocol.callrequest import doubts as request_doubts
from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.endings import TERMINAL
from asyncflow_cli.protocol.frames import payloads
from asyncflow_cli.protocol.markupcheck import escape
from asyncflow_cli.protocol.models import PHONE, VoiceSelector, doubts
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.protocol.outcome import Timeline, outcome
from asyncflow_cli.protocol.plan import MachinePolicy
from asyncflow_cli.protocol.script import Script, sentences
from asyncflow_cli.protocol.speech import Initialize
from asyncflow_cli.protocol.vad import SpeechDetector
from asyncflow_cli.settings import Settings, is_loopback
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.listener import serving
from asyncflow_cli.transport.phone import (
    CallStatus,
    Phone,
    PhoneEvent,
    PhoneLost,
    StreamFailed,
    Verdict,
)
from asyncflow_cli.transport.placed import PlacedCall
from asyncflow_cli.transport.preflight import Check, preflight, twilio_checks
from asyncflow_cli.transport.signature import Keys
from asyncflow_cli.transport.streaming import texts_of
from asyncflow_cli.transport.twilio import CALL_GONE, TwilioClient
from asyncflow_cli.transport.voice import SpeechLost, Spoken, Voice
from asyncflow_cli.transport.way import Way
from asyncflow_cli.transport.writer import typed

log = logging.getLogger(__name__)

POLL_EVERY = 5.0
"""Seconds between looks at the call: callbacks are lost when a tunnel dies."""

END_WITHIN = 3.0
"""Seconds in which a call whose socket we closed should report its end."""

LAST_CHANCE = 3.0
"""Seconds that hanging up still has when a second Ctrl-C comes."""

LEAD_AGAIN = 0.5
"""Seconds between two tries to lead a call to a new socket, which Twilio refuses while it rings."""

DETECTION: dict[MachinePolicy, Machine | None] = {
    "continue": None,
    "hangup": "Enable",
    "after-beep": "DetectMessageEnd",
}


@dataclass(frozen=True)
class Written:
    """The next sentence of a text that is being written; None is its end."""

    text: str | None


@dataclass(frozen=True)
class Voiced:
    """The callee has begun to speak."""


@dataclass(frozen=True)
class TunnelLost:
    why: str


@dataclass(frozen=True)
class Broken:
    """Something that runs beside the loop failed as it must not."""

    error: BaseException


Event: TypeAlias = PhoneEvent | Spoken | SpeechLost | Written | Voiced | TunnelLost | Broken


Tell: TypeAlias = Callable[[callevents.CallEvent], None]


class PhoneCall:
    """Runs once. `warn` hears, in words, what should not happen and stops nothing."""

    def __init__(
        self,
        settings: Settings,
        order: CallOrder,
        journal: Journal,
        library: VoiceLibrary,
        *,
        warn: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._order = order
        self._library = library
        self._tell: Tell = lambda _event: None
        self._warn = warn
        self._events: asyncio.Queue[tuple[float, Event]] = asyncio.Queue()
        self._way = Way(settings, order, lost=lambda why: self._emit(TunnelLost(why)))
        self._bridge = self._make_bridge()
        self._detector = SpeechDetector() if order.manners.barge_in == "speech" else None
        self._phone = Phone(
            self._emit,
            account_sid=settings.twilio_account_sid,
            keys=Keys.of(settings),
            sign_required=not is_loopback(settings.twilio_base_url),
            refused=warn,
            hear=self._hear if self._detector else None,
            routes=self._way.routes,
        )
        self._twilio = TwilioClient(settings)
        self._placed = PlacedCall(self._twilio, journal, warn)
        self._voice: Voice | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._times = Timeline(began=time.monotonic())
        self._cause: AsyncflowError | None = None
        self._dial_wanted = False

    @property
    def sid(self) -> str | None:
        """The call's, once it was dialled."""
        return self._placed.sid

    async def run(self, tell: Tell) -> CallReport:
        """Make the call, and `tell` what happens. Any ending but the last word heard is raised,
        with the report."""
        self._tell = tell
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._twilio.aclose)
            await self._placed.end_orphans()
            port = await stack.enter_async_context(serving(self._phone.app, port=self._order.port))
            await stack.enter_async_context(self._way)
            try:
                await self._prepare(stack, port)
                await self._converse()
            finally:
                await _insistently(self._finish())
        return await self._outcome()

    def _make_bridge(self) -> Bridge:
        order = self._order
        script = Script(
            sentences(order.text) if order.text else (),
            more=order.manners.keep_open or (order.text is None and order.audio is None),
            keep=order.manners.keeps_audio,
        )
        if order.audio is not None:
            script.add_audio(payloads(order.audio))
        deadlines = Deadlines(
            ring=float(order.ring_timeout),
            total=float(order.max_duration),
            writer=None if order.manners.keep_open else order.max_silence,
        )
        return Bridge(script, deadlines, order.manners)

    # Before anybody is called

    async def _prepare(self, stack: contextlib.AsyncExitStack, port: int) -> None:
        """Check everything that can be, and have the first words ready; or raise all that fails."""
        checks = twilio_checks(
            self._twilio, self._order.from_, force=self._order.force, warn=self._warn
        )
        checks += [
            Check("public address", lambda: self._open_way(port)),
            Check("speech", lambda: self._first_words(stack)),
        ]
        await preflight(checks)
        self._bridge.deadlines = self._with_patience()

    async def _open_way(self, port: int) -> None:
        self._phone.public_url = await self._way.open(port)
        log.info("Twilio finds us at %s", self._phone.public_url)

    def _with_patience(self) -> Deadlines:
        grace = self._order.reconnect if self._way.has_other else 0.0
        return replace(self._bridge.deadlines, reconnect=grace)

    async def _first_words(self, stack: contextlib.AsyncExitStack) -> None:
        if self._order.audio is None:
            initialize = await self._library.with_id(self._initialize())
            for doubt in doubts(initialize):
                self._warn(doubt)
            opened = Voice.opened(self._settings, initialize, self._emit, self._on_done)
            self._voice = await stack.enter_async_context(opened)
        if self._bridge.script.more:
            self._start(self._read())
        await self._do(self._bridge.on_clock(time.monotonic()))
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

    def _emit(self, event: Event) -> None:
        self._events.put_nowait((time.monotonic(), event))

    async def _converse(self) -> None:
        if self._dial_wanted:
            await self._dial()
        while self._bridge.phase is not Phase.DONE:
            await self._step()

    async def _step(self) -> None:
        event = await self._next()
        actions = self._bridge.on_clock(time.monotonic())
        if event is not None:
            actions += self._decide(event)
        await self._do(actions)
        self._pass_on_news()

    async def _next(self) -> Event | None:
        """The next event, or None when the bridge's deadline has come."""
        deadline = self._bridge.deadline
        patience = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            async with asyncio.timeout(patience):
                at, event = await self._events.get()
        except TimeoutError:
            return None
        if isinstance(event, media.Start):
            self._times.started = at
        return event

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
                return bridge.on_phone_lost() if token == self._phone.token else []
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
        if self._phone.stream_sid not in ("", failed.stream_sid):
            return []  # news of a stream that was given up already
        self._warn(f"Twilio could not keep the media socket: {failed.reason}")
        return self._bridge.on_phone_lost(failed.reason)

    def _on_status(self, event: CallStatus) -> list[Action]:
        self._times.sip_code = event.sip_code or self._times.sip_code
        self._times.recording = event.recording or self._times.recording
        if event.status != self._times.status:
            self._times.status = event.status
            self._say(callevents.Status, status=event.status, sip_code=event.sip_code or None)
        return self._bridge.on_status(event.status)

    async def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Speak(text=text, take=take, anew=anew):
                    assert self._voice is not None
                    self._voice.speak(text, take, anew=anew)
                case Hush():
                    if self._voice is not None:
                        await self._voice.hush()
                case Dial():
                    self._dial_wanted = True
                case Play(payload=payload):
                    await self._play(payload)
                case Mark(name=name):
                    await self._phone.mark(name)
                case Clear():
                    await self._phone.clear()
                case Reconnect():
                    self._start(self._reconnect())
                case HangUp(tail=tail):
                    self._pass_on_news()
                    await asyncio.sleep(tail)

    async def _play(self, payload: str) -> None:
        await self._phone.play(payload)
        if self._times.first_frame is None and payload != LEAD_IN:
            self._times.first_frame = time.monotonic()
            self._say(callevents.FirstFrame, after_start_ms=self._times.first_frame_ms)

    # What runs beside it

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_done)
        self._tasks.add(task)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._emit(Broken(bug))

    async def _read(self) -> None:
        """Take in a text that is still being written."""
        async with aclosing(self._texts()) as texts:
            written = False
            async for text in texts:
                written = True
                self._emit(Written(escape(text) if self._order.plain_text else text))
        if not written and self._bridge.phase is Phase.PREPARING:
            raise UsageError("There is no text to speak", code="TEXT_EMPTY")
        self._emit(Written(None))

    def _texts(self) -> AsyncGenerator[str, None]:
        if self._order.manners.keep_open:
            return typed()
        return texts_of(None, self._order.flush_after)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_EVERY)
            with contextlib.suppress(AsyncflowError):
                self._emit(CallStatus(await self._placed.status()))

    def _hear(self, payload: str, milliseconds: int) -> None:
        assert self._detector is not None
        if self._detector.feed(payload, milliseconds / 1000):
            self._emit(Voiced())

    # Dialling, leading elsewhere, and hanging up

    async def _dial(self) -> None:
        self._say(
            callevents.Ready,
            to=self._order.to,
            from_=self._order.from_,
            tunnel=self._way.name,
            first_audio_ms=self._times.since_began_ms(time.monotonic()),
        )
        request = self._request()
        for doubt in request_doubts(request):
            self._warn(doubt)
        self._times.dialled = time.monotonic()
        await self._placed.place(request)
        assert self._placed.sid is not None
        self._say(callevents.Placed, call_sid=self._placed.sid)
        if not self._phone.expect(self._placed.sid):
            raise CallRejectedError("Somebody else's call took our socket")
        self._start(self._poll())

    def _request(self) -> CallRequest:
        order = self._order
        machine = DETECTION[order.manners.machine]
        return CallRequest(
            to=order.to,
            from_=order.from_,
            twiml=self._twiml(),
            status_callback=self._phone.status_url,
            ring_timeout=order.ring_timeout,
            time_limit=order.max_duration,
            caller_id=order.caller_id,
            send_digits=order.send_digits,
            record=order.record,
            machine=machine,
            async_amd_status_callback=self._phone.amd_url if machine else None,
        )

    def _twiml(self) -> str:
        hold = int(self._bridge.deadlines.reconnect)
        return stream_twiml(self._phone.media_url, self._phone.stream_status_url, hold)

    async def _reconnect(self) -> None:
        """Lead the call to a new socket, behind another tunnel where the one there was is lost."""
        self._phone.renew()
        self._phone.public_url = await self._way.again()
        while self._placed.sid is not None:
            try:
                await self._twilio.redirect(self._placed.sid, self._twiml())
                return
            except AsyncflowError as error:
                if error.code in CALL_GONE:
                    self._emit(CallStatus(await self._placed.status()))
                await asyncio.sleep(LEAD_AGAIN)

    async def _finish(self) -> None:
        """End the call whatever happened, and see that it has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._phone.close()
        if self._ends_by_itself():
            await self._reported_end()
        record = await self._placed.end()
        if record is not None and record.ended:
            self._bridge.on_duration(record.duration or 0)
            self._say(
                callevents.HungUp,
                end_reason=self._bridge.end_reason or "cancelled",
                duration=record.duration,
            )

    def _ends_by_itself(self) -> bool:
        """Whether closing the socket ends the call: nothing follows the stream then."""
        open_call = self._bridge.started_at is not None and self._bridge.status not in TERMINAL
        return open_call and not self._bridge.deadlines.reconnect

    async def _reported_end(self) -> None:
        """Wait for the callback that follows the close of the socket."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_WITHIN):
                while True:
                    _, event = await self._events.get()
                    if isinstance(event, CallStatus) and event.status in TERMINAL:
                        self._on_status(event)
                        return

    # What came of it

    def _say(self, kind: type[callevents.CallEvent], **fields: Any) -> None:
        at = round(time.monotonic() - self._times.began, 3)
        self._tell(kind(at=at, **fields))

    def _pass_on_news(self) -> None:
        news, self._bridge.news = self._bridge.news, []
        for event in news:
            self._tell(event)

    async def _outcome(self) -> CallReport:
        self._pass_on_news()
        if self._bridge.assumed_end:
            self._warn("The speech service never said that it was done")
        return outcome(self._bridge, self._order, self._times, self._placed.record, self._cause)


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
