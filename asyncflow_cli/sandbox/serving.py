"""uvicorn inside somebody else's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

MAX_MESSAGE = 64 * 1024

_GRACE = 2.0
"""Seconds in which what is being served may finish, when the server goes."""


def _is_news(record: logging.LogRecord) -> bool:
    # uvicorn says so of every WebSocket that was properly denied.
    return record.msg != "ASGI callable returned without completing handshake."


logging.getLogger("uvicorn.error").addFilter(_is_news)

_CUT = "sandbox.cut"


async def cut(scope: Scope, receive: Receive) -> None:
    """Cut the connection of a request under way, as a cable that breaks would.

    In process, without a server, there is nothing to cut: ConnectionResetError.
    """
    if _CUT not in scope.get("extensions", {}):
        raise ConnectionResetError("The sandbox cut the connection")
    scope["extensions"][_CUT]()
    # Until the server has seen it too, and takes it for the caller's doing.
    while not (await receive())["type"].endswith("disconnect"):
        pass


class Server(uvicorn.Server):
    """uvicorn that says when it is up, and is gone when it is told to go.

    uvicorn's own loop and shutdown look around every tenth of a second, which is most of the time
    of a command that embeds the sandbox. Its signal handlers would end the server before the
    calls that it serves have been hung up.
    """

    def __init__(self, app: ASGIApp) -> None:
        async def cuttable(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = scope.setdefault("extensions", {})
            extensions[_CUT] = lambda: self._cut(scope["client"])
            await app(scope, receive, send)

        super().__init__(_config(cuttable))
        self.ready = asyncio.Event()
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Make `serve` return."""
        self._leaving.set()

    def _cut(self, client: tuple[str, int]) -> None:
        for connection in list(self.server_state.connections):
            if getattr(connection, "client", None) == client:
                # What has been written still goes out; there is no closing handshake.
                connection.transport.close()

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
        # A ping waits behind the audio that a player has yet to read, and its answer with it: who
        # reads at the pace of speech would be cut. The idle limit finds those who are gone.
        ws_ping_interval=None,
        lifespan="off",
        access_log=False,
        log_config=None,
    )
