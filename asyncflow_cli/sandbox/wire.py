"""The wire between the sandbox and its callers, on which things go wrong as they were told to.

It lies around the whole application, so no endpoint knows of faults. Choices: a fault comes before
the key is looked at; a status that neither Async nor Twilio documents has a proxy's short page.
"""

from __future__ import annotations

import contextlib
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from asyncflow_cli.sandbox.control import ROOT
from asyncflow_cli.sandbox.documented import DOCUMENTED
from asyncflow_cli.sandbox.faults import Fault, Faults
from asyncflow_cli.sandbox.faultwords import SOCKET
from asyncflow_cli.sandbox.faultybody import FaultyBody
from asyncflow_cli.sandbox.faultysocket import FaultySocket
from asyncflow_cli.sandbox.form import ApiError
from asyncflow_cli.sandbox.refusal import Broken
from asyncflow_cli.sandbox.resources import API
from asyncflow_cli.sandbox.rest import failure
from asyncflow_cli.sandbox.serving import cut


class Wire:
    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._fault(scope)
        if fault is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._on_socket(fault, scope, receive, send)
        else:
            await self._on_request(fault, scope, receive, send)

    def _fault(self, scope: Scope) -> Fault | None:
        path = scope.get("path", "")
        if scope["type"] not in ("http", "websocket") or path.startswith(ROOT):
            return None
        method = SOCKET if scope["type"] == "websocket" else scope["method"]
        return self._faults.take(method, path)

    async def _on_request(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "answer":
            await _read(scope, receive)
            await _answer(fault, scope["method"], scope["path"])(scope, receive, send)
        elif fault.kind == "drop" and not fault.number:
            await _read(scope, receive)
            await cut(scope, receive)
        elif fault.kind in ("lost-answer", "after"):
            await self._app(scope, receive, _to_nobody)
            if fault.kind == "lost-answer":
                await cut(scope, receive)
            else:
                await _answer(fault, scope["method"], scope["path"])(scope, receive, send)
        else:
            body = FaultyBody(fault, send)
            await self._app(scope, receive, body.send)
            if body.lost:
                await cut(scope, receive)

    async def _on_socket(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "answer":
            socket = WebSocket(scope, receive, send)
            await socket.send_denial_response(_answer(fault, "GET", socket.url.path))
        else:
            frames = FaultySocket(fault, send, lambda: cut(scope, receive))
            await self._app(scope, receive, frames.send)


async def _read(scope: Scope, receive: Receive) -> None:
    """Whoever is still sending would see neither an answer nor an end, but a reset."""
    with contextlib.suppress(ClientDisconnect):
        await Request(scope, receive).body()


async def _to_nobody(_message: Message) -> None:
    """An answer that is lost on its way."""


def _answer(fault: Fault, method: str, path: str) -> Response:
    request = Request({"type": "http", "method": method, "path": path, "headers": []})
    if fault.code is not None:
        return DOCUMENTED[fault.code].refusal(fault.code, fault.extra).answer(request)
    phrase = HTTPStatus(fault.status).phrase if fault.status in _STATUSES else "Unknown"
    if path.startswith(f"/{API}/") and fault.status in _TWILIOS:
        return failure(ApiError(fault.status, _TWILIOS[fault.status], phrase))
    if fault.status == 500:
        return Broken(500, phrase, "A fault that was asked for").answer(request)
    page = f"<html><body><h1>{fault.status} {phrase}</h1></body></html>\n"
    return Response(page, fault.status, media_type="text/html")


_STATUSES = frozenset(HTTPStatus)

_TWILIOS = {
    400: 20001,
    401: 20003,
    403: 20006,
    404: 20404,
    405: 20004,
    409: 20409,
    429: 20429,
    500: 20500,
    503: 20503,
}
"""https://www.twilio.com/docs/api/errors; 502 and 504 come from what stands before Twilio."""
