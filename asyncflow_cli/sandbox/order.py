"""Reading the form that asks Twilio for a call, in the order in which it is checked.

https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from asyncflow_cli.protocol.order import is_e164
from asyncflow_cli.sandbox.account import ACCOUNT_SID, Account
from asyncflow_cli.sandbox.detection import Detection, read_detection
from asyncflow_cli.sandbox.form import ApiError, Form, check_url, read_number
from asyncflow_cli.sandbox.program import Fetch, Inline, Source
from asyncflow_cli.sandbox.tape import TapeOrder, read_tape

MAX_TWIML = 4000
NOT_IMITATED = ("CallToken", "Byoc")
EVENTS = ("initiated", "ringing", "answered", "completed")


@dataclass(frozen=True, slots=True)
class Callback:
    """Where to tell how the call goes."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True, slots=True)
class Order:
    """A call to make."""

    to: str
    from_: str
    source: Source
    callback: Callback | None = None
    timeout: int = 60
    time_limit: int = 14400
    send_digits: str = ""
    detection: Detection | None = None
    tape: TapeOrder | None = None
    ignored: tuple[str, ...] = ()
    """Parameters that Twilio would have heeded, and the sandbox does not imitate."""


def read_order(form: Form, account: Account) -> Order:
    """The order in `form`, or ApiError with Twilio's code."""
    to, from_ = form.get("To"), form.get("From")
    _check_numbers(to, from_, form.get("CallerId"), account)
    source = read_source(form)
    if source is None:
        # Choice: Twilio answers 400 too, its code is not documented.
        raise ApiError(400, 20001, "One of Url, Twiml or ApplicationSid is required")
    callback = read_callback(form)
    return Order(
        to=to,
        from_=from_,
        source=source,
        callback=callback,
        timeout=read_number(form, "Timeout", 60, range(1, 601), 21208),
        time_limit=read_number(form, "TimeLimit", 14400, range(1, 86401), 20001),
        send_digits=_digits(form),
        detection=read_detection(form),
        tape=read_tape(form, "OutboundAPI") if form.flag("Record") else None,
        ignored=tuple(name for name in NOT_IMITATED if name in form),
    )


def _check_numbers(to: str, from_: str, caller_id: str, account: Account) -> None:
    checks: list[tuple[Callable[[], bool], int, str]] = [
        (lambda: account.status == "active", 10001, f"Account {ACCOUNT_SID} is not active"),
        (lambda: bool(to), 21201, "No 'To' number is specified"),
        (lambda: bool(from_), 21213, "No 'From' number is specified"),
        (lambda: is_e164(from_), 21212, f"Invalid 'From' number: {from_}"),
        (lambda: _is_address(to) or any(map(str.isdigit, to)), 21217, f"{to} is no phone number"),
        (lambda: _is_address(to), 21211, f"Invalid 'To' number: {to}. Write it as +15551230001"),
        (lambda: to != from_, 21211, "'To' and 'From' are the same number"),
        (lambda: account.owns(from_), 21210, _NOT_VERIFIED.format(from_)),
        (lambda: account.owns(caller_id or from_), 21210, _NOT_VERIFIED.format(caller_id)),
        (lambda: to not in account.blocked, 21216, f"Account not allowed to call {to}"),
        (lambda: not to.startswith(account.premium), 21202, f"{to} is a premium number"),
        (lambda: not to.startswith(account.no_geo), 21215, _NO_GEO.format(to)),
        (lambda: account.may_ring(to), 21219, _UNVERIFIED.format(to)),
    ]
    for passes, code, message in checks:
        if not passes():
            raise ApiError(400, code, message)


_NOT_VERIFIED = (
    "The source phone number {} is not yet verified for your account. You may only "
    "make calls from phone numbers that you have verified or purchased from Twilio"
)
_NO_GEO = (
    "Account not authorized to call {}. Perhaps you need to enable some international permissions"
)
_UNVERIFIED = "The number {} is unverified. Trial accounts may only make calls to verified numbers"


def _is_address(to: str) -> bool:
    return is_e164(to) or to.startswith(("sip:", "client:"))


def read_source(form: Form) -> Source | None:
    """Where the call's TwiML comes from. Twilio ignores Twiml if there is a Url too."""
    if url := form.get("Url"):
        check_url("Url", url)
        return Fetch(url, form.method("Method"), fallback=_fallback(form))
    if text := form.get("Twiml"):
        if len(text) > MAX_TWIML:
            raise ApiError(400, 20001, f"Twiml must not be longer than {MAX_TWIML} characters")
        return Inline(text)
    if form.get("ApplicationSid"):
        raise ApiError(400, 21218, "Invalid ApplicationSid: the sandbox has no applications")
    return None


def _fallback(form: Form) -> Fetch | None:
    url = form.get("FallbackUrl")
    if not url:
        return None
    check_url("FallbackUrl", url)
    return Fetch(url, form.method("FallbackMethod"))


def read_callback(form: Form) -> Callback | None:
    """Where status callbacks go, and which of them."""
    url = form.get("StatusCallback")
    if not url:
        return None
    check_url("StatusCallback", url)
    events = frozenset(form.all("StatusCallbackEvent")) or frozenset({"completed"})
    if unknown := sorted(events - set(EVENTS)):
        raise ApiError(400, 21626, f"Invalid StatusCallbackEvent: {', '.join(unknown)}")
    return Callback(url, form.method("StatusCallbackMethod"), events)


def _digits(form: Form) -> str:
    digits = form.get("SendDigits")
    if not re.fullmatch(r"[0-9A-D#*wW]{0,32}", digits):
        raise ApiError(400, 21206, f"Invalid SendDigits: {digits}")
    return digits
