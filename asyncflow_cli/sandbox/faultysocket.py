"""The frames of a speech socket on their way out: late, nameless, out of order, or not at all.

Everything is done to the JSON on the wire, so the sandbox's protocol stays as strict as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.types import Message, Send

from asyncflow_cli.sandbox.documented import DOCUMENTED
from asyncflow_cli.sandbox.faults import Fault

Frame = dict[str, Any]


class FaultySocket:
    """In place of the server's `send`."""

    def __init__(self, fault: Fault, send: Send, cut: Callable[[], Awaitable[None]]) -> None:
        self._fault = fault
        self._send = send
        self._cut = cut
        self._frames = 0
        self._last: Frame = {}
        self._over = False

    async def send(self, message: Message) -> None:
        if self._over:
            raise OSError("The connection was cut")
        if message["type"] != "websocket.send" or not message.get("text"):
            await self._send(message)
            return
        frame = msgspec.json.decode(message["text"], type=Frame)
        if frame.get("final"):
            await self._final(frame)
        elif frame.get("audio"):
            number, self._frames = self._frames, self._frames + 1
            await self._audio(frame, number)
            self._last = frame
        else:
            await self._write(frame)

    async def _audio(self, frame: Frame, number: int) -> None:
        """`number` frames of audio came before this one."""
        first = number == 0
        bearable = 1 if self._fault.number is None else self._fault.number
        match self._fault.kind:
            case "error" if first:
                await self._give_up()
            case "ws-drop" if number == bearable:
                self._over = True
                await self._cut()
                raise OSError("The connection was cut")
            case "first-byte" if first:
                await asyncio.sleep(self._fault.seconds)
            case "stall" if number == 1:
                await asyncio.sleep(self._fault.seconds)
        await self._write(frame)
        if first and self._fault.kind == "early-final":
            await self._write({**frame, "audio": "", "final": True})

    async def _final(self, frame: Frame) -> None:
        if self._fault.kind == "late-final":
            await asyncio.sleep(self._fault.seconds)
        await self._write(frame)
        if self._fault.kind == "late-audio" and self._last:
            await self._write({**frame, "audio": self._last["audio"], "final": False})

    async def _give_up(self) -> None:
        assert self._fault.code is not None
        refusal = DOCUMENTED[self._fault.code].refusal(self._fault.code, self._fault.extra)
        await self._write(msgspec.to_builtins(refusal.fault()))
        await self._send({"type": "websocket.close", "code": 1008, "reason": ""})
        self._over = True
        raise OSError("The connection was closed")

    async def _write(self, frame: Frame) -> None:
        if self._fault.kind == "no-context-id":
            frame = {name: value for name, value in frame.items() if name != "context_id"}
        await self._send({"type": "websocket.send", "text": msgspec.json.encode(frame).decode()})
