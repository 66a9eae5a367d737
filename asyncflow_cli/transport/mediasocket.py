"""A media socket without ASGI in between: WebSocket frames to a leg, and back.

https://datatracker.ietf.org/doc/html/rfc6455

Nearly every frame of a phone is one whole masked text, which is taken off the wire right here. All
others, the handshakes and whatever breaks a rule, are for the core of `websockets`: whoever sends
a text in fragments gets the slow way for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from asyncflow_cli.transport.gathering import GATHERED, Gathering, gathering, wait_for
from asyncflow_cli.transport.leg import AUDIO, SUBPROTOCOL, Leg

try:
    from websockets.speedups import apply_mask
except ImportError:  # where it is not compiled
    from websockets.utils import apply_mask

LARGEST_MESSAGE = 64 * 1024
"""Bytes; Twilio's have 400."""

BUFFER = 128 * 1024
"""Bytes that are read at a time: twice a frame whose size is told in two bytes."""

DEAD_AFTER = 5.0
"""Seconds a write may wait: a socket that is dead but open must not hold up the call."""

SIGN_OF_LIFE = 15.0
"""Seconds; a socket that is silent for twice as many, pings notwithstanding, is dead."""

CLOSE_WITHIN = 5.0
"""Seconds the far end has to close."""

WHOLE_TEXT = 0x81
"""First byte of a text that is no fragment."""

CONTROL = 0x08
"""Bit of the first byte that close, ping and pong have."""

MASKED, LONG, HUGE = 0x80, 126, 127
"""Of the second byte: its bit, and the sizes that say that the size follows."""

SEEN = len(AUDIO)
"""Bytes that are unmasked where nobody listens: a phone speaks fifty times a second."""

HEAD, LONG_HEAD = 6, 8
"""Bytes before a text, its mask included."""

_LONG_HEAD, _HUGE_HEAD = struct.Struct("!BBH").pack, struct.Struct("!BBQ").pack

log = logging.getLogger(__name__)


class _Desk(threading.local):
    """Where a thread's sockets put what they have read, one at a time, each until it has seen it:
    a thousand buffers of their own would be in no cache."""

    def __init__(self) -> None:
        self.buffer = bytearray(BUFFER)
        self.view = memoryview(self.buffer)


_DESK = _Desk()


