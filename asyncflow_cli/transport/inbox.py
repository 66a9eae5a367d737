"""Everything that can happen to a call, in the order in which it happened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

from asyncflow_cli.transport.phone import PhoneEvent
from asyncflow_cli.transport.voice import SpeechLost, Spoken


@dataclass(frozen=True)
class Written:
    """The next sentence of a text that is being written; None is its end."""

    text: str | None


@dataclass(frozen=True)
class Voiced:
    """The callee has begun to speak."""


@dataclass(frozen=True)
class TunnelLost:
    why: str


@dataclass(frozen=True)
class Broken:
    """Something that runs beside the loop failed as it must not."""

    error: BaseException


Event: TypeAlias = PhoneEvent | Spoken | SpeechLost | Written | Voiced | TunnelLost | Broken


class Inbox:
    """Events with the moments at which they came, and the work beside the loop that makes them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._events: asyncio.Queue[tuple[float, Event]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, event: Event) -> None:
        self._events.put_nowait((self._clock(), event))

    async def get(self, deadline: float | None = None) -> tuple[float, Event] | None:
        """The next event; None when the deadline has come."""
        patience = None if deadline is None else max(0.0, deadline - self._clock())
        try:
            async with asyncio.timeout(patience):
                return await self._events.get()
        except TimeoutError:
            return None

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do it beside the loop; what it fails with is an event."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self.done)
        return task

    def done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self.put(Broken(bug))

    async def stop(self) -> None:
        """Stop what was started."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
