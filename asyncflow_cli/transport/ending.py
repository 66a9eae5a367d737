"""Ending calls for certain: one that is named, and those that runs left which are gone."""

from __future__ import annotations

from datetime import UTC, datetime

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.callreports import EndedCall
from asyncflow_cli.transport.journal import Ending, Entry, Journal
from asyncflow_cli.transport.roads.process import kill_if_ours
from asyncflow_cli.transport.twilio import CALL_GONE, TwilioClient
from asyncflow_cli.transport.twiliorecords import CallRecord

OWNER_GONE = "owner-gone"
"""The end reason of a call whose run did not live to see it end."""


async def seen_to_end(twilio: TwilioClient, sid: str) -> tuple[CallRecord, str]:
    """The call's last record, which is hung up if it is live, and the outcome as EndedCall has it.

    The record of a call that would not end is that of a live one.
    """
    try:
        found = await twilio.fetch_call(sid)
    except AsyncflowError as error:
        if error.code not in CALL_GONE:
            raise
        return CallRecord(sid, "completed", None), "unknown"
    if found.ended:
        return found, "had-ended"
    last = await twilio.hang_up(sid)
    return last, "hung-up" if last.ended else "failed"


async def end_call(
    twilio: TwilioClient, journal: Journal, sid: str, entry: Entry | None, end_reason: str
) -> EndedCall:
    """End a call, and write down that it ended if it is in the journal."""
    try:
        last, outcome = await seen_to_end(twilio, sid)
    except AsyncflowError as error:
        return EndedCall(call_sid=sid, outcome="failed", error=error.message)
    if not last.ended:
        error_words = f"Twilio has it {last.status} still"
        return EndedCall(call_sid=sid, outcome="failed", status=last.status, error=error_words)
    if entry is not None and entry.ending is None:
        journal.end(entry, ending(last, end_reason))
    return EndedCall(call_sid=sid, outcome=outcome, status=last.status)


async def reap(twilio: TwilioClient, journal: Journal) -> list[tuple[Entry, EndedCall]]:
    """End the calls of this account whose owner is gone, and no others, and what held their
    tunnels."""
    reaped = []
    for entry in list(journal.orphans(twilio.account_sid, twilio.base_url)):
        reaped.append((entry, await end_call(twilio, journal, entry.call_sid, entry, OWNER_GONE)))
        if entry.agent is not None:
            kill_if_ours(entry.agent)
    return reaped


def ending(record: CallRecord, end_reason: str | None = None) -> Ending:
    return Ending(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        status=record.status,
        end_reason=end_reason,
        duration=record.duration,
    )
