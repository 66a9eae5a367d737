"""Audio for the phone cut to whole frames: base64 μ-law in, base64 μ-law of n × 160 bytes out.

Twilio takes any size, but does not say what becomes of the last part of a frame that a message
leaves over, nor how large a message may be; whole frames and short messages raise neither
question. https://www.twilio.com/docs/voice/media-streams/websocket-messages

Pieces that are whole frames already pass as the very strings they came as: nothing is decoded.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol.audio import FRAME_BYTES, MULAW_SILENCE

LARGEST = 20 * FRAME_BYTES
"""400 ms, 4.3 KB of base64."""


def size(payload: str) -> int:
    """Bytes of audio in a base64 text, counted without decoding it."""
    return len(payload) * 3 // 4 - payload.count("=", -2)


def decode(payload: str) -> bytes:
    """The audio of a payload. IncompleteError if it is no base64."""
    try:
        return base64.b64decode(payload, validate=True)
    except ValueError:
        raise IncompleteError("The audio is no base64", code="AUDIO_NOT_BASE64") from None


def payloads(mulaw: bytes, chunk: int = LARGEST) -> Iterator[str]:
    """The audio as base64 pieces of `chunk` bytes; the last has what is left, not padded."""
    for start in range(0, len(mulaw), chunk):
        yield base64.b64encode(mulaw[start : start + chunk]).decode()


class Framer:
    """Keeps what does not fill a frame until more comes. One for each stretch of speech.

    `largest` bounds the bytes of audio in a piece; it is a multiple of 160.
    """

    __slots__ = ("_held", "_largest", "held")

    def __init__(self, largest: int = LARGEST) -> None:
        if largest < FRAME_BYTES or largest % FRAME_BYTES:
            raise ValueError(f"{largest} bytes are no whole frames of {FRAME_BYTES}")
        self._largest = largest
        self._held = b""
        self.held = 0
        """Bytes that wait for more, fewer than a frame."""

    def push(self, payload: str) -> list[str]:
        """What is ready by now, in order, which may be nothing. IncompleteError if no base64."""
        n_bytes = size(payload)
        fits = 0 < n_bytes <= self._largest and n_bytes % FRAME_BYTES == 0
        if fits and not self.held and len(payload) % 4 == 0:
            return [payload]
        audio = self._held + decode(payload)
        self.held = len(audio) % FRAME_BYTES
        whole = len(audio) - self.held
        self._held = audio[whole:]
        return list(payloads(audio[:whole], self._largest))

    def flush(self) -> str | None:
        """The last frame, filled up with silence; None if nothing is held."""
        rest, self._held, self.held = self._held, b"", 0
        if not rest:
            return None
        return base64.b64encode(rest.ljust(FRAME_BYTES, MULAW_SILENCE)).decode()
