"""The telephone network: it places calls, and knows which are alive."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache

import httpx

from asyncflow_cli.sandbox.account import Account
from asyncflow_cli.sandbox.call import LiveCall
from asyncflow_cli.sandbox.callee import Actor, who_answers
from asyncflow_cli.sandbox.clock import Clock, Names
from asyncflow_cli.sandbox.failures import STILL_LIVE, Failure
from asyncflow_cli.sandbox.faults import Faults
from asyncflow_cli.sandbox.form import ApiError
from asyncflow_cli.sandbox.order import Order
from asyncflow_cli.sandbox.record import Network
from asyncflow_cli.sandbox.resources import CallResource
from asyncflow_cli.sandbox.signature import BY_TOKEN, Signer
from asyncflow_cli.sandbox.stage import Voice
from asyncflow_cli.sandbox.store import Store

CLOSING_SECONDS = 10.0
"""How long calls that are hung up may take to tell their servers so, when the network goes."""


class Carrier:
    """Places calls in the running loop."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        deterministic: bool = False,
        account: Account | None = None,
        say: Voice | None = None,
        url: str = "",
        strict: bool = False,
        faults: Faults | None = None,
        signer: Signer = BY_TOKEN,
    ) -> None:
        self.store = store
        self.clock = clock
        self.names = Names(deterministic=deterministic, calls_before=store.count_calls())
        self.account = account or Account()
        """May be replaced by another at any time."""
        self.callees: dict[str, Actor] = {}
        """Who answers, by number or `*` for everybody; before the table of `callee`."""
        self.live: dict[str, LiveCall] = {}
        self._say = say
        self._url = url
        self.strict = strict
        self.failures: list[Failure] = []
        """Of a strict carrier: what was wrong with its customer's calls."""
        self._next_turn = 0.0
        """When the account's rate lets the next call leave the queue, by the clock."""
        self._faults = faults or Faults()
        self._signer = signer
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def dial(self, order: Order) -> CallResource:
        """Place a call, and return at once: it is queued."""
        busy = len(self._alive())
        if self.account.concurrency is not None and busy >= self.account.concurrency:
            raise ApiError(400, 10004, f"Call concurrency limit of {busy} exceeded")
        actor = who_answers(order.to, self.callees)
        call = LiveCall(order, actor, self._network(), queued=self._turn())
        self.live[call.sid] = call
        self._tasks[call.sid] = asyncio.create_task(self._run(call))
        return call.resource

    def _network(self) -> Network:
        return Network(
            store=self.store,
            clock=self.clock,
            names=self.names,
            tls=_tls(),
            account=self.account,
            url=self._url,
            say=self._say,
            failures=self.failures if self.strict else None,
            faults=self._faults,
            signer=self._signer,
        )

    def _turn(self) -> float:
        """Seconds that the next call has to wait in the queue."""
        if self.account.calls_a_second is None:
            return 0.0
        now = self.clock.now()
        turn = max(now, self._next_turn)
        self._next_turn = turn + 1 / self.account.calls_a_second
        return turn - now

    def heard(self, sid: str) -> bytes | None:
        """μ-law the callee has heard so far; None if there is no such call."""
        call = self.live.get(sid)
        return call.heard if call is not None else self.store.heard(sid)

    def _alive(self) -> list[LiveCall]:
        """Calls that have not ended; of others the last callback may be under way."""
        return [call for call in self.live.values() if not call.ended.is_set()]

    async def leave(self) -> None:
        """Go for good: to a strict carrier a call that is still alive is a failure."""
        if self.strict:
            for call in self._alive():
                text = f"Still {call.resource.status}, to {call.resource.to}"
                self.failures.append(Failure(call.sid, STILL_LIVE, text))
        await self.close()

    async def close(self) -> None:
        """Hang up every call, and wait until all have ended."""
        tasks = list(self._tasks.values())
        for call in list(self.live.values()):
            call.hang_up()
        if not tasks:
            return
        _, unfinished = await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def reset(self) -> None:
        """Hang up every call, forget everything, and count from the beginning."""
        await self.close()
        self.store.reset()
        self.failures.clear()
        self.names = Names(deterministic=self.names.deterministic)

    async def _run(self, call: LiveCall) -> None:
        try:
            await call.run()
        finally:
            del self.live[call.sid]
            del self._tasks[call.sid]


@cache
def _tls() -> ssl.SSLContext:
    """Whom every carrier of this process trusts: to read the certificates takes 20 ms."""
    return httpx.create_ssl_context()
