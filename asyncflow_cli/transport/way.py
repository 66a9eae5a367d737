"""The way from Twilio to our socket, and another one when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport import probe
from asyncflow_cli.transport.roads.choice import roads_for
from asyncflow_cli.transport.roads.opening import Opened, open_first
from asyncflow_cli.transport.roads.road import Road, Tunnel

log = logging.getLogger(__name__)


class Way:
    """`lost` hears why, when a tunnel is gone. Close it last: a call is hung up before."""

    def __init__(
        self,
        settings: Settings,
        order: CallOrder,
        *,
        lost: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._order = order
        self._lost = lost
        self._warn = warn
        self._secret = probe.new_secret()
        self.routes = probe.routes(self._secret)
        """What the server at the other end must serve."""
        self._stack = contextlib.AsyncExitStack()
        self._port = 0
        self._opened: Opened | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await self._stack.aclose()

    @property
    def name(self) -> str | None:
        """The road in use; None on this machine, which needs none."""
        name = self._opened.road.name if self._opened else None
        return None if name == "loopback" else name

    @property
    def pid(self) -> int | None:
        """Of the process that holds it, if there is one."""
        return self._opened.tunnel.pid if self._opened else None

    @property
    def has_other(self) -> bool:
        """Whether there is another way, should this one be lost."""
        return self._opened is not None and len(self._opened.rest) > 1

    async def open(self, port: int) -> str:
        """The `wss://` address at which Twilio finds `port`, tried out from outside."""
        self._port = port
        order = self._order
        return await self._open(
            roads_for(self._settings, names=order.tunnels, public_url=order.public_url)
        )

    async def again(self) -> str:
        """The address of the way there is, or of another if it leads here no more."""
        assert self._opened is not None
        tunnel = self._opened.tunnel
        if tunnel.lost.reason is None and await self._still_leads_here(tunnel):
            return tunnel.url
        return await self._open(self._opened.rest)

    async def _open(self, roads: Sequence[Road]) -> str:
        opening = open_first(roads, self._port, probe=self._probe, tell=log.info, warn=self._warn)
        self._opened = opened = await self._stack.enter_async_context(opening)
        if self._watching is not None:
            self._watching.cancel()
        self._watching = asyncio.create_task(self._watch(opened.tunnel))
        return opened.tunnel.url

    async def _watch(self, tunnel: Tunnel) -> None:
        self._lost(await tunnel.lost.wait())

    def _probe(self, tunnel: Tunnel) -> Awaitable[probe.Probe]:
        return probe.probe(tunnel, self._secret)

    async def _still_leads_here(self, tunnel: Tunnel) -> bool:
        try:
            await probe.probe(tunnel, self._secret, settles_within=0.0)
        except AsyncflowError as error:
            log.info("%s", error.message)
            return False
        return True
