"""Named pipes, by which programs tell how far they have come. Nobody waits at them for ever."""

from __future__ import annotations

import errno
import os
import select
import time
from pathlib import Path

PATIENCE = 60
"""Seconds, after which whoever should be at the other end has died."""


def what_is_told(fifo: Path) -> str:
    """What is written to it, be it before or after this."""
    # For both, or an open would wait for whoever writes, and a read for their close.
    with os.fdopen(os.open(fifo, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0) as end:
        there, _, _ = select.select([end], [], [], PATIENCE)
        assert there, f"nobody has written to {fifo}"
        return end.read().decode()


def tell(fifo: Path, text: str) -> None:
    """Write it, once there is somebody who reads."""
    until = time.monotonic() + PATIENCE
    while (end := _opened(fifo)) is None:
        assert time.monotonic() < until, f"nobody reads {fifo}"
        time.sleep(0.005)
    with os.fdopen(end, "wb", buffering=0) as writing:
        writing.write(text.encode())


def _opened(fifo: Path) -> int | None:
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return None
