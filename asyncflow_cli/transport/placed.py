"""A call as Twilio's books have it: placed once, journalled at once, and ended for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.transport.journal import Entry, Journal
from asyncflow_cli.transport.twilio import CALL_GONE, CallRecord, CallRequest, TwilioClient

HANG_UP_TRIES = (0.0, 0.5, 1.0, 2.0)
"""Seconds before each try to see the call end."""


class PlacedCall:
    """At most one call. `warn` hears what a person should know of calls left open."""

    def __init__(self, twilio: TwilioClient, journal: Journal, warn: Callable[[str], None]) -> None:
        self._twilio = twilio
        self._journal = journal
        self._warn = warn
        self.record: CallRecord | None = None

    @property
    def sid(self) -> str | None:
        return self.record.sid if self.record is not None else None

    async def place(self, request: CallRequest) -> None:
        """Dial. If we are cancelled meanwhile, the call is known before we leave."""
        creating = asyncio.create_task(self._twilio.create_call(request))
        try:
            self._adopt(await asyncio.shield(creating))
        except asyncio.CancelledError:
            # The request is out: only its answer tells which call there is to end.
            with contextlib.suppress(AsyncflowError):
                self._adopt(await creating)
            raise

    def _adopt(self, record: CallRecord) -> None:
        self.record = record
        self._journal.add(
            Entry(
                call_sid=record.sid,
                account_sid=self._twilio.account_sid,
                base_url=self._twilio.base_url,
                pid=os.getpid(),
                began=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        )

    async def status(self) -> str:
        assert self.sid is not None
        return (await self._twilio.fetch_call(self.sid)).status

    async def end(self) -> CallRecord | None:
        """The last record of the call, which is hung up if it is not over yet.

        It leaves the journal only once it was seen to have ended.
        """
        if self.record is None:
            return None
        for wait in HANG_UP_TRIES:
            await asyncio.sleep(wait)
            with contextlib.suppress(AsyncflowError):
                self.record = await self._seen_to_end(self.record.sid)
                if self.record.ended:
                    self._journal.remove(self.record.sid)
                    return self.record
        self._warn_of(self.record.sid)
        return self.record

    async def _seen_to_end(self, sid: str) -> CallRecord:
        try:
            found = await self._twilio.fetch_call(sid)
        except AsyncflowError as error:
            if error.code not in CALL_GONE:
                raise
            return CallRecord(sid, "completed", None)
        return found if found.ended else await self._twilio.hang_up(sid)

    def _warn_of(self, sid: str) -> None:
        account = self._twilio.account_sid
        self._warn(
            f"CALL {sid} MAY STILL BE LIVE. End it: curl -X POST -d Status=completed -u "
            f"{account}:$TWILIO_AUTH_TOKEN "
            f"{self._twilio.base_url}/2010-04-01/Accounts/{account}/Calls/{sid}.json"
        )

    async def end_orphans(self) -> None:
        """Tell of calls that a killed run left, and end those that live."""
        for entry in self._journal.orphans(self._twilio.account_sid, self._twilio.base_url):
            try:
                self._warn(await self._end_orphan(entry))
            except AsyncflowError as error:
                self._warn(f"Call {entry.call_sid} of {entry.began}, cut off: {error.message}")
                if error.code not in CALL_GONE:
                    continue
            self._journal.remove(entry.call_sid)

    async def _end_orphan(self, entry: Entry) -> str:
        found = await self._twilio.fetch_call(entry.call_sid)
        ended = found if found.ended else await self._twilio.hang_up(entry.call_sid)
        how = "had ended by itself" if found.ended else "was still live and was hung up"
        return (
            f"A run that was cut off left call {entry.call_sid} of {entry.began}: "
            f"it {how} ({ended.status})"
        )
