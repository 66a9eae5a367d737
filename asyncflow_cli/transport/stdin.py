"""Text that is still being written: stdin, as it comes."""

from __future__ import annotations

import asyncio
import codecs
import sys
from collections.abc import AsyncIterator
from threading import Semaphore, Thread
from typing import Protocol, cast

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.transcript import not_utf8

CHUNK = 64 * 1024
WAITING = 16
"""Chunks read ahead of whoever takes them; then the writer has to wait."""


class Readable(Protocol):
    """A raw stream. Not a buffered one: Python aborts (SIGABRT) if it ends while a thread that
    waits for text holds the lock of the buffer."""

    def read(self, size: int, /) -> bytes | None:
        """What is there, without waiting for more once there is something."""
        ...


def raw_stdin() -> Readable:
    # What is no real file has no raw stream below it.
    return cast("Readable", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))


async def read_text(stream: Readable) -> AsyncIterator[str]:
    """Pieces of text the moment they are written. UsageError for what is not UTF-8 or cannot
    be read.

    A daemon thread reads, because a read that blocks must not hold up our end: a thread of
    asyncio's own would be waited for.
    """
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes | OSError] = asyncio.Queue()
    room = Semaphore(WAITING)

    def pump() -> None:
        chunk: bytes | OSError = b"-"
        while chunk and not isinstance(chunk, OSError):
            try:
                chunk = stream.read(CHUNK) or b""
            except OSError as error:
                chunk = error
            except ValueError:  # somebody closed it
                chunk = b""
            room.acquire()
            try:
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            except RuntimeError:
                return  # the loop has ended, and nobody wants more

    Thread(target=pump, daemon=True).start()
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        while chunk := await chunks.get():
            room.release()
            if isinstance(chunk, OSError):
                why = f"stdin cannot be read: {chunk.strerror}"
                raise UsageError(why, code="NOT_READABLE") from None
            if text := decoder.decode(chunk):
                yield text
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise not_utf8("stdin") from None
