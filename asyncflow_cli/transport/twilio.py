"""Twilio's REST API: its own client, riding on our httpx, and failures in our words.

https://www.twilio.com/docs/voice/api/call-resource
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.twiml.voice_response import Connect, VoiceResponse

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
from asyncflow_cli.protocol.endings import TERMINAL
from asyncflow_cli.settings import DEFAULT_TWILIO_BASE_URL, Settings, is_loopback

NOT_FOUND = "TWILIO_20404"

CALL_GONE = frozenset({NOT_FOUND, "TWILIO_21220"})
"""Not found, or not in a state to be changed: to someone who hangs up, both are success."""

KNOWN = {entry.code: entry for entry in twilio_codes.ENTRIES}

STATUSES: dict[int, type[AsyncflowError]] = {
    400: CallRejectedError,
    401: AuthError,
    403: AuthError,
    429: LimitError,
}


_FAILURES = (TwilioException, httpx.HTTPError, ValueError)
"""How Twilio's client fails; ValueError is an answer that is not JSON, or not a call."""


@dataclass(frozen=True)
class CallRecord:
    """What Twilio knows of a call."""

    sid: str
    status: str
    duration: int | None
    """Seconds; known once it has ended."""

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True)
class CallRequest:
    to: str
    from_: str
    twiml: str
    status_callback: str
    ring_timeout: int
    """Seconds of ringing after which Twilio gives up."""
    time_limit: int
    """Seconds of talk after which Twilio ends the call, whatever has become of us."""


def stream_twiml(media_url: str, status_callback: str) -> str:
    """TwiML that hands the call's audio, both ways, to `media_url` (wss, without a query).

    Nothing follows the stream: the call ends when we close the socket.
    """
    response = VoiceResponse()
    connect = Connect()
    connect.stream(url=media_url, name="asyncflow", status_callback=status_callback)
    response.append(connect)
    return str(response)


class TwilioClient:
    """Calls of one account. Close it in the loop that used it."""

    def __init__(
        self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        account = settings.need("twilio_account_sid")
        username, password = _credentials(settings, account)
        self.base_url = settings.twilio_base_url
        self.account_sid = account
        # Elsewhere there are none, and Twilio's client would write them into any address.
        at_twilio = self.base_url == DEFAULT_TWILIO_BASE_URL
        self._http = httpx.AsyncClient(
            timeout=settings.timeout,
            transport=transport,
            trust_env=not is_loopback(self.base_url),
        )
        self._client = Client(
            username,
            password,
            account_sid=account,
            region=settings.twilio_region if at_twilio else None,
            edge=settings.twilio_edge if at_twilio else None,
            http_client=_HttpxClient(self._http),
            # An empty mapping would be replaced by os.environ.
            environment={"": ""},
        )
        self._client.api.base_url = self.base_url
        self.base_url = self._client.get_hostname(self.base_url)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def create_call(self, request: CallRequest) -> CallRecord:
        """Dial. The outcome is known when this returns or raises: without a clear answer the call
        is looked for, because creating is not idempotent and must never be repeated."""
        began = datetime.now(UTC) - timedelta(minutes=1)  # clocks differ
        try:
            creating = self._client.calls.create_async(
                to=request.to,
                from_=request.from_,
                twiml=request.twiml,
                status_callback=request.status_callback,
                status_callback_event=["initiated", "ringing", "answered", "completed"],
                status_callback_method="POST",
                timeout=request.ring_timeout,
                time_limit=request.time_limit,
            )
            return _record(await creating)
        except _FAILURES as error:
            found = None if _is_refusal(error) else await self._find(request, began)
            if found is None:
                raise self._explained(error) from error
            return found

    async def fetch_call(self, sid: str) -> CallRecord:
        return await self._ask(self._client.calls(sid).fetch_async())

    async def hang_up(self, sid: str) -> CallRecord:
        """End the call in whatever state it is; one that has ended stays as it is."""
        try:
            return await self._ask(self._client.calls(sid).update_async(status="completed"))
        except AsyncflowError as error:
            if error.code == NOT_FOUND:
                # Deleted, which is done to calls that have ended only.
                return CallRecord(sid, "completed", None)
            if error.code not in CALL_GONE:
                raise
            return await self.fetch_call(sid)

    async def _ask(self, request: Awaitable[Any]) -> CallRecord:
        try:
            return _record(await request)
        except _FAILURES as error:
            raise self._explained(error) from error

    async def _find(self, request: CallRequest, began: datetime) -> CallRecord | None:
        """The call that a create request without an answer may have made."""
        try:
            calls = await self._client.calls.list_async(
                to=request.to, from_=request.from_, limit=20
            )
        except _FAILURES:
            return None
        live = [c for c in calls if c.status not in TERMINAL]
        fresh = [c for c in live if c.date_created is None or c.date_created >= began]
        return _record(fresh[0]) if fresh else None

    def _explained(self, error: Exception) -> AsyncflowError:
        if isinstance(error, TwilioException):
            return translated(error)
        hint = "Check the network, a proxy in the way, and TWILIO_BASE_URL"
        if isinstance(error, ValueError):
            return RemoteProtocolError(f"{self.base_url} does not answer as Twilio does", hint=hint)
        why = (
            "did not answer in time"
            if isinstance(error, httpx.TimeoutException)
            else f"cannot be reached: {str(error) or type(error).__name__}"
        )
        return NetworkError(f"{self.base_url} {why}", hint=hint, code="TWILIO_UNREACHABLE")


class _HttpxClient(AsyncHttpClient):  # type: ignore[misc]
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
    if bool(settings.twilio_region) != bool(settings.twilio_edge):
        # api.{region}.twilio.com stopped resolving in April 2026.
        raise PrerequisiteError(
            "Twilio's region and edge go together",
            hint="Set both TWILIO_REGION and TWILIO_EDGE (ie1 with dublin), or neither",
        )
    if settings.twilio_api_key:
        return settings.twilio_api_key, settings.need("twilio_api_secret")
    return account, settings.need("twilio_auth_token")


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


def _is_refusal(error: Exception) -> bool:
    """Whether no call was made for certain. After a 5xx there may be one."""
    if isinstance(error, TwilioRestException):
        return bool(error.status < 500)
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)


def _record(call: Any) -> CallRecord:
    if not (call.sid and call.status):
        raise ValueError("No call in the answer")
    # twilio-python gives the duration as it came: a string of seconds.
    duration = int(call.duration) if call.duration not in (None, "") else None
    return CallRecord(sid=str(call.sid), status=str(call.status), duration=duration)
