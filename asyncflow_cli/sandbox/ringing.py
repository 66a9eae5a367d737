"""What comes before a call is answered: its turn in the queue, and the ringing.

https://www.twilio.com/docs/voice/api/call-resource#call-status-values
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from asyncflow_cli.sandbox.callee import Callee
from asyncflow_cli.sandbox.clock import Clock
from asyncflow_cli.sandbox.record import CallRecord


@dataclass(frozen=True, slots=True)
class Answered:
    """`in-progress`, or the status in which the call ends and who ended it."""

    status: str
    ended_by: str | None = None


TAKEN_BACK = Answered("canceled", "api")
"""Choice: the status after `completed`, too; Twilio's is not documented."""


class Ringing:
    """One call that has not been answered. `interrupt` is done when the REST API ends it."""

    def __init__(self, record: CallRecord, clock: Clock, interrupt: asyncio.Future[Any]) -> None:
        self._record = record
        self._clock = clock
        self._interrupt = interrupt

    async def answer(self, callee: Callee, *, queued: float) -> Answered:
        """Wait `queued` seconds for the account's turn, and then for `callee`."""
        if queued and await self._taken_back(queued):
            return TAKEN_BACK
        # `initiated` occurs in callbacks only: the resource stays queued until it rings.
        self._record.callback("initiated", "initiated")
        self._record.become(status="ringing")
        self._record.callback("ringing", "ringing")
        timeout = self._record.order.timeout
        answers = callee.outcome != "no-answer" and callee.ring_seconds <= timeout
        if await self._taken_back(callee.ring_seconds if answers else timeout):
            return TAKEN_BACK
        if not answers:
            return Answered("no-answer", "callee")
        if callee.outcome != "answer":
            return Answered(callee.outcome, "callee")
        return Answered("in-progress")

    async def _taken_back(self, seconds: float) -> bool:
        """Let time pass. Whether the REST API has ended the call by then."""
        await asyncio.wait([self._interrupt], timeout=self._clock.real(seconds))
        self._record.pass_time(seconds)
        return self._interrupt.done()
