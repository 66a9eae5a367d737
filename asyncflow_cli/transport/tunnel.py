"""The first address that Twilio finds a port of this machine at, for whoever needs no more."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.roads.choice import roads_for


@contextlib.asynccontextmanager
async def open_tunnel(
    port: int, *, public_url: str | None, twilio_base_url: str, authtoken: str | None
) -> AsyncIterator[str]:
    """The `wss://` (on this machine `ws://`) address, unprobed."""
    settings = Settings(twilio_base_url=twilio_base_url, ngrok_authtoken=authtoken)
    async with roads_for(settings, public_url=public_url)[0].open(port) as tunnel:
        yield tunnel.url
