"""The account itself, as Twilio's REST API shows it: its state, its money, its numbers.

https://www.twilio.com/docs/iam/api/account
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from asyncflow_cli.sandbox.account import ACCOUNT_SID, AUTH_TOKEN, FICTION, INBOUND_NUMBER
from asyncflow_cli.sandbox.carrier import Carrier
from asyncflow_cli.sandbox.form import Form
from asyncflow_cli.sandbox.jsonresponse import as_json
from asyncflow_cli.sandbox.listing import page
from asyncflow_cli.sandbox.resources import API, formatted
from asyncflow_cli.sandbox.rest import Endpoint, not_found

_CREATED = "Wed, 01 Jan 2025 00:00:00 +0000"
"""When the sandbox's account and number were made, for all anybody knows."""

WHOLE = re.compile(re.escape(FICTION) + r"\d{7}")
"""A number of a film, and not a part of one."""

_URI = f"/{API}/Accounts/{ACCOUNT_SID}"


def table(carrier: Carrier, root: str) -> list[tuple[str, str, Endpoint]]:
    """Method, path and endpoint of each resource under `root`."""
    shown = AccountFace(carrier)
    return [
        ("GET", f"{root}/Balance.json", shown.balance),
        ("GET", f"{root}/IncomingPhoneNumbers.json", shown.numbers),
        ("GET", f"{root}/IncomingPhoneNumbers/{{sid}}.json", shown.number),
        ("GET", f"{root}/OutgoingCallerIds.json", shown.caller_ids),
        ("GET", f"{root}/OutgoingCallerIds/{{sid}}.json", shown.caller_id),
        ("GET", f"{root}.json", shown.account),
    ]


class AccountFace:
    """What can be fetched of the account, as it stands now."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def account(self, _request: Request) -> Response:
        standing = self._carrier.account
        return as_json(
            {
                "sid": ACCOUNT_SID,
                "owner_account_sid": ACCOUNT_SID,
                "friendly_name": "Sandbox",
                "status": standing.status,
                "type": "Trial" if standing.trial else "Full",
                "auth_token": AUTH_TOKEN,
                "date_created": _CREATED,
                "date_updated": _CREATED,
                "uri": f"{_URI}.json",
                "subresource_uris": {
                    "calls": f"{_URI}/Calls.json",
                    "balance": f"{_URI}/Balance.json",
                    "recordings": f"{_URI}/Recordings.json",
                    "incoming_phone_numbers": f"{_URI}/IncomingPhoneNumbers.json",
                    "outgoing_caller_ids": f"{_URI}/OutgoingCallerIds.json",
                },
            }
        )

    async def balance(self, _request: Request) -> Response:
        money = self._carrier.account.balance
        return as_json({"account_sid": ACCOUNT_SID, "balance": money, "currency": "USD"})

    async def numbers(self, request: Request) -> Response:
        """Its own; and of the numbers of films, if it owns them all, the one that is asked for."""
        asked = request.query_params.get("PhoneNumber", "")
        film = WHOLE.fullmatch(asked) and self._carrier.account.owns(asked)
        listed = {INBOUND_NUMBER, *([asked] if film else [])} - {*self._carrier.account.caller_ids}
        return _page("incoming_phone_numbers", [_number(each) for each in sorted(listed)], request)

    async def number(self, request: Request) -> Response:
        return _one([_number(INBOUND_NUMBER)], request)

    async def caller_ids(self, request: Request) -> Response:
        return _page("outgoing_caller_ids", self._caller_ids(), request)

    async def caller_id(self, request: Request) -> Response:
        return _one(self._caller_ids(), request)

    def _caller_ids(self) -> list[dict[str, Any]]:
        return [_caller_id(number) for number in self._carrier.account.caller_ids]


def _page(key: str, items: list[dict[str, Any]], request: Request) -> Response:
    """The list, filtered by a part of the number: https://www.twilio.com/docs/phone-numbers/api"""
    query = Form(request.query_params.multi_items())
    wanted = query.get("PhoneNumber")
    found = [item for item in items if wanted in item["phone_number"]]
    return as_json(page(key, found, request.url.path, query))


def _one(items: list[dict[str, Any]], request: Request) -> Response:
    for item in items:
        if item["sid"] == request.path_params["sid"]:
            return as_json(item)
    raise not_found(request)


def _number(number: str) -> dict[str, Any]:
    hashed = hashlib.sha256(number.encode()).hexdigest()[:32]
    sid = "PN" + (ACCOUNT_SID[2:] if number == INBOUND_NUMBER else hashed)
    return {
        **_common(sid, number, "IncomingPhoneNumbers"),
        "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
        "status": "in-use",
        "origin": "twilio",
        "beta": False,
        "api_version": API,
    }


def _caller_id(number: str) -> dict[str, Any]:
    sid = "PN" + hashlib.sha256(number.encode()).hexdigest()[:32]
    return _common(sid, number, "OutgoingCallerIds")


def _common(sid: str, number: str, kind: str) -> dict[str, Any]:
    return {
        "sid": sid,
        "account_sid": ACCOUNT_SID,
        "phone_number": number,
        "friendly_name": formatted(number),
        "date_created": _CREATED,
        "date_updated": _CREATED,
        "uri": f"{_URI}/{kind}/{sid}.json",
    }
