"""Twilio's own client on our httpx: who we are to it, where it is, and its failures in our words.

What is asked of it stands in `twilio.py`.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import httpx
import msgspec
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from asyncflow_cli.errors import (
    AsyncflowError,
    AuthError,
    CallRejectedError,
    LimitError,
    NetworkError,
    PrerequisiteError,
    RemoteProtocolError,
    ServiceError,
)
from asyncflow_cli.protocol.catalogue import twilio_codes
from asyncflow_cli.settings import DEFAULT_TWILIO_BASE_URL, Settings, edge, read_setting, region
from asyncflow_cli.transport.answers import to_reach

KNOWN = {entry.code: entry for entry in twilio_codes.ENTRIES}

STATUSES: dict[int, type[AsyncflowError]] = {
    400: CallRejectedError,
    401: AuthError,
    403: AuthError,
    429: LimitError,
}

FAILURES = (TwilioException, httpx.HTTPError, ValueError)
"""How Twilio's client fails; ValueError is an answer that is not JSON, or not what was asked."""

DEAD_HOST = re.compile(r"https?://api\.[a-z]{2}\d\.twilio\.com\b")
"""A region without an edge. Since 28 April 2026 nobody is there:
https://www.twilio.com/docs/global-infrastructure"""


def open_client(settings: Settings, http: httpx.AsyncClient) -> Client:
    """Twilio's client, which asks where the settings say and reads no environment.

    PrerequisiteError for half a login, and for half a place.
    """
    account = settings.need("twilio_account_sid")
    username, password = _credentials(settings, account)
    check_place(settings)
    # Elsewhere there are no regions, and Twilio's client would write them into any address.
    at_twilio = settings.twilio_base_url == DEFAULT_TWILIO_BASE_URL
    client = Client(
        username,
        password,
        account_sid=account,
        region=settings.twilio_region if at_twilio else None,
        edge=settings.twilio_edge if at_twilio else None,
        http_client=HttpxClient(http),
        # An empty mapping would be replaced by os.environ.
        environment={"": ""},
    )
    client.api.base_url = settings.twilio_base_url
    return client


class HttpxClient(AsyncHttpClient):  # type: ignore[misc]
    """Twilio's seam for HTTP: the same httpx as everything else of ours."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._http = http

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        response = await self._http.request(
            method,
            uri,
            params=params,
            data=data,
            headers=headers,
            auth=auth,
            follow_redirects=allow_redirects,
            timeout=timeout or httpx.USE_CLIENT_DEFAULT,
        )
        return Response(response.status_code, response.text, response.headers)


def _credentials(settings: Settings, account: str) -> tuple[str, str]:
    if settings.twilio_api_key:
        return settings.twilio_api_key, settings.need("twilio_api_secret")
    return account, settings.need("twilio_auth_token")


def check_place(settings: Settings) -> None:
    """UsageError for what is no region or edge, PrerequisiteError for one without the other."""
    read_setting(settings, "twilio_region", region)
    read_setting(settings, "twilio_edge", edge)
    half = bool(settings.twilio_region) != bool(settings.twilio_edge)
    if half or DEAD_HOST.match(settings.twilio_base_url):
        name = "twilio_base_url" if not half else _half(settings)
        where = settings.origins.get(name, name)
        raise PrerequisiteError(
            f"{where}: Twilio's region and edge go together: api.{{region}}.twilio.com is no more",
            hint="Set both TWILIO_REGION and TWILIO_EDGE (ie1 with dublin), or neither, and "
            "leave TWILIO_BASE_URL out",
        )


def _half(settings: Settings) -> str:
    return "twilio_region" if settings.twilio_region else "twilio_edge"


def whole(error: TwilioException) -> TwilioException:
    """The failure of a list, which twilio-python tells by words and the bare answer, as it tells
    all others."""
    response = error.args[1] if len(error.args) > 1 else None
    if isinstance(error, TwilioRestException) or not isinstance(response, Response):
        return error
    try:
        body = msgspec.json.decode(response.text or "{}", type=_Refusal)
    except msgspec.DecodeError:
        body = _Refusal()
    status = response.status_code
    return TwilioRestException(
        status, "", msg=body.message or f"HTTP {status}", code=body.code or status
    )


class _Refusal(msgspec.Struct):
    code: int | None = None
    message: str = ""


def explained(error: Exception, base_url: str) -> AsyncflowError:
    """Any failure of Twilio's client in our tree."""
    if isinstance(error, TwilioException):
        return translated(error)
    hint = to_reach(base_url, "TWILIO_BASE_URL")
    if isinstance(error, ValueError):
        return RemoteProtocolError(f"{base_url} does not answer as Twilio does", hint=hint)
    why = (
        "did not answer in time"
        if isinstance(error, httpx.TimeoutException)
        else f"cannot be reached: {str(error) or type(error).__name__}"
    )
    return NetworkError(f"{base_url} {why}", hint=hint, code="TWILIO_UNREACHABLE")


def translated(error: TwilioException) -> AsyncflowError:
    """Twilio's exception in our tree. Its str() holds terminal colours, so it is not used."""
    if not isinstance(error, TwilioRestException):
        return ServiceError(f"Twilio failed: {type(error).__name__}", code="TWILIO_FAILED")
    code = error.code if error.code != error.status else None  # without one it repeats the status
    named = f"TWILIO_{code or error.status}"
    known = KNOWN.get(named)
    cls = known.raises if known and known.raises else STATUSES.get(error.status, ServiceError)
    link = f"{twilio_codes.LINK}{code}" if code else None
    return cls(f"Twilio: {error.msg}", hint=known.next if known else link, code=named)


def is_refusal(error: Exception) -> bool:
    """Whether nothing was done for certain. After a 5xx something may have been."""
    if isinstance(error, TwilioRestException):
        return bool(error.status < 500)
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)


def was_too_much(error: Exception) -> bool:
    """A 429, which Twilio answers in place of doing what was asked: it may be asked again."""
    return isinstance(error, TwilioRestException) and error.status == 429


def passes(error: Exception) -> bool:
    """What may be over in a moment. For questions only: being asked again, they change nothing."""
    if isinstance(error, TwilioRestException):
        from asyncflow_cli.protocol.failures import RETRIED_STATUSES  # loaded once there is one

        return was_too_much(error) or error.status in RETRIED_STATUSES
    return isinstance(error, httpx.NetworkError | httpx.ConnectTimeout | httpx.RemoteProtocolError)
