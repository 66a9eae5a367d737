"""Bytes that go to stdout, whose reader may be slow, stopped, or gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import select
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from threading import Thread
from typing import BinaryIO, Protocol, TypeAlias, cast

Write: TypeAlias = Callable[[bytes], Awaitable[None]]

WAITING = 16
"""Chunks that are taken ahead of the reader; then whoever writes has to wait."""


class Writable(Protocol):
    """A raw stream. Not a buffered one: Python aborts (SIGABRT) if it ends while a thread that
    waits for the reader holds the lock of the buffer."""

    def write(self, data: bytes | memoryview, /) -> int | None:
        """How many bytes were taken; None for none, where it must not wait."""
        ...

    def fileno(self) -> int: ...


@contextlib.asynccontextmanager
async def writing(stream: BinaryIO) -> AsyncIterator[Write]:
    """Lends a `write` that waits where the reader is slow; leaving in peace waits for all of it.

    What a pipe has room for is written at once, up to the first chunk that is larger: the first
    audio is waited for, and handing it to a thread takes a millisecond. From then on a daemon
    thread writes, because a write that blocks must not hold up our end: Ctrl-C ends it at once.
    BrokenPipeError, or what else a write fails with, comes from that `write` or the next.
    """
    stream.flush()
    raw = cast("Writable", getattr(stream, "raw", stream))  # what is no real file has none
    loop = asyncio.get_running_loop()
    chunks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    room, ended = asyncio.Semaphore(WAITING), loop.create_future()
    failed: list[OSError] = []
    thread: Thread | None = None

    def pump() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody wants more
            while (chunk := chunks.get()) is not None and not failed:
                _write_all(raw, chunk, failed)
                loop.call_soon_threadsafe(room.release)
            loop.call_soon_threadsafe(_finish, ended)

    async def write(data: bytes) -> None:
        nonlocal thread
        if thread is None:
            data = data[_taken_at_once(raw, data) :]
            if not data:
                return
            thread = Thread(target=pump, daemon=True)
            thread.start()
        await room.acquire()
        if failed:
            raise failed[0]
        chunks.put(data)

    try:
        yield write
    finally:
        chunks.put(None)
    if thread is not None:
        await ended
    if failed:
        raise failed[0]


def _taken_at_once(raw: Writable, data: bytes) -> int:
    """How many bytes a pipe took that has room: no more than it takes without waiting.

    https://docs.python.org/3/library/select.html#select.PIPE_BUF
    """
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(raw.fileno()).st_mode)
    except OSError:
        return 0  # no real file
    if not is_pipe or sys.platform == "win32":
        return 0
    _, ready, _ = select.select((), (raw,), (), 0)
    return (raw.write(data[: select.PIPE_BUF]) or 0) if ready else 0


def _write_all(raw: Writable, data: bytes, failed: list[OSError]) -> None:
    left = memoryview(data)
    try:
        while left:
            taken = raw.write(left)
            if taken is None:  # somebody it is shared with wants no waiting
                select.select((), (raw,), ())
            left = left[taken or 0 :]
    except OSError as error:
        failed.append(error)


def _finish(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


async def write_out(stream: BinaryIO, data: bytes) -> None:
    """All of it."""
    async with writing(stream) as write:
        await write(data)
