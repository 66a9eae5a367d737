"""ssh's remote forwarding: a genuine one, from the system's ssh into a server of asyncssh's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest
from starlette.applications import Starlette

from asyncflow_cli.errors import AsyncflowError, NetworkError
from asyncflow_cli.transport.listener import serving
from asyncflow_cli.transport.probe import new_secret, probe, routes
from asyncflow_cli.transport.roads.process import identify
from asyncflow_cli.transport.roads.road import Tunnel
from asyncflow_cli.transport.roads.ssh import Ssh
from tests.ports import reserved
from tests.sshservers import Far, Refusing, Server, far_end, genuine, wrapped_ssh
from tests.transport.roads.standins import StandIn, stand_in

SECRET = new_secret()

HERE = "ws://127.0.0.1:{port}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Alone on PATH: the system's ssh, which reads a configuration of ours and no other."""
    wrapped_ssh(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def road(far: Far, **options: int) -> Ssh:
    return Ssh(f"me@127.0.0.1:{far.port}", url=HERE, **options)


@genuine
def test_a_websocket_goes_through_and_a_killed_ssh_is_a_lost_tunnel(folder: Path) -> None:
    async def test() -> None:
        app = Starlette(routes=routes(SECRET))
        async with (
            far_end(folder) as far,
            serving(app) as port,
            road(far).open(port) as tunnel,
        ):
            assert tunnel.url != f"ws://127.0.0.1:{port}"
            assert (await probe(tunnel, SECRET)).wss_ms > 0
            assert tunnel.pid is not None
            assert os.getsid(tunnel.pid) == tunnel.pid
            os.kill(tunnel.pid, signal.SIGKILL)
            lost = await asyncio.wait_for(tunnel.lost.wait(), 10)
            assert lost == "ssh ended with status -9"
            with pytest.raises(NetworkError, match="cannot be reached"):
                await probe(tunnel, SECRET)

    asyncio.run(asyncio.wait_for(test(), 30))


@genuine
def test_a_port_of_ones_own_is_asked_for_and_the_forwarding_ends_with_us(folder: Path) -> None:
    async def test() -> None:
        app = Starlette(routes=routes(SECRET))
        with reserved() as remote:
            async with far_end(folder) as far, serving(app) as port:
                for _ in range(2):
                    async with road(far, remote_port=remote).open(port) as tunnel:
                        assert tunnel.url == f"ws://127.0.0.1:{remote}"
                        await probe(tunnel, SECRET)
                    assert tunnel.pid is not None
                    assert identify(tunnel.pid) is None

    asyncio.run(asyncio.wait_for(test(), 30))


@genuine
def test_a_server_that_goes_is_a_lost_tunnel(folder: Path) -> None:
    async def test() -> None:
        async with contextlib.AsyncExitStack() as server:
            far = await server.enter_async_context(far_end(folder))
            async with road(far).open(1) as tunnel:
                for connection in far.connections:
                    connection.abort()
                assert await asyncio.wait_for(tunnel.lost.wait(), 10)

    asyncio.run(asyncio.wait_for(test(), 30))


@genuine
@pytest.mark.parametrize(
    ("server", "key_is_known", "ours_is_known", "hint"),
    [
        (Refusing, True, True, "AllowTcpForwarding yes"),
        (Server, False, True, "Accept the server's key once: ssh me@127.0.0.1:"),
        (Server, True, False, "It takes none of your keys"),
    ],
)
def test_what_a_server_refuses_is_told_and_no_question_is_asked(
    folder: Path, server: type[Server], key_is_known: bool, ours_is_known: bool, hint: str
) -> None:
    async def test() -> None:
        async with (
            far_end(folder, server, key_is_known=key_is_known, ours_is_known=ours_is_known) as far,
            road(far).open(1),
        ):
            raise AssertionError

    with pytest.raises(NetworkError) as caught:
        asyncio.run(asyncio.wait_for(test(), 30))
    error = caught.value
    assert (error.code, error.passing) == ("TUNNEL_FAILED", False)
    assert hint in (error.hint or "")


# Services whose shell prints an address, played by a stand-in

PRINTED = {
    "localhost.run": (
        "** see https://localhost.run/docs/ for more **\n"
        "f27f2133f61afa.lhr.life tunneled with tls termination, https://f27f2133f61afa.lhr.life",
        "wss://f27f2133f61afa.lhr.life",
        "-R 80:127.0.0.1:8123 -l nokey -- localhost.run",
    ),
    "serveo.net": (
        "Forwarding HTTP traffic from https://abc.serveo.net",
        "wss://abc.serveo.net",
        "-R 80:127.0.0.1:8123 -- serveo.net",
    ),
    "you@a.pinggy.io": (
        "You are not authenticated. See https://dashboard.pinggy.io\n"
        "http://yqycl-98.a.free.pinggy.link\nhttps://yqycl-98.a.free.pinggy.link",
        "wss://yqycl-98.a.free.pinggy.link",
        "-R 0:127.0.0.1:8123 -l you -p 443 -- a.pinggy.io",
    ),
}


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return stand_in("ssh", tmp_path, monkeypatch)


async def opened(road: Ssh) -> Tunnel:
    async with road.open(8123) as tunnel:
        return tunnel


@pytest.mark.parametrize("server", PRINTED)
def test_a_service_is_asked_as_it_wants_and_its_address_is_read(
    agent: StandIn, server: str
) -> None:
    says, url, argv = PRINTED[server]
    agent.make(says)
    tunnel = asyncio.run(asyncio.wait_for(opened(Ssh(server)), 10))
    assert (tunnel.url, tunnel.fresh) == (url, True)
    assert agent.argv[0].endswith(argv)
    assert "BatchMode=yes" in agent.argv[0]
    assert agent.is_gone()


@pytest.mark.parametrize(
    ("road", "hint"),
    [
        (Ssh(None), "SSH_TUNNEL"),
        (Ssh("me@host.example"), "SSH_TUNNEL_URL"),
        (Ssh("me@host.example", url="https://fixed.example"), "SSH_TUNNEL_PORT"),
    ],
)
def test_a_server_whose_address_is_not_known_is_not_tried(
    agent: StandIn, road: Ssh, hint: str
) -> None:
    agent.make("")
    missing: AsyncflowError | None = road.missing()
    assert missing is not None
    assert hint in (missing.hint or "")
