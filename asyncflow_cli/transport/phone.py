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
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.protocol.media import (
    Mark,
    MarkBody,
    Media,
    MediaBody,
    MediaStream,
    Message,
    Side,
    Start,
)
from asyncflow_cli.transport.signature import is_authentic

START_WITHIN = 5.0
"""Seconds a new socket has to send its `start`."""

SEND_WITHIN = 5.0
"""Seconds a send may take: a socket that is dead but open must not hold up the call."""

POLICY_VIOLATION = 1008


@dataclass(frozen=True)
class PhoneLost:
    """The media socket closed without a `stop`."""


@dataclass(frozen=True)
class CallStatus:
    status: str
    sip_code: str = ""
    """How the telephone network answered; only with a status that is final."""


@dataclass(frozen=True)
class StreamFailed:
    """Twilio could not open, or lost, the media socket."""

    reason: str


PhoneEvent: TypeAlias = Message | PhoneLost | CallStatus | StreamFailed


class Phone:
    """The far end of one call, as an ASGI app and a `send`.

    `auth_token` None leaves signatures unchecked. `sign_required` False takes requests
    without a signature, but never ones with a wrong one.
    """

    def __init__(
        self,
        emit: Callable[[PhoneEvent], None],
        *,
        account_sid: str | None = None,
        auth_token: str | None = None,
        sign_required: bool = True,
        start_within: float = START_WITHIN,
        refused: Callable[[str], None],
    ) -> None:
        self.token = secrets.token_urlsafe(32)
        self.public_url = ""
        """`wss://host`, as Twilio is told it; signatures are checked against it."""
        self.call_sid: str | None = None
        self._emit = emit
        self._refused = refused
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._sign_required = sign_required
        self._start_within = start_within
        self._taken = False
        self._socket: WebSocket | None = None
        self._stream = MediaStream(Side.SERVER)
        self.app = Starlette(
            routes=[
                WebSocketRoute("/twilio/media/{token}", self._media),
                Route("/twilio/status/{token}", self._status, methods=["GET", "POST"]),
                Route("/twilio/stream-status/{token}", self._stream_status, methods=["POST"]),
            ]
        )
        self.app.router.redirect_slashes = False

    @property
    def media_url(self) -> str:
        return f"{self.public_url}/twilio/media/{self.token}"

    @property
    def status_url(self) -> str:
        return f"{self._webhooks}/twilio/status/{self.token}"

    @property
    def stream_status_url(self) -> str:
        return f"{self._webhooks}/twilio/stream-status/{self.token}"

    async def play(self, payload: str) -> None:
        """Queue this base64 μ-law on the phone."""
        await self.send(Media(media=MediaBody(payload), stream_sid=self._stream_sid))

    async def mark(self, name: str) -> None:
        """Have the phone echo `name` once all before it was played."""
        await self.send(Mark(mark=MarkBody(name), stream_sid=self._stream_sid))

    @property
    def _stream_sid(self) -> str:
        return self._stream.stream_sid or ""

    async def send(self, message: Message) -> None:
        """One message to the phone. A socket that is gone is no error: its loss is an event."""
        if self._socket is None:
            return
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(SEND_WITHIN):
                await self._socket.send_text(self._stream.send(message))

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
        refusal = self._refusal(socket, self.media_url, None)
        if refusal is None and self._taken:
            refusal = "a second socket"
        if refusal:
            self._refused(f"media socket refused: {refusal}")
            await socket.close(POLICY_VIOLATION)
            return
        self._taken = True
        await socket.accept()
        self._socket = socket
        try:
            await self._listen(socket)
        except (RemoteProtocolError, TimeoutError) as error:
            self._refused(f"media socket closed: {str(error) or 'no start in time'}")
            await socket.close(POLICY_VIOLATION)
        except WebSocketDisconnect:
            pass
        finally:
            self._socket = None
            self._emit(PhoneLost())

    async def _listen(self, socket: WebSocket) -> None:
        async with asyncio.timeout(self._start_within) as start_in_time:
            while True:
                message = self._stream.receive(await _text(socket))
                if isinstance(message, Start):
                    self._check(message)
                    start_in_time.reschedule(None)
                if message is not None:
                    self._emit(message)

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
        self._emit(CallStatus(fields.get("CallStatus", ""), fields.get("SipResponseCode", "")))
        return Response(status_code=204)

    async def _stream_status(self, request: Request) -> Response:
        fields = await self._webhook(request, self.stream_status_url)
        if fields is None:
            return PlainTextResponse("", 403)
        if fields.get("StreamEvent") == "stream-error":
            self._emit(StreamFailed(fields.get("StreamError", "unknown")))
        return Response(status_code=204)

    async def _webhook(self, request: Request, url: str) -> dict[str, str] | None:
        """The fields of an authentic callback about our call."""
        if not self._is_ours(request):
            # A stranger's body is not even read.
            self._refused("callback refused: wrong token")
            return None
        form = {name: str(value) for name, value in (await request.form()).items()}
        query = request.url.query
        refusal = self._refusal(request, f"{url}?{query}" if query else url, form)
        fields = {**request.query_params, **form}
        if refusal is None and self.call_sid not in (None, fields.get("CallSid")):
            refusal = f"it is about call {fields.get('CallSid')}"
        if refusal:
            self._refused(f"callback refused: {refusal}")
            return None
        return fields

    def _is_ours(self, request: Request | WebSocket) -> bool:
        token: str = request.path_params["token"]
        return hmac.compare_digest(token.encode(), self.token.encode())

    def _refusal(
        self, request: Request | WebSocket, url: str, form: dict[str, str] | None
    ) -> str | None:
        if not self._is_ours(request):
            return "wrong token"
        signature = request.headers.get("x-twilio-signature")
        if self._auth_token is None or (signature is None and not self._sign_required):
            return None
        if signature is None or not is_authentic(signature, self._auth_token, url, form):
            return "wrong signature" if signature else "no signature"
        return None


async def _text(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text: str | None = message.get("text")
    if text is None:
        raise RemoteProtocolError("A binary frame on the media socket")
    return text
