"""An answer's body on its way out: late, halting, short, or with the quota's marker in it."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Send

from asyncflow_cli.protocol.failures import QUOTA_MARKER
from asyncflow_cli.sandbox.faults import Fault

_SPLIT = 11
"""Bytes of the marker in its first chunk."""

_APART = 0.05
"""Seconds between its two chunks, so that they arrive one by one."""


class FaultyBody:
    """In place of the server's `send`.

    What cuts an answer in half needs to know its length, so `truncate`, and all of a body that
    comes in one piece, waits for its end; a stream goes on as it is made.
    """

    def __init__(self, fault: Fault, send: Send) -> None:
        self._fault = fault
        self._send = send
        self._start: Message | None = None
        self._begun = False
        self._sent = 0
        self._kept = b""
        self._over = False
        self.lost = False
        """The connection is to be cut now."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body" and not self._over:
            body, more = bytes(message.get("body", b"")), bool(message.get("more_body"))
            await self._pass_on(body, more)
        elif not self._over:
            await self._send(message)

    async def _pass_on(self, body: bytes, more: bool) -> None:
        match self._fault.kind:
            case "first-byte":
                await self._late(body, more)
            case "stall":
                await self._halting(body, more)
            case "drop":
                await self._dropped(body, more)
            case "truncate":
                await self._truncated(body, more)
            case "quota-marker":
                await self._marked(body, more)
            case kind:
                raise AssertionError(kind)

    async def _late(self, body: bytes, more: bool) -> None:
        if not self._begun:
            await asyncio.sleep(self._fault.seconds)
        await self._write(body, more=more)

    async def _halting(self, body: bytes, more: bool) -> None:
        if self._over or self._begun or not body:
            await self._write(body, more=more)
            return
        half = (len(body) + 1) // 2
        await self._write(body[:half], more=True)
        await asyncio.sleep(self._fault.seconds)
        await self._write(body[half:], more=more)

    async def _dropped(self, body: bytes, more: bool) -> None:
        left = (self._fault.number or 0) - self._sent
        if len(body) < left and more:
            await self._write(body, more=True)
            return
        await self._write(body[:left], more=True)
        self._over = self.lost = True

    async def _truncated(self, body: bytes, more: bool) -> None:
        self._kept += body
        if more:
            return
        number = self._fault.number
        short = self._kept[: len(self._kept) // 2 if number is None else number]
        await self._write(short, more=False, length=len(short))

    async def _marked(self, body: bytes, more: bool) -> None:
        if not body and more:
            return
        await self._write(body[: (len(body) + 1) // 2], more=True, length=None)
        await self._write(QUOTA_MARKER[:_SPLIT], more=True)
        await asyncio.sleep(_APART)
        await self._write(QUOTA_MARKER[_SPLIT:], more=False)
        self._over = True

    async def _write(self, body: bytes, *, more: bool, length: int | None = -1) -> None:
        """`length` becomes the answer's Content-Length; None takes it out, -1 leaves it."""
        if not self._begun and self._start is not None:
            await self._send(_with_length(self._start, length))
            self._begun = True
        self._sent += len(body)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _with_length(start: Message, length: int | None) -> Message:
    if length == -1:
        return start
    headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    return {**start, "headers": headers}
