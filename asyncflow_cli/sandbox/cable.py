"""A TCP connection cut as a broken cable or a dead process cuts it: a reset, no farewell."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys

_AT_ONCE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER: on, zero seconds. The kernel throws away what is unsent and sends RST for FIN."""


def sever(transport: asyncio.Transport) -> None:
    """The other side reads ECONNRESET. Nothing happens to one that is closed already."""
    bound = transport.get_extra_info("socket")
    if bound is not None and not transport.is_closing():
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()
