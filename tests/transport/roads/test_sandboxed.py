"""The sandbox's own tunnels as a road: genuine relays, which die when they are told to."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette

from asyncflow_cli.errors import AsyncflowError, NetworkError
from asyncflow_cli.sandbox.server import Sandbox
from asyncflow_cli.transport.listener import serving
from asyncflow_cli.transport.probe import Probe, new_secret, probe, routes
from asyncflow_cli.transport.roads.opening import open_first
from asyncflow_cli.transport.roads.road import Tunnel
from asyncflow_cli.transport.roads.sandboxed import Sandboxed

SECRET = new_secret()


async def probing(tunnel: Tunnel) -> Probe:
    return await probe(tunnel, SECRET)


def test_it_leads_here_and_its_death_is_told_and_there_is_another_after_it() -> None:
    async def test() -> None:
        app = Starlette(routes=routes(SECRET))
        async with Sandbox() as sandbox, serving(app) as port:
            road = Sandboxed(sandbox.environment["TWILIO_BASE_URL"])
            warned: list[str] = []
            options = {"probe": probing, "tell": warned.append, "warn": warned.append}
            async with open_first([road], port, **options) as first:  # type: ignore[arg-type]
                (told,) = sandbox.tunnels.listed()
                sandbox.tunnels[told["id"]].die()
                reason = await asyncio.wait_for(first.tunnel.lost.wait(), 10)
                assert reason == "the sandbox's tunnel is dead"
                async with open_first(first.rest, port, **options) as second:  # type: ignore[arg-type]
                    assert second.tunnel.url != first.tunnel.url
                    assert second.probe.wss_ms > 0
            assert not sandbox.tunnels.listed()

    asyncio.run(asyncio.wait_for(test(), 30))


def test_one_that_nobody_waits_for_any_longer_is_closed() -> None:
    async def test() -> None:
        async with Sandbox() as sandbox:
            opening = asyncio.create_task(Sandboxed(sandbox.url).open(1).__aenter__())
            while not sandbox.tunnels.listed():  # noqa: ASYNC110
                await asyncio.sleep(0)
            opening.cancel()
            await asyncio.wait([opening])
            assert opening.cancelled()
            assert not sandbox.tunnels.listed()

    asyncio.run(asyncio.wait_for(test(), 30))


def test_a_server_that_is_no_sandbox_opens_none() -> None:
    async def test() -> None:
        async with serving(Starlette()) as port, Sandboxed(f"http://127.0.0.1:{port}").open(1):
            raise AssertionError

    with pytest.raises(NetworkError) as caught:
        asyncio.run(test())
    assert caught.value.code == "TUNNEL_FAILED"


def test_without_a_sandbox_there_is_none() -> None:
    missing: AsyncflowError | None = Sandboxed("https://api.twilio.com").missing()
    assert missing is not None
    assert missing.code == "NO_SANDBOX"
