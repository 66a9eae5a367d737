"""Lists as Twilio's REST API gives them: filtered, the latest first, a page at a time.

https://www.twilio.com/docs/usage/twilios-response#pagination
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from asyncflow_cli.sandbox.form import ApiError, Form
from asyncflow_cli.sandbox.resources import CallResource

DEFAULT_SIZE, MAX_SIZE = 50, 1000


def select(calls: Iterable[CallResource], query: Form) -> list[CallResource]:
    """Those calls that `query` asks for."""
    return [call for call in calls if _matches(call, query)]


def page(key: str, items: Sequence[Any], path: str, query: Form) -> dict[str, Any]:
    """One page of `items`, with the addresses of the others."""
    size = min(MAX_SIZE, _number(query, "PageSize", DEFAULT_SIZE) or DEFAULT_SIZE)
    number = _number(query, "Page", 0)
    start = number * size
    shown = list(items[start : start + size])

    def uri(of: int) -> str:
        others = [pair for pair in query.pairs if pair[0] not in ("Page", "PageSize", "PageToken")]
        return f"{path}?{urlencode([*others, ('PageSize', size), ('Page', of)])}"

    return {
        key: shown,
        "page": number,
        "page_size": size,
        "start": start,
        "end": max(0, start + len(shown) - 1),
        "uri": uri(number),
        "first_page_uri": uri(0),
        "previous_page_uri": uri(number - 1) if number else None,
        "next_page_uri": uri(number + 1) if start + size < len(items) else None,
    }


def _matches(call: CallResource, query: Form) -> bool:
    exact = {
        "To": call.to,
        "From": call.from_,
        "Status": call.status,
        "ParentCallSid": call.parent_call_sid,
    }
    if any(query.get(name) not in ("", value) for name, value in exact.items()):
        return False
    # Choice: a call that has not begun is found by the date of its creation.
    began = call.start_time or call.date_created
    return is_within(began, "StartTime", query) and is_within(call.end_time, "EndTime", query)


def is_within(written: str | None, name: str, query: Form) -> bool:
    """Twilio's inequalities are written `StartTime>=2026-01-31`, so the key ends in > or <."""
    for sign in ("", ">", "<"):
        limit = query.get(name + sign)
        if not limit:
            continue
        if written is None:
            return False
        # Clients that know times only write a day as its midnight.
        whole_day = limit.removesuffix("T00:00:00Z") if not sign else limit
        first, last = _span(name, whole_day)
        moment = parsedate_to_datetime(written)
        if (sign != "<" and moment < first) or (sign != ">" and moment > last):
            return False
    return True


def _span(name: str, limit: str) -> tuple[datetime, datetime]:
    """A day is all of its moments, a time is one second."""
    try:
        if len(limit) == 10:
            first = datetime.combine(date.fromisoformat(limit), time(), UTC)
            return first, first + timedelta(days=1, microseconds=-1)
        moment = datetime.fromisoformat(limit)
    except ValueError:
        raise ApiError(400, 20001, f"{name} is no date: {limit}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.replace(microsecond=0), moment


def _number(query: Form, name: str, default: int) -> int:
    written = query.get(name)
    if not written:
        return default
    if not (written.isascii() and written.isdigit()) or len(written) > 6:
        raise ApiError(400, 20001, f"{name} is no number: {written}")
    return int(written)
