"""The media streams of one call: opened, reported, ended.

https://www.twilio.com/docs/voice/twiml/stream
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from random import Random
from typing import Any

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.edge import pass_edge
from asyncflow_cli.sandbox.faults import Fault
from asyncflow_cli.sandbox.handshake import AT_EDGE, OPEN_SECONDS, dial
from asyncflow_cli.sandbox.line import Line
from asyncflow_cli.sandbox.mediafeed import Conditions, Opening
from asyncflow_cli.sandbox.mediasocket import MediaSocket
from asyncflow_cli.sandbox.secondsocket import SecondSocket
from asyncflow_cli.sandbox.stage import Stage
from asyncflow_cli.sandbox.streamurl import check, resolve
from asyncflow_cli.sandbox.verbs import Stream

_TRACKS = {
    "inbound_track": ("inbound",),
    "outbound_track": ("outbound",),
    "both_tracks": ("inbound", "outbound"),
}


_FOREIGN = {prefix: prefix + "0bad" * 8 for prefix in ("AC", "CA")}
"""SIDs of nobody's."""


class Streams:
    """One bidirectional stream at a time, and any number of copies of the call."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._copies: dict[str, tuple[Stream, MediaSocket]] = {}
        self._summaries: list[dict[str, Any]] = []

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """For the call's report."""
        return self._summaries + [socket.summary() for _, socket in self._copies.values()]

    async def connect(self, stream: Stream, document_url: str | None) -> None:
        """Give the line to the media server until it closes the socket.

        What it had queued and the line had not yet played is never heard.
        """
        leg = self._stage.leg
        socket = await self._open(stream, document_url, ("inbound",), leg.line)
        if socket is None:
            return
        leg.listeners.append(socket.on_tick)
        try:
            await leg.run(until=lambda: socket.closed)
        finally:
            leg.listeners.remove(socket.on_tick)
            leg.line.drop()
            await self._finish(stream, socket)

    def find(self, name: str) -> tuple[str, str] | None:
        """Name and SID of the copy that has this name, or this SID."""
        for known, (_, socket) in self._copies.items():
            if name in (known, socket.opening.stream_sid):
                return known, socket.opening.stream_sid
        return None

    async def start(self, stream: Stream, document_url: str | None) -> str | None:
        """Copy the line to a server while the call goes on. The copy's SID, if there is one."""
        tracks = _TRACKS.get(stream.track or "inbound_track", ())
        socket = await self._open(stream, document_url, tracks, None)
        if socket is None:
            return None
        self._stage.leg.listeners.append(socket.on_tick)
        self._copies[stream.name or socket.opening.stream_sid] = (stream, socket)
        return socket.opening.stream_sid

    async def stop(self, name: str) -> None:
        """End the copy of that name."""
        if name not in self._copies:
            self._stage.notify("12200", f"There is no stream named {name} to stop", "")
            return
        stream, socket = self._copies.pop(name)
        self._stage.leg.listeners.remove(socket.on_tick)
        await self._finish(stream, socket)

    async def close(self) -> None:
        """End every copy: the call is over."""
        for name in list(self._copies):
            await self.stop(name)

    async def _open(
        self,
        stream: Stream,
        document_url: str | None,
        tracks: tuple[str, ...],
        line: Line | None,
    ) -> MediaSocket | None:
        stage = self._stage
        sid = stage.names.sid("MZ")
        url = resolve(stream.url, document_url)
        try:
            check(url, stream.track, bidirectional=line is not None)
            faults = stage.faults.take_each("media")
            await pass_edge(url, faults, AT_EDGE, clock=stage.clock, patience=OPEN_SECONDS)
            headers = stage.signer.under(faults).headers(url)
            connection = await dial(url, headers, document_url)
        except RemoteProtocolError as error:
            self._fail(stream, sid, error, url)
            return None
        self._callback(stream, sid, "stream-started")
        opening = self._opening(stream, sid, url, tracks, faults)
        return MediaSocket(
            connection,
            opening,
            line,
            lambda code, text: stage.notify(code, text, url),
            Conditions(stage.clock, faults, Random(0 if stage.names.deterministic else None)),
            SecondSocket(opening, headers, document_url) if "second-socket" in faults else None,
        )

    def _opening(
        self,
        stream: Stream,
        sid: str,
        url: str,
        tracks: tuple[str, ...],
        faults: Mapping[str, Fault],
    ) -> Opening:
        stage = self._stage
        return Opening(
            url=url,
            account_sid=_FOREIGN["AC"] if "wrong-account-sid" in faults else stage.account_sid,
            call_sid=_FOREIGN["CA"] if "wrong-call-sid" in faults else stage.call_sid,
            stream_sid=sid,
            first_timestamp=stage.names.first_timestamp(),
            parameters=stream.parameters,
            tracks=tracks,
        )

    async def _finish(self, stream: Stream, socket: MediaSocket) -> None:
        failure = await socket.finish()
        self._summaries.append(socket.summary())
        if failure is None:
            self._callback(stream, socket.opening.stream_sid, "stream-stopped")
        else:
            self._fail(stream, socket.opening.stream_sid, failure, socket.opening.url)

    def _fail(self, stream: Stream, sid: str, error: RemoteProtocolError, url: str) -> None:
        self._stage.notify(error.code, error.message, url)
        self._callback(stream, sid, "stream-error", error.message)

    def _callback(self, stream: Stream, sid: str, event: str, error: str | None = None) -> None:
        """https://www.twilio.com/docs/voice/twiml/stream#statuscallback"""
        if stream.status_callback is None:
            return
        date = self._stage.date().astimezone(UTC)
        fields = {
            "AccountSid": self._stage.account_sid,
            "CallSid": self._stage.call_sid,
            "StreamSid": sid,
            "StreamName": stream.name or sid,
            "StreamEvent": event,
            "Timestamp": date.strftime("%Y-%m-%dT%H:%M:%S.") + f"{date.microsecond // 1000:03}Z",
        }
        if error is not None:
            fields["StreamError"] = error
        self._stage.outbox.post(stream.status_callback_method, stream.status_callback, fields)
