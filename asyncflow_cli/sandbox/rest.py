"""What all of Twilio's REST API has in common: credentials, headers, error bodies, forms.

https://www.twilio.com/docs/usage/requests-to-twilio
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from asyncflow_cli.sandbox import account
from asyncflow_cli.sandbox.form import ApiError, Form
from asyncflow_cli.sandbox.jsonresponse import as_json

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

KEYS = {
    account.ACCOUNT_SID: account.AUTH_TOKEN,
    account.API_KEY_SID: account.API_KEY_SECRET,
    account.TEST_ACCOUNT_SID: account.TEST_AUTH_TOKEN,
}


def guarded_by_account(endpoint: Endpoint, on_test: Endpoint) -> Endpoint:
    """The endpoint behind the account's credentials, with Twilio's headers and error bodies.

    Whoever comes with test credentials is answered by `on_test`.
    """

    async def guarded(request: Request) -> Response:
        account_sid = _authenticate(request)
        testing = account_sid == account.TEST_ACCOUNT_SID
        return await (on_test if testing else endpoint)(request)

    return answered(guarded)


def answered(endpoint: Endpoint) -> Endpoint:
    """The endpoint with Twilio's headers and error bodies, open to everybody."""

    async def answering(request: Request) -> Response:
        began = time.monotonic()
        try:
            response = await endpoint(request)
        except ApiError as error:
            response = failure(error)
        response.headers["Twilio-Request-Id"] = "RQ" + uuid.uuid4().hex
        response.headers["Twilio-Request-Duration"] = f"{time.monotonic() - began:.3f}"
        return response

    return answering


def _authenticate(request: Request) -> str:
    """The account whose credentials these are; ApiError if that is not the one in the path."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        written = (
            base64.b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
        )
    except (binascii.Error, UnicodeDecodeError):
        written = ""
    user, _, secret = written.partition(":")
    expected = KEYS.get(user)
    if expected is None or not hmac.compare_digest(secret.encode(), expected.encode()):
        raise ApiError(401, 20003, "Authenticate")
    known = account.TEST_ACCOUNT_SID if user == account.TEST_ACCOUNT_SID else account.ACCOUNT_SID
    if request.path_params.get("account_sid", known) != known:
        raise not_found(request)
    return known


def not_found(request: Request) -> ApiError:
    return ApiError(404, 20404, f"The requested resource {request.url.path} was not found")


async def read_form(request: Request) -> Form:
    body = (await request.body()).decode(errors="replace")
    return Form(parse_qsl(body, keep_blank_values=True))


def failure(error: ApiError) -> Response:
    """Twilio's body of an error: https://www.twilio.com/docs/usage/twilios-response"""
    body = {
        "code": error.code,
        "message": error.message,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }
    response = as_json(body, status=error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return response
