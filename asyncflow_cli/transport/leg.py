"""One media socket's conversation: what the phone says becomes events, what it is to play is
written. Knows no WebSocket: whatever carries it hands in whole messages.

Fifty frames a second come in from every phone. Where nobody listens to the callee they are
recognised by their first bytes, and not read any further.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.protocol.media import (
    Clear,
    Mark,
    MarkBody,
    Media,
    MediaBody,
    MediaStream,
    Message,
    Side,
    Start,
    State,
    milliseconds,
)
from asyncflow_cli.transport.gate import Gate

POLICY_VIOLATION = 1008

START_WITHIN = 5.0
"""Seconds a new socket has to send its `start`."""

SUBPROTOCOL = "audio.twilio.com"
"""Twilio documents none, and reports differ on whether it offers this one. Whoever offers one may
hang up where none is chosen; to choose what was not offered is not allowed (RFC 6455, 4.2.2)."""

AUDIO = b'{"event":"media",'
"""How Twilio begins a frame of what the callee says."""


@dataclass(frozen=True)
class PhoneLost:
    """The media socket closed without a `stop`."""

    token: str
    """Of the address it had come to."""


class Carrier(Protocol):
    """A WebSocket in whatever form. Neither waits; a socket that is gone is no error."""

    def write(self, messages: list[bytes]) -> None:
        """Send these texts, at one go if that can be."""

    def close(self, code: int) -> None:
        """Begin the closing handshake."""


class Leg:
    """The stream at the address with this `token`. `emit` hears what happens, in order; PhoneLost
    is the last, once. `hear` is given what the callee says and when, in milliseconds."""

    __slots__ = (
        "_carrier",
        "_emit",
        "_gate",
        "_hear",
        "_over",
        "_overdue",
        "_stream",
        "_waiting",
        "given_up",
        "is_deaf",
        "token",
    )

    def __init__(
        self,
        token: str,
        gate: Gate,
        emit: Callable[[Message | PhoneLost], None],
        hear: Callable[[str, int], None] | None,
    ) -> None:
        self.token = token
        self.given_up = False
        """Another has taken its place: what it still says is no news, but that it is lost is."""
        self._gate = gate
        self._emit = emit
        self._hear = hear
        self._stream = MediaStream(Side.SERVER)
        self._carrier: Carrier | None = None
        self._overdue: asyncio.TimerHandle | None = None
        self._waiting: list[bytes] = []
        self._over = False
        self.is_deaf = False
        """It is in a stream to which nobody listens."""

    @property
    def stream_sid(self) -> str:
        """Empty before the `start`."""
        return self._stream.stream_sid or ""

    def opened(self, carrier: Carrier) -> None:
        """A socket was accepted, which has some seconds to send its `start`."""
        self._carrier = carrier
        later = asyncio.get_running_loop().call_later
        self._overdue = later(START_WITHIN, self.violated, "no start in time")

    def received(self, text: bytes) -> None:
        """A message of the phone, which closes the socket if it is not legal."""
        if self._over or (self.is_deaf and text.startswith(AUDIO)):
            return
        try:
            message = self._stream.receive(text)
            if isinstance(message, Start):
                self._admit(message)
        except RemoteProtocolError as error:
            self.violated(str(error))
            return
        self.is_deaf = self._hear is None and self._stream.state is State.STREAMING
        if isinstance(message, Media):
            self._on_audio(message.media)
        elif message is not None and not self.given_up:
            self._emit(message)

    def _admit(self, start: Start) -> None:
        self._gate.admit(start)
        if self._overdue is not None:
            self._overdue.cancel()

    def _on_audio(self, body: MediaBody) -> None:
        # What others play to the callee is not the callee.
        if self._hear is not None and body.track != "outbound" and not self.given_up:
            self._hear(body.payload, milliseconds(body))

    def violated(self, why: str) -> None:
        """Close the socket, and tell why: the phone broke a rule."""
        if self._over:
            return
        self._gate.tell(f"media socket closed: {why}")
        self.close(POLICY_VIOLATION)
        self.lost()

    def lost(self) -> None:
        """The socket is gone, or as good as that."""
        if self._over:
            return
        self._over, self._carrier = True, None
        if self._overdue is not None:
            self._overdue.cancel()
        self._emit(PhoneLost(self.token))

    def close(self, code: int = 1000) -> None:
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.close(code)

    # What it is to play

    def play(self, payload: str) -> None:
        """Queue this base64 μ-law on the phone. What is said goes out at the next `flush`."""
        if self._carrier is not None:
            self._waiting.append(self._stream.audio(payload))

    def mark(self, name: str) -> None:
        """Have the phone echo `name` once all before it was played."""
        self._say(Mark(mark=MarkBody(name), stream_sid=self.stream_sid))

    def clear(self) -> None:
        """Have the phone drop what it has queued."""
        self._say(Clear(stream_sid=self.stream_sid))

    def _say(self, message: Mark | Clear) -> None:
        if self._carrier is not None:
            self._waiting.append(self._stream.send(message).encode())

    def flush(self) -> None:
        """Send what was said since the last time, in one piece."""
        if self._waiting:
            messages, self._waiting = self._waiting, []
            if self._carrier is not None:
                self._carrier.write(messages)
