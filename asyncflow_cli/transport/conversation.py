"""The shell of `protocol.bridge`: what happens in a call is decided and done the moment it comes.

Nothing here waits. What takes time is started beside the call, and its end is another event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol import media
from asyncflow_cli.protocol.actions import (
    Action,
    Clear,
    Dial,
    HangUp,
    Hush,
    Mark,
    Play,
    Reconnect,
    Speak,
)
from asyncflow_cli.protocol.bridge import Bridge
from asyncflow_cli.protocol.phases import DONE, PREPARING
from asyncflow_cli.transport.callbacks import CallStatus, StreamFailed, Verdict
from asyncflow_cli.transport.chronicle import Chronicle
from asyncflow_cli.transport.ear import Ear
from asyncflow_cli.transport.inbox import (
    Broken,
    Event,
    Inbox,
    Incident,
    TunnelLost,
    Voiced,
    Written,
)
from asyncflow_cli.transport.leg import PhoneLost
from asyncflow_cli.transport.phone import Phone
from asyncflow_cli.transport.voice import SpeechLost, Spoken, Voice


class Conversation:
    """Of one bridge and one phone. `lead_elsewhere` leads the call to the phone's next socket."""

    __slots__ = (
        "_bridge",
        "_chronicle",
        "_ear",
        "_inbox",
        "_lead_elsewhere",
        "_leading",
        "_phone",
        "_tail",
        "cause",
        "may_dial",
        "voice",
    )

    def __init__(
        self,
        bridge: Bridge,
        phone: Phone,
        inbox: Inbox,
        chronicle: Chronicle,
        ear: Ear,
        lead_elsewhere: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self.voice: Voice | None = None
        """Who speaks; only recorded audio needs none."""
        self.cause: AsyncflowError | None = None
        """Why speech was lost, if it was."""
        self.may_dial = False
        """There is something to say, or somebody to wait for."""
        self._bridge = bridge
        self._phone = phone
        self._inbox = inbox
        self._chronicle = chronicle
        self._ear = ear
        self._lead_elsewhere = lead_elsewhere
        self._leading: asyncio.Task[None] | None = None
        self._tail = 0.0

    @property
    def is_preparing(self) -> bool:
        """Whether nobody may be called yet."""
        return self._bridge.phase is PREPARING

    @property
    def is_over(self) -> bool:
        return self._bridge.phase is DONE

    async def prepare(self) -> None:
        """Have the first words ready. What the speech service refuses is raised."""
        self._do(self._bridge.on_clock(self._chronicle.times.began))
        self._do(self._bridge.begin())
        await self._inbox.run(self._prepare)

    async def run(self) -> None:
        """Take part in the call, until it is to be hung up."""
        await self._inbox.run(self._take)
        await asyncio.sleep(self._tail)

    def _prepare(self, event: Event | None, came: float, now: float) -> float | None:
        deadline = self._take(event, came, now)
        return deadline if self.is_preparing else None

    def _take(self, event: Event | None, came: float, now: float) -> float | None:
        bridge, chronicle = self._bridge, self._chronicle
        actions = bridge.on_clock(now)
        if isinstance(event, Spoken):
            if chronicle.attends:
                chronicle.happened(event, came)
            actions += bridge.on_speech(event.event, event.take)
        elif event is not None:
            chronicle.happened(event, came)
            actions += self._decide(event, now)
        if bridge.news.events:
            chronicle.pass_on_news(bridge)
        if actions:
            self._do(actions)
        return None if bridge.phase is DONE else bridge.timers.none_before

    def _decide(self, event: Incident, now: float) -> list[Action]:
        bridge = self._bridge
        match event:
            case Broken(error=bug):
                raise bug
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
                self._chronicle.status(event, now)
                return bridge.on_status(event.status)
            case Verdict(answered_by=answered_by):
                return bridge.on_machine(answered_by)
            case media.Start():
                self._ear.begin()
                return bridge.on_phone(event)
            case _:
                return bridge.on_phone(event)

    def _on_speech_lost(self, lost: SpeechLost) -> list[Action]:
        if self.is_preparing and not lost.passing:
            raise lost.error
        self.cause = lost.error
        return self._bridge.on_speech_lost(lost.take, passing=lost.passing, why=lost.error.message)

    def _on_stream_failed(self, failed: StreamFailed) -> list[Action]:
        if self._phone.stream_sid not in ("", failed.stream_sid):
            return []  # news of a stream that was given up already
        self._chronicle.warn(f"Twilio could not keep the media socket: {failed.reason}")
        return self._bridge.on_phone_lost(failed.reason)

    def _do(self, actions: list[Action]) -> None:
        leg = self._phone.leg
        for action in actions:
            match action:
                case Play(payload=payload):
                    leg.play(payload)
                case Mark(name=name):
                    leg.mark(name)
                case Clear():
                    leg.clear()
                case _:
                    self._do_elsewhere(action)
        leg.flush()
        if self._chronicle.attends:
            self._chronicle.done(actions)

    def _do_elsewhere(self, action: Action) -> None:
        match action:
            case Speak(text=text, take=take, anew=anew):
                assert self.voice is not None
                self._chronicle.asked()
                self.voice.speak(text, take, anew=anew)
            case Hush():
                if self.voice is not None:
                    self.voice.hush()
            case Dial():
                self.may_dial = True
            case Reconnect():
                self._reconnect()
            case HangUp(tail=tail):
                self._tail = tail

    def _reconnect(self) -> None:
        if self._leading is not None:
            self._leading.cancel()
        self._leading = self._inbox.start(self._lead_elsewhere())
