"""Twilio's test credentials: nobody is called, and magic numbers bring refusals about.

https://www.twilio.com/docs/iam/test-credentials
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from asyncflow_cli.sandbox.account import TEST_ACCOUNT_SID, Account
from asyncflow_cli.sandbox.clock import Clock, Names, rfc2822
from asyncflow_cli.sandbox.form import ApiError
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.order import Order, read_order
from asyncflow_cli.sandbox.resources import (
    API,
    CallResource,
    call_uri,
    formatted,
    subresource_uris,
)
from asyncflow_cli.sandbox.rest import read_form

VALID_FROM = "+15005550006"

_FROM = {"+15005550001": (21212, "is not a valid phone number")}
_TO = {
    "+15005550001": (21217, "is not a valid phone number"),
    "+15005550002": (21214, "cannot be reached"),
    "+15005550003": (21215, "is in a country that the account may not call"),
    "+15005550004": (21216, "is blocked for the account"),
}


async def answer(request: Request) -> Response:
    """What a request with test credentials is answered: a call that is never made, or an error."""
    if (request.method, request.url.path) != ("POST", _CALLS):
        raise ApiError(403, 20008, "Resource not accessible with Test Account Credentials")
    form = await read_form(request)
    for number, magic in ((form.get("From"), _FROM), (form.get("To"), _TO)):
        if number in magic:
            code, why = magic[number]
            raise ApiError(400, code, f"{number} {why}")
    order = read_order(form, Account(verified=(VALID_FROM,)))
    if order.from_ != VALID_FROM:
        raise ApiError(400, 21210, f"{order.from_} is not a number of the test account")
    return as_json(_queued(order), status=201)


def _queued(order: Order) -> CallResource:
    sid, date = Names().sid("CA"), rfc2822(Clock().date())
    return CallResource(
        sid=sid,
        account_sid=TEST_ACCOUNT_SID,
        to=order.to,
        from_=order.from_,
        to_formatted=formatted(order.to),
        from_formatted=formatted(order.from_),
        status="queued",
        date_created=date,
        date_updated=date,
        uri=call_uri(TEST_ACCOUNT_SID, sid) + ".json",
        subresource_uris=subresource_uris(TEST_ACCOUNT_SID, sid),
    )


_CALLS = f"/{API}/Accounts/{TEST_ACCOUNT_SID}/Calls.json"
