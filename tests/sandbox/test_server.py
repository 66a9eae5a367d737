"""The sandbox as something that is entered and left, in somebody else's event loop."""

from __future__ import annotations

import asyncio
import socket

import pytest

from asyncflow_cli.sandbox.server import Sandbox
from tests.sandbox.far_ends import run


@pytest.mark.parametrize("turns", [1, 3])
def test_one_that_is_given_up_while_it_begins_gives_everything_back(turns: int) -> None:
    async def test() -> None:
        sandbox, before = Sandbox(), asyncio.all_tasks()
        entering = asyncio.create_task(sandbox.__aenter__())
        for _ in range(turns):
            await asyncio.sleep(0)
        entering.cancel()
        await asyncio.wait([entering])
        assert entering.cancelled()
        assert asyncio.all_tasks() == before
        port = int(sandbox.url.rpartition(":")[2])
        socket.create_server(("127.0.0.1", port)).close()

    run(test())
