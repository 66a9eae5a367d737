"""One phone call from preparation to hang-up: the shell that `protocol.bridge` decides for.

Everything that happens becomes an event on one queue; one loop takes it off, asks the bridge
and does what it says. Whatever breaks the loop, `_finish` ends the call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from asyncflow_cli.errors import AsyncflowError, ServiceError
from asyncflow_cli.protocol import media, speech
from asyncflow_cli.protocol.bridge import (
    LEAD_IN,
    Action,
    Bridge,
    Deadlines,
    Dial,
    HangUp,
    Mark,
    Phase,
    Play,
    RanDry,
    Speak,
    SpeechEvent,
)
from asyncflow_cli.protocol.callrequest import CallRequest, stream_twiml
from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.endings import ENDINGS, TERMINAL, EndReason, sip_words
from asyncflow_cli.protocol.models import PHONE, VoiceSelector, doubts
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.protocol.speech import Initialize
from asyncflow_cli.settings import Settings, is_loopback
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.library import VoiceLibrary
from asyncflow_cli.transport.listener import serving
from asyncflow_cli.transport.phone import CallStatus, Phone, PhoneEvent, PhoneLost, StreamFailed
from asyncflow_cli.transport.placed import PlacedCall
from asyncflow_cli.transport.speech import SpeechSession
from asyncflow_cli.transport.tunnel import open_tunnel
from asyncflow_cli.transport.twilio import TwilioClient

log = logging.getLogger(__name__)

POLL_EVERY = 5.0
"""Seconds between looks at the call: callbacks are lost when a tunnel dies."""

END_WITHIN = 3.0
"""Seconds in which a call whose socket we closed should report its end."""

LAST_CHANCE = 3.0
"""Seconds that hanging up still has when a second Ctrl-C comes."""

STATUS_WORDS = {
    "ringing": "Ringing",
    "in-progress": "Answered",
    "no-answer": "No answer",
    "canceled": "Cancelled",
    "busy": "Busy",
    "failed": "Failed",
    "completed": "Ended",
}


@dataclass(frozen=True)
class SpeechLost:
    error: AsyncflowError


@dataclass(frozen=True)
class Broken:
    """Something that runs beside the loop failed as it must not."""

    error: BaseException


Event: TypeAlias = PhoneEvent | SpeechEvent | SpeechLost | Broken


class PhoneCall:
    """Runs once. `tell` hears, in words, what happens; `warn` what should not."""

    def __init__(
        self,
        settings: Settings,
        order: CallOrder,
        journal: Journal,
        library: VoiceLibrary,
        *,
        tell: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._order = order
        self._library = library
        self._tell = tell
        self._warn = warn
        self._bridge = Bridge(
            order.text,
            Deadlines(ring=float(order.ring_timeout), total=float(order.max_duration)),
        )
        self._events: asyncio.Queue[tuple[float, Event]] = asyncio.Queue()
        self._phone = Phone(
            self._emit,
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token,
            sign_required=not is_loopback(settings.twilio_base_url),
            refused=warn,
        )
        self._twilio = TwilioClient(settings)
        self._placed = PlacedCall(self._twilio, journal, warn)
        self._tasks: list[asyncio.Task[None]] = []
        self._began = time.monotonic()
        self._cause: AsyncflowError | None = None
        self._sip_code = ""
        self._dialled_at: float | None = None
        self._started_at: float | None = None
        self._first_frame_at: float | None = None

    @property
    def sid(self) -> str | None:
        """The call's, once it was dialled."""
        return self._placed.sid

    async def run(self) -> CallReport:
        """Make the call. Any ending but the last word heard is raised, with the report."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._twilio.aclose)
            await self._placed.end_orphans()
            initialize = await self._library.with_id(self._initialize())
            port = await stack.enter_async_context(serving(self._phone.app, port=self._order.port))
            self._phone.public_url = await stack.enter_async_context(self._tunnel(port))
            log.info("Twilio finds us at %s", self._phone.public_url)
            for doubt in doubts(initialize):
                self._warn(doubt)
            session = await stack.enter_async_context(SpeechSession(self._settings, initialize))
            try:
                await self._converse(session)
            finally:
                await _insistently(self._finish())
        return self._outcome()

    def _tunnel(self, port: int) -> contextlib.AbstractAsyncContextManager[str]:
        return open_tunnel(
            port,
            public_url=self._order.public_url,
            twilio_base_url=self._settings.twilio_base_url,
            authtoken=self._settings.ngrok_authtoken,
        )

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

    async def _converse(self, session: SpeechSession) -> None:
        await self._do(self._bridge.on_clock(time.monotonic()), session)
        await self._do(self._bridge.begin(), session)
        while self._bridge.phase is not Phase.DONE:
            event = await self._next()
            actions = self._bridge.on_clock(time.monotonic())
            if event is not None:
                actions += self._decide(event)
            await self._do(actions, session)

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
            self._started_at = at
        return event

    def _decide(self, event: Event) -> list[Action]:
        match event:
            case Broken(error=bug):
                raise bug
            case SpeechLost(error=error):
                if self._bridge.phase is Phase.PREPARING:
                    raise error
                self._cause = error
                return self._bridge.on_speech_lost()
            case PhoneLost() | StreamFailed():
                if isinstance(event, StreamFailed):
                    self._warn(f"Twilio could not keep the media socket: {event.reason}")
                return self._bridge.on_phone_lost()
            case CallStatus(status=status, sip_code=sip_code):
                self._sip_code = sip_code or self._sip_code
                self._say_status(status)
                return self._bridge.on_status(status)
            case speech.Audio() | speech.Final() | RanDry():
                return self._bridge.on_speech(event)
            case _:
                if isinstance(event, media.Start):
                    self._say("Speaking")
                return self._bridge.on_phone(event)

    async def _do(self, actions: list[Action], session: SpeechSession) -> None:
        for action in actions:
            match action:
                case Speak(text=text):
                    self._start(self._listen(session, text))
                case Dial():
                    await self._dial()
                case Play(payload=payload):
                    await self._play(payload)
                case Mark(name=name):
                    await self._phone.mark(name)
                case HangUp(reason=reason, tail=tail):
                    if reason is EndReason.COMPLETED:
                        self._say("The last word was heard")
                    await asyncio.sleep(tail)

    async def _play(self, payload: str) -> None:
        await self._phone.play(payload)
        if self._first_frame_at is None and payload != LEAD_IN:
            self._first_frame_at = time.monotonic()

    # What runs beside it

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_done)
        self._tasks.append(task)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._emit(Broken(bug))

    async def _listen(self, session: SpeechSession, text: str) -> None:
        try:
            async for event in session.speak(text):
                self._emit(event)
        except AsyncflowError as error:
            self._emit(SpeechLost(error))

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_EVERY)
            with contextlib.suppress(AsyncflowError):
                self._emit(CallStatus(await self._placed.status()))

    # Dialling and hanging up

    async def _dial(self) -> None:
        order = self._order
        self._say(f"Calling {order.to} from your number {order.from_}")
        self._dialled_at = time.monotonic()
        request = CallRequest(
            to=order.to,
            from_=order.from_,
            twiml=stream_twiml(self._phone.media_url, self._phone.stream_status_url),
            status_callback=self._phone.status_url,
            ring_timeout=order.ring_timeout,
            time_limit=order.max_duration,
        )
        await self._placed.place(request)
        self._phone.call_sid = self._placed.sid
        self._start(self._poll())

    async def _finish(self) -> None:
        """End the call whatever happened, and see that it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._phone.close()
        if self._bridge.started_at is not None and self._bridge.status not in TERMINAL:
            await self._reported_end()
        record = await self._placed.end()
        if record is not None and record.ended:
            if self._bridge.answered_at is not None:
                self._say("Hung up")
            self._bridge.on_duration(record.duration or 0)

    async def _reported_end(self) -> None:
        """Wait for the callback that follows the close of the socket."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_WITHIN):
                while True:
                    _, event = await self._events.get()
                    if isinstance(event, CallStatus) and event.status in TERMINAL:
                        return

    # What came of it

    def _say(self, what: str) -> None:
        """A line for people, with the seconds since the call was asked for."""
        self._tell(f"{time.monotonic() - self._began:5.1f} s  {what}")

    def _say_status(self, status: str) -> None:
        if status != self._bridge.status and status in STATUS_WORDS:
            self._say(STATUS_WORDS[status])

    def _outcome(self) -> CallReport:
        reason = self._bridge.end_reason or EndReason.CANCELLED
        if reason is EndReason.COMPLETED:
            if self._bridge.assumed_end:
                self._warn("The speech service never said that it was done")
            return self._report(reason)
        error, message = ENDINGS[reason]
        if self.sid is None:
            raise ServiceError(f"{message}, so nobody was called", code="TTS_EMPTY")
        details = msgspec.to_builtins(self._report(reason))
        cause = self._cause
        why = cause.message if cause else sip_words(self._sip_code, reason)
        raise error(
            f"{message}: {why}" if why else message,
            hint=cause.hint if cause else None,
            details=details,
        ) from cause

    def _report(self, reason: EndReason) -> CallReport:
        bridge, record = self._bridge, self._placed.record
        assert record is not None
        return CallReport(
            call_sid=record.sid,
            status=record.status,
            end_reason=reason,
            to=self._order.to,
            from_=self._order.from_,
            seconds_sent=round(bridge.seconds_sent, 3),
            seconds_heard=round(bridge.seconds_heard, 3),
            duration=record.duration,
            answered_after_ms=_milliseconds(self._dialled_at, bridge.answered_at),
            first_frame_ms=_milliseconds(self._started_at, self._first_frame_at),
            digits=bridge.digits,
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


def _milliseconds(since: float | None, until: float | None) -> float | None:
    return None if since is None or until is None else round((until - since) * 1000, 1)
