"""Twilio's callbacks about one call: form posts that become events. Nothing is decided here.

https://www.twilio.com/docs/voice/api/call-resource#statuscallback
https://www.twilio.com/docs/voice/answering-machine-detection
https://www.twilio.com/docs/voice/twiml/stream#statuscallback
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from asyncflow_cli.transport.gate import Gate, same

LARGEST_FORM = 64 * 1024
"""Bytes of a callback's body; Twilio's have 1000."""


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


CallbackEvent: TypeAlias = CallStatus | Verdict | StreamFailed


class Callbacks:
    """The addresses for callbacks below `public_url`, and what is served there."""

    def __init__(self, gate: Gate, emit: Callable[[CallbackEvent], None]) -> None:
        self.public_url = ""
        """`https://host`, as Twilio is told it; signatures are checked against it."""
        self.token = secrets.token_urlsafe(32)
        self._gate = gate
        self._emit = emit

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/twilio/status/{token}", self._status, methods=["GET", "POST"]),
            Route("/twilio/stream-status/{token}", self._stream_status, methods=["POST"]),
            Route("/twilio/amd/{token}", self._amd, methods=["GET", "POST"]),
        ]

    def url(self, kind: str) -> str:
        """Where callbacks of this kind go: `status`, `stream-status` or `amd`."""
        return f"{self.public_url}/twilio/{kind}/{self.token}"

    async def _status(self, request: Request) -> Response:
        fields = await self._fields(request, "status")
        if fields is None:
            return PlainTextResponse("", 403)
        status, sip_code = fields.get("CallStatus", ""), fields.get("SipResponseCode", "")
        self._emit(CallStatus(status, sip_code, _recording(fields)))
        return Response(status_code=204)

    async def _amd(self, request: Request) -> Response:
        fields = await self._fields(request, "amd")
        if fields is None:
            return PlainTextResponse("", 403)
        self._emit(Verdict(fields.get("AnsweredBy", "unknown")))
        return Response(status_code=204)

    async def _stream_status(self, request: Request) -> Response:
        fields = await self._fields(request, "stream-status")
        if fields is None:
            return PlainTextResponse("", 403)
        if fields.get("StreamEvent") == "stream-error":
            reason = fields.get("StreamError", "unknown")
            self._emit(StreamFailed(reason, fields.get("StreamSid", "")))
        return Response(status_code=204)

    async def _fields(self, request: Request, kind: str) -> dict[str, str] | None:
        """The fields of an authentic callback about our call."""
        shown = str(request.path_params["token"])
        if not same(shown, self.token):
            # A stranger's body is not even read.
            self._refuse("wrong token")
            return None
        form = await _form(request)
        if form is None:
            self._refuse("its body is too long, or broke off")
            return None
        query = request.url.query
        signed = f"{self.url(kind)}?{query}" if query else self.url(kind)
        flaw = self._gate.flaw(shown, self.token, request.headers, signed, form)
        if flaw is not None:
            self._refuse(flaw)
            return None
        fields = {**request.query_params, **form}
        if self._gate.call_sid not in (None, fields.get("CallSid")):
            self._refuse(f"it is about call {fields.get('CallSid')}")
            return None
        return fields

    def _refuse(self, why: str) -> None:
        self._gate.tell(f"callback refused: {why}")


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
