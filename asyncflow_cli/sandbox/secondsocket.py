"""Somebody else who has seen the URL of a stream, and connects to it while the stream lives."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.protocol.media import Connected, Start
from asyncflow_cli.sandbox.handshake import dial
from asyncflow_cli.sandbox.mediafeed import Opening, start_of


class SecondSocket:
    """Dials with the very headers of the first, and says what it said."""

    def __init__(
        self, opening: Opening, headers: Mapping[str, str], document_url: str | None
    ) -> None:
        self.answered: dict[str, Any] = {"opened": False, "close_code": None, "text": "No answer"}
        self._running = asyncio.create_task(self._run(opening, headers, document_url))

    async def leave(self) -> None:
        """Close, if that was left to us."""
        self._running.cancel()
        await asyncio.wait([self._running])

    async def _run(
        self, opening: Opening, headers: Mapping[str, str], document_url: str | None
    ) -> None:
        try:
            connection = await dial(opening.url, headers, document_url)
        except RemoteProtocolError as error:
            self.answered["text"] = error.message
            return
        self.answered |= {"opened": True, "text": "It was let in, and could stay"}
        async with connection:
            try:
                await connection.send(_CONNECTED)
                await connection.send(_start(opening))
                while True:
                    await connection.recv()
            except ConnectionClosed:
                code = connection.close_code
                self.answered |= {
                    "close_code": code,
                    "text": f"It was let in, and shown out: {code}",
                }


_CONNECTED = msgspec.json.encode(Connected()).decode()


def _start(opening: Opening) -> str:
    message = Start(start_of(opening), opening.stream_sid, "1")
    return msgspec.json.encode(message).decode()
