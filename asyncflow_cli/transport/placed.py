"""A call as Twilio's books have it: placed once, journalled at once, and ended for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.callreports import EndedCall
from asyncflow_cli.protocol.callrequest import CallRequest
from asyncflow_cli.transport.ending import HANG_UP_TRIES, ending, reap, seen_to_end
from asyncflow_cli.transport.journal import ORDER, Entry, Journal, masked, unwritten
from asyncflow_cli.transport.roads.process import identify
from asyncflow_cli.transport.twilio import TwilioClient
from asyncflow_cli.transport.twiliorecords import CallRecord

ANSWER_WITHIN = 10.0
"""Seconds that a create request whose caller has gone still has for its answer."""

ORPHANS: dict[str, str] = {
    "had-ended": "it had ended by itself ({status})",
    "hung-up": "it was still live and was hung up ({status})",
    "unknown": "Twilio no longer knows it",
    "failed": "IT MAY STILL BE LIVE: {error}",
}
"""What became of a call that a killed run left."""


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
        self.hung_up_elsewhere = False
        """Whether another process of ours ended the call, as the journal says."""
        self._entry: Entry | None = None
        self._order: str | None = None
        self._journalled = True
        self._tunnel: dict[str, Any] = {}
        self._creating: asyncio.Task[None] | None = None

    @property
    def sid(self) -> str | None:
        return self.record.sid if self.record is not None else None

    async def place(self, request: CallRequest) -> None:
        """Dial. If this is cancelled, the request is out all the same, and only its answer tells
        which call there is to end: `end` waits for it."""
        self._creating = asyncio.create_task(self._create(request))
        await asyncio.shield(self._creating)

    def through(self, tunnel: str, pid: int | None = None) -> None:
        """Note the tunnel that the call goes through, and its process if it has one: before the
        call is placed, and whenever it changes."""
        self._tunnel = {"tunnel": tunnel, "agent": identify(pid) if pid else None}
        if self._entry is not None and self._entry.ending is None:
            self._note(msgspec.structs.replace(self._entry, **self._tunnel))

    async def _create(self, request: CallRequest) -> None:
        # Written before it is sent: killed meanwhile, nobody would know of the call.
        ordered = Entry(
            call_sid=f"{ORDER}{secrets.token_hex(8)}",
            account_sid=self._twilio.account_sid,
            base_url=self._twilio.base_url,
            pid=os.getpid(),
            began=_now(),
            to=masked(request.to),
            from_=masked(request.from_),
            **self._tunnel,
        )
        self._note(ordered)
        self._order = ordered.call_sid if self._journalled else None
        self.record = record = await self._twilio.create_call(request)
        placed = {"call_sid": record.sid, "began": _now(), **self._tunnel}
        self._note(msgspec.structs.replace(ordered, **placed))
        if self._order is not None:
            self._journal.forget(self._order)

    def _note(self, entry: Entry) -> None:
        self._entry = entry
        try:
            self._journal.add(entry)
        except OSError as error:
            # Only a SIGKILL would miss it, and the call's own time limit stands.
            if self._journalled:
                self._warn(f"The call is in no journal: {unwritten(error)}")
            self._journalled = False

    async def status(self) -> str:
        return (await self.fetch()).status

    async def fetch(self) -> CallRecord:
        """The call as Twilio has it now."""
        assert self.sid is not None
        self.record = await self._twilio.fetch_call(self.sid)
        return self.record

    async def end(self) -> CallRecord | None:
        """The last record of the call, which is hung up if it is not over yet.

        It is live in the journal until it was seen to have ended.
        """
        await self._catch_up()
        if self.record is None:
            self._forget_order()
            return None
        for wait in self._hang_up_tries:
            await asyncio.sleep(wait)
            with contextlib.suppress(AsyncflowError):
                self.record, _ = await seen_to_end(self._twilio, self.record.sid)
                if self.record.ended:
                    self._conclude(self.record)
                    return self.record
        self._warn_of(self.record.sid)
        return self.record

    def _conclude(self, record: CallRecord) -> None:
        if self._entry is not None:
            self.hung_up_elsewhere = self._journal.is_marked(record.sid)
            ended = ending(record)
            self._journal.end(self._entry, ended)
            self._entry = msgspec.structs.replace(self._entry, ending=ended)

    def note_outcome(self, *, end_reason: str, seconds_heard: float, exit_code: int | None) -> None:
        """Add to the journal what Twilio cannot know of a call that was seen to end."""
        if self._entry is None or self._entry.ending is None:
            return
        told = msgspec.structs.replace(
            self._entry.ending,
            end_reason=end_reason,
            seconds_heard=round(seconds_heard, 3),
            exit_code=exit_code,
        )
        self._journal.end(self._entry, told)

    def _forget_order(self) -> None:
        """Unless it may have become a call all the same: then the next run looks for it."""
        if self._order is None or self._creating is None or not self._creating.done():
            return
        error = None if self._creating.cancelled() else self._creating.exception()
        if not (isinstance(error, AsyncflowError) and error.code == "CALL_UNKNOWN"):
            self._journal.forget(self._order)

    async def _catch_up(self) -> None:
        """Let a create request whose caller was cancelled have its answer."""
        if self._creating is not None and not self._creating.done():
            _, unanswered = await asyncio.wait([self._creating], timeout=ANSWER_WITHIN)
            if unanswered:
                self._warn(
                    "Twilio never said whether it placed the call: ONE MAY BE LIVE. "
                    "Look in its console"
                )

    def _warn_of(self, sid: str) -> None:
        account = self._twilio.account_sid
        self._warn(
            f"CALL {sid} MAY STILL BE LIVE. End it: asyncflow calls hangup {sid}, or "
            f"curl -X POST -d Status=completed -u {account}:$TWILIO_AUTH_TOKEN "
            f"{self._twilio.base_url}/2010-04-01/Accounts/{account}/Calls/{sid}.json"
        )

    async def end_orphans(self) -> None:
        """Tell of calls that a killed run left, and end those that live."""
        for entry, ended in await reap(self._twilio, self._journal, self._hang_up_tries):
            self._warn(_sentence(entry, ended))


def _sentence(entry: Entry, ended: EndedCall) -> str:
    became = ORPHANS[ended.outcome].format(status=ended.status, error=ended.error)
    return f"A run that was cut off left call {entry.call_sid} of {entry.began}: {became}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
