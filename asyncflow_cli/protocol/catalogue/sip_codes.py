"""What the telephone network answered: `SipResponseCode` of a call that was not put through.

https://www.twilio.com/docs/voice/api/call-resource#statuscallback
"""

from __future__ import annotations

from asyncflow_cli.errors import AsyncflowError, CalleeBusyError, CallRejectedError
from asyncflow_cli.protocol.catalogue.entry import Entry, Owner

LINK = "https://www.rfc-editor.org/rfc/rfc3261#section-21"

NOT_PUT_THROUGH = "The carrier could not put it through"
_LATER = "Try again later, or another number"
_OUTAGE = "An outage, or a route that the carrier does not serve."

_ROWS: tuple[tuple[int, type[AsyncflowError] | None, str, str, str, str], ...] = (
    (200, None, "It was answered", "The call was put through.", "", "Nothing"),
    (
        404,
        CallRejectedError,
        "There is no such number",
        "No line has this number.",
        "A typing error, or a number that was given back.",
        "Check the digits of --to",
    ),
    (
        408,
        None,
        "Nobody answered in time",
        "The line rang until the network, or --ring-timeout, gave up.",
        "Nobody is there.",
        "Try again later, or raise --ring-timeout",
    ),
    (
        480,
        None,
        "The callee cannot be reached",
        "The line exists, but is not connected now.",
        "A phone that is switched off or without a signal.",
        _LATER,
    ),
    (
        484,
        CallRejectedError,
        "The number is incomplete",
        "There are too few digits.",
        "A missing area code.",
        "Check the digits of --to",
    ),
    (
        486,
        CalleeBusyError,
        "The line is busy",
        "The callee is on another call.",
        "Bad luck.",
        "Try again later",
    ),
    (
        487,
        CallRejectedError,
        "It was cancelled",
        "The call was ended while it rang.",
        "Ctrl-C, or another program of the account.",
        "Call again if that was not meant",
    ),
    (500, CallRejectedError, NOT_PUT_THROUGH, "The carrier's system failed.", _OUTAGE, _LATER),
    (502, CallRejectedError, NOT_PUT_THROUGH, "A carrier on the way failed.", _OUTAGE, _LATER),
    (503, CallRejectedError, NOT_PUT_THROUGH, "The carrier takes no calls now.", _OUTAGE, _LATER),
    (
        504,
        CallRejectedError,
        NOT_PUT_THROUGH,
        "A carrier on the way was too slow.",
        _OUTAGE,
        _LATER,
    ),
    (
        603,
        CallRejectedError,
        "The callee declined",
        "The call was refused on the callee's side.",
        "Somebody pressed the red button, or a filter for unwanted calls.",
        "Call from a number that the callee knows",
    ),
)

ENTRIES = tuple(
    Entry(f"SIP_{number}", raises, title, meaning, cause, next, owner=Owner.SIP, link=LINK)
    for number, raises, title, meaning, cause, next in _ROWS
)
