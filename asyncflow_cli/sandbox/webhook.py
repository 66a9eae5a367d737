"""Twilio as a web client: the requests it makes to the customer's own server, signed.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.account import BUDGET
from asyncflow_cli.sandbox.signature import sign

INVALID_URL, RETRIEVAL, CONNECTION, VIOLATION = "11100", "11200", "11205", "11206"
BAD_HOST, REDIRECTS, BAD_TLS = "11210", "11215", "11220"
"""https://www.twilio.com/docs/api/errors/11200 and so on"""

MAX_BODY = 8 * 1024 * 1024
"""Bytes of an answer the sandbox reads; the rest is not for a telephone."""


@dataclass(frozen=True, slots=True)
class Answer:
    content_type: str
    body: bytes
    status: int = 200

    @property
    def text(self) -> str:
        return self.body.decode("utf-8-sig", errors="replace")


class WebClient:
    """One call's web client: it keeps the call's cookies, as Twilio does."""

    def __init__(self, auth_token: str, tls: ssl.SSLContext, *, budget: float = BUDGET) -> None:
        self._auth_token = auth_token
        self._budget = budget
        self._http = httpx.AsyncClient(
            verify=tls,
            trust_env=False,
            follow_redirects=True,
            max_redirects=10,
            timeout=budget,
            headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"},
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def request(self, method: str, url: str, fields: Mapping[str, str]) -> Answer:
        """What the server answers with 2xx; RemoteProtocolError with Twilio's code if not."""
        try:
            async with asyncio.timeout(self._budget):
                return await self._fetch(method, url, fields)
        except (TimeoutError, httpx.TimeoutException):
            text = f"{url} took over {self._budget:g} s"
            raise RemoteProtocolError(text, code=RETRIEVAL) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise RemoteProtocolError(f"{url}: {error}", code=INVALID_URL) from None
        except httpx.HTTPError as error:
            raise RemoteProtocolError(f"{url}: {error!r}", code=_code(error)) from None

    async def _fetch(self, method: str, url: str, fields: Mapping[str, str]) -> Answer:
        form = dict(fields)
        if method == "GET":
            if form:
                url += ("&" if "?" in url else "?") + urlencode(form)
            form = {}
        headers = {
            "X-Twilio-Signature": sign(self._auth_token, url, form.items()),
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
        }
        data = form if method == "POST" else None
        request = self._http.stream(method, url, data=data, headers=headers)
        async with request as response:
            body = await _read(response)
        kind = response.headers.get("content-type", "")
        if not response.is_success:
            answered = (
                f"{url} answered {response.status_code}: {body[:200].decode(errors='replace')}"
            )
            details = {"status": response.status_code, "content_type": kind}
            raise RemoteProtocolError(answered, code=RETRIEVAL, details=details)
        return Answer(kind, body, response.status_code)


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BODY:
            break
    return bytes(body[:MAX_BODY])


def _code(error: httpx.HTTPError) -> str:
    causes: list[BaseException] = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return BAD_TLS
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return BAD_HOST
    by_type: dict[type[httpx.HTTPError], str] = {
        httpx.TooManyRedirects: REDIRECTS,
        httpx.ProtocolError: VIOLATION,
    }
    return next((code for kind, code in by_type.items() if isinstance(error, kind)), CONNECTION)


class Outbox:
    """Status callbacks: sent in order, one at a time, while the call goes on."""

    def __init__(self, client: WebClient, on_failure: Callable[[str, str], None]) -> None:
        self._client = client
        self._on_failure = on_failure
        self._last: asyncio.Task[None] | None = None

    def post(self, method: str, url: str, fields: Mapping[str, str]) -> None:
        self._last = asyncio.create_task(self._send(self._last, method, url, fields))

    async def drain(self) -> None:
        """Wait until the last one is answered, or has failed."""
        if self._last is not None:
            await self._last

    async def _send(
        self,
        previous: asyncio.Task[None] | None,
        method: str,
        url: str,
        fields: Mapping[str, str],
    ) -> None:
        if previous is not None:
            await asyncio.wait([previous])
        try:
            await self._client.request(method, url, fields)
        except RemoteProtocolError as error:
            self._on_failure(error.message, url)
