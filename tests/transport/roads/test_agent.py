"""What every program that holds a tunnel does sooner or later, with cloudflared as the example."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from asyncflow_cli.errors import NetworkError, PrerequisiteError
from asyncflow_cli.transport.roads.cloudflared import Cloudflared
from asyncflow_cli.transport.roads.process import Running, identify, kill_if_ours
from asyncflow_cli.transport.roads.road import Tunnel
from tests.fifos import what_is_told
from tests.transport.roads.standins import STAY, StandIn, stand_in

BOX = """2026-11-26T10:00:00Z INF Requesting new quick Tunnel on trycloudflare.com...
2026-11-26T10:00:00Z INF | https://www.cloudflare.com/website-terms/ |
2026-11-26T10:00:01Z INF |  https://tidy-otter-mango.trycloudflare.com          |"""

CONNECTED = "2026-11-26T10:00:02Z INF Registered tunnel connection connIndex=0 protocol=quic"

WELL = f"{BOX}\n{CONNECTED}"


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return stand_in("cloudflared", tmp_path, monkeypatch)


async def opened() -> Tunnel:
    async with Cloudflared().open(8123) as tunnel:
        return tunnel


def test_the_address_is_read_from_what_the_agent_says(agent: StandIn) -> None:
    agent.make(WELL)

    async def test() -> None:
        async with Cloudflared().open(8123) as tunnel:
            assert tunnel.url == "wss://tidy-otter-mango.trycloudflare.com"
            assert (tunnel.pid, tunnel.lost.reason) == (agent.pid, None)
            assert os.getsid(agent.pid) == agent.pid
        assert agent.is_gone()

    asyncio.run(test())
    (argv,) = agent.argv
    assert argv.endswith("--no-autoupdate --url http://127.0.0.1:8123")


@pytest.mark.parametrize(
    ("says", "why", "hint", "passing"),
    [
        (
            'failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": '
            "dial tcp: lookup api.trycloudflare.com: no such host",
            "failed to request quick Tunnel",
            "no DNS",
            False,
        ),
        ("t ERR status_code=429 Too Many Requests\nbye", "ERR status_code=429", "wait", False),
        ("Segmentation fault", "Segmentation fault", None, True),
        ("", "ended with status 1", None, True),
    ],
)
def test_an_agent_that_gives_up_is_told_in_its_own_words(
    agent: StandIn, says: str, why: str, hint: str | None, passing: bool
) -> None:
    agent.make(says, "exit 1")
    with pytest.raises(NetworkError) as caught:
        asyncio.run(asyncio.wait_for(opened(), 10))
    error = caught.value
    assert (error.code, error.passing) == ("TUNNEL_FAILED", passing)
    assert why in error.message
    assert (hint or "") in (error.hint or "")


@pytest.mark.parametrize("says", ["", "x" * 100_000, "\\033[2J\x01\x7f \\377"])
def test_an_agent_that_is_silent_or_raves_is_ended_when_it_is_given_up(
    agent: StandIn, says: str
) -> None:
    os.mkfifo(agent.folder / "ready")
    agent.make(says, f"echo > {agent.folder}/ready; {STAY}")

    async def test() -> None:
        opening = asyncio.create_task(opened())
        await asyncio.to_thread(what_is_told, agent.folder / "ready")
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(opening, 10)
        assert agent.is_gone()

    asyncio.run(test())


def test_an_agent_that_does_not_hear_is_killed(
    agent: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncflow_cli.transport.roads.agent.END_WITHIN", 0.2)
    agent.make(WELL, "while :; do sleep 600; done", before="trap '' TERM")
    asyncio.run(asyncio.wait_for(opened(), 10))
    assert agent.is_gone()


def test_a_flood_of_words_stops_no_agent(agent: StandIn) -> None:
    os.mkfifo(agent.folder / "done")
    agent.make(WELL, f"yes no | head -n 200000; echo > {agent.folder}/done; {STAY}")

    async def test() -> None:
        async with Cloudflared().open(8123) as tunnel:
            await asyncio.to_thread(what_is_told, agent.folder / "done")
            assert tunnel.lost.reason is None

    asyncio.run(test())


def test_a_dead_agent_is_a_lost_tunnel(agent: StandIn) -> None:
    agent.make(WELL)

    async def test() -> None:
        async with Cloudflared().open(8123) as tunnel:
            os.killpg(agent.pid, 9)
            reason = await asyncio.wait_for(tunnel.lost.wait(), 10)
            assert reason == "cloudflared ended with status -9"
        assert agent.is_gone()

    asyncio.run(test())


def test_an_agent_that_says_it_lost_its_session_is_a_lost_tunnel(agent: StandIn) -> None:
    # What was said while it was still on its way is no loss.
    agent.speaks_later(f"{BOX}\nWRN Lost connection with the edge, another is tried\n{CONNECTED}")

    async def test() -> None:
        async with Cloudflared().open(8123) as tunnel:
            assert tunnel.lost.reason is None
            await asyncio.to_thread(agent.say, "INF Lost connection with the edge connIndex=0")
            assert "Lost connection" in await asyncio.wait_for(tunnel.lost.wait(), 10)

    asyncio.run(test())


def test_an_agent_that_is_not_there_is_no_crash(agent: StandIn) -> None:
    assert not list(agent.folder.iterdir())
    with pytest.raises(PrerequisiteError) as caught:
        asyncio.run(opened())
    assert caught.value.code == "TUNNEL_MISSING"


def test_what_a_crash_left_behind_is_ended_and_nothing_else(agent: StandIn) -> None:
    agent.make(WELL)

    async def test() -> None:
        async with Cloudflared().open(8123) as tunnel:
            left = tunnel.agent
            assert left is not None
            assert not kill_if_ours(Running(left.pid, "1"))
            assert not kill_if_ours(Running(left.pid, ""))
            assert tunnel.lost.reason is None
            assert kill_if_ours(left)
            await asyncio.wait_for(tunnel.lost.wait(), 10)
            assert not kill_if_ours(left)

    asyncio.run(test())


def test_a_process_that_has_ended_is_nobody() -> None:
    async def test() -> None:
        process = await asyncio.create_subprocess_exec("/bin/sh", "-c", "exit 0")
        await process.wait()
        assert identify(process.pid) is None

    asyncio.run(test())
    me = identify(os.getpid())
    assert me is not None
    assert me == identify(os.getpid())
    with contextlib.suppress(ProcessLookupError):
        assert identify(1) != me
