"""Several frames of a phone at a time, where many phones talk and nobody listens to them.

Each time the system wakes us costs more than all that is done with such a frame. So it is told to
wait for some, but only while they flow: else what came last would wait for a next that never comes.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Protocol
from weakref import WeakKeyDictionary

from asyncflow_cli.transport.rounds import rounds

MANY = 100
"""Phones in one process, from which on it pays."""

GATHERED = 2000
"""Bytes that are waited for: five frames, 100 ms, in which a key or a mark may be late."""

FLOWS_WITHIN = 0.25
"""Seconds without a frame after which nothing is waited for: silence need not be sent."""


class Flow(Protocol):
    """A socket that looks, now and then, whether to gather."""

    def look(self, *, pays: bool) -> None: ...


class Gathering:
    """The sockets of one loop. Those that came while they were few gather too, once they are
    many."""

    def __init__(self) -> None:
        self._flows: dict[Flow, None] = {}
        self._rounds = rounds(FLOWS_WITHIN)

    def add(self, flow: Flow) -> None:
        self._flows[flow] = None
        if len(self._flows) > MANY:
            self._rounds.add(self)

    def discard(self, flow: Flow) -> None:
        self._flows.pop(flow, None)

    def look(self) -> None:
        pays = len(self._flows) > MANY
        for flow in self._flows:
            flow.look(pays=pays)
        if not pays:
            self._rounds.discard(self)


_OF_LOOP: WeakKeyDictionary[asyncio.AbstractEventLoop, Gathering] = WeakKeyDictionary()


def gathering() -> Gathering | None:
    """The running loop's, where the system can be told."""
    if sys.platform != "linux":
        return None
    return _OF_LOOP.setdefault(asyncio.get_running_loop(), Gathering())


def wait_for(transport: asyncio.Transport, n_bytes: int) -> None:
    """Have the system tell of no less than that."""
    near: socket.socket = transport.get_extra_info("socket")
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, n_bytes)
