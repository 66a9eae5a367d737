"""How the speech WebSocket is opened, and what its close says."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from websockets.asyncio import client
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

from asyncflow_cli.errors import AsyncflowError, AuthError, NetworkError
from asyncflow_cli.protocol.models import VERSION
from asyncflow_cli.protocol.speechmessages import socket_url
from asyncflow_cli.settings import Settings, is_loopback
from asyncflow_cli.transport.answers import to_reach
from asyncflow_cli.transport.speechwire import Wire

log = logging.getLogger(__name__)

_REFUSED = frozenset({1008, 4001, 4003, 4401, 4403})
"""Close codes by which a server that has accepted the handshake refuses a key. Only 1008 is a
standard one (policy violation); the others are what private codes are customarily used for."""

CLOSE_WITHIN = 1.0
"""Seconds that a close may take."""


async def connect(settings: Settings) -> Wire:
    """To the first of the addresses that takes the connection."""
    *others, last = settings.base_urls
    for base_url in others:
        try:
            return await _connect_to(base_url, settings)
        except NetworkError as error:
            log.info("%s; the next address is tried", error.message)
    return await _connect_to(last, settings)


async def _connect_to(base_url: str, settings: Settings) -> Wire:
    address = socket_url(base_url)
    query = urlencode({"api_key": settings.need("api_key"), "version": VERSION})
    try:
        connection = await client.connect(
            f"{address}?{query}",
            create_connection=Wire,
            open_timeout=settings.timeout,
            close_timeout=CLOSE_WITHIN,
            compression=None,
            max_size=None,
            proxy=None if is_loopback(address) else True,
        )
    except InvalidStatus as refused:
        response = refused.response
        from asyncflow_cli.protocol import failures

        raise failures.from_answer(
            response.status_code, response.headers, bytes(response.body or b"")
        ) from None
    # The causes name the address, and with it the key.
    except InvalidURI:
        raise NetworkError(f"{address} is no WebSocket address", code="BAD_ADDRESS") from None
    except (OSError, TimeoutError, WebSocketException) as error:
        raise NetworkError(
            f"{address} cannot be reached: {str(error) or 'time-out'}",
            hint=to_reach(address, "ASYNC_BASE_URL"),
            code="CONNECTION_FAILED",
        ) from None
    assert isinstance(connection, Wire)
    return connection


def lost(closed: ConnectionClosed) -> AsyncflowError:
    """The error that a close in the middle of a text is."""
    code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
    why = f"code {code}{f', {reason}' if reason else ''}"
    if code in _REFUSED:
        return AuthError(f"The speech service refused the connection ({why})")
    return NetworkError(
        f"The speech connection was lost before the end of the text ({why})",
        code="SPEECH_CONNECTION_LOST",
    )
