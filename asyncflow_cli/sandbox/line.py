"""What the telephone line has yet to play, what the callee has heard, and the marks between.

Twilio queues what it is sent, plays it in order, and echoes a mark once all before it has been
played: https://www.twilio.com/docs/voice/media-streams/websocket-messages

Knows bytes and positions only. Time is a `tick()`: 20 ms of line.
"""

from __future__ import annotations

import binascii
from collections import deque
from dataclasses import dataclass

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.protocol.audio import FRAME_BYTES, MULAW_SILENCE, PHONE_RATE
from asyncflow_cli.protocol.media import INVALID

CEILING = 10 * 60 * PHONE_RATE
"""Bytes Twilio queues at most; the surplus is lost, with a warning 31931.

https://www.twilio.com/docs/api/errors/31931
"""

SILENCE = MULAW_SILENCE * FRAME_BYTES


@dataclass(frozen=True, slots=True)
class MarkPlayed:
    """A mark, and how it left the queue."""

    name: str
    position: int
    """Where it stood: bytes of audio queued before it since the call began."""
    heard: int
    """How many bytes the callee had heard when it was echoed, silence included."""
    cleared: bool
    """Released by a `clear`, which proves nothing about what was heard."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The queue ran dry although no mark said that the speaker was done."""

    heard: int
    """How many bytes the callee had heard when it began."""
    length: int
    """Bytes of silence until audio came again."""


class Line:
    """The playout queue of one call: bytes, and marks at byte positions.

    With `skip_silence` the time in which nothing is queued is not recorded, so that what was heard
    is a function of what was sent and not of when.
    """

    def __init__(self, *, skip_silence: bool = False) -> None:
        self.heard = bytearray()
        self.marks: list[MarkPlayed] = []
        self.gaps: list[Gap] = []
        self.discarded = 0
        """Bytes lost to the ceiling."""
        self.most_queued = 0
        """Bytes that waited to be played when there were the most."""
        self.times_cleared = 0
        self._skip_silence = skip_silence
        self._queue = bytearray()
        self._pending: deque[tuple[int, str]] = deque()
        self._queued = 0
        self._played = 0
        self._speaking = False
        self._dry_since: int | None = None

    @property
    def empty(self) -> bool:
        return not self._queue

    @property
    def played(self) -> int:
        """Bytes of audio played so far, and of what a clear dropped."""
        return self._played

    def push(self, payload: str) -> int:
        """Queue base64 of μ-law. How many bytes did not fit; RemoteProtocolError if not base64."""
        try:
            audio = binascii.a2b_base64(payload, strict_mode=True)
        except ValueError:
            raise RemoteProtocolError("media.payload is not base64", code=INVALID) from None
        return self.queue(audio)

    def queue(self, audio: bytes, *, more: bool = True) -> int:
        """Queue μ-law, of which `more` may follow. How many bytes did not fit."""
        room = CEILING - len(self._queue)
        surplus = max(0, len(audio) - room)
        taken = audio[: len(audio) - surplus]
        self._queue += taken
        self._queued += len(taken)
        self.most_queued = max(self.most_queued, len(self._queue))
        self.discarded += surplus
        if taken:
            self._speaking = more
            self._end_gap()
        return surplus

    def mark(self, name: str) -> list[str]:
        """Queue a mark. The names to echo at once: its own, if nothing is left to play."""
        self._pending.append((self._queued, name))
        self._speaking = False
        return self._release(cleared=False)

    def clear(self) -> list[str]:
        """Drop what is queued. The names of all pending marks, in order: Twilio echoes them."""
        self.times_cleared += 1
        return self.drop()

    def drop(self) -> list[str]:
        """The same where nobody asked for it: whoever spoke has gone."""
        self._queue.clear()
        self._played = self._queued
        self._speaking = False
        self._dry_since = None
        return self._release(cleared=True)

    def tick(self) -> tuple[bytes, list[str]]:
        """Play 20 ms: the 160 bytes the callee hears, and the names of the marks to echo."""
        audio = bytes(self._queue[:FRAME_BYTES])
        del self._queue[:FRAME_BYTES]
        self._played += len(audio)
        frame = audio + SILENCE[len(audio) :]
        if audio or not self._skip_silence:
            self._begin_gap(audio)
            self.heard += audio if self._skip_silence else frame
        return frame, self._release(cleared=False)

    def _release(self, *, cleared: bool) -> list[str]:
        names = []
        while self._pending and self._pending[0][0] <= self._played:
            position, name = self._pending.popleft()
            self.marks.append(MarkPlayed(name, position, len(self.heard), cleared))
            names.append(name)
        return names

    def _begin_gap(self, audio: bytes) -> None:
        if self._speaking and len(audio) < FRAME_BYTES and self._dry_since is None:
            self._dry_since = len(self.heard) + len(audio)

    def _end_gap(self) -> None:
        # Less than a frame of silence is the padding of an odd last chunk, not a stutter.
        if self._dry_since is not None and len(self.heard) - self._dry_since >= FRAME_BYTES:
            self.gaps.append(Gap(self._dry_since, len(self.heard) - self._dry_since))
        self._dry_since = None
