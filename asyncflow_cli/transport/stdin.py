"""Text that is still being written: stdin, as it comes."""

from __future__ import annotations

import asyncio
import codecs
import os
from collections.abc import AsyncIterator
from threading import Thread
from typing import BinaryIO

from asyncflow_cli.errors import UsageError

CHUNK = 64 * 1024
WAITING = 16
"""Chunks read ahead of whoever takes them; then the writer has to wait."""


async def read_text(stream: BinaryIO) -> AsyncIterator[str]:
    """Pieces of text the moment they are written. UsageError for what is not UTF-8.

    A daemon thread reads, because a read that blocks must not hold up our end: a thread of
    asyncio's own would be waited for.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes] = asyncio.Queue(WAITING)

    def pump() -> None:
        while True:
            chunk = os.read(stream.fileno(), CHUNK)
            try:
                asyncio.run_coroutine_threadsafe(queue.put(chunk), loop).result()
            except (RuntimeError, asyncio.CancelledError):
                return  # the loop has ended, and nobody wants more
            if not chunk:
                return

    Thread(target=pump, daemon=True).start()
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        while chunk := await queue.get():
            if text := decoder.decode(chunk):
                yield text
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise UsageError("The text in stdin is not UTF-8", code="TEXT_NOT_UTF8") from None
