"""The connection to the speech WebSocket: how it is opened, kept and closed, and what its end says.

https://docs.async.com/text-to-speech-websocket-3477526w0
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from websockets.asyncio import client
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

from asyncflow_cli.errors import AsyncflowError, AuthError, NetworkError
from asyncflow_cli.protocol.models import VERSION
from asyncflow_cli.protocol.speech import Side, SpeechProtocol, State
from asyncflow_cli.protocol.speechmessages import (
    KEEP_ALIVE,
    CloseConnection,
    Initialize,
    Terminate,
    socket_url,
)
from asyncflow_cli.settings import Settings, is_loopback
from asyncflow_cli.transport.answers import to_reach
from asyncflow_cli.transport.speechwire import Wire
from asyncflow_cli.transport.trust import for_websocket

log = logging.getLogger(__name__)

_REFUSED = frozenset({1008, 4001, 4003, 4401, 4403})
"""Close codes by which a server that has accepted the handshake refuses a key. Only 1008 is a
standard one (policy violation); the others are what private codes are customarily used for."""

CLOSE_WITHIN = 1.0
"""Seconds that a close may take."""

KEEP_ALIVE_EVERY = 10.0
"""Seconds between signs of life: the server ends a connection that is silent for 60, and
WebSocket pings may not count. Vendor-written clients use the same 10."""


Hear = Callable[[bytes], None]
Gone = Callable[[ConnectionClosed], None]


class SpeechConnection:
    """One with a single voice, model and format; enter it to open it.

    `hear` and `gone` are its wire's. `contexts=False` speaks the single-stream form of 2025.
    """

    def __init__(
        self,
        settings: Settings,
        initialize: Initialize,
        *,
        contexts: bool = True,
        keep_alive_every: float = KEEP_ALIVE_EVERY,
        hear: Hear | None = None,
        gone: Gone | None = None,
    ) -> None:
        self.protocol = SpeechProtocol(Side.CLIENT, contexts=contexts)
        self.wire: Wire
        self._settings = settings
        self._initialize = initialize
        self._keep_alive_every = keep_alive_every
        self._make_wire = partial(Wire, hear=hear, gone=gone)
        self._keeping: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self.wire = await connect(self._settings, self._make_wire)
        self.wire.say([self.protocol.send(self._initialize)])
        self._keeping = asyncio.create_task(self._keep_alive())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._keeping.cancel()
        try:
            await self._close()
        finally:
            self.wire.transport.abort()  # left open only where that was cancelled

    async def _close(self) -> None:
        with contextlib.suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(CLOSE_WITHIN):
                end = Terminate() if self.protocol.contexts else CloseConnection()
                self.wire.say([self.protocol.send(end)])
                # A server that still has audio for us closes once somebody takes it.
                async for _ in self.wire:
                    pass
        await self.wire.close()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._keep_alive_every)
            if self.protocol.state is not State.OPEN:
                return
            self.wire.say([KEEP_ALIVE])


async def connect(settings: Settings, make_wire: Callable[..., Wire]) -> Wire:
    """To the first of the addresses that takes the connection."""
    *others, last = settings.base_urls
    for base_url in others:
        try:
            return await _connect_to(base_url, settings, make_wire)
        except NetworkError as error:
            log.info("%s; the next address is tried", error.message)
    return await _connect_to(last, settings, make_wire)


async def _connect_to(base_url: str, settings: Settings, make_wire: Callable[..., Wire]) -> Wire:
    address = socket_url(base_url)
    query = urlencode({"api_key": settings.need("api_key"), "version": VERSION})
    try:
        connection = await client.connect(
            f"{address}?{query}",
            create_connection=make_wire,  # type: ignore[arg-type]  # which may be a wrapper, its docs say
            open_timeout=settings.timeout,
            close_timeout=CLOSE_WITHIN,
            compression=None,
            max_size=None,
            proxy=None if is_loopback(address) else True,
            **for_websocket(address),
        )
    except InvalidStatus as refused:
        response = refused.response
        from asyncflow_cli.protocol import failures

        raise failures.from_answer(
            response.status_code, response.headers, bytes(response.body or b"")
        ) from None
    # The causes name the address, and with it the key.
    except InvalidURI:
        raise NetworkError(f"{address} is no WebSocket address", code="BAD_ADDRESS") from None
    except (OSError, TimeoutError, WebSocketException) as error:
        raise NetworkError(
            f"{address} cannot be reached: {str(error) or 'time-out'}",
            hint=to_reach(address, "ASYNC_BASE_URL"),
            code="CONNECTION_FAILED",
        ) from None
    assert isinstance(connection, Wire)
    return connection


def lost(closed: ConnectionClosed) -> AsyncflowError:
    """The error that a close in the middle of a text is."""
    code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
    why = f"code {code}{f', {reason}' if reason else ''}"
    if code in _REFUSED:
        return AuthError(f"The speech service refused the connection ({why})")
    return NetworkError(
        f"The speech connection was lost before the end of the text ({why})",
        code="SPEECH_CONNECTION_LOST",
    )
