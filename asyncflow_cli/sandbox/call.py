"""The life of one call: it rings, is answered, runs its TwiML, and ends.

https://www.twilio.com/docs/voice/api/call-resource#call-status-values
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.sandbox.account import ACCOUNT_SID
from asyncflow_cli.sandbox.callee import LISTENER, Actor, Callee
from asyncflow_cli.sandbox.casting import cast
from asyncflow_cli.sandbox.clock import rfc2822
from asyncflow_cli.sandbox.leg import CalleeHungUp, Leg
from asyncflow_cli.sandbox.order import Callback, Order
from asyncflow_cli.sandbox.program import Program, Source
from asyncflow_cli.sandbox.record import CallRecord, Network
from asyncflow_cli.sandbox.reporting import final_fields, line_report, minutes
from asyncflow_cli.sandbox.resources import CallReport, CallResource
from asyncflow_cli.sandbox.ringing import Ringing
from asyncflow_cli.sandbox.screening import screen
from asyncflow_cli.sandbox.stage import Stage
from asyncflow_cli.sandbox.taping import Taping
from asyncflow_cli.sandbox.tones import keys

TRIAL_TOO_LONG = "13805"
"""https://www.twilio.com/docs/api/errors/13805"""


@dataclass(frozen=True, slots=True)
class HangUp:
    """The REST API ends the call."""


Wish: TypeAlias = HangUp | Source
Prelude: TypeAlias = Callable[[], Awaitable[None]]


