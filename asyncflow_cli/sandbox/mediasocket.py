"""Twilio's end of an open media stream.

https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.protocol.media import (
    INVALID,
    MALFORMED,
    Clear,
    Connected,
    Dtmf,
    DtmfBody,
    Mark,
    MarkBody,
    Media,
    MediaBody,
    MediaStream,
    Message,
    Side,
    Start,
    StartBody,
    Stop,
    StopBody,
)
from asyncflow_cli.sandbox.handshake import CLOSE_SECONDS
from asyncflow_cli.sandbox.line import Line

CLOSED_BADLY, PROTOCOL_BROKEN = "31921", "31924"
CONGESTED, DISCARDED = "31930", "31931"
"""https://www.twilio.com/docs/api/errors/31921 and so on"""

MAX_WAITING = 3000
"""Frames that may wait for a server that does not read: a minute. Then they are lost, 31930."""

PROPER_ENDS = (1000, 1005)
"""A normal closure, and a close frame without a code, as `ws.close()` sends it in JavaScript."""


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


class MediaSocket:
    """One stream: `on_tick` sends, what arrives goes into the line, `finish` ends it.

    Without a line the stream is unidirectional: it copies the call, and what comes back is ignored.
    """

    def __init__(
        self,
        connection: ClientConnection,
        opening: Opening,
        line: Line | None,
        warn: Callable[[str, str], None],
    ) -> None:
        self.opening = opening
        self._connection = connection
        self._line = line
        self._warn = warn
        self._warned: set[str] = set()
        self._protocol = MediaStream(Side.TWILIO)
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue()
        self._stopped = False
        self._sequence = 0
        self._ticks = 0
        self._sent: Counter[str] = Counter()
        self._received: Counter[str] = Counter()
        self._open()
        self._reader = asyncio.create_task(self._read())
        self._writer = asyncio.create_task(self._write())

    @property
    def closed(self) -> bool:
        """Whether the other side has closed the socket, or it was lost."""
        return self._reader.done()

    def on_tick(self, tick: Ticked) -> None:
        """Send what happened on the line."""
        if self.closed:
            return
        timestamp = str(self.opening.first_timestamp + 20 * self._ticks)
        self._ticks += 1
        for track in self.opening.tracks:
            audio = tick.said if track == "inbound" else tick.heard
            self._send_media(track, timestamp, audio)
        if self._line is not None:
            for digit in tick.digits:
                body = DtmfBody(digit, track="inbound_track")
                self._post(Dtmf(body, self._sid, self._count()))
            self._echo(tick.marks)

    async def finish(self) -> RemoteProtocolError | None:
        """Say `stop` and close, if the other side has not. How it ended, if it ended badly."""
        ended_here = not self.closed
        if ended_here:
            body = StopBody(self.opening.account_sid, self.opening.call_sid)
            self._post(Stop(body, self._sid, self._count()))
            self._stopped = True
        try:
            await self._flush()
            await self._connection.close()
            await self._reader
        finally:
            self._writer.cancel()
            self._reader.cancel()
            self._connection.transport.abort()
        return None if ended_here else self._failure()

    def summary(self) -> dict[str, Any]:
        """For the call's report."""
        return {
            "stream_sid": self.opening.stream_sid,
            "url": self.opening.url,
            "tracks": list(self.opening.tracks),
            "frames_sent": sum(self._sent.values()),
            "received": dict(self._received),
            "close_code": self._connection.close_code,
        }

    @property
    def _sid(self) -> str:
        return self.opening.stream_sid

    def _open(self) -> None:
        self._post(Connected())
        body = StartBody(
            account_sid=self.opening.account_sid,
            call_sid=self.opening.call_sid,
            stream_sid=self._sid,
            tracks=self.opening.tracks,
            custom_parameters=dict(self.opening.parameters),
        )
        self._post(Start(body, self._sid, self._count()))

    def _send_media(self, track: str, timestamp: str, audio: bytes) -> None:
        if self._waiting.qsize() >= MAX_WAITING:
            self._warn_once(CONGESTED, "The media server does not read; audio to it was lost")
            return
        self._sent[track] += 1
        body = MediaBody(
            base64.b64encode(audio).decode(),
            track=track,
            chunk=str(self._sent[track]),
            timestamp=timestamp,
        )
        self._post(Media(body, self._sid, self._count()))

    def _echo(self, marks: list[str]) -> None:
        for name in marks:
            self._post(Mark(MarkBody(name), self._sid, self._count()))

    def _count(self) -> str:
        self._sequence += 1
        return str(self._sequence)

    def _post(self, message: Message) -> None:
        if not self._stopped:
            self._waiting.put_nowait(self._protocol.send(message))

    async def _write(self) -> None:
        try:
            while (text := await self._waiting.get()) is not None:
                await self._connection.send(text)
        except ConnectionClosed:
            pass  # The reader knows how it ended.

    async def _flush(self) -> None:
        self._waiting.put_nowait(None)
        await asyncio.wait([self._writer], timeout=CLOSE_SECONDS)

    async def _read(self) -> None:
        try:
            while True:
                self._on_frame(await self._connection.recv())
        except ConnectionClosed:
            pass  # `_failure` tells how.

    def _on_frame(self, frame: str | bytes) -> None:
        if self._line is None or self._stopped:
            return
        try:
            if isinstance(frame, bytes):
                raise RemoteProtocolError("A binary frame is no media message", code=MALFORMED)
            self._on_message(self._line, self._protocol.receive(frame))
        except RemoteProtocolError as error:
            self._warn_once(error.code, error.message)

    def _on_message(self, line: Line, message: Message | None) -> None:
        self._received[type(message).__name__.lower()] += 1
        match message:
            case Media():
                if line.push(message.media.payload):
                    self._warn_once(DISCARDED, "More than 10 minutes of audio queued; some lost")
            case Mark(mark=MarkBody(name="")):
                raise RemoteProtocolError("mark.name is empty", code=INVALID)
            case Mark():
                self._echo(line.mark(message.mark.name))
            case Clear():
                self._echo(line.clear())

    def _warn_once(self, code: str, text: str) -> None:
        """Twilio logs each kind of warning once a stream."""
        if code not in self._warned:
            self._warned.add(code)
            self._warn(code, text)

    def _failure(self) -> RemoteProtocolError | None:
        ws = self._connection.protocol
        if ws.close_rcvd is not None and ws.close_rcvd_then_sent:
            if ws.close_rcvd.code in PROPER_ENDS:
                return None
            return RemoteProtocolError(f"The server closed with {ws.close_rcvd}", code=CLOSED_BADLY)
        if ws.close_sent is not None:
            # Broken frames, or no answer to a ping: then it was us who gave up.
            return RemoteProtocolError(f"Given up with {ws.close_sent}", code=PROTOCOL_BROKEN)
        return RemoteProtocolError("The connection was lost", code=CLOSED_BADLY)
