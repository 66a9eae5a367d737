"""An ASGI app on a loopback port, for as long as a call lasts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import uvicorn
from starlette.applications import Starlette

from asyncflow_cli.protocol.ports import unusable
from asyncflow_cli.transport.connection import Answer, Connection, Waiting
from asyncflow_cli.transport.mediasocket import LARGEST_MESSAGE

GRACE = 2.0
"""Seconds for answers under way once the call is over."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.leaving = asyncio.Event()

    async def main_loop(self) -> None:
        # uvicorn's own looks around every tenth of a second, and all else it does is to date.
        await self.leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn's own sleeps a tenth of a second, and would be the longest part of leaving.
        for server in self.servers:
            server.close()
        for bound in sockets or []:
            bound.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        for task in self.server_state.tasks:
            task.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would stop at the first Ctrl-C; the call must be hung up first.
        yield


@contextlib.asynccontextmanager
async def serving(
    app: Starlette,
    *,
    port: int = 0,
    answer: Answer | None = None,
    waiting: Waiting | None = None,
) -> AsyncIterator[int]:
    """Serve `app` on a loopback port, and tell which. With an `answer`, media sockets are its."""
    listener = listen_on(port)
    # uvicorn asks for a class, and calls it.
    waiting = waiting or Waiting()
    connection: Any = partial(Connection, waiting, answer)
    server = _Server(
        uvicorn.Config(
            app,
            http=connection,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_ping_interval=20,
            ws_ping_timeout=10,
            ws_max_size=LARGEST_MESSAGE,
            access_log=False,
            log_config=None,
            lifespan="off",
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        waiting.close()
        server.leaving.set()
        await task


def listen_on(port: int) -> socket.socket:
    """A listening socket on the loopback; 0 is any free port. PORT_TAKEN if it is another's,
    PORT_FORBIDDEN if the system keeps it from us."""
    # asyncio turns Nagle's delay off only where the protocol is named: it costs a frame 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":  # where it would share a port that another has
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        free = "Leave the port out to take a free one"
        raise unusable(port, "this machine", error, free=free) from None
    listener.listen()
    return listener