class MediaSocket(asyncio.BufferedProtocol):
    """Takes over a connection from the HTTP protocol that read its request. It is among the
    server's `connections` while it lasts."""

    __slots__ = (
        "_alive",
        "_buffer",
        "_connections",
        "_core",
        "_flows",
        "_gathering",
        "_gathers",
        "_held",
        "_leg",
        "_parts",
        "_slow",
        "_timers",
        "_transport",
        "_view",
    )

    def __init__(self, transport: asyncio.Transport, connections: set[Any]) -> None:
        self._transport = transport
        self._connections = connections
        self._core = ServerProtocol(
            select_subprotocol=_chosen, max_size=LARGEST_MESSAGE, logger=log
        )
        self._leg: Leg | None = None
        self._buffer, self._view = _DESK.buffer, _DESK.view
        self._held = b""
        """Of a frame whose end did not come yet."""
        self._slow = self._alive = self._flows = self._gathers = False
        self._gathering: Gathering | None = None
        self._parts: list[bytes] = []
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def upgrade(self, head: bytes, admit: Callable[[], Leg | None]) -> None:
        """Answer the request with this head, if `admit` lets in what is a WebSocket's."""
        self._transport.set_protocol(self)
        self._connections.add(self)
        self._core.receive_data(head)
        for request in self._core.events_received():
            assert isinstance(request, Request)
            response = self._core.accept(request)
            if response.status_code == 101 and (leg := admit()) is None:
                response = self._core.reject(403, "")
            elif response.status_code == 101:
                self._leg = leg
            self._core.send_response(response)
        self._put_out()
        if self._leg is None:
            self._transport.close()
            return
        self._leg.opened(self)
        self._set("life", SIGN_OF_LIFE, self._look_for_life)
        self._gathering = gathering()
        if self._gathering is not None:
            self._gathering.add(self)

    # What comes in

    def get_buffer(self, _size_hint: int) -> memoryview:
        held = len(self._held)
        if not held:
            return self._view
        self._buffer[:held] = self._held
        return self._view[held:]

    def buffer_updated(self, n_bytes: int) -> None:
        self._alive = self._flows = True
        end = len(self._held) + n_bytes
        begin = self._take(end)
        self._held = bytes(self._view[begin:end]) if begin < end else b""

    def _take(self, end: int) -> int:
        """Take off what is whole, and tell where the rest begins."""
        buffer, begin, leg = self._buffer, 0, self._leg
        while end - begin >= HEAD and not self._slow:
            size, text = buffer[begin + 1] - MASKED, begin + HEAD
            if size == LONG:
                size, text = buffer[begin + 2] << 8 | buffer[begin + 3], begin + LONG_HEAD
            elif size < 0 or size == HUGE:  # neither is legal here, which the core will say
                self._slow = True
                break
            stop = text + size
            if stop > end:
                break
            if buffer[begin] == WHOLE_TEXT:
                if leg is not None and not (
                    leg.is_deaf
                    and apply_mask(buffer[text : text + SEEN], buffer[text - 4 : text]) == AUDIO
                ):
                    leg.received(apply_mask(buffer[text:stop], buffer[text - 4 : text]))
            else:
                self._slow = not buffer[begin] & CONTROL
                self._receive(bytes(buffer[begin:stop]))
            begin = stop
        if self._slow and begin < end:
            self._receive(bytes(buffer[begin:end]))
            return end
        return begin

    def look(self, *, pays: bool) -> None:
        flows, self._flows = self._flows, False
        gathers = pays and flows and self._leg is not None and self._leg.is_deaf
        if gathers is not self._gathers and not self._transport.is_closing():
            self._gathers = gathers
            wait_for(self._transport, GATHERED if gathers else 1)

    def _receive(self, data: bytes) -> None:
        self._core.receive_data(data)
        for frame in self._core.events_received():
            assert isinstance(frame, Frame)
            self._on_frame(frame)
        self._put_out()

    def _on_frame(self, frame: Frame) -> None:
        if self._leg is None or frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if frame.opcode is Opcode.BINARY:
            self._leg.violated("A binary frame on the media socket")
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            parts, self._parts = self._parts, []
            self._leg.received(b"".join(parts))

    # What goes out

    def write(self, messages: list[bytes]) -> None:
        """Send these texts in one piece."""
        if self._core.state is OPEN and not self._transport.is_closing():
            parts: list[bytes] = []
            for text in messages:
                parts += (_head(len(text)), text)
            self._transport.write(b"".join(parts))

    def close(self, code: int) -> None:
        """Begin the closing handshake, and wait only so long for its end."""
        with contextlib.suppress(InvalidState):
            self._core.send_close(code)
        self._put_out()
        self._set("close", CLOSE_WITHIN, self._transport.abort)

    def shutdown(self) -> None:
        """The server stops."""
        self.close(1012)

    def _put_out(self) -> None:
        for data in self._core.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._end()

    def _end(self) -> None:
        if self._leg is not None:
            self._leg.lost()
        if self._transport.can_write_eof():
            self._transport.write_eof()  # and no close, which would cut off what was said last
        self._set("close", CLOSE_WITHIN, self._transport.abort)

    # What is lost

    def pause_writing(self) -> None:
        self._set("write", DEAD_AFTER, self._die)

    def resume_writing(self) -> None:
        self._timers.pop("write").cancel()

    def _look_for_life(self) -> None:
        if not self._alive:
            self._die()
            return
        self._alive = False
        with contextlib.suppress(InvalidState):
            self._core.send_ping(b"")
        self._put_out()
        self._set("life", SIGN_OF_LIFE, self._look_for_life)

    def _die(self) -> None:
        if self._leg is not None:
            self._leg.lost()
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._read_the_rest()
        for timer in self._timers.values():
            timer.cancel()
        self._connections.discard(self)
        if self._gathering is not None:
            self._gathering.discard(self)
        if self._leg is not None:
            self._leg.lost()

    def _read_the_rest(self) -> None:
        """What came before the connection broke: where a write noticed that, asyncio reads no
        more, and the last echoes and keys would be lost."""
        with contextlib.suppress(OSError), self._transport.get_extra_info("socket").dup() as rest:
            while n_bytes := rest.recv_into(self.get_buffer(-1)):
                self.buffer_updated(n_bytes)

    def _set(self, name: str, seconds: float, work: Callable[[], None]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, work)


def _chosen(_core: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def _head(size: int) -> bytes:
    if size < LONG:
        return bytes((WHOLE_TEXT, size))
    if size < 1 << 16:
        return _LONG_HEAD(WHOLE_TEXT, LONG, size)
    return _HUGE_HEAD(WHOLE_TEXT, HUGE, size)
