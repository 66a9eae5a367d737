"""The calls of ours: shown, hung up, and reaped when their run is gone."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import cache

import msgspec

from asyncflow_cli.errors import AsyncflowError, CallError, NotFoundError, UsageError
from asyncflow_cli.output import Confirm
from asyncflow_cli.protocol.callreports import (
    EndedCall,
    EndedCallsReport,
    ShownCall,
    TwiliosCall,
)
from asyncflow_cli.protocol.endings import EndReason
from asyncflow_cli.protocol.notifications import NotificationReport, explained
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.ending import end_call, reap
from asyncflow_cli.transport.journal import Entry, Journal
from asyncflow_cli.transport.journalled import described
from asyncflow_cli.transport.twilio import TwilioClient
from asyncflow_cli.transport.twiliorecords import CallRecord


class OwnCalls:
    """`warn` hears what a person should know that stops nothing."""

    def __init__(self, settings: Settings, journal: Journal, warn: Callable[[str], None]) -> None:
        self._settings = settings
        self._journal = journal
        self._warn = warn

    async def show(self, sid: str) -> ShownCall:
        """What the journal has of a call, what Twilio has, and what it complained of.

        A whole SID that is not in the journal is asked for at Twilio all the same.
        """
        sid, entry = self._named(sid)
        journal = described(self._journal, entry) if entry else None
        try:
            async with self._twilios() as twilio_of:
                twilio = twilio_of(entry)
                self._check_place(twilio, entry)
                call = await twilio.fetch_call(sid)
                told = await self._notifications(twilio, sid)
        except AsyncflowError as error:
            if entry is None:
                raise
            self._warn(f"Twilio was not asked, or did not tell: {error.message}")
            return ShownCall(call_sid=sid, journal=journal, twilio=None)
        return ShownCall(
            call_sid=sid, journal=journal, twilio=_twilios(call), notifications=tuple(told)
        )

    async def hang_up(
        self, sids: Sequence[str], confirm: Confirm, *, every: bool = False
    ) -> EndedCallsReport:
        """End these calls, or every live one of the journal, once `confirm` did not object."""
        if bool(sids) == every:
            raise UsageError("Which calls?", hint="Name their SIDs, or say --all")
        live = self._journal.entries(live_only=True) if every else []
        named = [(e.call_sid, e) for e in live] if every else [self._named(sid) for sid in sids]
        wanted = dict(named)
        if wanted:
            await confirm(f"Hang up {', '.join(map(_told, named))}?")
        async with self._twilios() as twilio_of:
            ended = [await self._hang_up(twilio_of(e), sid, e) for sid, e in wanted.items()]
        return _report(ended)

    async def reap(self) -> EndedCallsReport:
        """End what runs left that are gone, at this account of this Twilio, and nothing else."""
        async with self._twilios() as twilio_of:
            return _report([ended for _, ended in await reap(twilio_of(None), self._journal)])

    @contextlib.asynccontextmanager
    async def _twilios(self) -> AsyncIterator[Callable[[Entry | None], TwilioClient]]:
        """Whom to ask about a call: our Twilio. Embedded sandboxes all know what there was, but a
        call that is live is for the one that it is in, which may be another command's."""
        async with contextlib.AsyncExitStack() as opened:

            @cache
            def at(base_url: str) -> TwilioClient:
                twilio = TwilioClient(replace(self._settings, twilio_base_url=base_url))
                opened.push_async_callback(twilio.aclose)
                return twilio

            yield lambda entry: at(self._base_url(entry))

    def _base_url(self, entry: Entry | None) -> str:
        if not self._settings.sandbox or entry is None or entry.ending is not None:
            return self._settings.twilio_base_url
        return entry.base_url

    def _named(self, sid: str) -> tuple[str, Entry | None]:
        try:
            entry = self._journal.find(sid)
        except NotFoundError:
            if not re.fullmatch(r"CA[0-9a-f]{32}", sid):
                raise
            return sid, None
        return entry.call_sid, entry

    async def _hang_up(self, twilio: TwilioClient, sid: str, entry: Entry | None) -> EndedCall:
        try:
            self._check_place(twilio, entry)
        except NotFoundError as error:
            return EndedCall(call_sid=sid, outcome="failed", error=error.message)
        if entry is None or entry.ending is not None or self._journal.is_orphan(entry):
            return await end_call(twilio, self._journal, sid, entry, EndReason.HUNG_UP)
        self._journal.mark(sid)  # whoever has the call writes down how it ended
        ended = await end_call(twilio, self._journal, sid, None, EndReason.HUNG_UP)
        if ended.outcome != "hung-up":
            self._journal.unmark(sid)
        return ended

    def _check_place(self, twilio: TwilioClient, entry: Entry | None) -> None:
        """NotFoundError for a call that this account of this Twilio cannot know."""
        if entry is None or self._settings.sandbox:
            return
        here = (twilio.account_sid, twilio.base_url)
        if (entry.account_sid, entry.base_url) != here:
            raise NotFoundError(
                f"Call {entry.call_sid} is of account {entry.account_sid} at {entry.base_url}",
                hint="Use its profile, or set TWILIO_ACCOUNT_SID and TWILIO_BASE_URL",
                code="CALL_NOT_FOUND",
            )

    async def _notifications(self, twilio: TwilioClient, sid: str) -> list[NotificationReport]:
        try:
            told = await twilio.notifications(sid)
        except AsyncflowError as error:
            self._warn(f"Twilio does not tell what went wrong: {error.message}")
            return []
        return [explained(each.error_code, each.level, each.message) for each in told]


def _told(named: tuple[str, Entry | None]) -> str:
    sid, entry = named
    return f"{sid} (to {entry.to})" if entry is not None and entry.to else sid


def _report(ended: list[EndedCall]) -> EndedCallsReport:
    """CallError if one of the calls may be live still."""
    report = EndedCallsReport(calls=tuple(ended))
    if not report.failed:
        return report
    words = "; ".join(f"{call.call_sid}: {call.error}" for call in report.failed)
    count = f"{len(report.failed)} of {len(ended)} calls could not be ended"
    error = CallError(
        f"{count}: {words}",
        code="CALL_NOT_ENDED",
        details={"calls": msgspec.to_builtins(ended)},
    )
    error.lines = (count, *(f"{call.call_sid}: {call.told}" for call in ended))
    raise error


def _twilios(call: CallRecord) -> TwiliosCall:
    return TwiliosCall(
        status=call.status,
        to=call.to,
        from_=call.from_,
        duration=call.duration,
        answered_by=call.answered_by,
        queue_ms=call.queue_ms,
        price=call.price,
        price_unit=call.price_unit,
    )
