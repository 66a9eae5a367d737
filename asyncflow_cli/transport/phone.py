"""The far end of one call: the addresses that Twilio is told, and the socket it opens there.

https://www.twilio.com/docs/voice/media-streams

What arrives becomes events; nothing is decided here. The same phone answers as an ASGI app, on any
host, and to a listener of ours that carries its media past ASGI.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from asyncflow_cli.protocol.media import Message
from asyncflow_cli.transport.asgimedia import answer
from asyncflow_cli.transport.callbacks import CallbackEvent, Callbacks
from asyncflow_cli.transport.connection import MEDIA_PATH
from asyncflow_cli.transport.gate import NO_KEYS, Gate
from asyncflow_cli.transport.leg import Leg, PhoneLost
from asyncflow_cli.transport.signature import Keys

PhoneEvent: TypeAlias = Message | PhoneLost | CallbackEvent


class Phone:
    """One call's. `keys`, `sign_required` and `refused` are its gate's.

    `hear` is given what the callee says, fifty times a second, and the milliseconds at which they
    said it; `routes` are served besides.
    """

    def __init__(
        self,
        emit: Callable[[PhoneEvent], None],
        *,
        account_sid: str | None = None,
        keys: Keys = NO_KEYS,
        sign_required: bool = True,
        refused: Callable[[str], None],
        hear: Callable[[str, int], None] | None = None,
        routes: Iterable[BaseRoute] = (),
    ) -> None:
        self.gate = Gate(
            account_sid=account_sid, keys=keys, sign_required=sign_required, refused=refused
        )
        self._callbacks = Callbacks(self.gate, emit)
        self._emit = emit
        self._hear = hear
        self._public_url = ""
        self.leg = self._next_leg()
        """At the address where a media socket is awaited, or is."""
        self._taken = False
        self._routes = routes

    @cached_property
    def app(self) -> Starlette:
        """All of it but its media, and its media too on a host that has no other way for them."""
        media = WebSocketRoute(MEDIA_PATH + "{token}", self._on_asgi)
        app = Starlette(routes=[media, *self._callbacks.routes(), *self._routes])
        app.router.redirect_slashes = False
        return app

    def renew(self) -> None:
        """Wait for another socket, at an address of its own: the one there was is lost."""
        self.leg.given_up = True
        self.leg, self._taken = self._next_leg(), False

    def _next_leg(self) -> Leg:
        token = secrets.token_urlsafe(32)
        return Leg(token, self.gate, self._emit, self._hear)

    # Its addresses

    @property
    def public_url(self) -> str:
        """`wss://host`, as Twilio is told it; signatures are checked against it."""
        return self._public_url

    @public_url.setter
    def public_url(self, url: str) -> None:
        self._public_url = url
        self._callbacks.public_url = "http" + url.removeprefix("ws")

    @property
    def token(self) -> str:
        """Of the address at which a media socket is awaited, or is."""
        return self.leg.token

    @property
    def callback_token(self) -> str:
        return self._callbacks.token

    @property
    def media_url(self) -> str:
        return f"{self._public_url}{MEDIA_PATH}{self.token}"

    @property
    def status_url(self) -> str:
        return self._callbacks.url("status")

    @property
    def stream_status_url(self) -> str:
        return self._callbacks.url("stream-status")

    @property
    def amd_url(self) -> str:
        return self._callbacks.url("amd")

    # Its socket

    def answer(self, shown: str, headers: Mapping[str, str]) -> Leg | None:
        """The leg for a new socket at the path with the token `shown`; None if it is refused."""
        refusal = self.gate.flaw(shown, self.token, headers, self.media_url)
        if refusal is None and self._taken:
            refusal = "a second socket"
        if refusal is not None:
            self.gate.tell(f"media socket refused: {refusal}")
            return None
        self._taken = True
        return self.leg

    async def _on_asgi(self, socket: WebSocket) -> None:
        await answer(socket, self.answer(socket.path_params["token"], socket.headers))

    @property
    def stream_sid(self) -> str:
        """Of the stream there is; empty before its `start`."""
        return self.leg.stream_sid

    def close(self) -> None:
        """Close the socket the normal way, which ends the call's `<Connect>`."""
        self.leg.close()
