"""Roads that need no tunnel: an address the user gives, and this machine."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from asyncflow_cli.errors import AsyncflowError, UsageError
from asyncflow_cli.quoted import quoted
from asyncflow_cli.settings import is_loopback
from asyncflow_cli.transport.roads.road import Tunnel


class Public:
    """`--public-url`: the user leads it to our port."""

    name = "public"

    def __init__(self, public_url: str | None) -> None:
        """UsageError if Twilio would not take the address."""
        self._url = websocket_address(public_url) if public_url else None

    def missing(self) -> AsyncflowError | None:
        if self._url:
            return None
        return UsageError("No public address is given", hint="Add --public-url wss://… --port N")

    @contextlib.asynccontextmanager
    async def open(self, _port: int, /) -> AsyncIterator[Tunnel]:
        assert self._url is not None
        yield Tunnel(self._url, fresh=False)


class Loopback:
    """Whoever plays Twilio on this machine finds us without a tunnel."""

    name = "loopback"

    def missing(self) -> AsyncflowError | None:
        return None

    @contextlib.asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[Tunnel]:
        yield Tunnel(f"ws://127.0.0.1:{port}", fresh=False)


def websocket_address(public_url: str) -> str:
    """A public address as Twilio's <Stream> takes it: wss, without a query or trailing slash."""
    try:
        parts = urlsplit(public_url.strip())
        host = parts.hostname if parts.port != 0 else None
    except ValueError:  # a port beyond 65535, an unclosed [
        host = None
    scheme = host and {"https": "wss", "wss": "wss", "http": "ws", "ws": "ws"}.get(parts.scheme)
    if not scheme:
        raise UsageError(
            f"{quoted(public_url)} is no public address", hint="Write wss://host.example"
        )
    if parts.query or parts.fragment:
        raise UsageError("Twilio drops everything from ? on", hint="Leave the query out")
    if scheme == "ws" and not is_loopback(public_url):
        raise UsageError("Twilio connects to wss:// addresses only", hint="Put TLS in front")
    user, at, place = parts.netloc.rpartition("@")
    # Web servers and validators of signatures have a host in lower case.
    return f"{scheme}://{user}{at}{place.lower()}{parts.path.rstrip('/')}"
