"""What lies between this machine and a service: proxy, names, certificates, and the time."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from asyncflow_cli.errors import AsyncflowError, NetworkError, PrerequisiteError, causes
from asyncflow_cli.settings import is_loopback
from asyncflow_cli.transport.doctor.examination import Answer, Skipped
from asyncflow_cli.transport.exchange import unreachable
from asyncflow_cli.transport.outward import open_http

CLOCK_MAY_DIFFER = 60.0
"""Seconds: a Date header has whole ones, and may have waited a while."""

CONNECT_WITHIN = 5.0

SET_CLOCK = "Set the clock: sudo timedatectl set-ntp true (Linux), sntp -sS time.apple.com (macOS)"


def proxy_for(url: str) -> str | None:
    """The proxy that requests to `url` go through, as the environment has it."""
    parts = urlsplit(url)
    if is_loopback(url) or urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


async def proxy(url: str) -> Answer:
    """Whether the proxy on the way to `url`, if there is one, takes connections."""
    found = proxy_for(url)
    if found is None:
        return "none on the way"
    await _check_usable(url)
    parts = urlsplit(found if "://" in found else f"http://{found}")
    where = f"{parts.hostname}:{parts.port or 80}"
    try:
        async with asyncio.timeout(CONNECT_WITHIN):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    except (OSError, TimeoutError) as error:
        raise NetworkError(
            f"The proxy {where} cannot be reached: {error or 'time-out'}",
            hint="Correct HTTPS_PROXY, or go without it: unset HTTPS_PROXY HTTP_PROXY ALL_PROXY",
            code="PROXY_FAILED",
        ) from None
    writer.close()
    return where


async def _check_usable(url: str) -> None:
    try:
        await open_http(url).aclose()
    except PrerequisiteError as error:
        if error.code == "PROXY_UNUSABLE":
            raise  # what certificates there are is another's question


async def name(url: str) -> Answer:
    """Whether DNS knows the host of `url`."""
    host = urlsplit(url).hostname or ""
    if is_loopback(url):
        return "this machine needs none"
    if proxy_for(url) is not None:
        return "the proxy looks names up"
    try:
        await _in_a_daemon(lambda: socket.getaddrinfo(host, 443))
    except OSError as error:
        raise NetworkError(
            f"DNS has no address of {host}: {error.strerror or error}",
            hint=f"Check the network, its DNS, and the name itself: nslookup {host}",
            code="DNS_FAILED",
        ) from None
    return f"{host} is known"


class Answered:
    """One question to `url` that two checks ask about: its certificate, and its time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._asking: asyncio.Task[tuple[httpx.Response, float]] | None = None

    async def certificate(self) -> Answer:
        """Whether the connection is made, and its certificate good."""
        await self._answer()
        if self._url.startswith("http:"):
            where = "on this machine" if is_loopback(self._url) else "which others can read"
            return f"not encrypted, {where}"
        return "the certificate is good"

    async def clock(self) -> Answer:
        """How far this machine's clock is from the service's.

        https://httpwg.org/specs/rfc9110.html#field.date
        """
        response, now = await self._answer()
        try:
            theirs = parsedate_to_datetime(response.headers["date"]).timestamp()
        except (KeyError, ValueError):
            return Skipped("the service does not tell the time")
        off = now - theirs
        if abs(off) > CLOCK_MAY_DIFFER:
            raise PrerequisiteError(
                f"This machine's clock is {_span(off)} {'fast' if off > 0 else 'slow'}",
                hint=SET_CLOCK,
                code="CLOCK_WRONG",
            )
        return f"right, to {max(abs(off), 1):.0f} s"

    async def _answer(self) -> tuple[httpx.Response, float]:
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await self._asking

    async def _ask(self) -> tuple[httpx.Response, float]:
        async with open_http(self._url, timeout=CONNECT_WITHIN) as http:
            began = time.time()
            try:
                response = await http.get(self._url, headers={"cache-control": "no-cache"})
            except httpx.HTTPError as error:
                raise _explained(error, self._url) from None
            # The header was written somewhere in between.
            return response, (began + time.time()) / 2


def _explained(error: httpx.HTTPError, url: str) -> AsyncflowError:
    for cause in causes(error):
        if isinstance(cause, ssl.SSLError):
            why = getattr(cause, "verify_message", "") or cause.reason or str(cause)
            return NetworkError(
                f"{url} has no good certificate: {why}",
                hint="Check the clock; behind a proxy that opens TLS, "
                "name its certificate in SSL_CERT_FILE",
                code="TLS_FAILED",
            )
    return unreachable(error, url)


def _span(seconds: float) -> str:
    seconds = abs(seconds)
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


async def _in_a_daemon(work: Callable[[], object]) -> None:
    """asyncio waits at its end for threads of its own, however long DNS takes to give up."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        failure: Exception | None = None
        try:
            work()
        except Exception as error:
            failure = error
        try:
            loop.call_soon_threadsafe(tell, failure)
        except RuntimeError:
            return  # the loop has ended, and nobody wants to know

    threading.Thread(target=run, daemon=True).start()
    await done
