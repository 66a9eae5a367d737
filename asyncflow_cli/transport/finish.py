"""The finish of a call, whatever brought it: it is hung up, and seen to have ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from asyncflow_cli.protocol import callevents
from asyncflow_cli.protocol.bridge import Bridge
from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.endings import TERMINAL, EndReason, exit_code_of
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.protocol.outcome import report
from asyncflow_cli.transport.callbacks import CallStatus
from asyncflow_cli.transport.chronicle import Chronicle
from asyncflow_cli.transport.inbox import Inbox
from asyncflow_cli.transport.line import Line

END_WITHIN = 3.0
"""Seconds in which a call whose socket we closed should report its end."""

LAST_CHANCE = 3.0
"""Seconds that hanging up still has when a second Ctrl-C comes."""


class Finish:
    """Of one call, once. `report` is what came of the call; None if nobody was called."""

    def __init__(
        self, bridge: Bridge, order: CallOrder, line: Line, inbox: Inbox, chronicle: Chronicle
    ) -> None:
        self._bridge = bridge
        self._order = order
        self._line = line
        self._inbox = inbox
        self._chronicle = chronicle
        self.report: CallReport | None = None

    async def run(self) -> None:
        """End the call whatever happened, and see that it has ended."""
        self._bridge.stop(time.monotonic())
        await self._inbox.stop()
        self._line.phone.close()
        if self._ends_by_itself():
            await self._reported_end()
        record = await self._line.placed.end()
        if record is None:
            return
        times = self._chronicle.times
        times.ended = time.monotonic() if record.ended else None
        if self._order.record and times.recording is None:
            await self._reported_end()  # which names the recording
        self._bridge.on_duration(record.duration or 0)
        if self._line.placed.hung_up_elsewhere:
            self._bridge.on_hung_up_elsewhere()
        self._chronicle.pass_on_news(self._bridge)
        reason = self._bridge.end_reason or EndReason.STOPPED
        if reason is not EndReason.COMPLETED:
            times.notifications = await self._line.complaints()
        self.report = report(self._bridge, self._order, times, record)
        if record.ended:
            self._chronicle.say(
                callevents.HungUp,
                end_reason=reason,
                duration=record.duration,
                seconds_answered=self.report.seconds_answered,
            )
            self._line.placed.note_outcome(
                end_reason=reason,
                seconds_heard=self._bridge.seconds_heard,
                exit_code=exit_code_of(reason),
            )

    def _ends_by_itself(self) -> bool:
        """Whether closing the socket ends the call: nothing follows the stream then."""
        open_call = self._bridge.started_at is not None and self._bridge.status not in TERMINAL
        return open_call and not self._bridge.deadlines.reconnect

    async def _reported_end(self) -> None:
        """Wait for the callback that follows the close of the socket."""
        deadline = time.monotonic() + END_WITHIN
        while (happened := await self._inbox.get(deadline)) is not None:
            at, event = happened
            if isinstance(event, CallStatus) and event.status in TERMINAL:
                self._chronicle.status(event, at)
                self._bridge.on_status(event.status)
                return


async def insistently(work: Coroutine[Any, Any, None]) -> None:
    """Do it to the end; whoever cancels it meanwhile waits a little for it."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=LAST_CHANCE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
