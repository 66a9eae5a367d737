"""A server that resets every connection, and httpx under uvloop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from asyncflow_cli.httpclient import HttpClient

uvloop = pytest.importorskip("uvloop")

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER with which closing is a reset: https://man7.org/linux/man-pages/man7/socket.7.html"""

BUSY = 0.002
"""Seconds of other work in each turn of a loop, which then learns of an opening and of its end at
once."""

TRIES = 30


def reset_all(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listening.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            connection.close()


@pytest.fixture
def url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=reset_all, args=(listening,))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_connection_that_is_reset_at_once_is_a_transport_error(url: str) -> None:
    async def be_busy() -> None:
        while True:
            time.sleep(BUSY)  # noqa: ASYNC251  # the work
            await asyncio.sleep(0)

    async def test() -> None:
        working = asyncio.create_task(be_busy())
        async with HttpClient(trust_env=False) as http:
            for _ in range(TRIES):
                with pytest.raises(httpx.TransportError):
                    await http.get(url)
        working.cancel()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test())
