"""The wire of the speech connection: `websockets`' own, but for where its messages go.

A message that waits in a queue until a task is woken costs more than all else that is done with it,
and a process may hold a thousand calls. So whoever wants to may have each the moment it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State

WHOLE_TEXT, LONG, HUGE = 0x81, 126, 127
"""First byte of a text that is no fragment, and the sizes that say that the size follows."""

LONG_HEAD, HUGE_HEAD = 4, 10
"""Bytes before such a text; a server masks nothing."""

DATA = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class Wire(ClientConnection):
    """`hear` is given every message, and `gone` the end; then nobody is to `recv`. A read that is
    one whole text, as most are, goes past the parser of frames."""

    def __init__(
        self,
        *arguments: Any,
        hear: Callable[[bytes], None] | None = None,
        gone: Callable[[ConnectionClosed], None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._hear = hear
        self._gone = gone
        self._parts: list[bytes] = []
        self._missing: int | None = None
        """Bytes that the frame under way still lacks; None where that is not known."""

    def say(self, texts: Iterable[str]) -> None:
        """Send these in one piece, without waiting. What is closed already takes nothing."""
        if self.protocol.state is State.OPEN and not self.transport.is_closing():
            for text in texts:
                self.protocol.send_text(text.encode())
            self.transport.write(b"".join(self.protocol.data_to_send()))

    def data_received(self, data: bytes) -> None:
        if self._hear is None:
            super().data_received(data)
        elif self._missing == 0 and is_whole_text(data):
            self._hear(data[LONG_HEAD:])
        else:
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        opening = self.response is None
        super().data_received(data)
        if not opening:
            self._missing = lacking(data, self._missing)
        elif self.response is not None and data.endswith(b"\r\n\r\n"):
            self._missing = 0  # here the frames begin

    def process_event(self, event: Frame | Response) -> None:  # type: ignore[override]
        if self._hear is None or not isinstance(event, Frame) or event.opcode not in DATA:
            super().process_event(event)
            return
        self._parts.append(bytes(event.data))
        if event.fin:
            parts, self._parts = self._parts, []
            self._hear(b"".join(parts))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._gone is not None:
            self._gone(self.close_exc)


def is_whole_text(data: bytes) -> bool:
    """Whether it is exactly one frame, of a text of some hundred bytes to 64 KiB."""
    return (
        len(data) > LONG_HEAD
        and data[0] == WHOLE_TEXT
        and data[1] == LONG
        and data[2] << 8 | data[3] == len(data) - LONG_HEAD
    )


def lacking(data: bytes, missing: int | None) -> int | None:
    """Bytes of its last frame that are not in `data`, which begins with `missing` ones of another.
    None if its head is not whole: then nobody knows any more."""
    at, end = missing, len(data)
    while at is not None and at < end:
        at = _end_of_frame(data, at)
    return None if at is None else at - end


def _end_of_frame(data: bytes, at: int) -> int | None:
    head = data[at : at + HUGE_HEAD]
    size = head[1] if len(head) > 1 else HUGE + 1
    for mark, length in ((LONG, LONG_HEAD), (HUGE, HUGE_HEAD)):
        if size == mark:
            return at + length + int.from_bytes(head[2:length]) if len(head) >= length else None
    return at + 2 + size if size < LONG else None
