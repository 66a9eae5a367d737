"""Requests and answers over HTTP: build, send, and try again where that is right.

It knows how the Async Voice API is asked, and not what: `api` does. Importing this imports httpx.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypedDict, TypeVar, Unpack

import httpx
import msgspec

from asyncflow_cli.errors import (
    AsyncflowError,
    IncompleteError,
    LimitError,
    NetworkError,
    RemoteProtocolError,
    ServiceError,
)
from asyncflow_cli.protocol import failures
from asyncflow_cli.protocol.models import VERSION
from asyncflow_cli.protocol.quota import QuotaReached, QuotaScan
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.answers import to_reach
from asyncflow_cli.transport.outward import open_http

log = logging.getLogger(__name__)

RETRY_DEADLINE = 60.0
"""Seconds of waiting after which even a passing failure is final."""

FIRST_BACKOFF = 0.5

T = TypeVar("T")


async def audio_of(response: httpx.Response) -> AsyncIterator[bytes]:
    scan = QuotaScan()
    try:
        async for chunk in response.aiter_bytes():
            if audio := scan.feed(chunk):
                yield audio
    except QuotaReached as reached:
        if reached.audio:
            yield reached.audio
        raise reached.error from None
    except httpx.HTTPError as error:
        raise _cut(error) from error
    if audio := scan.finish():
        yield audio
    log.info("%s, %s bytes", response.status_code, response.num_bytes_downloaded)


async def _read(response: httpx.Response) -> None:
    try:
        await response.aread()
    except httpx.HTTPError as error:
        raise _cut(error) from error
    finally:
        await response.aclose()
    log.info("%s, %s bytes", response.status_code, len(response.content))


def _cut(error: httpx.HTTPError) -> IncompleteError:
    return IncompleteError(
        f"The answer broke off: {str(error) or type(error).__name__}", code="BODY_CUT"
    )


class Content(TypedDict, total=False):
    """What a request carries: a document, or a multipart form."""

    json: msgspec.Struct
    data: Mapping[str, str]
    files: Mapping[str, tuple[str, bytes]]


class Exchange:
    """One service, one key; close it in the loop that used it."""

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.AsyncBaseTransport | None,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._place = 0
        self._limits = 0
        self._open_again = asyncio.Event()
        self._open_again.set()
        self._http = open_http(
            settings.base_url,
            base_url=settings.base_url,
            headers={"version": VERSION},
            timeout=settings.timeout,
            transport=transport,
        )

    @property
    def base_url(self) -> str:
        """The address of those configured that is asked now."""
        return self._settings.base_urls[self._place]

    async def aclose(self) -> None:
        await self._http.aclose()

    async def begin(self, build: Callable[[], httpx.Request]) -> httpx.Response:
        """A success, tried for again where that is right, whose body is still to come: the caller
        closes it."""
        return await self._retried(lambda: self._opened(build))

    async def _opened(self, build: Callable[[], httpx.Request]) -> httpx.Response:
        """The same, tried for once."""
        response = await self._reach(build)
        if response.is_success:
            return response
        await _read(response)
        raise failures.from_answer(response.status_code, response.headers, response.content)

    async def send(
        self, method: str, path: str, *, retry: bool = True, **content: Unpack[Content]
    ) -> httpx.Response:
        """The answer, once it is a success."""

        def build() -> httpx.Request:
            return self.build(method, path, **content)

        if not retry:
            return await self._send_once(build)
        return await self._retried(lambda: self._send_once(build))

    async def fetch(self, url: str) -> httpx.Response:
        """What lies at somebody else's address. Neither our key nor a header of ours goes there."""
        where = url.partition("?")[0]  # behind it stands a signature
        if not re.match(r"https?://[^/?#]", url):
            raise RemoteProtocolError(f"{where!r} is no http(s) address", code="BAD_ADDRESS")
        try:
            # Not built by the client, which would add its headers.
            request = httpx.Request("GET", url, headers={"user-agent": "asyncflow"})
            response = await self._http.send(request, follow_redirects=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NetworkError(
                f"{where} cannot be fetched: {error}", code="FETCH_FAILED"
            ) from error
        if not response.is_success:
            raise ServiceError(f"{where} answered {response.status_code}", code="FETCH_FAILED")
        return response

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

    async def _reach(self, build: Callable[[], httpx.Request]) -> httpx.Response:
        """The beginning of an answer.

        An address that takes no connection has not been sent anything, so the next one is asked
        at once, and stays the one that is asked.
        """
        for places_left in reversed(range(len(self._settings.base_urls))):
            place, request = self._place, build()
            log.info("%s %s", request.method, request.url)
            try:
                return await self._http.send(request, stream=True)
            except httpx.HTTPError as error:
                failure = unreachable(error, self._settings.base_urls[place])
                if not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                    raise failure from error
                if place == self._place:  # nobody else has moved meanwhile
                    self._move()
                if not places_left:
                    raise failure from error
        raise AssertionError("unreachable")

    def _move(self) -> None:
        self._place = (self._place + 1) % len(self._settings.base_urls)
        self._http.base_url = self.base_url

    async def _send_once(self, build: Callable[[], httpx.Request]) -> httpx.Response:
        response = await self._opened(build)
        await _read(response)
        return response

    async def _retried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try again after rate limits, 502, 503, 504 and failed connections, and nothing else."""
        waited = 0.0
        for tries_left in reversed(range(self._settings.retries + 1)):
            await self._open_again.wait()
            try:
                return await attempt()
            except AsyncflowError as error:
                wait = self._wait(error, self._settings.retries - tries_left)
                if not tries_left or not error.passing or waited + wait > RETRY_DEADLINE:
                    raise
                waited += wait
                log.info("%s; again in %.1f s", error.message, wait)
                await self._rest(wait, for_all=isinstance(error, LimitError))
        raise AssertionError("unreachable")

    async def _rest(self, seconds: float, *, for_all: bool) -> None:
        """Wait; and if the service limits us, let nobody else of this client ask meanwhile."""
        if not for_all:
            await self._sleep(seconds)
            return
        self._limits += 1
        self._open_again.clear()
        try:
            await self._sleep(seconds)
        finally:
            self._limits -= 1
            if not self._limits:
                self._open_again.set()

    def _wait(self, error: AsyncflowError, tried: int) -> float:
        # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        jittered = random.uniform(0, FIRST_BACKOFF * 2**tried)
        return jittered if error.retry_after is None else error.retry_after + jittered / 5


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
                hint=to_reach(base_url, "ASYNC_BASE_URL"),
                code="CONNECTION_FAILED",
            )
