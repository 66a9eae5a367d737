"""Ports that nobody is given by chance."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """One of the loopback, at which nobody listens, nor can as long as this lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        yield port


@contextlib.contextmanager
def reserved() -> Iterator[int]:
    """One of the loopback, which whoever names it gets."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        if sys.platform != "linux":  # where it would keep everybody out
            bound.close()
        yield port