class LiveCall:
    """A call that has not ended. `run` is its life; the REST API interrupts it."""

    def __init__(
        self, order: Order, actor: Actor, network: Network, *, queued: float = 0.0
    ) -> None:
        self.ended = asyncio.Event()
        """Set when the status is final; the last callback may still be on its way."""
        self.finished = asyncio.Event()
        """Set when nothing of the call is left to do."""
        self._actor = actor
        self._callee = actor if isinstance(actor, Callee) else LISTENER
        self._network = network
        self._queued = queued
        self._record = CallRecord(order, network)
        if queued:
            self._record.become(queue_time=str(round(queued * 1000)))
        self._leg = Leg(network.clock, skip_silence=network.names.deterministic)
        self._program = Program(self._stage())
        self.streams = self._program.streams
        self.taping = Taping(self._leg, self._record, network.store, network.url)
        self._ended_by: str | None = None
        self._started: datetime | None = None
        self._limit: asyncio.Timeout | None = None
        self._wish: Wish | None = None
        self._wished = asyncio.get_running_loop().create_future()

    @property
    def sid(self) -> str:
        return self._record.sid

    @property
    def order(self) -> Order:
        return self._record.order

    @property
    def resource(self) -> CallResource:
        return self._record.resource

    @property
    def heard(self) -> bytes:
        """μ-law the callee has heard so far."""
        return bytes(self._leg.line.heard)

    def date(self) -> datetime:
        """Now, for this call."""
        return self._record.date()

    def report(self) -> CallReport:
        """How it went, at the callee's end."""
        return CallReport(
            ended_by=self._ended_by,
            answered_by=self.resource.answered_by,
            billed_minutes=minutes(self.resource.duration),
            digits_pressed=self._leg.pressed,
            streams=tuple(self.streams.summaries),
            recordings=tuple(self.taping.summaries()),
            warnings=tuple(self._record.warnings),
            **line_report(self._leg.line),
        )

    # What the REST API may do

    def hang_up(self) -> None:
        """End the call, whatever it is doing."""
        self._interrupt(HangUp())

    def redirect(self, source: Source) -> None:
        """Drop the TwiML that runs, and go on with `source`."""
        self._interrupt(source)

    def set_time_limit(self, seconds: int) -> None:
        """Count `seconds` from the moment the call was answered."""
        if self._limit is not None and self._started is not None:
            gone = (self._record.date() - self._started).total_seconds()
            allowed = self._network.account.seconds_allowed(seconds)
            left = self._network.clock.real(max(0.0, allowed - gone))
            self._limit.reschedule(asyncio.get_running_loop().time() + left)

    def set_callback(self, callback: Callback) -> None:
        self._record.callback_to = callback

    def _interrupt(self, wish: Wish) -> None:
        # Nothing comes after a hang-up, and a later wish replaces one not yet granted.
        if not isinstance(self._wish, HangUp):
            self._wish = wish
        if not self._wished.done():
            self._wished.set_result(None)

    # Its life

    async def run(self) -> None:
        """From the first ring to the last callback."""
        status = "failed"  # If the sandbox itself fails, or is cancelled.
        try:
            await self._find_callee()
            ringing = Ringing(self._record, self._network.clock, self._wished)
            answered = await ringing.answer(self._callee, queued=self._queued)
            status, self._ended_by = answered.status, answered.ended_by
            if status == "in-progress":
                await self._converse()
                status = "completed"
        finally:
            await self._end(status)

    async def _find_callee(self) -> None:
        if not isinstance(self._actor, Callee):
            self._callee = await cast(self._actor, self._network.say or silent)
        self._leg.pick_up(self._callee)

    async def _converse(self) -> None:
        self._begin()
        limit = self._record.order.time_limit
        allowed = self._network.account.seconds_allowed(limit)
        try:
            async with asyncio.timeout(self._network.clock.real(allowed)) as self._limit:
                await self._follow(self._record.order.source)
        except TimeoutError:
            self._ended_by = "time limit"
            if allowed < limit:
                text = f"A call of a trial account ends after {allowed} seconds"
                self._record.notify(TRIAL_TOO_LONG, text, "")
        finally:
            self._limit = None

    def _begin(self) -> None:
        self._started = self._record.date()
        self._record.become(status="in-progress", start_time=rfc2822(self._started))
        self._record.callback("answered", "in-progress")
        if self._record.order.tape is not None:
            self.taping.start(self._record.order.tape)

    async def _follow(self, source: Source | None) -> None:
        """Run TwiML until nothing follows."""
        prelude: Prelude = self._prelude
        while source is not None:
            source = await self._perform(prelude, source)
            prelude = nothing

    async def _prelude(self) -> None:
        """What comes before the TwiML: keys, or finding out who answered."""
        order = self._record.order
        if order.send_digits:
            await self._leg.play(keys(order.send_digits))
        if order.detection is not None:
            await screen(order.detection, self._callee, self._leg, self._record)

    async def _play(self, prelude: Prelude, source: Source) -> None:
        await prelude()
        await self._program.run(source)

    async def _perform(self, prelude: Prelude, source: Source) -> Source | None:
        """Run TwiML until it ends, or something else is wished to run instead."""
        program = asyncio.create_task(self._play(prelude, source))
        self._wished = asyncio.get_running_loop().create_future()
        waiting: list[asyncio.Future[Any]] = [program, self._wished]
        try:
            await asyncio.wait(waiting, return_when="FIRST_COMPLETED")
        finally:
            program.cancel()
            await asyncio.wait([program])
        wish, self._wish = self._wish, None
        if wish is not None:
            self._ended_by = "api"
            return None if isinstance(wish, HangUp) else wish
        try:
            await program
            self._ended_by = "twiml"
        except CalleeHungUp:
            self._ended_by = "callee"
        return None

    async def _end(self, status: str) -> None:
        record = self._record
        await self.streams.close()
        self.taping.finish()
        seconds = self._duration()
        record.pass_time(seconds)
        ended = record.date()
        record.become(
            status=status,
            start_time=rfc2822(self._started or ended),
            end_time=rfc2822(ended),
            duration=str(seconds),
        )
        self.ended.set()
        final = final_fields(self.resource, self._callee) | self.taping.final_fields()
        record.callback("completed", status, final)
        self.taping.announce()
        self._save()
        try:
            await record.outbox.drain()
        finally:
            await record.web.close()
            self._save()
            self.finished.set()

    def _save(self) -> None:
        self._network.store.save_call(self.resource, self.report(), self.heard)

    def _duration(self) -> int:
        """Seconds from answer to end, begun ones counted whole."""
        if self._started is None:
            return 0
        if self._network.names.deterministic:
            return math.ceil(len(self._leg.line.heard) / PHONE_RATE)
        return math.ceil((self._record.date() - self._started).total_seconds())

    def _stage(self) -> Stage:
        record = self._record
        return Stage(
            account_sid=ACCOUNT_SID,
            signer=self._network.signer,
            call_sid=self.sid,
            leg=self._leg,
            web=record.web,
            outbox=record.outbox,
            names=self._network.names,
            notify=record.notify,
            fields=record.fields,
            date=record.date,
            clock=self._network.clock,
            faults=self._network.faults,
            say=self._network.say,
            blocked_verbs=self._network.account.blocked_verbs,
        )


async def nothing() -> None:
    pass


async def silent(_text: str, _language: str | None) -> bytes:
    return b""
