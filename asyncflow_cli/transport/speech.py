"""The speech WebSocket: an asyncio shell around `protocol.speech`.

https://docs.async.com/text-to-speech-websocket-3477526w0
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from types import TracebackType
from typing import Self

from msgspec import UNSET
from websockets.exceptions import ConnectionClosed

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.speech import Side, SpeechProtocol, State
from asyncflow_cli.protocol.speechmessages import (
    KEEP_ALIVE,
    Audio,
    CloseConnection,
    CloseContext,
    Fault,
    Final,
    FromClient,
    FromServer,
    Initialize,
    RanDry,
    SpeechEvent,
    Terminate,
    Text,
)
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.speechconnection import CLOSE_WITHIN, connect, lost
from asyncflow_cli.transport.speechwire import ShortCut, Wire

KEEP_ALIVE_EVERY = 10.0
"""Seconds between signs of life: the server ends a connection that is silent for 60, and
WebSocket pings may not count. Vendor-written clients use the same 10."""

CLOSE_AFTER = 1.5
"""Seconds without any audio, with all text sent, before we ask for the end with closeContext."""

CLOSE_SOON = 0.4
"""The same once there was audio, which then most likely is all there: where the service announces
no end before it is asked, a call's next sentence waits for this."""

DRY_AFTER = 3.0
"""Seconds without a frame, with all text sent, that mean no more will come. Customary."""


class SpeechSession:
    """One connection with one voice, model and format.

    `contexts=False` speaks the single-stream form of 2025.
    """

    def __init__(
        self,
        settings: Settings,
        initialize: Initialize,
        *,
        contexts: bool = True,
        close_after: float = CLOSE_AFTER,
        close_soon: float = CLOSE_SOON,
        dry_after: float = DRY_AFTER,
        keep_alive_every: float = KEEP_ALIVE_EVERY,
    ) -> None:
        self._settings = settings
        self._initialize = initialize
        self._close_after = close_after
        self._close_soon = close_soon
        self._dry_after = dry_after
        self._keep_alive_every = keep_alive_every
        self._protocol = SpeechProtocol(Side.CLIENT, contexts=contexts)
        self._socket: Wire
        self._stack: contextlib.AsyncExitStack

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            self._socket = await connect(self._settings)
            stack.push_async_callback(self._close)
            await self._send(self._initialize)
            keep_alive = asyncio.create_task(self._keep_alive())
            stack.callback(keep_alive.cancel)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def speak(
        self, text: str | AsyncIterator[str], at_once: Callable[[Audio], None] | None = None
    ) -> AsyncGenerator[SpeechEvent, None]:
        """Say `text`, or its pieces as they come, and yield the audio; Final is the last event.

        With `at_once` all audio but the first is given to it, the moment it comes, and not yielded.

        The end of the text is told by an empty transcript, as the vendor's LiveKit plugin does:
        a closeContext right behind the text is documented to finish the audio, but is reported
        to cut it short. It follows if the service falls silent without a final.

        RanDry says that it is silent still; it may come back. NetworkError if the connection is
        lost first, the service's own error if it names one, and whatever `text` raises. Whoever
        leaves it early has the service stop, and what it still sends of this text is ignored.
        """
        context = str(uuid.uuid4())
        sending = asyncio.create_task(self._send_text(context, text))
        event: SpeechEvent | None = None
        try:
            async for event in self._receive(context, sending, at_once):
                yield event
        finally:
            await _stop(sending)
            if self._can_close_early and not isinstance(event, Final):
                await self._send(CloseContext(context))

    @property
    def _can_close_early(self) -> bool:
        return self._protocol.contexts and self._protocol.state is State.OPEN

    async def _receive(
        self,
        context: str,
        sending: asyncio.Task[None],
        at_once: Callable[[Audio], None] | None,
    ) -> AsyncIterator[SpeechEvent]:
        heard = dry = closed = False
        short_cut = None if at_once is None else ShortCut(self._protocol, context, at_once)
        while True:
            patience = self._patience(heard=heard, dry=dry, closed=closed)
            event = await self._next(patience, short_cut if heard and not dry else None)
            match event:
                case Fault():
                    raise _named(event)
                case Audio() | Final() if event.context_id not in (UNSET, context):
                    continue
                case RanDry() if not sending.done():
                    continue
                case RanDry() if not closed:
                    sending.result()
                    closed = True
                    if self._protocol.contexts:
                        await self._send(CloseContext(context))
                    continue
                case RanDry():
                    dry = True
                case _:
                    heard, dry = True, False
            yield event
            if isinstance(event, Final):
                return

    def _patience(self, *, heard: bool, dry: bool, closed: bool) -> float | None:
        """Seconds of silence that are worth an answer."""
        if not closed:
            return self._close_soon if heard else self._close_after
        return self._dry_after if heard and not dry else None

    async def _send_text(self, context: str, text: str | AsyncIterator[str]) -> None:
        # A piece must end with exactly one space; `force` because the vendor's own clients found
        # that short text otherwise waits in the service's buffer.
        name = context if self._protocol.contexts else UNSET
        async for piece in _one(text) if isinstance(text, str) else text:
            await self._send(Text(piece.rstrip() + " ", name, force=True))
        await self._send(Text("", name) if self._protocol.contexts else CloseConnection())

    async def _next(
        self, patience: float | None, short_cut: ShortCut | None
    ) -> FromServer | RanDry:
        while True:
            try:
                frame = await self._frame(patience, short_cut)
            except ConnectionClosed as closed:
                raise lost(closed) from closed
            if frame is None:
                return RanDry()
            message = short_cut.read(frame) if short_cut else self._protocol.receive(frame)
            if message is not None:
                return message  # type: ignore[return-value]  # a client receives FromServer only

    async def _frame(
        self, patience: float | None, short_cut: ShortCut | None
    ) -> str | bytes | None:
        """The next that takes no short cut; None if for so many seconds none came at all."""
        # Whoever waits here has taken all that came before: nothing can be overtaken.
        self._socket.short_cut = short_cut
        try:
            async with asyncio.timeout(None if short_cut else patience) as limit:
                if short_cut is not None:
                    short_cut.keep(limit, patience)
                return await self._socket.recv()
        except TimeoutError:
            return None
        finally:
            self._socket.short_cut = None
            if short_cut is not None:
                short_cut.rest()

    async def _send(self, message: FromClient) -> None:
        # If it is closed, what the server said before it closed is still to be received.
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(self._protocol.send(message))

    async def _keep_alive(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self._keep_alive_every)
                if self._protocol.state is not State.OPEN:
                    return
                await self._socket.send(KEEP_ALIVE)

    async def _close(self) -> None:
        with contextlib.suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._send(Terminate() if self._protocol.contexts else CloseConnection())
                # A server that still has audio for us closes once somebody takes it.
                async for _ in self._socket:
                    pass
        await self._socket.close()


async def _one(text: str) -> AsyncIterator[str]:
    yield text


async def _stop(sending: asyncio.Task[None]) -> None:
    """Whatever it failed with is told by silence, or is no news any more."""
    if sending.cancel():
        await asyncio.gather(sending, return_exceptions=True)
    elif not sending.cancelled():
        sending.exception()


def _named(fault: Fault) -> AsyncflowError:
    from asyncflow_cli.protocol import failures

    return failures.from_code(
        fault.error_code or "SPEECH_FAILED",
        fault.message,
        extra=fault.extra,
        request_id=fault.request_id,
    )
