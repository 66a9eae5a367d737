"""Everything that can happen to a call, in the order in which it happened."""

from __future__ import annotations

import asyncio
import time
from collections import deque
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
    """Events with the moments at which they came, and the work beside the call that makes them.

    While a call runs they do not wait here: each is decided the moment it comes, inside of what
    brought it. The frame that came over one socket has left over the other before the loop turns.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._events: deque[tuple[float, Event]] = deque()
        self._came: Callable[[], None] = _nothing
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, event: Event) -> None:
        self._events.append((self._clock(), event))
        self._came()

    async def run(
        self,
        take: Callable[[float, Event | None], None],
        deadline: Callable[[], float | None],
        over: Callable[[], bool],
    ) -> None:
        """Have `take` decide every event, and None when the deadline has come, until all is `over`.
        What it raises is raised here, never where the event came from."""
        running = _Running(self._events, self._clock, take, deadline, over)
        self._came = running.go_on
        try:
            running.go_on()
            await running.ended
        finally:
            self._came = _nothing
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

    __slots__ = (
        "_at",
        "_busy",
        "_clock",
        "_deadline",
        "_events",
        "_over",
        "_take",
        "_timer",
        "ended",
    )

    def __init__(
        self,
        events: deque[tuple[float, Event]],
        clock: Callable[[], float],
        take: Callable[[float, Event | None], None],
        deadline: Callable[[], float | None],
        over: Callable[[], bool],
    ) -> None:
        self._events = events
        self._clock = clock
        self._take = take
        self._deadline = deadline
        self._over = over
        self._timer: asyncio.TimerHandle | None = None
        self._at = 0.0
        self._busy = False
        """An event is being decided, or all is over."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def go_on(self, *, due: bool = False) -> None:
        """Decide what there is, with None first if something is `due`."""
        if self._busy:
            return
        self._busy = True
        try:
            if due:
                self._take(self._clock(), None)
            while not self._over():
                if not self._events:
                    self._wake_at(self._deadline())
                    self._busy = False
                    return
                self._take(*self._events.popleft())
            self.ended.set_result(None)
        except BaseException as error:
            self.ended.set_exception(error)

    def _wake_at(self, deadline: float | None) -> None:
        # Deadlines move with every frame, so one that lies later is waited for when this one rings.
        if deadline is None or (self._timer is not None and self._at <= deadline):
            return
        self.stop()
        self._at = deadline
        wait = max(0.0, deadline - self._clock())
        self._timer = asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.go_on(due=True)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _nothing() -> None:
    pass
