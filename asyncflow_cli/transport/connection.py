"""Connections that may neither dawdle nor crowd out Twilio's: a public address finds scanners.

Knows HTTP's time only. What a request may ask for is the app's to say.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_WITHIN = 10.0
"""Seconds in which a request must be here, body and all. uvicorn would wait forever for one that
drips in, and a file descriptor each would be gone."""

MOST_WAITING = 64
"""Connections that are open and have no request yet. Twilio's has one within milliseconds."""


class Waiting:
    """A server's connections on which a request is awaited, the oldest first."""

    def __init__(self, within: float = REQUEST_WITHIN, most: int = MOST_WAITING) -> None:
        self._within = within
        self._most = most
        self._timers: dict[asyncio.BaseTransport, asyncio.TimerHandle] = {}

    def add(self, transport: asyncio.Transport) -> None:
        """Count its time, from now. Whoever waited longest makes room for it."""
        self.discard(transport)
        later = asyncio.get_running_loop().call_later
        self._timers[transport] = later(self._within, self._drop, transport)
        if len(self._timers) > self._most:
            self._drop(next(iter(self._timers)))

    def discard(self, transport: asyncio.BaseTransport) -> None:
        timer = self._timers.pop(transport, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Wait for none of them any longer."""
        for transport in list(self._timers):
            self._drop(transport)

    def _drop(self, transport: Any) -> None:
        self.discard(transport)
        transport.abort()


class Connection(H11Protocol):
    """uvicorn's own, with a place among those that wait until its request has come."""

    def __init__(self, waiting: Waiting, **options: Any) -> None:
        super().__init__(**options)
        self._waiting = waiting

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waiting.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._waiting.discard(self.transport)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        # A protocol of its own takes over, and its app counts the time to `start`.
        self._waiting.discard(self.transport)
        super().handle_websocket_upgrade(event)
        if not getattr(self.transport.get_protocol(), "handshake_initiated", True):
            # Of more headers than it reads it says nothing, and would keep the connection.
            self.transport.abort()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._waiting.add(self.transport)
