"""The journal as a person reads it."""

from __future__ import annotations

from asyncflow_cli.protocol.callreports import LEFT, LIVE, CallsReport, JournalledCall
from asyncflow_cli.transport.journal import Entry, Journal


def journalled(journal: Journal, *, live_only: bool = False) -> CallsReport:
    entries = journal.entries(live_only=live_only)
    return CallsReport(calls=tuple(described(journal, entry) for entry in entries))


def described(journal: Journal, entry: Entry) -> JournalledCall:
    """An entry, and whether somebody owns the call still."""
    ending = entry.ending
    state = LEFT if journal.is_orphan(entry) else LIVE
    return JournalledCall(
        call_sid=entry.call_sid,
        state=ending.status if ending else state,
        to=entry.to,
        from_=entry.from_,
        began=entry.began,
        ended=ending.at if ending else None,
        end_reason=ending.end_reason if ending else None,
        duration=ending.duration if ending else None,
        seconds_heard=ending.seconds_heard if ending else None,
        exit_code=ending.exit_code if ending else None,
        account_sid=entry.account_sid,
        twilio=entry.base_url,
        tunnel=entry.tunnel,
        pid=entry.pid,
    )
