"""Whether a public address leads to this very process, through HTTP and WebSocket, and how far.

A tunnel can be up and lead nowhere, to a page in between, or to somebody else's program: then
Twilio would ring a phone, and find nobody to stream to. So we call ourselves first, from outside.

The answer is signed with a secret of this process, so that no other server passes for us.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.settings import is_loopback
from asyncflow_cli.transport.astray import deaf, unreachable, wrong
from asyncflow_cli.transport.leg import POLICY_VIOLATION
from asyncflow_cli.transport.outward import open_http
from asyncflow_cli.transport.roads.road import Tunnel
from asyncflow_cli.transport.trust import for_websocket

SETTLES_WITHIN = 15.0
"""Seconds after which a fresh name must be known to DNS, and have its certificate."""

ANSWER_WITHIN = 5.0
"""Seconds one question may take."""

PAUSE = 0.5
"""Seconds between two questions."""

FRAME = "x" * 400
"""As long as Twilio's media messages."""

HEADERS = {
    # ngrok shows browsers a page first: https://ngrok.com/docs/errors/err_ngrok_6024
    "ngrok-skip-browser-warning": "1",
    "User-Agent": "asyncflow-probe",
}


@dataclass(frozen=True)
class Probe:
    https_ms: float
    """From the question to the answer, connection and TLS included."""
    wss_ms: float
    """From a frame to its echo: the way Twilio's audio goes, there and back."""


def new_secret() -> bytes:
    return secrets.token_bytes(32)


def routes(secret: bytes) -> list[BaseRoute]:
    """What the server behind the address needs, for `probe` with the same secret to find it."""

    async def healthz(request: Request) -> Response:
        nonce = request.query_params.get("nonce", "")
        if not re.fullmatch(r"[\w-]{16,64}", nonce, re.ASCII):
            return PlainTextResponse("", 404)
        return PlainTextResponse(_answer(secret, nonce), headers={"Cache-Control": "no-store"})

    async def echo(socket: WebSocket) -> None:
        token = socket.path_params["token"]
        if not hmac.compare_digest(token.encode(), _token(secret).encode()):
            await socket.close(POLICY_VIOLATION)
            return
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, KeyError, TimeoutError):
            async with asyncio.timeout(ANSWER_WITHIN):
                await socket.send_text(await socket.receive_text())
            await socket.close()

    return [
        Route("/healthz", healthz, methods=["GET"]),
        WebSocketRoute("/twilio/echo/{token}", echo),
    ]


async def probe(tunnel: Tunnel, secret: bytes, *, settles_within: float = SETTLES_WITHIN) -> Probe:
    """How far away we are through this tunnel.

    PUBLIC_URL_WRONG if somebody else answers, PUBLIC_URL_DEAF if HTTP passes and WebSocket does
    not, PUBLIC_URL_UNREACHABLE if nobody answers. A fresh address is asked again for
    `settles_within` seconds, one that stood before only once.
    """
    until = time.monotonic() + (settles_within if tunnel.fresh else 0.0)
    while True:
        try:
            return Probe(await _https_ms(tunnel.url, secret), await _wss_ms(tunnel.url, secret))
        except AsyncflowError as error:
            if not error.passing or time.monotonic() >= until:
                raise
        await asyncio.sleep(PAUSE)


async def _https_ms(url: str, secret: bytes) -> float:
    nonce = secrets.token_urlsafe(16)
    began = time.monotonic()
    try:
        async with open_http(url, headers=HEADERS, timeout=ANSWER_WITHIN) as http:
            response = await http.get(
                f"http{url.removeprefix('ws')}/healthz", params={"nonce": nonce}
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise unreachable(url, error) from None
    if not hmac.compare_digest(response.content, _answer(secret, nonce).encode()):
        raise wrong(url, response)
    return _since(began)


async def _wss_ms(url: str, secret: bytes) -> float:
    try:
        async with connect(
            f"{url}/twilio/echo/{_token(secret)}",
            additional_headers={"ngrok-skip-browser-warning": "1"},
            user_agent_header=HEADERS["User-Agent"],
            compression=None,
            open_timeout=ANSWER_WITHIN,
            close_timeout=1,
            proxy=None if is_loopback(url) else True,
            **for_websocket(url),
        ) as socket:
            began = time.monotonic()
            async with asyncio.timeout(ANSWER_WITHIN):
                await socket.send(FRAME)
                heard = await socket.recv()
            taken = _since(began)
    except (WebSocketException, OSError, TimeoutError) as error:
        raise deaf(url, error) from None
    if heard != FRAME:
        raise deaf(url, ValueError("the frame came back changed"))
    return taken


def _answer(secret: bytes, nonce: str) -> str:
    return f"{nonce} {_signed(secret, f'healthz {nonce}')}"


def _token(secret: bytes) -> str:
    return _signed(secret, "echo")


def _signed(secret: bytes, what: str) -> str:
    return hmac.digest(secret, what.encode(), hashlib.sha256).hex()


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
