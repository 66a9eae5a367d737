"""What Twilio's answers say, without the objects of its library.

ValueError for an answer that does not hold what it must.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from asyncflow_cli.protocol.endings import TERMINAL


@dataclass(frozen=True)
class CallRecord:
    """What Twilio knows of a call."""

    sid: str
    status: str
    duration: int | None
    """Seconds; known once it has ended."""
    answered_by: str | None = None
    """Once machine detection has told."""
    queue_ms: int | None = None
    """How long it waited in Twilio's queue before it was dialled."""
    price: str | None = None
    """Negative, for it is taken from the balance; known minutes after the end."""
    price_unit: str | None = None
    created: datetime | None = None
    to: str | None = None
    from_: str | None = None

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True)
class Account:
    """https://www.twilio.com/docs/iam/api/account"""

    sid: str
    type: str
    """`Trial` or `Full`."""
    status: str
    """`active`, `suspended` or `closed`."""


@dataclass(frozen=True)
class Balance:
    amount: float
    currency: str


@dataclass(frozen=True)
class Notification:
    """One entry of a call's log: https://www.twilio.com/docs/voice/api/call-notification-resource"""

    error_code: str
    message: str
    level: str
    """`error` or `warning`."""


def record(call: Any) -> CallRecord:
    # The SID becomes a file's name.
    if not (call.status and re.fullmatch(r"[A-Za-z0-9]+", str(call.sid or ""))):
        raise ValueError("No call in the answer")
    return CallRecord(
        sid=str(call.sid),
        status=str(call.status),
        duration=_whole(call.duration),
        answered_by=call.answered_by,
        queue_ms=_whole(call.queue_time),
        price=call.price,
        price_unit=call.price_unit,
        created=call.date_created,
        to=call.to,
        from_=call._from,
    )


def account(found: Any) -> Account:
    if not found.sid:
        raise ValueError("No account in the answer")
    return Account(str(found.sid), str(found.type or ""), str(found.status or ""))


def balance(found: Any) -> Balance:
    return Balance(float(found.balance or ""), str(found.currency or "USD"))


def numbers(found: Iterable[Any]) -> list[str]:
    """Of a list of bought numbers, or of verified ones."""
    return [str(each.phone_number) for each in found]


def notification(found: Any) -> Notification:
    level = {"0": "error", "1": "warning"}.get(str(found.log), "")
    message = _message(str(found.message_text or ""))
    return Notification(str(found.error_code or ""), message, level)


def _whole(written: Any) -> int | None:
    """Twilio writes numbers as text."""
    return None if written in (None, "") else int(written)


def _message(text: str) -> str:
    """The words in a log entry, which is a form or a part of one, as the product that wrote it
    likes it: `Msg=…`, `EmailNotification=false&Msg=…`, or just words."""
    fields = parse_qs(text)
    for name in ("Msg", "parserMessage", "error_message"):
        if name in fields:
            return " ".join(fields[name])
    return unquote_plus(text)
