"""A call's voice: sentence after sentence over one speech connection, which may be replaced."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

import msgspec

from asyncflow_cli.errors import AsyncflowError, IncompleteError, NetworkError, ServiceError
from asyncflow_cli.protocol.sniff import kind_of
from asyncflow_cli.protocol.speechmessages import Audio, Final, Initialize, RanDry, SpeechEvent
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.speech import SpeechSession

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
        self._session: SpeechSession | None = None
        self._speaking: asyncio.Task[None] | None = None

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
        if self._speaking is not None:
            await asyncio.gather(self._speaking, return_exceptions=True)
        await self._close()

    def speak(self, text: str, take: int, *, anew: bool) -> None:
        """Have `text` synthesised, `anew` on a connection of its own."""
        self.hush()  # now, for whoever is to wait for it may be cancelled before
        before = self._speaking
        self._speaking = asyncio.create_task(self._speak(before, text, take, anew=anew))
        self._speaking.add_done_callback(self._failed)

    def hush(self) -> None:
        """Stop what is being said."""
        if self._speaking is not None:
            self._speaking.cancel()

    async def _speak(
        self, before: asyncio.Task[None] | None, text: str, take: int, *, anew: bool
    ) -> None:
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        try:
            if anew or self._session is None:
                await self._replace()
            assert self._session is not None
            at_once = partial(self._on_audio, take)
            async with aclosing(_samples(self._session.speak(text, at_once))) as events:
                async for event in events:
                    if isinstance(event, Final):
                        break
                    self._emit(Spoken(take, event))
            # Only now, for what it brings about is the next sentence on this connection.
            self._emit(Spoken(take, event))
        except AsyncflowError as error:
            self._emit(SpeechLost(take, error))

    def _on_audio(self, take: int, audio: Audio) -> None:
        self._emit(Spoken(take, audio))

    async def _replace(self) -> None:
        await self._close()
        await asyncio.sleep(BREATH)
        await self._open()

    async def _open(self) -> None:
        session = SpeechSession(self._settings, self._initialize)
        await session.__aenter__()
        self._session = session

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.__aexit__(None, None, None)


async def _samples(events: AsyncGenerator[SpeechEvent, None]) -> AsyncGenerator[SpeechEvent, None]:
    """The events, if they begin as plain samples do: a file's header would be heard as noise."""
    begun = False
    async with aclosing(events):
        async for event in events:
            if not (begun or isinstance(event, RanDry)) and event.audio:
                begun = True
                _refuse_file(base64.b64decode(event.audio[:SNIFFED]))
            yield event


def _refuse_file(beginning: bytes) -> None:
    kind = kind_of(beginning)
    if kind is not None:
        raise IncompleteError(
            f"The speech service sent a file ({kind}) where plain μ-law was asked for",
            hint="Try another --model",
            code="SPEECH_IS_A_FILE",
        )
