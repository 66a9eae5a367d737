"""Connections that wait for nothing, drip, and crowd: raw sockets against the server of a call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from asyncflow_cli.transport.connection import Waiting
from asyncflow_cli.transport.listener import serving
from tests.clock import pass_time

HEAD = b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n"

WEBSOCKET = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


@contextlib.asynccontextmanager
async def server(waiting: Waiting) -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/echo", echo, methods=["POST"])])
    async with serving(app, waiting=waiting) as port:
        yield port


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> bytes:
        """All of it, until the server closes; nothing if it does so without a word."""
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while part := await asyncio.wait_for(self.reader.read(1000), 10):
                said += part
        return said


@contextlib.asynccontextmanager
async def call(port: int, *parts: bytes) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with contextlib.suppress(ConnectionError):  # the server has waited long enough
            for part in parts:
                writer.write(part)
                await writer.drain()
        yield Caller(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HT", HEAD[:-2], HEAD, HEAD + b"ab"],
    ids=["nothing", "half a line", "half a head", "no body", "half a body"],
)
def test_a_request_that_does_not_come_is_waited_for_only_so_long(sent: bytes) -> None:
    async def test() -> None:
        async with server(Waiting(within=0.2)) as port, call(port, sent) as caller:
            assert await caller.answer() == b""

    run(test())


def test_dripping_does_not_gain_time() -> None:
    async def test() -> None:
        async with server(Waiting(within=0.2)) as port, call(port) as caller:
            gone = asyncio.create_task(caller.answer())
            for byte in b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 20:
                caller.writer.write(bytes([byte]))
                done, _ = await asyncio.wait([gone], timeout=0.02)
                if done:
                    return
            raise AssertionError("it took all of it in")

    run(test())


def test_a_request_after_another_has_its_own_time() -> None:
    async def test() -> None:
        async with server(Waiting(within=4.5)) as port, call(port) as caller:
            for _ in range(3):
                pass_time(3)  # in all of which the time of the first would be over
                caller.writer.write(HEAD + b"abcd")
                await asyncio.wait_for(caller.reader.readuntil(b"abcd"), 5)
            pass_time(4.6)
            assert await caller.answer() == b""

    run(test())


def test_whoever_waited_longest_makes_room() -> None:
    async def test() -> None:
        async with (
            server(Waiting(most=3)) as port,
            call(port) as first,
            call(port),
            call(port),
            call(port, HEAD + b"abcd") as last,
        ):
            assert await first.answer() == b""
            assert b"200" in await asyncio.wait_for(last.reader.readline(), 5)

    run(test())


def test_a_crowd_does_not_keep_anybody_out() -> None:
    async def test() -> None:
        async with contextlib.AsyncExitStack() as crowd:
            port = await crowd.enter_async_context(server(Waiting()))
            for _ in range(300):
                await crowd.enter_async_context(call(port, b"GET /"))
            async with call(port, HEAD + b"abcd") as caller:
                assert b"200" in await asyncio.wait_for(caller.reader.readline(), 5)

    run(test())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n", b"400"),
        (b"EHLO h\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 100_000, b"400"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: x\r\n" * 10_000, b"400"),
        (b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n", b"400"),
        (b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", b"400"),
        (WEBSOCKET + b"X: x\r\n" * 500 + b"\r\n", b""),
        (WEBSOCKET + b"X: " + b"x" * 10_000 + b"\r\n\r\n", b""),
    ],
    ids=["tls", "smtp", "long header", "many headers", "bytes", "length", "ws many", "ws long"],
)
def test_what_is_no_http_is_shown_out(sent: bytes, status: bytes) -> None:
    async def test() -> None:
        async with server(Waiting()) as port, call(port, sent) as caller:
            assert status in (await caller.answer()).partition(b"\r\n")[0]

    run(test())
