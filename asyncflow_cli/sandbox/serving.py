"""uvicorn inside somebody else's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

MAX_MESSAGE = 64 * 1024

_GRACE = 2.0
"""Seconds in which what is being served may finish, when the server goes."""


class Server(uvicorn.Server):
    """uvicorn that says when it is up, and is gone when it is told to go.

    uvicorn's own loop and shutdown look around every tenth of a second, which is most of the time
    of a command that embeds the sandbox. Its signal handlers would end the server before the
    calls that it serves have been hung up.
    """

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(_config(app))
        self.ready = asyncio.Event()
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Make `serve` return."""
        self._leaving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        while not self._leaving.is_set():
            await self.on_tick(0)  # Sets the Date header of the next second.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), timeout=1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for bound in sockets or []:
            bound.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        for task in self.server_state.tasks:
            task.cancel()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=MAX_MESSAGE,
        ws_ping_interval=20,
        ws_ping_timeout=10,
        lifespan="off",
        access_log=False,
        log_config=None,
    )
