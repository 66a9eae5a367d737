"""Everything that can happen to a call, in the order in which it happened."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from math import inf
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


Incident: TypeAlias = PhoneEvent | SpeechLost | Written | Voiced | TunnelLost | Broken
Event: TypeAlias = Spoken | Incident


Take: TypeAlias = Callable[[Event | None, float, float], float | None]
"""Decides an event, or with None what is due: with the moment at which it came, and now. It tells
when it is to be called at the latest, though nothing came; None once all is over."""


class Inbox:
    """Events with the moments at which they came, and the work beside the call that makes them.

    While a call runs they do not wait here: each is decided the moment it comes, inside of what
    brought it. The frame that came over one socket has left over the other before the loop turns.
    """

    __slots__ = ("_came", "_clock", "_events", "_running", "_tasks")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._events: deque[tuple[float, Event]] = deque()
        self._came: Callable[[], None] = _nothing
        self._running: _Running | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, event: Event) -> None:
        running, now = self._running, self._clock()
        if running is None or running.is_busy:
            self._events.append((now, event))
            self._came()
        else:
            running.decide(event, now)

    async def run(self, take: Take) -> None:
        """Have `take` decide what is due, then every event, until all is over. What it raises is
        raised here, never where the event came from."""
        running = self._running = _Running(self._events, self._clock, take)
        try:
            running.decide(None, self._clock())
            await running.ended
        finally:
            self._running = None
            running.stop()

    async def get(self, deadline: float | None = None) -> tuple[float, Event] | None:
        """The next event; None when the deadline has come."""
        patience = None if deadline is None else max(0.0, deadline - self._clock())
        came = asyncio.Event()
        self._came = came.set
        try:
            async with asyncio.timeout(patience):
                while not self._events:
                    came.clear()
                    await came.wait()
                return self._events.popleft()
        except TimeoutError:
            return None
        finally:
            self._came = _nothing

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do it beside the call; what it fails with is an event."""
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


class _Running:
    """One `run`. An event that comes of deciding another is decided after it."""

    __slots__ = ("_at", "_clock", "_events", "_take", "_timer", "ended", "is_busy")

    def __init__(
        self, events: deque[tuple[float, Event]], clock: Callable[[], float], take: Take
    ) -> None:
        self._events = events
        self._clock = clock
        self._take = take
        self._timer: asyncio.TimerHandle | None = None
        self._at = inf
        """When the timer rings."""
        self.is_busy = False
        """An event is being decided, or all is over."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def decide(self, event: Event | None, now: float) -> None:
        """Decide what comes while nothing else is being decided, and all that has come since."""
        self.is_busy = True
        try:
            deadline = self._take(event, now, now)
            while self._events and deadline is not None:
                came, later = self._events.popleft()
                deadline = self._take(later, came, self._clock())
        except BaseException as error:
            self._end(error)
            return
        if deadline is None:
            self._end(None)
            return
        self.is_busy = False
        # Deadlines move with every frame, so one that lies later is waited for when this one rings.
        if deadline < self._at:
            self._wake_at(deadline)

    def _end(self, error: BaseException | None) -> None:
        if self.ended.done():
            return  # whoever waited for it was cancelled, and does not know yet
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)

    def _wake_at(self, deadline: float) -> None:
        self.stop()
        self._at = deadline
        wait = max(0.0, deadline - self._clock())
        self._timer = asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        self._timer, self._at = None, inf
        if not self.is_busy:
            self.decide(None, self._clock())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _nothing() -> None:
    pass
