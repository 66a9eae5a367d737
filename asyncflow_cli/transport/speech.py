"""Speech over the WebSocket, for whoever takes its audio when they are ready for it.

https://docs.async.com/text-to-speech-websocket-3477526w0
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Self

from websockets.exceptions import ConnectionClosed

from asyncflow_cli.protocol.speech import State
from asyncflow_cli.protocol.speechmessages import (
    Fault,
    Final,
    FromClient,
    FromServer,
    Initialize,
    RanDry,
    SpeechEvent,
)
from asyncflow_cli.protocol.utterance import Patience, Utterance, error_of
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.speechconnection import KEEP_ALIVE_EVERY, SpeechConnection, lost


class SpeechSession:
    """One connection with one voice, model and format.

    `contexts=False` speaks the single-stream form of 2025; the others are seconds, as `Patience`
    and `KEEP_ALIVE_EVERY` tell them.
    """

    def __init__(
        self,
        settings: Settings,
        initialize: Initialize,
        *,
        contexts: bool = True,
        close_after: float = Patience.close_after,
        close_soon: float = Patience.close_soon,
        dry_after: float = Patience.dry_after,
        keep_alive_every: float = KEEP_ALIVE_EVERY,
    ) -> None:
        self._connection = SpeechConnection(
            settings, initialize, contexts=contexts, keep_alive_every=keep_alive_every
        )
        self._protocol = self._connection.protocol
        self._patience = Patience(close_after, close_soon, dry_after)

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._connection.__aexit__(kind, error, trace)

    async def speak(self, text: str | AsyncIterator[str]) -> AsyncGenerator[SpeechEvent, None]:
        """Say `text`, or its pieces as they come, and yield the audio; Final is the last event.

        RanDry says that the service is silent without having said that it was done; it may come
        back. NetworkError if the connection is lost first, the service's own error if it names
        one, and whatever `text` raises. Whoever leaves it early has the service stop, and what it
        still sends of this text is ignored.
        """
        context = str(uuid.uuid4()) if self._protocol.contexts else None
        utterance = Utterance(context, self._patience)
        sending = asyncio.create_task(self._send_text(utterance, text))
        event: SpeechEvent | None = None
        try:
            while not isinstance(event, Final):
                event = await self._next(utterance, sending)
                if event is not None:
                    yield event
        finally:
            await _stop(sending)
            if not isinstance(event, Final) and self._protocol.state is State.OPEN:
                await self._send(utterance.close())

    async def _send_text(self, utterance: Utterance, text: str | AsyncIterator[str]) -> None:
        async for piece in _one(text) if isinstance(text, str) else text:
            await self._send(utterance.piece(piece))
        await self._send(utterance.end())

    async def _next(self, utterance: Utterance, sending: asyncio.Task[None]) -> SpeechEvent | None:
        message = await self._message(utterance.patience)
        if isinstance(message, Fault):
            raise error_of(message)
        if message is not None:
            return utterance.on_message(message)
        if sending.done():
            sending.result()
            utterance.written = True
        said = utterance.on_silence()
        if isinstance(said, RanDry):
            return said
        await self._send(said)
        return None

    async def _message(self, patience: float | None) -> FromServer | None:
        """The next that concerns us; None if for so many seconds nothing came at all."""
        message = None
        while message is None:
            try:
                async with asyncio.timeout(patience):
                    frame = await self._connection.wire.recv()
            except TimeoutError:
                return None
            except ConnectionClosed as closed:
                raise lost(closed) from closed
            message = self._protocol.receive(frame)
        return message  # type: ignore[return-value]  # a client receives FromServer only

    async def _send(self, message: FromClient | None) -> None:
        # If it is closed, what the server said before it closed is still to be received.
        with contextlib.suppress(ConnectionClosed):
            if message is not None:
                await self._connection.wire.send(self._protocol.send(message))


async def _one(text: str) -> AsyncIterator[str]:
    yield text


async def _stop(sending: asyncio.Task[None]) -> None:
    """Whatever it failed with is told by silence, or is no news any more."""
    if sending.cancel():
        await asyncio.gather(sending, return_exceptions=True)
    elif not sending.cancelled():
        sending.exception()
