"""Tailscale's Funnel, played by a stand-in."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

import pytest

from asyncflow_cli.errors import AsyncflowError, NetworkError, PrerequisiteError
from asyncflow_cli.transport.roads.road import Tunnel
from asyncflow_cli.transport.roads.tailscale import Tailscale
from tests.fifos import what_is_told
from tests.transport.roads.standins import STAY, StandIn, stand_in

UP = '{"BackendState":"Running","Self":{"DNSName":"host.tail9f.ts.net."}}'
DOWN = '{"BackendState":"NeedsLogin"}'

WELL = """Available on the internet:

https://host.tail9f.ts.net/
|-- proxy http://127.0.0.1:8123

Press Ctrl+C to exit."""

TAKEN = "sending serve config: updating config: foreground listener already exists for port 443"


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return stand_in("tailscale", tmp_path, monkeypatch)


def status(answer: str) -> str:
    return f"[ \"$1\" = status ] && {{ echo '{answer}'; exit 0; }}"


async def opened() -> Tunnel:
    async with Tailscale().open(8123) as tunnel:
        return tunnel


def failure() -> AsyncflowError:
    with pytest.raises(AsyncflowError) as caught:
        asyncio.run(asyncio.wait_for(opened(), 10))
    return caught.value


def test_a_funnel_runs_in_the_foreground_and_ends_with_us(agent: StandIn) -> None:
    agent.make(WELL, before=status(UP))
    tunnel = asyncio.run(asyncio.wait_for(opened(), 10))
    assert tunnel.url == "wss://host.tail9f.ts.net"
    assert agent.argv == ["funnel --https=443 http://127.0.0.1:8123"]
    assert agent.is_gone()


def test_a_port_that_is_taken_is_passed_over(agent: StandIn) -> None:
    taken = f'case "$2" in *443) case "$2" in *=443) echo "{TAKEN}"; echo x; exit 1;; esac;; esac'
    agent.make(WELL.replace(".net/", ".net:8443/"), before=f"{status(UP)}\n{taken}")
    tunnel = asyncio.run(asyncio.wait_for(opened(), 10))
    assert tunnel.url == "wss://host.tail9f.ts.net:8443"
    assert agent.argv == ["funnel --https=8443 http://127.0.0.1:8123"]


def test_three_ports_that_are_taken_are_an_error(agent: StandIn) -> None:
    agent.make(TAKEN, "exit 1", before=status(UP))
    error = failure()
    assert isinstance(error, NetworkError)
    assert "tailscale funnel status" in (error.hint or "")
    assert len(agent.argv) == 3


@pytest.mark.parametrize("answer", [DOWN, "failed to connect to local tailscaled", "[]"])
def test_who_is_not_logged_in_is_told(agent: StandIn, answer: str) -> None:
    agent.make(WELL, before=status(answer))
    error = failure()
    assert isinstance(error, PrerequisiteError)
    assert (error.code, error.hint) == ("TUNNEL_MISSING", "Log in: tailscale up")


def test_a_daemon_that_is_silent_leaves_nothing_when_it_is_given_up(agent: StandIn) -> None:
    os.mkfifo(agent.folder / "ready")
    ready = f"echo > {agent.folder}/ready"
    agent.make("", STAY.replace("wait", f"{ready}; wait"))

    async def test() -> None:
        opening = asyncio.create_task(opened())
        await asyncio.to_thread(what_is_told, agent.folder / "ready")
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

    asyncio.run(test())
    gc.collect()  # an open end would be told here
    assert agent.is_gone()


def test_a_tailnet_without_funnel_is_told_where_to_enable_it(agent: StandIn) -> None:
    # It waits there for somebody to click.
    agent.make(
        "Funnel is not enabled on your tailnet.\nTo enable, visit:\n\n"
        "         https://login.tailscale.com/f/funnel?node=abc",
        before=status(UP),
    )
    error = failure()
    assert error.hint == "Enable it: https://login.tailscale.com/f/funnel?node=abc"
    assert agent.is_gone()


def test_who_may_not_is_told_how_to_be_allowed(agent: StandIn) -> None:
    agent.make("error: Access denied: serve config denied", "exit 1", before=status(UP))
    error = failure()
    assert "Access denied" in error.message
    assert error.hint == "Once: sudo tailscale set --operator=$USER"
