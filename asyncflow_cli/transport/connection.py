"""Connections that may neither dawdle nor crowd out Twilio's: a public address finds scanners.

Knows HTTP's time only. What a request may ask for is the app's to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import unquote

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from asyncflow_cli.transport.leg import Leg
from asyncflow_cli.transport.mediasocket import MediaSocket

MEDIA_PATH = "/twilio/media/"

Answer: TypeAlias = Callable[[str, Mapping[str, str]], Leg | None]
"""Takes what stands behind MEDIA_PATH, and the headers of the request: `Phone.answer`."""

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
    """uvicorn's own, with a place among those that wait until its request has come. Sockets for
    media are for `answer`, where there is one, and pass by the app."""

    def __init__(self, waiting: Waiting, answer: Answer | None, **options: Any) -> None:
        super().__init__(**options)
        self._waiting = waiting
        self._answer = answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waiting.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._waiting.discard(self.transport)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        # A protocol of its own takes over, and its app counts the time to `start`.
        self._waiting.discard(self.transport)
        path = unquote(event.target.decode("latin-1").partition("?")[0])
        if self._answer is not None and path.startswith(MEDIA_PATH):
            self._hand_over(event, path.removeprefix(MEDIA_PATH), self._answer)
            return
        super().handle_websocket_upgrade(event)
        if not getattr(self.transport.get_protocol(), "handshake_initiated", True):
            # Of more headers than it reads it says nothing, and would keep the connection.
            self.transport.abort()

    def _hand_over(self, event: h11.Request, shown: str, answer: Answer) -> None:
        self.connections.discard(self)
        lines = [b"%s %s HTTP/1.1" % (event.method, event.target)]
        lines += [b"%s: %s" % field for field in event.headers]
        headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
        socket = MediaSocket(self.transport, self.connections)
        socket.upgrade(b"\r\n".join([*lines, b"", b""]), partial(answer, shown, headers))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._waiting.add(self.transport)
