"""Cloudflare's quick tunnels, which need no account.

https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/do-more-with-tunnels/trycloudflare/
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.transport.roads.agent import absent, running
from asyncflow_cli.transport.roads.public import websocket_address
from asyncflow_cli.transport.roads.road import Tunnel

INSTALL = "Install it: brew install cloudflared, or github.com/cloudflare/cloudflared/releases"

# The service's own name stands in the lines that tell of failures.
ADDRESS = r"https://(?!api\.)[a-z0-9-]+\.trycloudflare\.com"

CONNECTED = r"(?<!Un)[Rr]egistered tunnel connection"

LOSING = r"Lost connection with the edge|Connection terminated|Unregistered tunnel connection"
"""A quick tunnel has a single connection, so one that is lost is all of it."""

CONNECTED_WITHIN = 5.0
"""Seconds to wait for a line whose wording may change: after them the probe decides."""

HINTS = (
    (r"429|1015", "Too many quick tunnels of late: wait some minutes, or use another tunnel"),
    (r"no such host|lookup .* on", "There is no network, or no DNS"),
)


class Cloudflared:
    name = "cloudflared"

    def missing(self) -> AsyncflowError | None:
        return absent("cloudflared", INSTALL)

    @contextlib.asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[Tunnel]:
        # A configuration of the user's own would make it another kind of tunnel.
        command = ("cloudflared", "tunnel", "--config", os.devnull, "--no-autoupdate")
        upstream = ("--url", f"http://127.0.0.1:{port}")
        async with running(
            "cloudflared",
            (*command, *upstream),
            losing=LOSING,
            reasons=r"\bERR\b|^failed|^error",
            hints=HINTS,
        ) as agent:
            address = (await agent.says(ADDRESS))[0]
            # DNS that is asked too early says no, and may remember it for long.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECTED_WITHIN):
                    await agent.says(CONNECTED)
            agent.opened()
            yield Tunnel(websocket_address(address), agent.lost, agent.running)
