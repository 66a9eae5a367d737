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
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from asyncflow_cli.errors import AsyncflowError, NetworkError, PrerequisiteError
from asyncflow_cli.protocol.catalogue import ngrok_codes
from asyncflow_cli.settings import is_loopback
from asyncflow_cli.transport.roads.road import Tunnel

SETTLES_WITHIN = 15.0
"""Seconds after which a fresh name must be known to DNS, and have its certificate."""

ANSWER_WITHIN = 5.0
"""Seconds one question may take."""

PAUSE = 0.5
"""Seconds between two questions."""

FRAME = "x" * 400
"""As long as Twilio's media messages."""

POLICY_VIOLATION = 1008

HEADERS = {
    # ngrok shows browsers a page first: https://ngrok.com/docs/errors/err_ngrok_6024
    "ngrok-skip-browser-warning": "1",
    "User-Agent": "asyncflow-probe",
}

NGROK = {entry.code: entry for entry in ngrok_codes.ENTRIES}


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


async def probe(
    tunnel: Tunnel,
    secret: bytes,
    *,
    settles_within: float = SETTLES_WITHIN,
    verify: ssl.SSLContext | bool = True,
) -> Probe:
    """How far away we are through this tunnel.

    PUBLIC_URL_WRONG if somebody else answers, PUBLIC_URL_DEAF if HTTP passes and WebSocket does
    not, PUBLIC_URL_UNREACHABLE if nobody answers. A fresh address is asked again for
    `settles_within` seconds, one that stood before only once.
    """
    until = time.monotonic() + (settles_within if tunnel.fresh else 0.0)
    while True:
        try:
            return Probe(
                await _https_ms(tunnel.url, secret, verify),
                await _wss_ms(tunnel.url, secret, verify),
            )
        except AsyncflowError as error:
            if not error.passing or time.monotonic() >= until:
                raise
        await asyncio.sleep(PAUSE)


async def _https_ms(url: str, secret: bytes, verify: ssl.SSLContext | bool) -> float:
    nonce = secrets.token_urlsafe(16)
    began = time.monotonic()
    try:
        async with httpx.AsyncClient(
            headers=HEADERS, timeout=ANSWER_WITHIN, verify=verify, trust_env=not is_loopback(url)
        ) as http:
            response = await http.get(
                f"http{url.removeprefix('ws')}/healthz", params={"nonce": nonce}
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unreachable(url, error) from None
    if not hmac.compare_digest(response.content, _answer(secret, nonce).encode()):
        raise _wrong(url, response)
    return _since(began)


async def _wss_ms(url: str, secret: bytes, verify: ssl.SSLContext | bool) -> float:
    tls = verify if url.startswith("wss:") and isinstance(verify, ssl.SSLContext) else None
    try:
        async with connect(
            f"{url}/twilio/echo/{_token(secret)}",
            ssl=tls,
            additional_headers={"ngrok-skip-browser-warning": "1"},
            user_agent_header=HEADERS["User-Agent"],
            compression=None,
            open_timeout=ANSWER_WITHIN,
            close_timeout=1,
            proxy=None if is_loopback(url) else True,
        ) as socket:
            began = time.monotonic()
            async with asyncio.timeout(ANSWER_WITHIN):
                await socket.send(FRAME)
                heard = await socket.recv()
            taken = _since(began)
    except (WebSocketException, OSError, TimeoutError) as error:
        raise _deaf(url, error) from None
    if heard != FRAME:
        raise _deaf(url, RuntimeError("the frame came back changed"))
    return taken


def _answer(secret: bytes, nonce: str) -> str:
    return f"{nonce} {_signed(secret, f'healthz {nonce}')}"


def _token(secret: bytes) -> str:
    return _signed(secret, "echo")


def _signed(secret: bytes, what: str) -> str:
    return hmac.digest(secret, what.encode(), hashlib.sha256).hex()


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)


# What went wrong, and what to do


def _wrong(url: str, response: httpx.Response) -> AsyncflowError:
    """Somebody answers, and it is not us."""
    ngrok = NGROK.get(response.headers.get("ngrok-error-code", ""))
    if ngrok is not None:
        error = PrerequisiteError(
            f"{url} leads nowhere: {ngrok.meaning}", hint=ngrok.next, code=ngrok.code
        )
    else:
        what, hint = _other_server(response)
        error = PrerequisiteError(
            f"{url} does not lead to this call: {what}", hint=hint, code="PUBLIC_URL_WRONG"
        )
    # The edge of a new tunnel says so until the agent's connection is known everywhere.
    error.passing = response.status_code in (404, 421) or response.status_code >= 500
    return error


def _other_server(response: httpx.Response) -> tuple[str, str]:
    status = response.status_code
    if response.is_redirect:
        where = response.headers.get("location", "somewhere")
        return f"it redirects to {where}", "Give the address that is redirected to, https and all"
    if status in (401, 403, 407):
        return f"a login stands in front ({status})", "Let anybody in: Twilio has no login there"
    if status in (502, 503, 504, 530):
        return f"nothing answers behind it ({status})", "Lead it to 127.0.0.1 and the --port given"
    if "html" in response.headers.get("content-type", ""):
        return f"a web page answers ({status})", "A page of the tunnel in between: use another"
    if status == 404:
        return "the path is not found (404)", "Lead all paths under the address to our --port"
    return (
        f"another server answers ({status})",
        "An older tunnel or another program has the address: end it, or use another",
    )


def _unreachable(url: str, error: Exception) -> AsyncflowError:
    what, hint = _no_answer(error)
    found = NetworkError(
        f"{url} cannot be reached: {what}", hint=hint, code="PUBLIC_URL_UNREACHABLE"
    )
    found.passing = True
    return found


def _no_answer(error: Exception) -> tuple[str, str]:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return "DNS does not know the name", "Check the name; a new one may take a minute"
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message
            return f"its certificate is not good ({why})", "Twilio takes no self-signed ones"
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS", "Put TLS in front: Twilio connects to wss:// only"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection is refused", "Nothing listens there: start it, or open its port"
        if isinstance(cause, httpx.TimeoutException | TimeoutError):
            return "no answer in time", "A firewall may drop the packets: open its port"
    told = " ".join(str(cause) for cause in causes)
    # anyio hands the refusal on in words only.
    if "All connection attempts failed" in told:
        return "the connection is refused", "Nothing listens there: start it, or open its port"
    return str(error) or type(error).__name__, "Check the address, and a proxy in the way"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from error.exceptions
        error = error.__cause__ or error.__context__


def _deaf(url: str, error: Exception) -> AsyncflowError:
    status = error.response.status_code if isinstance(error, InvalidStatus) else None
    what = f"status {status}" if status else str(error) or type(error).__name__
    found = PrerequisiteError(
        f"{url} lets HTTP through, but no WebSocket: {what}",
        hint="Let the proxy or tunnel pass on Upgrade and Connection, or use another",
        code="PUBLIC_URL_DEAF",
    )
    found.passing = status is None or status >= 500
    return found
