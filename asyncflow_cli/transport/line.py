"""The line of one call: its order at Twilio, the socket it speaks through, and the way between.

It is opened before the call and closed after it, so the tunnel outlives both.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable

from asyncflow_cli.errors import AsyncflowError, CallRejectedError
from asyncflow_cli.protocol.callrequest import CallRequest, stream_twiml
from asyncflow_cli.protocol.callrequest import doubts as request_doubts
from asyncflow_cli.protocol.notifications import NotificationReport, explained
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.settings import Settings, is_loopback
from asyncflow_cli.transport.callbacks import CallStatus
from asyncflow_cli.transport.inbox import Inbox, TunnelLost
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.listener import serving
from asyncflow_cli.transport.phone import Phone
from asyncflow_cli.transport.placed import PlacedCall
from asyncflow_cli.transport.preflight import Check, twilio_checks
from asyncflow_cli.transport.signature import Keys
from asyncflow_cli.transport.twilio import CALL_GONE, TwilioClient
from asyncflow_cli.transport.way import Way

POLL_EVERY = 5.0
"""Seconds between looks at the call: callbacks are lost when a tunnel dies."""

LEAD_AGAIN = 0.5
"""Seconds between two tries to lead a call to a new socket, which Twilio refuses while it rings."""


class Line:
    """What happens on it goes into `inbox`; `hear` is given what the callee says."""

    def __init__(
        self,
        settings: Settings,
        order: CallOrder,
        journal: Journal,
        inbox: Inbox,
        *,
        warn: Callable[[str], None],
        hear: Callable[[str, int], None] | None,
    ) -> None:
        self._order = order
        self._inbox = inbox
        self._warn = warn
        self._way = Way(settings, order, lost=lambda why: inbox.put(TunnelLost(why)), warn=warn)
        self.phone = Phone(
            inbox.put,
            account_sid=settings.twilio_account_sid,
            keys=Keys.of(settings),
            # Stand-ins for Twilio on this machine sign or do not.
            sign_required=not is_loopback(settings.twilio_base_url),
            refused=warn,
            hear=hear,
            routes=self._way.routes,
        )
        self._twilio = TwilioClient(settings)
        self.placed = PlacedCall(self._twilio, journal, warn)
        self._port = 0

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """With its server bound, and what a killed run left tidied up."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._twilio.aclose)
            await self.placed.end_orphans()
            served = serving(self.phone.app, port=self._order.port, answer=self.phone.answer)
            self._port = await stack.enter_async_context(served)
            await stack.enter_async_context(self._way)
            yield

    @property
    def tunnel(self) -> str | None:
        """The kind of way in use; None on this machine, which needs none."""
        return self._way.name

    @property
    def grace(self) -> float:
        """Seconds for which a call that lost its socket is held: none, unless there is another
        way to lead it to, for whoever holds a call pays for it."""
        return self._order.reconnect if self._way.has_other else 0.0

    def checks(self) -> list[Check]:
        """What can be known before anybody is called."""
        order = self._order
        asked = twilio_checks(self._twilio, order.from_, force=order.force, warn=self._warn)
        return [*asked, Check("public address", self._open_way)]

    async def _open_way(self) -> None:
        self._lead_to(await self._way.open(self._port))

    def _lead_to(self, url: str) -> None:
        self.phone.public_url = url
        if self._way.name is not None:
            self.placed.through(self._way.name, self._way.pid)

    async def dial(self) -> str:
        """Make the call, once; its SID."""
        request = self._request()
        for doubt in request_doubts(request):
            self._warn(doubt)
        await self.placed.place(request)
        assert self.placed.sid is not None
        if not self.phone.gate.expect(self.placed.sid):
            raise CallRejectedError("Somebody else's call took our socket")
        self._inbox.start(self._poll())
        return self.placed.sid

    def _request(self) -> CallRequest:
        return CallRequest.of(
            self._order,
            twiml=self._twiml(),
            status_callback=self.phone.status_url,
            amd_callback=self.phone.amd_url,
        )

    def _twiml(self) -> str:
        return stream_twiml(
            self.phone.media_url, self.phone.stream_status_url, math.ceil(self.grace)
        )

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_EVERY)
            await self._look()

    async def _look(self) -> None:
        with contextlib.suppress(AsyncflowError):
            self._inbox.put(CallStatus(await self.placed.status()))

    async def lead_elsewhere(self) -> None:
        """Lead the call to a new socket, behind another tunnel where the one there was is lost.

        Where there is no other, or it does not work in time, the call's own deadline ends it.
        """
        self.phone.renew()
        try:
            self._lead_to(await self._way.again())
        except AsyncflowError as error:
            self._warn(error.message)
            return
        while self.placed.sid is not None:
            try:
                await self._redirect(self.placed.sid)
                return
            except AsyncflowError as error:
                if error.code in CALL_GONE:
                    await self._look()
                await asyncio.sleep(LEAD_AGAIN)

    async def _redirect(self, sid: str) -> None:
        callback = self.phone.status_url
        await self._twilio.redirect(sid, self._twiml(), status_callback=callback)

    async def complaints(self) -> tuple[NotificationReport, ...]:
        """What Twilio noted of the call; nothing if it does not say."""
        assert self.placed.sid is not None
        try:
            noted = await self._twilio.notifications(self.placed.sid)
        except AsyncflowError:
            return ()
        return tuple(explained(note.error_code, note.level, note.message) for note in noted)
