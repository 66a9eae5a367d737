"""httpx's client, with the same errors under every event loop, and nothing left open by a
cancellation."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

# Below httpx, anyio asks every new connection who is at its other end. Of one that was reset by
# then, uvloop has no socket to ask: https://github.com/agronholm/anyio/blob/master/src/anyio/abc/_sockets.py
ASKED = "getpeername"


class HttpClient(httpx.AsyncClient):
    """A connection that is reset as soon as it opens is a ConnectError."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for transport in (self._transport, *self._mounts.values()):
            if isinstance(transport, httpx.AsyncHTTPTransport):
                pool: Any = transport._pool
                pool._close_connections = _close_all

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        try:
            return await super().send(request, **options)
        except AttributeError as error:
            if error.name != ASKED:
                raise
            raise httpx.ConnectError("The connection was reset", request=request) from error


async def _close_all(connections: list[Any]) -> None:
    """In place of httpcore's own, which has no public seam and closes one after the other: the
    shield around it is anyio's, which a task's `cancel()` passes through. Those that have expired
    are in no pool any more, so nobody else would close the rest.
    https://github.com/encode/httpcore/blob/master/httpcore/_async/connection_pool.py"""
    if connections:
        await asyncio.shield(asyncio.gather(*(each.aclose() for each in connections)))
