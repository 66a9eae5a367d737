"""Async and Twilio on one loopback port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.ports import unusable
from asyncflow_cli.sandbox import (
    accountcontrol,
    calleecontrol,
    control,
    faultcontrol,
    speechapi,
    tunnelcontrol,
    twilio,
)
from asyncflow_cli.sandbox.account import ACCOUNT_SID, AUTH_TOKEN, INBOUND_NUMBER, read_account
from asyncflow_cli.sandbox.call import LiveCall
from asyncflow_cli.sandbox.callee import EVERYBODY
from asyncflow_cli.sandbox.carrier import Carrier
from asyncflow_cli.sandbox.casting import read_callees
from asyncflow_cli.sandbox.choices import Choices
from asyncflow_cli.sandbox.clock import Clock
from asyncflow_cli.sandbox.engine import Engine
from asyncflow_cli.sandbox.failures import Failure
from asyncflow_cli.sandbox.faults import Faults
from asyncflow_cli.sandbox.serving import Server
from asyncflow_cli.sandbox.signature import SIGNERS, Signing
from asyncflow_cli.sandbox.speaker import API_KEY, Speaker
from asyncflow_cli.sandbox.stage import Voice
from asyncflow_cli.sandbox.store import Store
from asyncflow_cli.sandbox.tunnels import Tunnels
from asyncflow_cli.sandbox.wire import Wire
from asyncflow_cli.settings import is_this_machine


class Sandbox:
    """Async and Twilio on one loopback port.

    The socket is bound at once, so `url` and `environment` are known before anything runs:

        sandbox = Sandbox(speed=20)
        async with sandbox:
            ...

    On the way out every live call is ended as Twilio would end it, and every tunnel is closed.
    """

    def __init__(
        self,
        *,
        state: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
        deterministic: bool = False,
        say: Voice | None = None,
        choices: Choices | None = None,
        faults: Iterable[str] = (),
        callees: Mapping[str, str] | Iterable[str] = (),
        account: Iterable[str] = (),
        strict: bool = False,
        signing: Signing = "auth-token",
    ) -> None:
        customer = read_account(account)
        scripts = read_callees(callees)
        self.faults = Faults(faults)
        self.tunnels = Tunnels(self.faults)
        clock = Clock(speed)
        self._socket = _bind(host, port)
        self.url = _url(self._socket)
        try:
            self.store = Store(state)
        except OSError:
            self._socket.close()
            raise
        self._engine = Engine()
        self._speaker = Speaker(self._engine, self.store, choices)
        self.carrier = Carrier(
            self.store,
            clock,
            deterministic=deterministic,
            account=customer,
            url=self.url,
            strict=strict,
            say=say or self._speaker.say,
            faults=self.faults,
            signer=SIGNERS[signing],
        )
        self.carrier.callees.update(scripts)
        self.environment = {
            "ASYNC_BASE_URL": self.url,
            "ASYNC_API_KEY": API_KEY,
            "TWILIO_BASE_URL": self.url,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "INBOUND_NUMBER": INBOUND_NUMBER,
        }

    @property
    def live_calls(self) -> list[LiveCall]:
        return list(self.carrier.live.values())

    @property
    def failures(self) -> list[Failure]:
        """Of a strict sandbox: every notification so far, and calls left alive when it went."""
        return list(self.carrier.failures)

    def register(self, script: str, number: str = EVERYBODY) -> None:
        """Let `number`, or everybody, act by a script from now on. UsageError if it is none."""
        self.carrier.callees.update(read_callees({number: script}))

    def heard(self, call_sid: str) -> bytes:
        """μ-law, 8 kHz: what the callee has heard. KeyError if there is no such call."""
        mulaw = self.carrier.heard(call_sid)
        if mulaw is None:
            raise KeyError(call_sid)
        return mulaw

    async def __aenter__(self) -> Self:
        self._server = Server(Wire(Starlette(routes=self._routes()), self.faults))
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        ready = asyncio.create_task(self._server.ready.wait())
        try:
            await asyncio.wait([ready, self._serving], return_when="FIRST_COMPLETED")
        except asyncio.CancelledError:
            await self.__aexit__()
            raise
        finally:
            ready.cancel()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.carrier.leave()
            await self.tunnels.close_all()
            self._server.leave()
            await self._serving
            await self._engine.aclose()
        finally:
            self.close()

    def close(self) -> None:
        """Give back the port and the state of a sandbox that was never entered."""
        self._socket.close()
        self.store.close()

    def _routes(self) -> list[BaseRoute]:
        found = [*twilio.routes(self.carrier), *control.routes(self.carrier)]
        found += faultcontrol.routes(self.faults)
        found += tunnelcontrol.routes(self.tunnels)
        found += calleecontrol.routes(self.carrier)
        found += accountcontrol.routes(self.carrier)
        found += speechapi.routes(self._speaker)
        found.append(Route("/{path:path}", _nothing_here, methods=["GET", "POST", "PUT", "DELETE"]))
        found.append(WebSocketRoute("/{path:path}", _no_socket_here))
        return found


def _bind(host: str, port: int) -> socket.socket:
    if not is_this_machine(host):
        raise UsageError(
            f"The sandbox serves this computer only, and {host} is for others too",
            hint="Use 127.0.0.1, ::1 or localhost.",
        )
    try:
        bound = socket.create_server(
            ("127.0.0.1" if host == "localhost" else host, port),
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            backlog=128,
        )
    except (OSError, OverflowError) as error:
        free = "Another sandbox may be served there: use it, or take a free port with --port 0"
        raise unusable(port, host, error, free=free) from None
    # asyncio does so only for sockets that were made as TCP's by name, which these are not; without
    # it every answer whose head and body are two writes is 40 ms late.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _nothing_here(request: Request) -> Response:
    return _not_imitated(f"{request.method} {request.url.path}")


async def _no_socket_here(socket: WebSocket) -> None:
    # Left to itself the server answers 403, which reads as if the key were wrong.
    await socket.send_denial_response(_not_imitated(f"a WebSocket at {socket.url.path}"))


def _not_imitated(what: str) -> Response:
    text = f"The sandbox does not imitate {what}"
    return JSONResponse({"code": 20001, "message": text, "status": 501}, 501)
