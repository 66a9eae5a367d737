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
from asyncflow_cli.protocol.speech import Audio, Message, SpeechProtocol


class ShortCut:
    """For the audio of one context. All else is for whoever waits for it, and asks to `read` it."""

    def __init__(
        self, protocol: SpeechProtocol, context: str, at_once: Callable[[Audio], None]
    ) -> None:
        self._protocol = protocol
        self._names = (UNSET, context)
        self._at_once = at_once
        self._clock = asyncio.get_running_loop().time
        self._kept: Message | None = None
        self._limit: asyncio.Timeout | None = None
        self._patience = 0.0

    def keep(self, limit: asyncio.Timeout, patience: float | None) -> None:
        """Put off this time limit by so many seconds whenever audio comes."""
        self._limit, self._patience = (None if patience is None else limit), patience or 0.0

    def take(self, frame: BytesLike) -> bool:
        """Whether that was all there was to do about a frame."""
        try:
            message = self._protocol.receive(bytes(frame))
        except RemoteProtocolError:
            return False  # it is found out again where it is read
        if isinstance(message, Audio):
            if message.context_id in self._names:
                if self._limit is not None and not self._limit.expired():
                    self._limit.reschedule(self._clock() + self._patience)
                self._at_once(message)
            return True
        self._kept = message
        return message is None

    def read(self, frame: str | bytes) -> Message | None:
        """The message of a frame that was not taken; the protocol hears of each but once."""
        kept, self._kept = self._kept, None
        return kept or self._protocol.receive(frame)


class Wire(ClientConnection):
    """A connection whose frames try the short cut first, where there is one."""

    short_cut: ShortCut | None = None

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
