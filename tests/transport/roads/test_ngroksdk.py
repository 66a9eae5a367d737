"""ngrok's SDK, the real one, with a far end that is none: its ways to fail are all of it that
works without ngrok."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from asyncflow_cli.errors import PrerequisiteError
from asyncflow_cli.transport.roads.ngroksdk import NgrokSdk

TOKEN = "2abcDEF_secretauthtoken"


async def opened(server: str) -> None:
    async with NgrokSdk(TOKEN, server=server).open(8123):
        raise AssertionError("there is no ngrok here")


class FarEnd:
    """Hangs up at once, or `holds` the connection until the SDK ends it."""

    def __init__(self, *, holds: bool = False) -> None:
        self.holds = holds
        self.connected = asyncio.Event()
        self.over = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected.set()
        with contextlib.suppress(ConnectionError):
            if self.holds:
                await reader.read()
            writer.close()
            await writer.wait_closed()
        self.over.set()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self, "127.0.0.1", 0)
        async with server:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            await asyncio.wait_for(self.over.wait(), 10)


def test_an_ngrok_that_nobody_is_is_a_passing_failure() -> None:
    async def test() -> None:
        async with FarEnd().serving() as address:
            with pytest.raises(PrerequisiteError) as caught:
                await asyncio.wait_for(opened(address), 10)
        error = caught.value
        assert (error.code, error.passing) == ("NGROK_FAILED", True)
        assert "failed to connect session" in error.message
        assert TOKEN not in error.message

    asyncio.run(test())


def test_a_far_end_that_stays_silent_is_let_go_when_it_is_given_up() -> None:
    async def test() -> None:
        far = FarEnd(holds=True)
        async with far.serving() as address:
            opening = asyncio.create_task(opened(address))
            await asyncio.wait_for(far.connected.wait(), 10)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(opening, 10)

    asyncio.run(test())


def test_without_a_token_it_is_not_tried() -> None:
    missing = NgrokSdk(None).missing()
    assert missing is not None
    assert "NGROK_AUTHTOKEN" in (missing.hint or "")
    assert NgrokSdk(TOKEN).missing() is None
