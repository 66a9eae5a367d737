"""What Twilio sends on a media stream: numbered, queued and written, or as faults have it.

https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from asyncflow_cli.protocol.media import (
    Connected,
    Dtmf,
    DtmfBody,
    Mark,
    MarkBody,
    Media,
    MediaBody,
    MediaStream,
    Message,
    Start,
    StartBody,
    Stop,
    StopBody,
)
from asyncflow_cli.sandbox.clock import Clock, ticks
from asyncflow_cli.sandbox.faults import Fault
from asyncflow_cli.sandbox.handshake import CLOSE_SECONDS
from asyncflow_cli.sandbox.line import SILENCE

CONGESTED = "31930"
"""https://www.twilio.com/docs/api/errors/31930"""

MAX_WAITING = 3000
"""Frames that may wait for a server that does not read: a minute. Then they are lost, 31930."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """20 ms of the line, as a stream sees them."""

    said: bytes
    heard: bytes
    digits: str = ""
    marks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a stream says of itself when it starts."""

    url: str
    account_sid: str
    call_sid: str
    stream_sid: str
    first_timestamp: int
    parameters: Mapping[str, str]
    tracks: tuple[str, ...] = ("inbound",)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a stream has to live with: `faults` by their words, decided by `random`."""

    clock: Clock
    faults: Mapping[str, Fault]
    random: Random


def start_of(opening: Opening) -> StartBody:
    return StartBody(
        account_sid=opening.account_sid,
        call_sid=opening.call_sid,
        stream_sid=opening.stream_sid,
        tracks=opening.tracks,
        custom_parameters=dict(opening.parameters),
    )


class MediaFeed:
    """Messages on their way to the media server."""

    def __init__(
        self,
        connection: ClientConnection,
        opening: Opening,
        protocol: MediaStream,
        warn: Callable[[str, str], None],
        conditions: Conditions,
    ) -> None:
        self.sent: Counter[str] = Counter()
        """Media frames of each track, those that were lost on the way included."""
        self.stopped = False
        self.started_at: float | None = None
        """When `start` was sent, by the computer's clock."""
        self._connection = connection
        self._opening = opening
        self._protocol = protocol
        self._warn = warn
        self._faults = conditions.faults
        self._random = conditions.random
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue()
        self._held: list[str] = []
        self._late: deque[tuple[int, str]] = deque()
        self._sequence = self._ticks = self._flows_at = 0
        self._post(Connected())
        self._start_when_due()
        self._writer = asyncio.create_task(self._write())

    def on_tick(self, tick: Ticked, *, bidirectional: bool) -> None:
        """Send what happened on the line. Keys and marks are for bidirectional streams."""
        timestamp = str(self._opening.first_timestamp + 20 * self._ticks)
        for track in self._opening.tracks if self._sequence else ():
            self._media(track, timestamp, tick.said if track == "inbound" else tick.heard)
        self._ticks += 1
        if bidirectional and self._sequence:
            for digit in tick.digits:
                body = DtmfBody(digit, track="inbound_track")
                self._post(Dtmf(body, self._opening.stream_sid, self._count()))
            self.echo(tick.marks)
        self._start_when_due()
        self._echo_late()
        self._let_flow()

    def echo(self, marks: list[str]) -> None:
        if "no-marks" in self._faults:
            return
        if "late-marks" in self._faults:
            due = self._ticks + ticks(self._faults["late-marks"].seconds)
            self._late.extend((due, name) for name in marks)
        else:
            self._echo(marks)

    def stop(self) -> None:
        """Say `stop`, and nothing more."""
        body = StopBody(self._opening.account_sid, self._opening.call_sid)
        self._post(Stop(body, self._opening.stream_sid, self._count()))
        self._release()
        self.stopped = True

    def halt(self) -> None:
        """Write nothing more, not even what is waiting, nor pings."""
        self.stopped = True
        self._writer.cancel()
        if self._connection.keepalive_task is not None:
            self._connection.keepalive_task.cancel()

    async def flush(self) -> None:
        """Wait until all is written, within reason."""
        self._waiting.put_nowait(None)
        await asyncio.wait([self._writer], timeout=CLOSE_SECONDS)

    def end(self) -> None:
        self._writer.cancel()

    def _start_when_due(self) -> None:
        late = self._faults.get("late-start")
        if self._sequence or self._ticks < (ticks(late.seconds) if late is not None else 0):
            return
        self._post(Start(start_of(self._opening), self._opening.stream_sid, self._count()))
        self.started_at = time.monotonic()

    def _media(self, track: str, timestamp: str, audio: bytes) -> None:
        if "no-inbound" in self._faults and audio == SILENCE:
            return
        if self._waiting.qsize() >= MAX_WAITING:
            self._warn(CONGESTED, "The media server does not read; audio to it was lost")
            return
        self.sent[track] += 1
        body = MediaBody(
            base64.b64encode(audio).decode(),
            track=track,
            chunk=str(self.sent[track]),
            timestamp=timestamp,
        )
        message = Media(body, self._opening.stream_sid, self._count())
        loss = self._faults.get("loss")
        if loss is None or self._random.random() * 100 >= (loss.number or 0):
            self._post(message)

    def _echo(self, marks: list[str]) -> None:
        for name in marks:
            for _ in range(2 if "duplicate-mark" in self._faults else 1):
                self._post(Mark(MarkBody(name), self._opening.stream_sid, self._count()))

    def _echo_late(self) -> None:
        while self._late and self._late[0][0] <= self._ticks:
            self._echo([self._late.popleft()[1]])

    def _count(self) -> str:
        self._sequence += 1
        return str(self._sequence)

    def _post(self, message: Message) -> None:
        if not self.stopped:
            self._held.append(self._protocol.send(message))
            if "jitter" not in self._faults:
                self._release()

    def _let_flow(self) -> None:
        """With jitter: all that has gathered, at once, and then nothing for a while."""
        if "jitter" in self._faults and self._ticks >= self._flows_at:
            self._release()
            most = ticks(self._faults["jitter"].seconds)
            self._flows_at = self._ticks + self._random.randint(0, most)

    def _release(self) -> None:
        for text in self._held:
            self._waiting.put_nowait(text)
        self._held.clear()

    async def _write(self) -> None:
        try:
            while (text := await self._waiting.get()) is not None:
                await self._connection.send(text)
        except ConnectionClosed:
            pass  # Whoever reads knows how it ended.
