"""Twilio's end of an open media stream.

https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.protocol.audio import FRAME_BYTES, MULAW_SILENCE
from asyncflow_cli.protocol.media import (
    INVALID,
    MALFORMED,
    Clear,
    Mark,
    MarkBody,
    Media,
    MediaStream,
    Message,
    Side,
)
from asyncflow_cli.sandbox.breakage import PROTOCOL_BROKEN, Breakage
from asyncflow_cli.sandbox.line import Line
from asyncflow_cli.sandbox.mediafeed import Conditions, MediaFeed, Opening, Ticked
from asyncflow_cli.sandbox.secondsocket import SecondSocket

CLOSED_BADLY, DISCARDED = "31921", "31931"
"""https://www.twilio.com/docs/api/errors/31921 and so on"""

PROPER_ENDS = (1000, 1005)
"""A normal closure, and a close frame without a code, as `ws.close()` sends it in JavaScript."""


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
        conditions: Conditions,
        second: SecondSocket | None = None,
    ) -> None:
        self.opening = opening
        self._connection = connection
        self._line = line
        self._warn = warn
        self._warned: set[str] = set()
        self._conditions = conditions
        self._second = second
        self._ticks = 0
        self._spoken_at: float | None = None
        self._received: Counter[str] = Counter()
        self._protocol = MediaStream(Side.TWILIO)
        self._breakage = Breakage(connection, conditions, self._played)
        self._feed = MediaFeed(connection, opening, self._protocol, self._warn_once, conditions)
        self._reader = asyncio.create_task(self._read())

    @property
    def closed(self) -> bool:
        """Whether the other side has closed the socket, or it was lost."""
        return self._reader.done() or self._breakage.cut

    def on_tick(self, tick: Ticked) -> None:
        """Send what happened on the line."""
        if self.closed:
            return
        self._ticks += 1
        self._feed.on_tick(tick, bidirectional=self._line is not None)
        self._breakage.on_tick()
        if self._breakage.half_open:
            self._feed.halt()

    async def finish(self) -> RemoteProtocolError | None:
        """Say `stop` and close, if the other side has not. How it ended, if it ended badly."""
        ended_here = not self.closed
        if ended_here:
            if (late := self._conditions.faults.get("stop-late")) is not None:
                await self._conditions.clock.sleep(late.seconds)
            self._feed.stop()
        self._breakage.end()
        try:
            if not ended_here:
                await self._reader  # Or our own farewell would look like the reason.
            await self._feed.flush()
            await self._connection.close()
            await self._reader
        finally:
            self._feed.end()
            self._reader.cancel()
            self._connection.transport.abort()
            if self._second is not None:
                await self._second.leave()
        return None if ended_here else self._failure()

    def summary(self) -> dict[str, Any]:
        """For the call's report."""
        return {
            "stream_sid": self.opening.stream_sid,
            "url": self.opening.url,
            "tracks": list(self.opening.tracks),
            "frames_sent": sum(self._feed.sent.values()),
            "received": dict(self._received),
            "first_audio_ms": self._first_audio_ms(),
            "close_code": self._connection.close_code,
            "faults": [fault.written for fault in self._conditions.faults.values()],
            "second_socket": None if self._second is None else self._second.answered,
        }

    def _first_audio_ms(self) -> float | None:
        """From our `start` to the first audio that was not silence; our time, not the line's."""
        if self._feed.started_at is None or self._spoken_at is None:
            return None
        return round((self._spoken_at - self._feed.started_at) * 1000, 1)

    def _played(self) -> int:
        """Bytes of what was sent here that the callee has heard; of a copy, of the call."""
        return self._line.played if self._line is not None else self._ticks * FRAME_BYTES

    async def _read(self) -> None:
        try:
            while True:
                frame = await self._connection.recv()
                self._on_frame(frame)
                await self._breakage.after_reading(frame)
        except ConnectionClosed:
            pass  # `_failure` tells how.

    def _on_frame(self, frame: str | bytes) -> None:
        if self._line is None or self._feed.stopped:
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
                self._note_speech(message.media.payload)
            case Mark(mark=MarkBody(name="")):
                raise RemoteProtocolError("mark.name is empty", code=INVALID)
            case Mark():
                self._feed.echo(line.mark(message.mark.name))
            case Clear():
                self._feed.echo(line.clear())

    def _note_speech(self, payload: str) -> None:
        if self._spoken_at is None and b64decode(payload).strip(MULAW_SILENCE):
            self._spoken_at = time.monotonic()

    def _warn_once(self, code: str, text: str) -> None:
        """Twilio logs each kind of warning once a stream."""
        if code not in self._warned:
            self._warned.add(code)
            self._warn(code, text)

    def _failure(self) -> RemoteProtocolError | None:
        if self._breakage.noticed is not None:
            return self._breakage.noticed
        ws = self._connection.protocol
        if ws.close_rcvd is not None and ws.close_rcvd_then_sent:
            if ws.close_rcvd.code in PROPER_ENDS:
                return None
            return RemoteProtocolError(f"The server closed with {ws.close_rcvd}", code=CLOSED_BADLY)
        if ws.close_sent is not None:
            # Broken frames, or no answer to a ping: then it was us who gave up.
            return RemoteProtocolError(f"Given up with {ws.close_sent}", code=PROTOCOL_BROKEN)
        return RemoteProtocolError("The connection was lost", code=CLOSED_BADLY)
