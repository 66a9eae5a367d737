"""How Twilio dials the socket of a media stream, and what it logs when that fails.

https://www.twilio.com/docs/voice/media-streams
"""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.streamurl import MALFORMED_URL
from asyncflow_cli.settings import is_loopback

TIMED_OUT, REFUSED, UNREACHABLE = "31901", "31902", "31904"
TLS_FAILED, NOT_UPGRADED = "31910", "31920"
"""https://www.twilio.com/docs/api/errors/31901 and so on"""

AT_EDGE = {
    "answer": NOT_UPGRADED,
    "timeout": TIMED_OUT,
    "refused": REFUSED,
    "tls": TLS_FAILED,
    "unreachable": UNREACHABLE,
}

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 5.0

MAX_MESSAGE = 16 * 1024 * 1024
"""Twilio names no limit for one message; ours lets ten minutes of audio through in one."""

_CODES: dict[type[BaseException], str] = {
    ssl.SSLError: TLS_FAILED,
    socket.gaierror: UNREACHABLE,
    ConnectionRefusedError: REFUSED,
    TimeoutError: TIMED_OUT,
    InvalidHandshake: NOT_UPGRADED,
    ConnectionError: NOT_UPGRADED,
    EOFError: NOT_UPGRADED,
}


class _Dial(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """Twilio takes every answer but 101 for a refusal."""
        return exc


async def dial(
    url: str, headers: Mapping[str, str], document_url: str | None = None
) -> ClientConnection:
    """The open socket; RemoteProtocolError with Twilio's code if there is none.

    Choices, because no tunnel is in front, and Twilio's samples write `wss://{hostname}`: a server
    on this machine that answers wss:// without TLS is dialled without it, and where an address has
    no port and leads to nobody, that of `document_url` is tried, which is the TwiML's address.
    """
    try:
        return await _either_way(url, headers)
    except RemoteProtocolError as failure:
        beside = _beside(document_url, url)
        if failure.code not in (REFUSED, TLS_FAILED) or beside is None:
            raise
        with contextlib.suppress(RemoteProtocolError):
            return await _either_way(beside, headers)
        raise


def _beside(document_url: str | None, url: str) -> str | None:
    """The address with the port of its document; None if it has one, or is elsewhere."""
    here, there = urlsplit(document_url or ""), urlsplit(url)
    same = is_loopback(url) and there.port is None and there.hostname == here.hostname
    if not same or here.port is None:
        return None
    return there._replace(netloc=f"{there.netloc}:{here.port}").geturl()


async def _either_way(url: str, headers: Mapping[str, str]) -> ClientConnection:
    try:
        return await _open(url, headers)
    except RemoteProtocolError as failure:
        if failure.code != TLS_FAILED or not is_loopback(url):
            raise
        with contextlib.suppress(RemoteProtocolError):
            return await _open("ws" + url.removeprefix("wss"), headers)
        raise


async def _open(url: str, headers: Mapping[str, str]) -> ClientConnection:
    try:
        return await _Dial(
            url,
            additional_headers=headers,
            user_agent_header="Twilio.TmeWs/1.0",
            compression=None,
            proxy=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            max_size=MAX_MESSAGE,
        )
    except InvalidStatus as refusal:
        body = (refusal.response.body or b"")[:200].decode(errors="replace")
        text = f"{url} answered {refusal.response.status_code} instead of 101. {body}".strip()
        raise RemoteProtocolError(text, code=NOT_UPGRADED) from None
    except (InvalidHandshake, OSError, EOFError) as error:
        # A certificate that nobody trusts is a ValueError, too.
        code = _code(error)
        if code == NOT_UPGRADED and url.startswith("wss:") and isinstance(error, OSError):
            code = TLS_FAILED  # Hung up on before there was anything to read.
        raise RemoteProtocolError(f"{url}: {error!r}", code=code) from None
    except (InvalidURI, ValueError) as error:
        raise RemoteProtocolError(f"{url}: {error}", code=MALFORMED_URL) from None


def _code(error: Exception) -> str:
    # asyncio sums up several refused addresses of one name as an OSError without a number.
    if f"[Errno {errno.ECONNREFUSED}]" in str(error):
        return REFUSED
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), UNREACHABLE)
