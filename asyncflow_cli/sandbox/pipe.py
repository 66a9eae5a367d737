"""What the engine and its child say to each other, and how frames are cut on the pipes.

A frame is four bytes of length and a msgpack message. Both ends use this file, so it imports
nothing that either would not want: the child boots in the time its imports take.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from asyncflow_cli.sandbox.words import Event


class Say(msgspec.Struct, frozen=True, tag=True):
    """Parent to child: speak this after what you were asked before."""

    id: int
    text: str
    voice: str
    stand_in: str
    rate: int
    pitch: int
    volume: int
    phonetic: bool = False
    """The text is espeak's mnemonics."""
    end_pause: bool = False
    """Breathe after it, as after a sentence."""


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Parent to child: say no more of it, begun or not."""

    id: int


class Hello(msgspec.Struct, frozen=True, tag=True):
    """Child to parent, once, at the start: which engine answered, if one did."""

    engine: str | None
    """Name and version."""
    library: str | None
    refusals: tuple[str, ...]
    """Why those before it in line did not."""


class Begun(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: if I die now, it was this text."""

    id: int


class Pcm(msgspec.Struct, frozen=True, tag=True):
    id: int
    pcm: bytes


class Done(msgspec.Struct, frozen=True, tag=True):
    id: int
    events: list[Event]


class Failed(msgspec.Struct, frozen=True, tag=True):
    id: int
    why: str


Request = Say | Stop
Answer = Begun | Pcm | Done | Failed

_encoder = msgspec.msgpack.Encoder()
requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
answers: msgspec.msgpack.Decoder[Answer | Hello] = msgspec.msgpack.Decoder(Answer | Hello)


def frame(message: Request | Answer | Hello) -> bytes:
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


class Frames:
    """Bytes in, the bodies of whole frames out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._buffer += data
        while len(self._buffer) >= 4:
            end = 4 + int.from_bytes(self._buffer[:4], "big")
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[4:end])
            del self._buffer[:end]
            yield body
