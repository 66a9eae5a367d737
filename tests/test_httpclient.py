"""A server that resets every connection, and requests that are cancelled, under uvloop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import struct
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from asyncflow_cli.httpclient import HttpClient
from tests.httpservers import Service, serving

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


EXPIRES = 0.2

TURNS = 12
"""Of the loop at most, before a request is cancelled."""


class Kept(Service):
    """Keeps its connections open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(b"", "text/plain")


async def cancel_after(turns: int, url: str) -> None:
    """Cancel a request that finds several connections which have expired."""
    limits = httpx.Limits(keepalive_expiry=EXPIRES)
    async with HttpClient(trust_env=False, verify=False, limits=limits) as http:
        await asyncio.gather(*(http.get(url) for _ in range(4)))
        await asyncio.sleep(1.5 * EXPIRES)
        asking = asyncio.create_task(http.get(url))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])


def test_a_request_that_is_cancelled_leaves_no_connection_open() -> None:
    async def test(url: str) -> None:
        await asyncio.gather(*(cancel_after(turns, url) for turns in range(TURNS)))

    with serving(Kept) as url, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test(url))
    gc.collect()
