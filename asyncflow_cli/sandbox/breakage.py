"""How the connection of a media stream breaks, on request: cut, half-open, or read too slowly."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.cable import sever
from asyncflow_cli.sandbox.clock import ticks
from asyncflow_cli.sandbox.mediafeed import Conditions

PROTOCOL_BROKEN = "31924"
"""https://www.twilio.com/docs/api/errors/31924"""

_SMALL = 64 * 1024
"""Bytes of a receive buffer, or the computer would read for who does not."""


class Breakage:
    """Counted in bytes `played` and in ticks of the line."""

    def __init__(
        self,
        connection: ClientConnection,
        conditions: Conditions,
        played: Callable[[], int],
    ) -> None:
        self.half_open = False
        """Nothing is read or written any more, and the connection lives."""
        self.cut = False
        """It is over, whether or not websockets has seen that yet."""
        self.noticed: RemoteProtocolError | None = None
        """What Twilio says once it has noticed."""
        self._connection = connection
        self._faults = faults = conditions.faults
        self._clock = conditions.clock
        self._played = played
        self._before = played()
        self._left = ticks(faults["half-open"].seconds) if "half-open" in faults else 0
        self._over = asyncio.Event()
        if "slow-reader" in faults:
            bound = connection.transport.get_extra_info("socket")
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)

    def on_tick(self) -> None:
        if self.half_open:
            self._left -= 1
            if self._left <= 0:
                self._notice()
        elif self._reached("half-open"):
            self.half_open = True
            self._connection.transport.pause_reading()
        elif self._reached("abort"):
            self.cut = True
            sever(self._connection.transport)

    async def after_reading(self, frame: str | bytes) -> None:
        """Wait before the next one is read."""
        rate = self._faults["slow-reader"].number if "slow-reader" in self._faults else None
        if self.half_open:
            self._connection.transport.pause_reading()  # websockets has its own mind about it.
            await self._over.wait()
        elif rate is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), self._clock.real(len(frame) / rate))

    def end(self) -> None:
        """From now on all is read as it comes. A half-open connection has no farewell."""
        self._over.set()
        if self.half_open:
            self._connection.transport.abort()

    def _reached(self, word: str) -> bool:
        fault = self._faults.get(word)
        return fault is not None and self._played() - self._before >= (fault.number or 0)

    def _notice(self) -> None:
        text = "The connection was dead, and nobody had said so"
        self.noticed = RemoteProtocolError(text, code=PROTOCOL_BROKEN)
        self.cut = True
        self.end()
