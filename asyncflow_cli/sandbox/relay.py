"""One connection through a tunnel: two ends, and bytes carried between them.

Knows TCP only, so HTTP, WebSocket and whatever else go through unchanged.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from asyncflow_cli.sandbox.cable import sever

HOST = "127.0.0.1"


class _End(asyncio.Protocol):
    """One side of a connection. What it reads it hands to `carry`, and goes on reading."""

    def __init__(self, relayed: Relayed, carry: Callable[[bytes], None]) -> None:
        self.transport: asyncio.Transport | None = None
        self.finished = False
        """It has said all it will say."""
        self._relayed = relayed
        self._carry = carry

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.pause_reading()  # Until there is somebody to write to.

    def data_received(self, data: bytes) -> None:
        self._carry(data)

    def eof_received(self) -> bool:
        """Half of the connection is over; the other half may still have much to say."""
        self.finished = True
        self._relayed.half_over(self)
        return True

    def pause_writing(self) -> None:
        self._relayed.hold(self)

    def resume_writing(self) -> None:
        self._relayed.go_on(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._relayed.lost(exc)


class Relayed:
    """A connection that was accepted, and the one made for it to `port` of this machine."""

    def __init__(self, port: int) -> None:
        self.bytes_in = self.bytes_out = 0
        """Towards the port, and from it."""
        self.over = asyncio.Event()
        """Neither side is connected any more."""
        self._port = port
        self._near = _End(self, self._carry_in)
        self._far = _End(self, self._carry_out)
        self._frozen = self._leaving = False

    @property
    def accepted(self) -> asyncio.Protocol:
        """The protocol of the connection that was accepted."""
        return self._near

    async def join(self) -> None:
        """Connect to the port and carry. Nobody there: the caller's connection is reset."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self._far, HOST, self._port)
        except OSError:
            return self.sever()
        if self._leaving:
            self.close()
        elif not self._frozen:
            for transport in self._transports():
                transport.resume_reading()

    def freeze(self) -> None:
        """Stay open, and carry nothing any more."""
        self._frozen = True
        for transport in self._transports():
            transport.pause_reading()

    def sever(self) -> None:
        """Reset both sides."""
        self._leaving = True
        for transport in self._transports():
            sever(transport)

    def close(self) -> None:
        """End both sides in order; what has been carried still arrives."""
        self._leaving = True
        for transport in self._transports():
            transport.close()

    # What the ends tell

    def half_over(self, end: _End) -> None:
        other = self._other(end)
        if other.finished:
            self.close()
        elif other.transport is not None:
            with contextlib.suppress(OSError):  # It may be gone by now.
                other.transport.write_eof()

    def hold(self, end: _End) -> None:
        """`end` has more to write than it can: its source waits."""
        source = self._other(end).transport
        if source is not None:
            source.pause_reading()

    def go_on(self, end: _End) -> None:
        source = self._other(end).transport
        if source is not None and not self._frozen:
            source.resume_reading()

    def lost(self, error: Exception | None) -> None:
        if not self._transports():
            self.over.set()
        elif error is not None:
            self.sever()
        else:
            self.close()

    def _other(self, end: _End) -> _End:
        return self._far if end is self._near else self._near

    def _transports(self) -> list[asyncio.Transport]:
        ends = (self._near, self._far)
        return [end.transport for end in ends if end.transport is not None]

    def _carry_in(self, data: bytes) -> None:
        self.bytes_in += len(data)
        if self._far.transport is not None:
            self._far.transport.write(data)

    def _carry_out(self, data: bytes) -> None:
        self.bytes_out += len(data)
        if self._near.transport is not None:
            self._near.transport.write(data)
