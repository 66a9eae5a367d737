"""What is looked at again and again, by one timer for all there is of it in a loop.

A timer of its own for each would be put off with every frame that comes, which costs more than what
is done with the frame.
"""

from __future__ import annotations

import asyncio
from typing import Protocol
from weakref import WeakKeyDictionary


class Watched(Protocol):
    def look(self) -> None: ...


class Rounds:
    """Every so many seconds, as long as there is something to look at."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._watched: dict[Watched, None] = {}
        self._is_waiting = False

    def add(self, watched: Watched) -> None:
        self._watched[watched] = None
        if not self._is_waiting:
            self._wait()

    def discard(self, watched: Watched) -> None:
        self._watched.pop(watched, None)

    def _wait(self) -> None:
        self._is_waiting = True
        asyncio.get_running_loop().call_later(self._every, self._go)

    def _go(self) -> None:
        self._is_waiting = False
        if self._watched:
            self._wait()  # first: a bug of one below must not be the end of the rounds of all
        for watched in tuple(self._watched):
            watched.look()


_OF_LOOP: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, Rounds]] = WeakKeyDictionary()


def rounds(every: float) -> Rounds:
    """The running loop's."""
    of_loop = _OF_LOOP.setdefault(asyncio.get_running_loop(), {})
    return of_loop.setdefault(every, Rounds(every))
