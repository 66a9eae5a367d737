"""ngrok without its agent: the SDK in a wheel, https://github.com/ngrok/ngrok-python"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator
from typing import Any

from asyncflow_cli.errors import AsyncflowError, PrerequisiteError
from asyncflow_cli.transport.roads.ngrok import failure
from asyncflow_cli.transport.roads.public import websocket_address
from asyncflow_cli.transport.roads.road import Loss, Tunnel

INSTALL = "pip install 'asyncflow-cli[ngrok]'"

CLOSE_WITHIN = 2.0
"""Seconds the farewell may take; https://github.com/alexdlaird/pyngrok/issues/17"""


class NgrokSdk:
    name = "ngrok-sdk"

    def __init__(
        self, authtoken: str | None, domain: str | None = None, *, server: str | None = None
    ) -> None:
        """`server` is host:port of another ngrok than theirs."""
        self._authtoken = authtoken
        self._domain = domain
        self._server = server

    def missing(self) -> AsyncflowError | None:
        if importlib.util.find_spec("ngrok") is None:
            return PrerequisiteError(
                "ngrok's SDK is not installed", hint=INSTALL, code="TUNNEL_MISSING"
            )
        if not self._authtoken:
            return PrerequisiteError(
                "ngrok's SDK needs a token",
                hint="asyncflow auth login --service ngrok, or set NGROK_AUTHTOKEN: "
                "ngrok needs a (free) account",
                code="SETTING_MISSING",
            )
        return None

    @contextlib.asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[Tunnel]:
        lost = Loss()
        session: Any = None
        try:
            try:
                session = await self._builder(lost).connect()
                endpoint = session.http_endpoint()
                if self._domain:
                    endpoint.domain(self._domain)
                listener = await endpoint.listen_and_forward(f"http://127.0.0.1:{port}")
            # The SDK's errors are ValueErrors with several texts, or its own RuntimeErrors.
            except (ValueError, RuntimeError, OSError) as error:
                words = ": ".join(str(part) for part in error.args)
                raise failure(words.splitlines()[0] if words else "no reason", words) from None
            address = websocket_address(listener.url())
            yield Tunnel(address, lost, fresh=self._domain is None)
        finally:
            if session is not None:
                with contextlib.suppress(TimeoutError, ValueError, RuntimeError):
                    async with asyncio.timeout(CLOSE_WITHIN):
                        await session.close()

    def _builder(self, lost: Loss) -> Any:
        import ngrok

        loop = asyncio.get_running_loop()

        def disconnected(_address: str, _error: str) -> None:
            # In a thread of the SDK's, which then finds another session; the calls are gone.
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(lost.tell, "ngrok: the session was lost")

        builder = ngrok.SessionBuilder().authtoken(self._authtoken or "")
        builder.handle_disconnection(disconnected)
        if self._server:
            builder.server_addr(self._server)
        return builder
