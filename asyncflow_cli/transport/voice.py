"""A call's voice: sentence after sentence over one speech connection, which may be replaced."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import msgspec

from asyncflow_cli.errors import AsyncflowError, IncompleteError, NetworkError, ServiceError
from asyncflow_cli.protocol.sniff import kind_of
from asyncflow_cli.protocol.speechmessages import Audio, Final, Initialize, SpeechEvent
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.speaker import Speaker

BREATH = 0.5
"""Seconds before another connection is tried in place of one that was lost."""

SNIFFED = 4096
"""Characters of base64 that are looked at for a file's header: two frames of mp3."""


class Spoken(msgspec.Struct, frozen=True):
    """Audio of a take, or its end."""

    take: int
    event: SpeechEvent


@dataclass(frozen=True)
class SpeechLost:
    take: int
    error: AsyncflowError

    @property
    def passing(self) -> bool:
        """Whether another connection may do better."""
        return self.error.passing or isinstance(self.error, NetworkError | ServiceError)


class Voice:
    """`emit` hears what comes of the takes; one is spoken at a time. `failed` is told of every task
    that is over: what it failed with is a bug.

    Enter it to open its connection.
    """

    def __init__(
        self,
        settings: Settings,
        initialize: Initialize,
        emit: Callable[[Spoken | SpeechLost], None],
        failed: Callable[[asyncio.Task[None]], None],
    ) -> None:
        self._settings = settings
        self._initialize = initialize
        self._emit = emit
        self._failed = failed
        self._speaker: Speaker | None = None
        self._is_stale = False
        """Its connection is of no more use: what is asked for next needs another."""
        self._replacing: asyncio.Task[None] | None = None
        self._take = 0
        self._begun = False
        """There was audio of the take."""

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hush()
        if self._replacing is not None:
            await asyncio.gather(self._replacing, return_exceptions=True)
        await self._close()

    def speak(self, text: str, take: int, *, anew: bool) -> None:
        """Have `text` synthesised, `anew` on a connection of its own."""
        self.hush()
        self._take, self._begun = take, False
        self._is_stale |= anew
        if self._speaker is not None and not self._is_stale:
            self._speaker.say(text)
            return
        self._replacing = asyncio.create_task(self._speak_anew(self._replacing, text, take))
        self._replacing.add_done_callback(self._failed)

    def hush(self) -> None:
        """Stop what is being said."""
        if self._replacing is not None:
            self._replacing.cancel()
        if self._speaker is not None:
            self._speaker.stop()

    async def _speak_anew(self, before: asyncio.Task[None] | None, text: str, take: int) -> None:
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        try:
            await self._close()
            await asyncio.sleep(BREATH)
            (await self._open()).say(text)
        except AsyncflowError as error:
            self._emit(SpeechLost(take, error))

    async def _open(self) -> Speaker:
        speaker = Speaker(self._settings, self._initialize, self._on_event)
        self._speaker, self._is_stale = await speaker.__aenter__(), False
        return speaker

    async def _close(self) -> None:
        speaker, self._speaker = self._speaker, None
        if speaker is not None:
            await speaker.__aexit__(None, None, None)

    def _on_event(self, event: SpeechEvent | AsyncflowError) -> None:
        if not self._begun:
            event = self._on_first(event)
        if isinstance(event, AsyncflowError):
            self._emit(SpeechLost(self._take, event))
        else:
            self._emit(Spoken(self._take, event))

    def _on_first(self, event: SpeechEvent | AsyncflowError) -> SpeechEvent | AsyncflowError:
        """The first audio has to be plain samples: a file's header would be heard as noise."""
        if not isinstance(event, Audio | Final) or not event.audio:
            return event
        self._begun = True
        kind = kind_of(base64.b64decode(event.audio[:SNIFFED]))
        if kind is None:
            return event
        self.hush()
        return IncompleteError(
            f"The speech service sent a file ({kind}) where plain μ-law was asked for",
            hint="Try another --model",
            code="SPEECH_IS_A_FILE",
        )
