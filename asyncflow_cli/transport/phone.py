"""The local server that Twilio talks to: one call's media socket and its status callbacks.

https://www.twilio.com/docs/voice/media-streams

Everything stands behind a one-time token in the path, because Twilio drops query strings;
requests are signed besides. What arrives becomes events on one queue; nothing is decided here.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

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
    milliseconds,
)
from asyncflow_cli.transport.signature import SIGNATURE, Keys, flaw

START_WITHIN = 5.0
"""Seconds a new socket has to send its `start`."""

SEND_WITHIN = 5.0
"""Seconds a send may take: a socket that is dead but open must not hold up the call."""

POLICY_VIOLATION = 1008

LARGEST_FORM = 64 * 1024
"""Bytes of a callback's body; Twilio's have 1000."""

KINDS_TOLD = 20
"""Refusals that are told, each once: whoever knocks a thousand times must not fill a terminal."""

NO_KEYS = Keys()


@dataclass(frozen=True)
class PhoneLost:
    """The media socket closed without a `stop`."""

    token: str
    """Of the address it had come to."""


@dataclass(frozen=True)
class Recording:
    sid: str
    url: str


@dataclass(frozen=True)
class CallStatus:
    status: str
    sip_code: str = ""
    """How the telephone network answered; only with a status that is final."""
    recording: Recording | None = None


@dataclass(frozen=True)
class Verdict:
    """Who answered, in Twilio's word: human, machine_start, machine_end_beep, fax, …"""

    answered_by: str


@dataclass(frozen=True)
class StreamFailed:
    """Twilio could not open, or lost, the media socket."""

    reason: str
    stream_sid: str = ""


PhoneEvent: TypeAlias = Message | PhoneLost | CallStatus | Verdict | StreamFailed


