"""Bytes that go to stdout, whose reader may be slow, stopped, or gone."""

from __future__ import annotations

import contextlib
import os
import select
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

if TYPE_CHECKING:
    from asyncflow_cli.transport.pump import Pump, Writable

Write: TypeAlias = Callable[[bytes], Awaitable[None]]


@contextlib.asynccontextmanager
async def writing(stream: BinaryIO) -> AsyncIterator[Write]:
    """Lends a `write` that waits where the reader is slow; leaving in peace waits for all of it.

    What a pipe has room for is written at once, up to the first chunk that is larger: the first
    audio is waited for, and handing it to a thread takes a millisecond. From then on a thread
    writes. BrokenPipeError, or what else a write fails with, comes from that `write` or the next.
    """
    stream.flush()
    raw = cast("Writable", getattr(stream, "raw", stream))  # what is no real file has none
    pump: Pump | None = None

    async def write(data: bytes) -> None:
        nonlocal pump
        if pump is None:
            data = data[_taken_at_once(raw, data) :]
            if not data:
                return
            from asyncflow_cli.transport.pump import Pump  # and queue: 0.4 ms

            pump = Pump(raw)
        await pump.write(data)

    try:
        yield write
    finally:
        if pump is not None:
            pump.stop()
    if pump is not None:
        await pump.stopped()


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


async def write_out(stream: BinaryIO, data: bytes) -> None:
    """All of it."""
    async with writing(stream) as write:
        await write(data)
