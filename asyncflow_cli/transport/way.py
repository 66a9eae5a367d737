"""The way from Twilio to our socket, and another one when it is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from starlette.routing import BaseRoute

from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.tunnel import open_tunnel


class Way:
    """`lost` hears why, when a tunnel is gone."""

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
        self.pid: int | None = None
        self._stack = contextlib.AsyncExitStack()
        self._url = ""
        self.name: str | None = None
        self.routes: tuple[BaseRoute, ...] = ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def has_other(self) -> bool:
        """Whether there is another way, should this one be lost."""
        return False

    async def open(self, port: int) -> str:
        """The `wss://` address at which Twilio finds `port`."""
        tunnel = open_tunnel(
            port,
            public_url=self._order.public_url,
            twilio_base_url=self._settings.twilio_base_url,
            authtoken=self._settings.ngrok_authtoken,
        )
        self._url = await self._stack.enter_async_context(tunnel)
        return self._url

    async def again(self) -> str:
        """The address of another way, or of the same where it is not lost."""
        return self._url
