"""The Async Voice API over HTTP: build, send, decipher, and try again where that is right.

https://docs.async.com/get-started-990331m0
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from asyncflow_cli.errors import (
    AsyncflowError,
    IncompleteError,
    NetworkError,
    RemoteProtocolError,
    ServiceError,
)
from asyncflow_cli.protocol import failures
from asyncflow_cli.protocol.models import ServiceStatus, SpeechRequest
from asyncflow_cli.protocol.reports import StatusReport
from asyncflow_cli.settings import Settings, is_loopback

log = logging.getLogger(__name__)

VERSION = "v1"

RETRY_DEADLINE = 60.0
"""Seconds of waiting after which even a passing failure is final."""

FIRST_BACKOFF = 0.5

T = TypeVar("T")


class ApiClient:
    """One service, one key. Close it in the loop that used it.

    `transport` is the seam for tests and recordings; `sleep` that for waiting.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            base_url=settings.base_url,
            headers={"version": VERSION},
            timeout=settings.timeout,
            transport=transport,
            trust_env=not is_loopback(settings.base_url),
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def status(self) -> StatusReport:
        """`GET /`: is the service up, which version, how fast. It needs no key.

        ServiceError if it says that it is not up.
        """
        began = time.perf_counter()
        response = await self.send("GET", "/")
        latency = time.perf_counter() - began
        status = decode(response.content, ServiceStatus)
        if not status.up:
            word = status.status or "down"
            raise ServiceError(f"The service is not up: {word}", code="SERVICE_DOWN")
        return StatusReport(
            status="up",
            version=status.version,
            base_url=self._settings.base_url,
            latency_ms=round(latency * 1000, 1),
        )

    async def synthesize(self, request: SpeechRequest) -> bytes:
        """`POST /text_to_speech`: the whole audio in the format asked for."""
        response = await self.send("POST", "/text_to_speech", json=request)
        error = failures.disguised(response.headers.get("content-type", ""), response.content)
        if error:
            raise error
        return response.content

    async def send(
        self,
        method: str,
        path: str,
        *,
        json: msgspec.Struct | None = None,
        data: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        retry: bool = True,
    ) -> httpx.Response:
        """The answer, once it is a success. `data` and `files` go as a multipart form."""
        request = self.build(method, path, json=json, data=data, files=files)
        if not retry:
            return await self._send_once(request)
        return await self._retried(lambda: self._send_once(request))

    def build(
        self, method: str, path: str, *, json: msgspec.Struct | None = None, **form: Any
    ) -> httpx.Request:
        """The request as it will be sent, its key included."""
        headers = {}
        if path != "/":
            headers["x-api-key"] = self._settings.need("api_key")
        if json is not None:
            headers["content-type"] = "application/json"
        content = msgspec.json.encode(json) if json is not None else None
        return self._http.build_request(method, path, headers=headers, content=content, **form)

    async def _send_once(self, request: httpx.Request) -> httpx.Response:
        log.info("%s %s", request.method, request.url)
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise unreachable(error, self._settings.base_url) from error
        try:
            await response.aread()
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise IncompleteError(f"The answer broke off: {why}", code="BODY_CUT") from error
        finally:
            await response.aclose()
        log.info("%s, %s bytes", response.status_code, len(response.content))
        if not response.is_success:
            raise failures.from_answer(response.status_code, response.headers, response.content)
        return response

    async def _retried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try again after rate limits, 502, 503, 504 and failed connections, and nothing else."""
        waited = 0.0
        for tries_left in reversed(range(self._settings.retries + 1)):
            try:
                return await attempt()
            except AsyncflowError as error:
                wait = self._wait(error, self._settings.retries - tries_left)
                if not tries_left or not error.passing or waited + wait > RETRY_DEADLINE:
                    raise
                waited += wait
                log.info("%s; again in %.1f s", error.message, wait)
                await self._sleep(wait)
        raise AssertionError("unreachable")

    def _wait(self, error: AsyncflowError, tried: int) -> float:
        # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        jittered = random.uniform(0, FIRST_BACKOFF * 2**tried)
        return jittered if error.retry_after is None else error.retry_after + jittered / 5


def decode(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"The service's answer is not understood: {error}") from None


def unreachable(error: httpx.HTTPError, base_url: str) -> NetworkError:
    """Why no answer came at all, in words.

    A failed connection passes. After a time-out the service may still be at work, and charge.
    """
    failure = _no_answer(error, base_url)
    failure.passing = failure.code == "CONNECTION_FAILED"
    return failure


def _no_answer(error: httpx.HTTPError, base_url: str) -> NetworkError:
    match error:
        case httpx.ConnectTimeout():
            return NetworkError(
                f"{base_url} did not take the connection in time", code="CONNECTION_FAILED"
            )
        case httpx.TimeoutException():
            return NetworkError(
                f"{base_url} did not answer in time",
                hint="Raise --timeout, or see whether the service is up: asyncflow status",
                code="TIMED_OUT",
            )
        case httpx.ProxyError():
            return NetworkError(f"The proxy refused: {error}", code="PROXY_FAILED")
        case httpx.UnsupportedProtocol():
            return NetworkError(f"{base_url} is no http(s) address", code="BAD_ADDRESS")
        case _:
            return NetworkError(
                f"{base_url} cannot be reached: {str(error) or type(error).__name__}",
                hint="Check the network, a proxy in the way, and ASYNC_BASE_URL",
                code="CONNECTION_FAILED",
            )
