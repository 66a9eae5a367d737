"""What Twilio's REST API answers with, as the sandbox writes it.

https://www.twilio.com/docs/voice/api/call-resource
"""

from __future__ import annotations

from typing import Any

import msgspec

API = "2010-04-01"

LIVE = frozenset({"queued", "ringing", "in-progress"})

_SUBRESOURCES = (
    "notifications",
    "recordings",
    "streams",
    "transcriptions",
    "payments",
    "events",
    "siprec",
    "user_defined_messages",
    "user_defined_message_subscriptions",
)


class CallResource(msgspec.Struct, frozen=True):
    """A call, as `Calls/{sid}.json` shows it. Numbers are strings, as on the wire."""

    sid: str
    account_sid: str
    to: str
    from_: str = msgspec.field(name="from")
    status: str
    date_created: str
    date_updated: str
    to_formatted: str = ""
    from_formatted: str = ""
    phone_number_sid: str | None = None
    direction: str = "outbound-api"
    answered_by: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    duration: str | None = None
    price: str | None = None
    price_unit: str = "USD"
    queue_time: str = "0"
    parent_call_sid: str | None = None
    group_sid: str | None = None
    forwarded_from: str | None = None
    caller_name: str | None = None
    trunk_sid: str | None = None
    annotation: str | None = None
    api_version: str = API
    uri: str = ""
    subresource_uris: dict[str, str] = {}


class Notification(msgspec.Struct, frozen=True):
    """What went wrong in a call, as `Calls/{sid}/Notifications.json` lists it.

    https://www.twilio.com/docs/usage/api/notifications (since folded into the call resource)
    """

    sid: str
    account_sid: str
    call_sid: str
    error_code: str
    log: str
    """"0" is an error, "1" a warning."""
    message_text: str
    """A form, as Twilio writes it: `Msg`, `ErrorCode`, `LogLevel`."""
    request_url: str
    message_date: str
    date_created: str
    date_updated: str
    uri: str
    request_method: str | None = None
    request_variables: str | None = None
    response_headers: str | None = None
    response_body: str | None = None
    more_info: str = ""
    api_version: str = API


class RecordingResource(msgspec.Struct, frozen=True):
    """https://www.twilio.com/docs/voice/api/recording"""

    sid: str
    account_sid: str
    call_sid: str
    status: str
    source: str
    channels: int
    track: str
    date_created: str
    date_updated: str
    start_time: str
    uri: str
    media_url: str
    duration: str | None = None
    conference_sid: str | None = None
    error_code: int | None = None
    encryption_details: dict[str, str] | None = None
    price: str | None = None
    price_unit: str = "USD"
    api_version: str = API
    subresource_uris: dict[str, str] = {}


class Event(msgspec.Struct, frozen=True):
    """https://www.twilio.com/docs/voice/api/call-event-resource"""

    request: dict[str, Any]
    response: dict[str, Any]


class CallReport(msgspec.Struct, frozen=True):
    """What Twilio does not tell: how the call sounded at the callee's end."""

    ended_by: str | None = None
    """callee, twiml, api or time limit."""
    answered_by: str | None = None
    billed_minutes: int = 0
    """Begun minutes count whole: https://www.twilio.com/docs/voice/pricing"""
    seconds_heard: float = 0.0
    discarded_seconds: float = 0.0
    most_queued_seconds: float = 0.0
    """Of audio that waited to be played, when there was the most."""
    digits_pressed: str = ""
    gaps: tuple[dict[str, Any], ...] = ()
    marks: tuple[dict[str, Any], ...] = ()
    streams: tuple[dict[str, Any], ...] = ()
    recordings: tuple[dict[str, Any], ...] = ()
    warnings: tuple[dict[str, str], ...] = ()


def call_uri(account_sid: str, call_sid: str) -> str:
    return f"/{API}/Accounts/{account_sid}/Calls/{call_sid}"


def subresource_uris(account_sid: str, call_sid: str) -> dict[str, str]:
    base = call_uri(account_sid, call_sid)
    written = {name: "".join(map(str.capitalize, name.split("_"))) for name in _SUBRESOURCES}
    return {name: f"{base}/{path}.json" for name, path in written.items()}


def formatted(number: str) -> str:
    """As Twilio writes the numbers of North America; others stay as they are."""
    if len(number) == 12 and number.startswith("+1"):
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number