class Phone:
    """The far end of one call, as an ASGI app and a `send`.

    Without `keys` signatures are not checked. Without `sign_required` whoever plays Twilio need
    not sign, until it has: then all of it must be signed. `refused` hears of each kind of stranger
    once.
    `hear` is given what the callee says, fifty times a second, and the milliseconds at which they
    said it; `routes` are served besides.
    """

    def __init__(
        self,
        emit: Callable[[PhoneEvent], None],
        *,
        account_sid: str | None = None,
        keys: Keys = NO_KEYS,
        sign_required: bool = True,
        start_within: float = START_WITHIN,
        refused: Callable[[str], None],
        hear: Callable[[str, int], None] | None = None,
        routes: Iterable[BaseRoute] = (),
    ) -> None:
        self.public_url = ""
        """`wss://host`, as Twilio is told it; signatures are checked against it."""
        self.call_sid: str | None = None
        self.callback_token = secrets.token_urlsafe(32)
        self._emit = emit
        self._refused = refused
        self._told: set[str] = set()
        self._account_sid = account_sid
        self._keys = keys
        self._sign_required = sign_required
        self._start_within = start_within
        self._hear = hear
        self._socket: WebSocket | None = None
        self._started: str | None = None
        self.renew()
        self.app = Starlette(
            routes=[
                WebSocketRoute("/twilio/media/{token}", self._media),
                Route("/twilio/status/{token}", self._status, methods=["GET", "POST"]),
                Route("/twilio/stream-status/{token}", self._stream_status, methods=["POST"]),
                Route("/twilio/amd/{token}", self._amd, methods=["GET", "POST"]),
                *routes,
            ]
        )
        self.app.router.redirect_slashes = False

    def renew(self) -> None:
        """Wait for another socket, at an address of its own: the one there was is lost."""
        self._socket = None
        self.token = secrets.token_urlsafe(32)
        self._taken = False
        self._stream = MediaStream(Side.SERVER)

    def expect(self, call_sid: str) -> bool:
        """Take streams and callbacks of this call only. False if there is one of another already,
        which came before the call had a name."""
        self.call_sid = call_sid
        return self._started in (None, call_sid)

    @property
    def media_url(self) -> str:
        return f"{self.public_url}/twilio/media/{self.token}"

    @property
    def status_url(self) -> str:
        return f"{self._webhooks}/twilio/status/{self.callback_token}"

    @property
    def stream_status_url(self) -> str:
        return f"{self._webhooks}/twilio/stream-status/{self.callback_token}"

    @property
    def amd_url(self) -> str:
        return f"{self._webhooks}/twilio/amd/{self.callback_token}"

    async def play(self, payload: str) -> None:
        """Queue this base64 μ-law on the phone."""
        await self.send(Media(media=MediaBody(payload), stream_sid=self.stream_sid))

    async def mark(self, name: str) -> None:
        """Have the phone echo `name` once all before it was played."""
        await self.send(Mark(mark=MarkBody(name), stream_sid=self.stream_sid))

    async def clear(self) -> None:
        """Have the phone drop what it has queued."""
        await self.send(Clear(stream_sid=self.stream_sid))

    @property
    def stream_sid(self) -> str:
        """Of the stream there is, or was last; empty before the first."""
        return self._stream.stream_sid or ""

    async def send(self, message: Message) -> None:
        """One message to the phone. A socket that is gone is no error: its loss is an event."""
        if self._socket is None:
            return
        try:
            async with asyncio.timeout(SEND_WITHIN):
                await self._socket.send_text(self._stream.send(message))
        except TimeoutError:
            # Open, and dead: the call must not wait at every further message.
            self._socket = None
            self._emit(PhoneLost(self.token))
        except (WebSocketDisconnect, RuntimeError):
            pass

    async def close(self) -> None:
        """Close the socket the normal way, which ends the call's `<Connect>`."""
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
                async with asyncio.timeout(SEND_WITHIN):
                    await socket.close(1000)

    @property
    def _webhooks(self) -> str:
        return "http" + self.public_url.removeprefix("ws")

    async def _media(self, socket: WebSocket) -> None:
        refusal = self._refusal(socket, self.token, self.media_url, None)
        if refusal is None and self._taken:
            refusal = "a second socket"
        if refusal:
            self._refuse(f"media socket refused: {refusal}")
            await socket.close(POLICY_VIOLATION)
            return
        self._taken = True
        token, stream = self.token, self._stream
        await socket.accept()
        self._socket = socket
        try:
            await self._listen(socket, stream)
        except (RemoteProtocolError, TimeoutError) as error:
            self._refuse(f"media socket closed: {str(error) or 'no start in time'}")
            await socket.close(POLICY_VIOLATION)
        except WebSocketDisconnect:
            pass
        finally:
            if self._socket is socket:
                self._socket = None
            self._emit(PhoneLost(token))

    async def _listen(self, socket: WebSocket, stream: MediaStream) -> None:
        async with asyncio.timeout(self._start_within) as start_in_time:
            while True:
                message = stream.receive(await _text(socket))
                if isinstance(message, Start):
                    self._check(message)
                    self._started = message.start.call_sid
                    start_in_time.reschedule(None)
                if stream is not self._stream:
                    continue  # it was given up, and says nothing that matters
                if isinstance(message, Media):
                    self._on_audio(message.media)
                elif message is not None:
                    self._emit(message)

    def _on_audio(self, body: MediaBody) -> None:
        # What others play to the callee is not the callee.
        if self._hear is not None and body.track != "outbound":
            self._hear(body.payload, milliseconds(body))

    def _check(self, start: Start) -> None:
        """A signed stranger is a stranger still: the stream must be of the call we made."""
        if self.call_sid is not None and start.start.call_sid != self.call_sid:
            raise RemoteProtocolError(f"A stream of another call, {start.start.call_sid}")
        if self._account_sid not in (None, start.start.account_sid):
            raise RemoteProtocolError(f"A stream of another account, {start.start.account_sid}")
        media_format = start.start.media_format
        if (media_format.encoding, media_format.sample_rate) != ("audio/x-mulaw", 8000):
            raise RemoteProtocolError(f"A stream in {media_format.encoding}, not 8 kHz μ-law")

    async def _status(self, request: Request) -> Response:
        fields = await self._webhook(request, self.status_url)
        if fields is None:
            return PlainTextResponse("", 403)
        status, sip_code = fields.get("CallStatus", ""), fields.get("SipResponseCode", "")
        self._emit(CallStatus(status, sip_code, _recording(fields)))
        return Response(status_code=204)

    async def _amd(self, request: Request) -> Response:
        fields = await self._webhook(request, self.amd_url)
        if fields is None:
            return PlainTextResponse("", 403)
        self._emit(Verdict(fields.get("AnsweredBy", "unknown")))
        return Response(status_code=204)

    async def _stream_status(self, request: Request) -> Response:
        fields = await self._webhook(request, self.stream_status_url)
        if fields is None:
            return PlainTextResponse("", 403)
        if fields.get("StreamEvent") == "stream-error":
            reason = fields.get("StreamError", "unknown")
            self._emit(StreamFailed(reason, fields.get("StreamSid", "")))
        return Response(status_code=204)

    async def _webhook(self, request: Request, url: str) -> dict[str, str] | None:
        """The fields of an authentic callback about our call."""
        if not _has_token(request, self.callback_token):
            # A stranger's body is not even read.
            self._refuse("callback refused: wrong token")
            return None
        form = await _form(request)
        if form is None:
            self._refuse("callback refused: its body is too long, or broke off")
            return None
        query = request.url.query
        signed = f"{url}?{query}" if query else url
        refusal = self._refusal(request, self.callback_token, signed, form)
        fields = {**request.query_params, **form}
        if refusal is None and self.call_sid not in (None, fields.get("CallSid")):
            refusal = f"it is about call {fields.get('CallSid')}"
        if refusal:
            self._refuse(f"callback refused: {refusal}")
            return None
        return fields

    def _refuse(self, why: str) -> None:
        # The words may be the stranger's own, and must not move a terminal's cursor.
        why = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in why[:200])
        if why not in self._told and len(self._told) < KINDS_TOLD:
            self._told.add(why)
            self._refused(why)

    def _refusal(
        self, request: Request | WebSocket, token: str, url: str, form: dict[str, str] | None
    ) -> str | None:
        if not _has_token(request, token):
            return "wrong token"
        if not self._sign_required and SIGNATURE not in request.headers:
            return None
        wrong = flaw(request.headers, self._keys, url, form)
        self._sign_required = self._sign_required or wrong is None
        return wrong


def _has_token(request: Request | WebSocket, token: str) -> bool:
    return hmac.compare_digest(str(request.path_params["token"]).encode(), token.encode())


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a body. None for one that no Twilio sends, or that never came whole."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_FORM:
                return None
    except ClientDisconnect:
        return None
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def _recording(fields: Mapping[str, str]) -> Recording | None:
    sid = fields.get("RecordingSid")
    return Recording(sid, fields.get("RecordingUrl", "")) if sid else None


async def _text(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text: str | None = message.get("text")
    if text is None:
        raise RemoteProtocolError("A binary frame on the media socket")
    return text
