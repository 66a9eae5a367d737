"""A call's status callbacks on their way out: in order, one at a time, or as faults have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from asyncflow_cli.errors import RemoteProtocolError
from asyncflow_cli.sandbox.faults import Fault
from asyncflow_cli.sandbox.webhook import Hit, WebClient


class Outbox:
    """Callbacks, sent while the call goes on. `on_failure` learns the text and the URL."""

    def __init__(self, client: WebClient, on_failure: Callable[[str, str], None]) -> None:
        self._client = client
        self._on_failure = on_failure
        self._last: asyncio.Task[None] | None = None
        self._overtaken: list[tuple[Hit, Mapping[str, Fault]]] = []

    def post(self, method: str, url: str, fields: Mapping[str, str]) -> None:
        hit, faults = Hit(method, url, fields), self._client.terms.faults.take_each("callback")
        if "drop" in faults:
            return
        if "reorder" in faults:
            self._overtaken.append((hit, faults))
            return
        self._queue(hit, faults)
        self._queue_overtaken()

    async def drain(self) -> None:
        """Wait until the last one is answered, or has failed."""
        self._queue_overtaken()
        if self._last is not None:
            await self._last

    def _queue(self, hit: Hit, faults: Mapping[str, Fault]) -> None:
        self._last = asyncio.create_task(self._send(self._last, hit, faults))

    def _queue_overtaken(self) -> None:
        for hit, faults in self._overtaken:
            self._queue(hit, faults)
        self._overtaken.clear()

    async def _send(
        self, previous: asyncio.Task[None] | None, hit: Hit, faults: Mapping[str, Fault]
    ) -> None:
        if previous is not None:
            try:
                await asyncio.wait([previous])
            except asyncio.CancelledError:
                previous.cancel()  # who gives up the last one gives up all before it
                raise
        if "late" in faults:
            await self._client.terms.clock.sleep(faults["late"].seconds)
        for _ in range(2 if "duplicate" in faults else 1):
            try:
                await self._client.send(hit, faults)
            except RemoteProtocolError as error:
                self._on_failure(error.message, hit.url)
