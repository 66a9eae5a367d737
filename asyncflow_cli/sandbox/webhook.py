"""Twilio as a web client: the requests it makes to the customer's own server, signed.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from __future__ import annotations

import asyncio
import codecs
import re
import socket
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.httpclient import HttpClient
from asyncflow_cli.sandbox.account import BUDGET
from asyncflow_cli.sandbox.clock import Clock
from asyncflow_cli.sandbox.edge import pass_edge
from asyncflow_cli.sandbox.faults import Fault, Faults
from asyncflow_cli.sandbox.signature import Signer

INVALID_URL, RETRIEVAL, CONNECTION, VIOLATION = "11100", "11200", "11205", "11206"
BAD_HOST, REDIRECTS, BAD_TLS = "11210", "11215", "11220"
"""https://www.twilio.com/docs/api/errors/11200 and so on"""

MAX_BODY = 8 * 1024 * 1024
"""Bytes of an answer the sandbox reads; the rest is not for a telephone."""

SIGNER, FORM = "signer", "form"
"""What a request carries for its signature."""

_DECLARED = re.compile(rb"""\s*<\?xml[^>]*\sencoding=["']([\w.-]+)""")
_CHARSET = re.compile(rb"""charset=["']?([\w.-]+)""", re.IGNORECASE)

_AT_EDGE = {
    "answer": RETRIEVAL,
    "timeout": RETRIEVAL,
    "refused": CONNECTION,
    "tls": BAD_TLS,
    "unreachable": BAD_HOST,
}


@dataclass(frozen=True, slots=True)
class Hit:
    """One request to a customer's server; made twice, it has the same token."""

    method: str
    url: str
    fields: Mapping[str, str]
    token: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Answer:
    content_type: str
    body: bytes
    status: int = 200

    @property
    def text(self) -> str:
        """As its byte order mark, its XML declaration or its content type says; else UTF-8."""
        if self.body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return self.body.decode("utf-16", errors="replace")
        told = _DECLARED.match(self.body) or _CHARSET.search(self.content_type.encode())
        # That it could be read so far rules out UTF-16 and UTF-32, whatever it declares.
        name = told[1].decode() if told and not told[1].lower().startswith(b"utf") else "utf-8-sig"
        try:
            return self.body.decode(name, errors="replace")
        except (LookupError, UnicodeError):  # no encoding, or one that reads no documents
            return self.body.decode("utf-8-sig", errors="replace")


@dataclass(frozen=True, slots=True)
class WebTerms:
    """How requests are made, and what may go wrong with them."""

    tls: ssl.SSLContext
    signer: Signer
    faults: Faults
    clock: Clock
    budget: float = BUDGET
    """Seconds in which a web server has to answer, all told."""


class WebClient:
    """One call's web client: it keeps the call's cookies, as Twilio does."""

    def __init__(self, terms: WebTerms) -> None:
        self.terms = terms
        self._http = HttpClient(
            verify=terms.tls,
            trust_env=False,
            follow_redirects=True,
            max_redirects=10,
            timeout=terms.budget,
            headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"},
            event_hooks={"request": [_sign]},
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def request(self, method: str, url: str, fields: Mapping[str, str]) -> Answer:
        """A document or a clip: what the server answers with 2xx.

        RemoteProtocolError with Twilio's code if it does not.
        """
        faults = self.terms.faults.take_each("twiml")
        if "late" in faults:
            await self.terms.clock.sleep(faults["late"].seconds)
        return await self.send(Hit(method, url, fields), faults)

    async def send(self, hit: Hit, faults: Mapping[str, Fault]) -> Answer:
        """The same under `faults`."""
        url, terms = hit.url, self.terms
        await pass_edge(url, faults, _AT_EDGE, clock=terms.clock, patience=terms.budget)
        try:
            async with asyncio.timeout(terms.budget):
                return await self._fetch(hit, terms.signer.under(faults))
        except (TimeoutError, httpx.TimeoutException):
            text = f"{url} took over {terms.budget:g} s"
            raise RemoteProtocolError(text, code=RETRIEVAL) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise RemoteProtocolError(f"{url}: {error}", code=INVALID_URL) from None
        except httpx.HTTPError as error:
            raise RemoteProtocolError(f"{url}: {error!r}", code=_code(error)) from None

    async def _fetch(self, hit: Hit, signer: Signer) -> Answer:
        # What stands behind a # is for Twilio: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
        url, form = hit.url.partition("#")[0], dict(hit.fields)
        if hit.method == "GET":
            if form:
                url += ("&" if "?" in url else "?") + urlencode(form)
            form = {}
        headers = {"I-Twilio-Idempotency-Token": hit.token}
        data = form if hit.method == "POST" else None
        signed: dict[str, Any] = {SIGNER: signer, FORM: form}
        request = self._http.stream(hit.method, url, data=data, headers=headers, extensions=signed)
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


async def _sign(request: httpx.Request) -> None:
    """Each request of a redirected one, for the address it goes to as its server sees it: without
    the user and the password, and never without a path."""
    form = request.extensions[FORM] if request.method == "POST" else {}
    host = request.url.netloc.decode()
    url = f"{request.url.scheme}://{host}{request.url.raw_path.decode()}"
    request.headers.update(request.extensions[SIGNER].headers(url, form.items()))


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
