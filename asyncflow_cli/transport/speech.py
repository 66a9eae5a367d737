"""The speech WebSocket: an asyncio shell around `protocol.speech`.

https://docs.async.com/text-to-speech-websocket-3477526w0
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

from asyncflow_cli.errors import AsyncflowError, AuthError, NetworkError
from asyncflow_cli.protocol import failures
from asyncflow_cli.protocol.bridge import RanDry, SpeechEvent
from asyncflow_cli.protocol.speech import (
    KEEP_ALIVE,
    PATH,
    CloseConnection,
    CloseContext,
    Fault,
    Final,
    FromClient,
    FromServer,
    Initialize,
    Side,
    SpeechProtocol,
    State,
    Terminate,
    Text,
)
from asyncflow_cli.settings import Settings, is_loopback
from asyncflow_cli.transport.api import VERSION

KEEP_ALIVE_EVERY = 10.0
"""Seconds between signs of life: the server ends a connection that is silent for 60, and
WebSocket pings may not count. Vendor-written clients use the same 10."""

DRY_AFTER = 3.0
"""Seconds without a frame, with all text sent, that mean no more will come. Customary."""

CLOSE_WITHIN = 1.0


class SpeechSession:
    """One connection with one voice, model and format.

    `contexts=False` speaks the single-stream form of 2025.
    """

    def __init__(
        self, settings: Settings, initialize: Initialize, *, contexts: bool = True
    ) -> None:
        self._settings = settings
        self._initialize = initialize
        self._protocol = SpeechProtocol(Side.CLIENT, contexts=contexts)
        self._stack = contextlib.AsyncExitStack()
        self._socket: ClientConnection

    async def __aenter__(self) -> Self:
        self._socket = await _connect(self._settings)
        self._stack.push_async_callback(self._close)
        await self._send(self._initialize)
        keep_alive = asyncio.create_task(self._keep_alive())
        self._stack.callback(keep_alive.cancel)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def speak(self, text: str) -> AsyncIterator[SpeechEvent]:
        """Say `text` and yield its audio as it comes; Final is the last event.

        RanDry says that the service went silent; it may still come back. NetworkError if the
        connection is lost first, and the service's own error if it names one.
        """
        context = str(uuid.uuid4())
        await self._send_text(context, text)
        heard = False
        while True:
            event = await self._next(DRY_AFTER if heard else None)
            if isinstance(event, Fault):
                raise failures.from_code(
                    event.error_code or "SPEECH_FAILED",
                    event.message,
                    extra=event.extra,
                    request_id=event.request_id,
                )
            heard = not isinstance(event, RanDry)
            yield event
            if isinstance(event, Final):
                return

    async def _send_text(self, context: str, text: str) -> None:
        # The piece must end with exactly one space; `force` because the vendor's own clients
        # found that short text otherwise waits in the service's buffer.
        piece = text.rstrip() + " "
        if self._protocol.contexts:
            await self._send(Text(piece, context, force=True))
            await self._send(CloseContext(context))
        else:
            await self._send(Text(piece, force=True))
            await self._send(CloseConnection())

    async def _next(self, patience: float | None) -> FromServer | RanDry:
        while True:
            try:
                async with asyncio.timeout(patience):
                    frame = await self._socket.recv()
            except TimeoutError:
                return RanDry()
            except ConnectionClosed as closed:
                raise _lost(closed) from closed
            message = self._protocol.receive(frame)
            if message is not None:
                return message  # type: ignore[return-value]  # a client receives FromServer only

    async def _send(self, message: FromClient) -> None:
        # If it is closed, what the server said before it closed is still to be received.
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(self._protocol.send(message))

    async def _keep_alive(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while self._protocol.state is State.OPEN:
                await asyncio.sleep(KEEP_ALIVE_EVERY)
                await self._socket.send(KEEP_ALIVE)

    async def _close(self) -> None:
        with contextlib.suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._send(Terminate() if self._protocol.contexts else CloseConnection())
                # A server that still has audio for us closes once somebody takes it.
                async for _ in self._socket:
                    pass
        await self._socket.close()


async def _connect(settings: Settings) -> ClientConnection:
    address = "ws" + settings.base_url.removeprefix("http") + PATH
    query = urlencode({"api_key": settings.need("api_key"), "version": VERSION})
    try:
        return await connect(
            f"{address}?{query}",
            open_timeout=settings.timeout,
            close_timeout=CLOSE_WITHIN,
            compression=None,
            max_size=None,
            proxy=None if is_loopback(address) else True,
        )
    except InvalidStatus as refused:
        response = refused.response
        raise failures.from_answer(
            response.status_code, response.headers, bytes(response.body or b"")
        ) from None
    # The causes name the address, and with it the key.
    except InvalidURI:
        raise NetworkError(f"{address} is no WebSocket address", code="BAD_ADDRESS") from None
    except (OSError, TimeoutError, WebSocketException) as error:
        raise NetworkError(
            f"{address} cannot be reached: {error or 'time-out'}",
            hint="Check the network, a proxy in the way, and ASYNC_BASE_URL",
            code="CONNECTION_FAILED",
        ) from None


def _lost(closed: ConnectionClosed) -> AsyncflowError:
    code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
    why = f"code {code}{f', {reason}' if reason else ''}"
    if code == 1008:  # policy violation: how a server that has accepted refuses a key
        return AuthError(f"The speech service refused the connection ({why})")
    return NetworkError(
        f"The speech connection was lost before the end of the text ({why})",
        code="SPEECH_CONNECTION_LOST",
    )
