"""The speech connection's short cut: audio in mid-sentence passes by the queue it would wait in.

A frame that waits for a task to be woken costs more than all else that is done with it, and a
process may hold a thousand calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import UNSET
from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import BytesLike

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.protocol.speech import SpeechProtocol
from asyncflow_cli.protocol.speechmessages import Audio, Message

WHOLE_TEXT, LONG, HUGE = 0x81, 126, 127
"""First byte of a text that is no fragment, and the sizes that say that the size follows."""

LONG_HEAD, HUGE_HEAD = 4, 10
"""Bytes before such a text; a server masks nothing."""


class ShortCut:
    """For the audio of one context. All else is for whoever waits for it, and asks to `read` it."""

    __slots__ = (
        "_at_once",
        "_heard",
        "_kept",
        "_limit",
        "_loop",
        "_names",
        "_patience",
        "_protocol",
        "_timer",
    )

    def __init__(
        self, protocol: SpeechProtocol, context: str, at_once: Callable[[Audio], None]
    ) -> None:
        self._protocol = protocol
        self._names = (UNSET, context)
        self._at_once = at_once
        self._loop = asyncio.get_running_loop()
        self._kept: Message | None = None
        self._limit: asyncio.Timeout | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._patience = 0.0
        self._heard = 0.0

    def keep(self, limit: asyncio.Timeout, patience: float | None) -> None:
        """Have this limit expire once no audio has come for so many seconds."""
        self._limit, self._heard = limit, self._loop.time()
        if patience is not None:
            self._patience = patience
            self._wait(patience)

    def rest(self) -> None:
        """The limit is over, however it ended."""
        self._limit = None
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        # Audio comes more often than this rings, and a note of the time costs less than a timer.
        now = self._loop.time()
        left = self._heard + self._patience - now
        if left > 0:
            self._wait(left)
        elif self._limit is not None:
            self._limit.reschedule(now)

    def take(self, frame: BytesLike) -> bool:
        """Whether that was all there was to do about a frame."""
        try:
            message = self._protocol.receive(bytes(frame))
        except RemoteProtocolError:
            return False  # it is found out again where it is read
        if isinstance(message, Audio):
            if message.context_id in self._names:
                self._heard = self._loop.time()
                self._at_once(message)
            return True
        self._kept = message
        return message is None

    def read(self, frame: str | bytes) -> Message | None:
        """The message of a frame that was not taken; the protocol hears of each but once."""
        kept, self._kept = self._kept, None
        return kept or self._protocol.receive(frame)


class Wire(ClientConnection):
    """A connection whose frames try the short cut first, where there is one: before anything else
    where a read brings one whole text, as most do, else once the frame was cut out of the stream.
    """

    short_cut: ShortCut | None = None

    _missing: int | None = None
    """Bytes that the frame under way still lacks; None where that is not known."""

    def data_received(self, data: bytes) -> None:
        if self.response is None:
            super().data_received(data)
            if self.response is not None and data.endswith(b"\r\n\r\n"):
                self._missing = 0  # here the frames begin
            return
        if self._missing == 0 and self.short_cut is not None and is_whole_text(data):
            if self.short_cut.take(data[LONG_HEAD:]):
                return
            self.short_cut = None  # it was read, and is for whoever waits
        else:
            self._missing = lacking(data, self._missing)
        super().data_received(data)

    def process_event(self, event: Frame | Response) -> None:  # type: ignore[override]
        short_cut = self.short_cut
        if (
            short_cut is not None
            and isinstance(event, Frame)
            and event.opcode is Opcode.TEXT
            and event.fin
            and short_cut.take(event.data)
        ):
            return
        self.short_cut = None  # what comes next must not overtake this
        super().process_event(event)


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
