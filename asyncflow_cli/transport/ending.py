"""Ending calls for certain: one that is named, and those that runs left which are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from asyncflow_cli.errors import AsyncflowError, NotFoundError, ServiceError
from asyncflow_cli.protocol.callreports import OWNER_GONE, EndedCall
from asyncflow_cli.transport.journal import Ending, Entry, Journal, masked
from asyncflow_cli.transport.roads.process import kill_if_ours
from asyncflow_cli.transport.twilio import CALL_GONE, TwilioClient
from asyncflow_cli.transport.twiliorecords import CallRecord

HANG_UP_TRIES = (0.0, 0.5, 1.0, 2.0)
"""Seconds before each try to see the call end: whoever is at its other end may take a moment."""

CREATED_WITHIN = timedelta(minutes=1)
"""Between an order and its call: Twilio's clock is another."""


async def seen_to_end(twilio: TwilioClient, sid: str) -> tuple[CallRecord, str]:
    """The call's last record, which is hung up if it is live, and the outcome as EndedCall has it.

    The record of a call that would not end is that of a live one.
    """
    known = True
    try:
        found = await twilio.fetch_call(sid)
        if found.ended:
            return found, "had-ended"
    except (NotFoundError, ServiceError) as error:
        # One answer like this may be an accident, and the call live all the same.
        known = error.code not in CALL_GONE
    last = await twilio.hang_up(sid)
    if last.ended and not known and last.created is None:  # not Twilio's own words
        return last, "unknown"
    return last, "hung-up" if last.ended else "failed"


async def end_call(
    twilio: TwilioClient,
    journal: Journal,
    sid: str,
    entry: Entry | None,
    end_reason: str,
    tries: Sequence[float] = HANG_UP_TRIES,
) -> EndedCall:
    """End a call, and write down that it ended if it is in the journal."""
    try:
        last, outcome = await _seen_to_end_by_and_by(twilio, sid, tries)
    except AsyncflowError as error:
        return EndedCall(call_sid=sid, outcome="failed", error=error.message)
    if not last.ended:
        error_words = f"Twilio has it {last.status} still"
        return EndedCall(call_sid=sid, outcome="failed", status=last.status, error=error_words)
    if entry is not None and entry.ending is None:
        journal.end(entry, ending(last, end_reason))
    return EndedCall(call_sid=sid, outcome=outcome, status=last.status)


async def _seen_to_end_by_and_by(
    twilio: TwilioClient, sid: str, tries: Sequence[float]
) -> tuple[CallRecord, str]:
    """The same, tried again while the call is live; whatever ends it then, we had hung up."""
    last, outcome = await seen_to_end(twilio, sid)
    for wait in tries[1:]:
        if last.ended:
            break
        await asyncio.sleep(wait)
        last, _ = await seen_to_end(twilio, sid)
        outcome = "hung-up" if last.ended else "failed"
    return last, outcome


async def reap(
    twilio: TwilioClient, journal: Journal, tries: Sequence[float] = HANG_UP_TRIES
) -> list[tuple[Entry, EndedCall]]:
    """End the calls of this account whose owner is gone, and no others, and what held their
    tunnels."""
    reaped = []
    for left in list(journal.orphans(twilio.account_sid, twilio.base_url)):
        for entry in await came_of(twilio, journal, left) if left.is_order else [left]:
            ended = await end_call(twilio, journal, entry.call_sid, entry, OWNER_GONE, tries)
            reaped.append((entry, ended))
        if left.agent is not None:
            kill_if_ours(left.agent)
    return reaped


async def came_of(twilio: TwilioClient, journal: Journal, order: Entry) -> list[Entry]:
    """The call, if there is one, that a run ordered which was killed before it had an answer.

    It is known by its numbers and its moment. While another run orders the same it is let be.
    """
    numbers = (order.to, order.from_)
    rivals = [
        o for o in journal.orders() if not journal.is_orphan(o) and (o.to, o.from_) == numbers
    ]
    if rivals:
        return []
    try:
        latest = await twilio.latest_calls()
    except AsyncflowError:
        return []  # looked for again by the next run
    known = {entry.call_sid for entry in journal.entries()}
    found = [
        msgspec.structs.replace(order, call_sid=call.sid)
        for call in latest
        if not call.ended and call.sid not in known and _fits(call, order)
    ]
    for entry in found:
        journal.add(entry)
    journal.forget(order.call_sid)
    return found


def _fits(call: CallRecord, order: Entry) -> bool:
    if call.created is None or (masked(call.to or ""), masked(call.from_ or "")) != (
        order.to,
        order.from_,
    ):
        return False
    return abs(call.created - datetime.fromisoformat(order.began)) < CREATED_WITHIN


def ending(record: CallRecord, end_reason: str | None = None) -> Ending:
    return Ending(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        status=record.status,
        end_reason=end_reason,
        duration=record.duration,
    )
