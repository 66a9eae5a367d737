"""Calls through the library, many of them in one process, as an app would make them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from asyncflow_cli.protocol.callresult import CallReport
from asyncflow_cli.protocol.order import CallOrder
from asyncflow_cli.settings import Settings
from asyncflow_cli.transport.api import ApiClient
from asyncflow_cli.transport.call import PhoneCall
from asyncflow_cli.transport.journal import Journal
from asyncflow_cli.transport.library import VoiceLibrary
from tests.conftest import FROM, TO


class Switchboard:
    """Makes calls at the services an environment names; `at_once` of them at most."""

    def __init__(self, api: ApiClient, settings: Settings, folder: Path, at_once: int) -> None:
        self.warnings: list[str] = []
        self._settings = settings
        self._library = VoiceLibrary(api)
        self._journal = Journal(folder, warn=self.warnings.append)
        self._free = asyncio.Semaphore(at_once)

    async def call(self, text: str) -> CallReport:
        """Say it. Any ending but the last word heard is raised."""
        async with self._free:
            order = CallOrder(to=TO, from_=FROM, text=text, max_duration=3600)
            call = PhoneCall(
                self._settings, order, self._journal, self._library, warn=self.warnings.append
            )
            return await call.run(lambda _event: None)


@contextlib.asynccontextmanager
async def switchboard(
    environment: Mapping[str, str], folder: Path, *, at_once: int = 1
) -> AsyncIterator[Switchboard]:
    settings = Settings().pointed_at(environment, "test")
    async with contextlib.aclosing(ApiClient(settings)) as api:
        yield Switchboard(api, settings, folder, at_once)
