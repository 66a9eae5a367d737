"""The sandbox's own tunnels: what goes through, and each way in which they end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from asyncflow_cli.sandbox.server import Sandbox
from asyncflow_cli.sandbox.tunnels import Tunnel
from tests.ports import deaf_port
from tests.sandbox.far_ends import (
    codes,
    ended,
    make_call,
    media_server,
    run,
    sandbox,
    say_nothing,
    until,
    web_server,
)


@contextlib.asynccontextmanager
async def echo_server() -> AsyncIterator[int]:
    """A port that says everything back, and then that it has heard the end."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.write(b"END")
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def through(tunnel: Tunnel) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port_of(tunnel))


async def greeted(tunnel: Tunnel) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Through it something has gone there and back."""
    reader, writer = await through(tunnel)
    writer.write(b"Hello")
    assert await reader.readexactly(5) == b"Hello"
    return reader, writer


def port_of(tunnel: Tunnel) -> int:
    return int(tunnel.url.rpartition(":")[2])


def control(running: Sandbox) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"{running.url}/__sandbox", trust_env=False, verify=False)


def test_bytes_go_both_ways_and_the_end_of_one_way_leaves_the_other_open() -> None:
    async def test() -> None:
        async with sandbox() as running, echo_server() as port:
            tunnel = await running.tunnels.open(port)
            reader, writer = await through(tunnel)
            sent = bytes(range(256)) * 8192
            receiving = asyncio.create_task(reader.readexactly(len(sent)))
            writer.write(sent)
            assert await receiving == sent
            writer.write_eof()
            assert await reader.read() == b"END"
            writer.close()
            await until(lambda: not tunnel.described()["connections"])
            counted = tunnel.described()
            assert (counted["accepted"], counted["bytes_in"]) == (1, len(sent))
            assert counted["bytes_out"] == len(sent) + 3

    run(test())


def test_a_dead_tunnel_resets_its_connections_and_refuses_new_ones() -> None:
    async def test() -> None:
        async with sandbox() as running, echo_server() as port:
            tunnel = await running.tunnels.open(port)
            reader, _ = await greeted(tunnel)
            tunnel.die()
            with pytest.raises(ConnectionResetError):
                await reader.read()
            with pytest.raises(ConnectionRefusedError):
                await through(tunnel)
            assert tunnel.described()["state"] == "dead"

    run(test())


def test_a_frozen_tunnel_takes_everything_and_carries_nothing() -> None:
    async def test() -> None:
        async with sandbox() as running, echo_server() as port:
            tunnel = await running.tunnels.open(port)
            reader, writer = await greeted(tunnel)
            tunnel.freeze()
            _, late = await through(tunnel)
            writer.write(b"Anybody there?")
            late.write(b"Or here?")
            reading = asyncio.create_task(reader.read())
            await until(lambda: tunnel.described()["accepted"] == 2)
            assert tunnel.described()["bytes_in"] == 5
            assert not reading.done()
            await running.tunnels.close(tunnel.id)
            with contextlib.suppress(ConnectionResetError):
                assert await reading == b""

    run(test())


def test_closing_delivers_what_was_carried_and_ends_in_order() -> None:
    async def test() -> None:
        async with sandbox() as running, echo_server() as port:
            tunnel = await running.tunnels.open(port)
            reader, writer = await through(tunnel)
            writer.write(b"Hello")
            await until(lambda: tunnel.described()["bytes_out"] == 5)
            await running.tunnels.close(tunnel.id)
            assert await reader.read() == b"Hello"
            writer.close()
            assert running.tunnels.listed() == []

    run(test())


def test_a_tunnel_to_nobody_resets_who_comes() -> None:
    async def test() -> None:
        async with sandbox() as running:
            with deaf_port() as port:
                reader, _ = await through(await running.tunnels.open(port))
                with pytest.raises(ConnectionResetError):
                    await reader.read()

    run(test())


@pytest.mark.parametrize("armed", [True, False])
def test_a_tunnel_dies_so_long_after_its_first_connection(armed: bool) -> None:
    async def test() -> None:
        faults = ["tunnel:die-after 50ms x1"] if armed else []
        async with sandbox(faults=faults) as running, echo_server() as port:
            tunnel = await running.tunnels.open(port, die_after=None if armed else 0.05)
            reader, _ = await through(tunnel)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            second = await running.tunnels.open(port)
            _, writer = await through(second)
            writer.close()
            assert (tunnel.state, second.state) == ("dead", "open")

    run(test())


def test_all_of_it_goes_over_http_too() -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web, control(running) as http:
            port = int(web.url.rpartition(":")[2])
            opened = await http.post("/tunnels", json={"port": port})
            assert opened.status_code == 201
            tunnel = opened.json()
            url = tunnel["url"].replace("ws:", "http:")
            async with httpx.AsyncClient(trust_env=False) as stranger:
                assert (await stranger.get(f"{url}/hello")).status_code == 204
                assert [hit.url for hit in web.hits] == [f"{web.url}/hello"]
                frozen = await http.post(f"/tunnels/{tunnel['id']}/freeze")
                assert frozen.json()["state"] == "frozen"
                died = await http.post(f"/tunnels/{tunnel['id']}/die")
                assert died.json()["state"] == "dead"
                with pytest.raises(httpx.TransportError):
                    await stranger.get(f"{url}/hello")
            listed = (await http.get("/tunnels")).json()["tunnels"]
            assert [(one["id"], one["accepted"]) for one in listed] == [(tunnel["id"], 1)]
            assert (await http.delete(f"/tunnels/{tunnel['id']}")).status_code == 204
            assert (await http.get("/tunnels")).json() == {"tunnels": []}

    run(test())


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"port": 0}', '{"port": 65536}', '{"port": "x"}']
)
def test_what_names_no_port_is_refused(body: str) -> None:
    async def test() -> None:
        async with sandbox() as running, control(running) as http:
            refused = await http.post("/tunnels", content=body)
            assert refused.status_code == 422
            assert "port" in refused.json()["message"]

    run(test())


def test_a_tunnel_that_is_not_there_is_404() -> None:
    async def test() -> None:
        async with sandbox() as running, control(running) as http:
            for method, path in [("DELETE", ""), ("POST", "/die"), ("POST", "/freeze")]:
                answered = await http.request(method, f"/tunnels/t9{path}")
                assert (answered.status_code, answered.json()["message"]) == (
                    404,
                    "There is no tunnel t9",
                )

    run(test())


def test_a_call_goes_through_a_tunnel_and_its_death_is_31921() -> None:
    async def test() -> None:
        async with sandbox() as running, media_server(say_nothing) as server:
            tunnel = await running.tunnels.open(int(server.url.rpartition(":")[2]))
            server.url = tunnel.url
            call = await make_call(running, twiml=server.twiml())
            await until(lambda: server.conversations and server.conversations[0].messages)
            tunnel.die()
            assert (await ended(running, call.sid)).status == "completed"
            assert codes(running, call.sid) == ["31921"]

    run(test())


def test_the_sandbox_takes_its_tunnels_down_with_it() -> None:
    async def test() -> None:
        async with echo_server() as port:
            async with sandbox() as running:
                tunnel = await running.tunnels.open(port)
                reader, writer = await through(tunnel)
                tunnel.freeze()
                idle = await running.tunnels.open(port)
            with pytest.raises(ConnectionRefusedError):
                await through(idle)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()

    run(test())
