"""httpx's client, with the same errors under every event loop."""

from __future__ import annotations

from typing import Any

import httpx

# Below httpx, anyio asks every new connection who is at its other end. Of one that was reset by
# then, uvloop has no socket to ask: https://github.com/agronholm/anyio/blob/master/src/anyio/abc/_sockets.py
ASKED = "getpeername"


class HttpClient(httpx.AsyncClient):
    """A connection that is reset as soon as it opens is a ConnectError."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        try:
            return await super().send(request, **options)
        except AttributeError as error:
            if error.name != ASKED:
                raise
            raise httpx.ConnectError("The connection was reset", request=request) from error
