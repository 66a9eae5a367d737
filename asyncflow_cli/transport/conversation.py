"""The shell of `protocol.bridge`: what happens in a call is decided and done the moment it comes.

Nothing here waits. What takes time is started beside the call, and its end is another event.
"""

from __future__ import annotations

import asyncio
import time
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
from asyncflow_cli.protocol.phases import Phase
from asyncflow_cli.transport.callbacks import CallStatus, StreamFailed, Verdict
from asyncflow_cli.transport.chronicle import Chronicle
from asyncflow_cli.transport.ear import Ear
from asyncflow_cli.transport.inbox import Broken, Event, Inbox, TunnelLost, Voiced, Written
from asyncflow_cli.transport.leg import PhoneLost
from asyncflow_cli.transport.phone import Phone
from asyncflow_cli.transport.voice import SpeechLost, Spoken, Voice


class Conversation:
    """Of one bridge and one phone. `lead_elsewhere` leads the call to the phone's next socket."""

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
        self._now = chronicle.times.began
        self._tail = 0.0

    @property
    def is_preparing(self) -> bool:
        """Whether nobody may be called yet."""
        return self._bridge.phase is Phase.PREPARING

    @property
    def is_over(self) -> bool:
        return self._bridge.phase is Phase.DONE

    async def prepare(self) -> None:
        """Have the first words ready. What the speech service refuses is raised."""
        self._do(self._bridge.on_clock(self._now))
        self._do(self._bridge.begin())
        await self._until(lambda: not self.is_preparing)

    async def run(self) -> None:
        """Take part in the call, until it is to be hung up."""
        bridge = self._bridge
        await self._until(lambda: bridge.phase is Phase.DONE)
        await asyncio.sleep(self._tail)

    async def _until(self, over: Callable[[], bool]) -> None:
        await self._inbox.run(self._take, lambda: self._bridge.deadline, over)

    def _take(self, at: float, event: Event | None) -> None:
        self._now = time.monotonic()
        actions = self._bridge.on_clock(self._now)
        if event is not None:
            self._chronicle.happened(at, event)
            actions += self._decide(event)
        self._chronicle.pass_on_news(self._bridge)
        if actions:
            self._do(actions)

    def _decide(self, event: Event) -> list[Action]:
        bridge = self._bridge
        match event:
            case Spoken(take=take, event=spoken):
                return bridge.on_speech(spoken, take)
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
                self._chronicle.status(event, self._now)
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
        for action in actions:
            match action:
                case Play(payload=payload):
                    self._phone.play(payload)
                    self._chronicle.sent(payload)
                case Mark(name=name):
                    self._chronicle.mark(name)
                    self._phone.mark(name)
                case Speak(text=text, take=take, anew=anew):
                    assert self.voice is not None
                    self._chronicle.asked()
                    self.voice.speak(text, take, anew=anew)
                case Hush():
                    if self.voice is not None:
                        self.voice.hush()
                case Clear():
                    self._chronicle.clear()
                    self._phone.clear()
                case Dial():
                    self.may_dial = True
                case Reconnect():
                    self._reconnect()
                case HangUp(tail=tail):
                    self._tail = tail
        self._phone.flush()

    def _reconnect(self) -> None:
        self._chronicle.clear()
        if self._leading is not None:
            self._leading.cancel()
        self._leading = self._inbox.start(self._lead_elsewhere())
