"""A thread that writes to whoever may read slowly, or not at all, while the loop goes on."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import select
from threading import Thread
from typing import Protocol

WAITING = 16
"""Chunks that are taken ahead of the reader; then whoever writes has to wait."""


class Writable(Protocol):
    """A raw stream. Not a buffered one: Python aborts (SIGABRT) if it ends while a thread that
    waits for the reader holds the lock of the buffer."""

    def write(self, data: bytes | memoryview, /) -> int | None:
        """How many bytes were taken; None for none, where it must not wait."""
        ...

    def fileno(self) -> int: ...


class Pump:
    """A daemon thread, because a write that blocks must not hold up our end: Ctrl-C ends it at
    once. BrokenPipeError, or what else a write fails with, comes from the next `write`."""

    def __init__(self, raw: Writable) -> None:
        self._raw = raw
        self._loop = asyncio.get_running_loop()
        self._chunks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._room, self._ended = asyncio.Semaphore(WAITING), self._loop.create_future()
        self._failed: list[OSError] = []
        Thread(target=self._run, daemon=True).start()

    async def write(self, data: bytes) -> None:
        """Have it written, once there is room for it."""
        await self._room.acquire()
        if self._failed:
            raise self._failed[0]
        self._chunks.put(data)

    def stop(self) -> None:
        """No more comes."""
        self._chunks.put(None)

    async def stopped(self) -> None:
        """Wait until all is written."""
        await self._ended
        if self._failed:
            raise self._failed[0]

    def _run(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody wants more
            while (chunk := self._chunks.get()) is not None and not self._failed:
                self._write(chunk)
                self._loop.call_soon_threadsafe(self._room.release)
            self._loop.call_soon_threadsafe(_finish, self._ended)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                taken = self._raw.write(left)
                if taken is None:  # somebody it is shared with wants no waiting
                    select.select((), (self._raw,), ())
                left = left[taken or 0 :]
        except OSError as error:
            self._failed.append(error)


def _finish(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)
