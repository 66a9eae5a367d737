"""A media socket in its ASGI form, for hosts that are not ours."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

from asyncflow_cli.transport.leg import POLICY_VIOLATION, SUBPROTOCOL, Leg

SEND_WITHIN = 5.0
"""Seconds a send may take: a socket that is dead but open must not hold up the call."""


async def answer(socket: WebSocket, leg: Leg | None) -> None:
    """Take the socket for the leg, and carry it to its end; refuse it where there is none."""
    if leg is None:
        await socket.close(POLICY_VIOLATION)
        return
    offered = socket.scope.get("subprotocols", ())
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    carrier = AsgiCarrier(socket, leg)
    sending = asyncio.create_task(carrier.send())
    leg.opened(carrier)
    try:
        await _listen(socket, leg)
    finally:
        leg.lost()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _listen(socket: WebSocket, leg: Leg) -> None:
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        text: str | None = message.get("text")
        if text is None:
            leg.violated("A binary frame on the media socket")
        else:
            leg.received(text.encode())


class AsgiCarrier:
    """Sends beside the call, which must not wait."""

    def __init__(self, socket: WebSocket, leg: Leg) -> None:
        self._socket = socket
        self._leg = leg
        self._waiting: asyncio.Queue[bytes | int] = asyncio.Queue()

    def write(self, messages: list[bytes]) -> None:
        for message in messages:
            self._waiting.put_nowait(message)

    def close(self, code: int) -> None:
        self._waiting.put_nowait(code)

    async def send(self) -> None:
        """Send what is written, until it is the close; what is dead but open is lost."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            try:
                while isinstance(message := await self._waiting.get(), bytes):
                    async with asyncio.timeout(SEND_WITHIN):
                        await self._socket.send_text(message.decode())
                async with asyncio.timeout(SEND_WITHIN):
                    await self._socket.close(message)
            except TimeoutError:
                self._leg.lost()
