"""A call as Twilio's books have it: placed once, journalled at once, and ended for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.callrequest import CallRequest
from asyncflow_cli.transport.journal import Entry, Journal
from asyncflow_cli.transport.twilio import CALL_GONE, TwilioClient
from asyncflow_cli.transport.twiliorecords import CallRecord

ANSWER_WITHIN = 10.0
"""Seconds that a create request whose caller has gone still has for its answer."""

HANG_UP_TRIES = (0.0, 0.5, 1.0, 2.0)
"""Seconds before each try to see the call end."""


class PlacedCall:
    """At most one call. `warn` hears what a person should know of calls left open."""

    def __init__(
        self,
        twilio: TwilioClient,
        journal: Journal,
        warn: Callable[[str], None],
        *,
        hang_up_tries: Sequence[float] = HANG_UP_TRIES,
    ) -> None:
        self._twilio = twilio
        self._journal = journal
        self._warn = warn
        self._hang_up_tries = hang_up_tries
        self.record: CallRecord | None = None
        self._creating: asyncio.Task[None] | None = None

    @property
    def sid(self) -> str | None:
        return self.record.sid if self.record is not None else None

    async def place(self, request: CallRequest) -> None:
        """Dial. If this is cancelled, the request is out all the same, and only its answer tells
        which call there is to end: `end` waits for it."""
        self._creating = asyncio.create_task(self._create(request))
        await asyncio.shield(self._creating)

    async def _create(self, request: CallRequest) -> None:
        self._adopt(await self._twilio.create_call(request))

    def _adopt(self, record: CallRecord) -> None:
        self.record = record
        entry = Entry(
            call_sid=record.sid,
            account_sid=self._twilio.account_sid,
            base_url=self._twilio.base_url,
            pid=os.getpid(),
            began=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        try:
            self._journal.add(entry)
        except OSError as error:
            # Only a SIGKILL would miss it, and the call's own time limit stands.
            self._warn(f"The call is in no journal: {error}")

    async def status(self) -> str:
        assert self.sid is not None
        return (await self._twilio.fetch_call(self.sid)).status

    async def end(self) -> CallRecord | None:
        """The last record of the call, which is hung up if it is not over yet.

        It leaves the journal only once it was seen to have ended.
        """
        await self._catch_up()
        if self.record is None:
            return None
        for wait in self._hang_up_tries:
            await asyncio.sleep(wait)
            with contextlib.suppress(AsyncflowError):
                self.record = await self._seen_to_end(self.record.sid)
                if self.record.ended:
                    self._journal.remove(self.record.sid)
                    return self.record
        self._warn_of(self.record.sid)
        return self.record

    async def _catch_up(self) -> None:
        """Let a create request whose caller was cancelled have its answer."""
        if self._creating is not None and not self._creating.done():
            _, unanswered = await asyncio.wait([self._creating], timeout=ANSWER_WITHIN)
            if unanswered:
                self._warn(
                    "Twilio never said whether it placed the call: ONE MAY BE LIVE. "
                    "Look in its console"
                )

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
                ended = await self._end_orphan(entry)
            except AsyncflowError as error:
                self._warn(f"Call {entry.call_sid} of {entry.began}, cut off: {error.message}")
                ended = error.code in CALL_GONE
            if ended:
                self._journal.remove(entry.call_sid)

    async def _end_orphan(self, entry: Entry) -> bool:
        found = await self._twilio.fetch_call(entry.call_sid)
        last = found if found.ended else await self._twilio.hang_up(entry.call_sid)
        how = "had ended by itself" if found.ended else "was still live and was hung up"
        self._warn(
            f"A run that was cut off left call {entry.call_sid} of {entry.began}: "
            f"it {how} ({last.status})"
        )
        return last.ended
