"""The sandbox's time, which may run faster than ours, and the names it gives out."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from asyncflow_cli.errors import UsageError

TICK = 0.02
"""Seconds of line in a frame."""

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""When deterministic time begins."""

_STALL = 0.1
"""Seconds by which a metronome may be late and still catch up."""

_BURST = 50
"""Ticks at most before others get their turn."""


def ticks(seconds: float) -> int:
    """How many frames so much line time is."""
    return round(seconds / TICK)


class Clock:
    """Line time: `speed` seconds of it pass in one of ours.

    Only the telephone network runs on it. The budgets in which somebody else's program has to
    answer (a handshake, a webhook) are theirs, and stay in real seconds.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = 1.0
        self._passed, self._since = 0.0, time.monotonic()
        self._began = datetime.now(UTC)
        self.run_at(speed)

    def run_at(self, speed: float) -> None:
        """Go on at this speed from now. What is already waited for comes when it was to come."""
        if not 0 < speed < float("inf"):
            raise UsageError(f"The speed of a clock is a positive number, not {speed}")
        self._passed, self._since = self.now(), time.monotonic()
        self.speed = speed

    def now(self) -> float:
        """Seconds of line time since the clock was made."""
        return self._passed + (time.monotonic() - self._since) * self.speed

    def date(self) -> datetime:
        return self._began + timedelta(seconds=self.now())

    def real(self, seconds: float) -> float:
        """How many of our seconds `seconds` of line time take."""
        return seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(self.real(seconds))


class Metronome:
    """Beats every 20 ms of line time, on absolute deadlines, so that lateness does not add up.

    After a stall of the whole computer the line does not race to catch up: it goes on from now.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = clock.now() + TICK

    async def beats(self) -> int:
        """Wait for the next beat. How many have fallen due; several, if ticks are short."""
        now = self._clock.now()
        await asyncio.sleep(max(0.0, self._clock.real(self._next - now)))
        late = self._clock.now() - self._next
        if self._clock.real(late) > _STALL:
            self._next += late
            late = 0.0
        due = min(_BURST, 1 + max(0, int(late / TICK)))
        self._next += due * TICK
        return due


class Names:
    """SIDs, and the other things that differ from run to run unless `deterministic`."""

    def __init__(self, *, deterministic: bool = False, calls_before: int = 0) -> None:
        self.deterministic = deterministic
        self._given = Counter({"CA": calls_before})

    def sid(self, prefix: str) -> str:
        """Two letters and 32 hexadecimal digits."""
        self._given[prefix] += 1
        if self.deterministic:
            return f"{prefix}{self._given[prefix]:032x}"
        return prefix + uuid.uuid4().hex

    def first_timestamp(self) -> int:
        """Milliseconds of a stream's first frame. Captures of real ones show 102, 155, 171."""
        return 155 if self.deterministic else random.randint(100, 170)

    def began(self, clock: Clock) -> datetime:
        """When the latest call was made: in deterministic time they are a minute apart."""
        if self.deterministic:
            return _EPOCH + timedelta(minutes=self._given["CA"])
        return clock.date()


def rfc2822(date: datetime) -> str:
    """A date as Twilio's REST API writes it."""
    return format_datetime(date)
