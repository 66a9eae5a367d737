"""Questions at the terminal, which Ctrl-C ends at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from typing import TextIO


async def typed(terminal: TextIO) -> str:
    """A line. A daemon thread waits for it, so that Ctrl-C need not wait for the thread."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def take(line: bytes) -> None:
        if not answer.done():
            answer.set_result(line)

    def read() -> None:
        try:
            line = os.read(terminal.fileno(), 1024)
        except OSError:
            line = b""  # a terminal that is gone says no
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody wants it more
            loop.call_soon_threadsafe(take, line)

    threading.Thread(target=read, daemon=True).start()
    return (await answer).decode(errors="replace")


def unseen(prompt: str, words: TextIO) -> str:
    """A line that the terminal does not show; empty if the terminal is gone."""
    import getpass  # and termios

    try:
        return getpass.getpass(prompt, stream=words).strip()
    except EOFError:
        return ""
