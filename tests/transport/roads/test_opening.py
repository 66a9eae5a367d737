"""One road after the other, until one leads here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from asyncflow_cli.errors import AsyncflowError, NetworkError, PrerequisiteError
from asyncflow_cli.transport.probe import Probe
from asyncflow_cli.transport.roads.opening import Opened, open_first
from asyncflow_cli.transport.roads.road import Tunnel


def passing(message: str) -> AsyncflowError:
    error = NetworkError(message, hint="wait", code="TUNNEL_FAILED")
    error.passing = True
    return error


def lasting(message: str) -> AsyncflowError:
    return PrerequisiteError(message, hint="pay", code="ERR_NGROK_107")


class FakeRoad:
    """Opens as often as it is asked to, once its failures are used up."""

    def __init__(self, name: str, *failures: AsyncflowError, hangs: bool = False) -> None:
        self.name = name
        self.failures = list(failures)
        self.hangs = hangs
        self.tries = 0
        self.is_open = False
        self.tunnel = Tunnel(f"wss://{name}.example")

    def missing(self) -> AsyncflowError | None:
        return None

    @contextlib.asynccontextmanager
    async def open(self, _port: int, /) -> AsyncIterator[Tunnel]:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        self.is_open = True
        try:
            if self.hangs:
                await asyncio.Event().wait()
            yield self.tunnel
        finally:
            self.is_open = False


class FakeProbe:
    def __init__(self, **failures: AsyncflowError) -> None:
        self.failures = failures

    async def __call__(self, tunnel: Tunnel) -> Probe:
        name = tunnel.url.removeprefix("wss://").removesuffix(".example")
        if name in self.failures:
            raise self.failures[name]
        return Probe(2.0, 1.0)


class Ear:
    """What is told, and what is warned of."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.warned: list[str] = []


async def first(*roads: FakeRoad, ear: Ear | None = None, **options: Any) -> Opened:
    ear = ear or Ear()
    options = {"probe": FakeProbe(), "open_within": 5.0, **options}
    async with open_first(
        roads, 8123, tell=ear.told.append, warn=ear.warned.append, **options
    ) as opened:
        assert [road.is_open for road in roads] == [road is opened.road for road in roads]
    assert not any(road.is_open for road in roads)
    return opened


def test_the_first_that_works_is_kept_and_the_others_are_left_for_later() -> None:
    a, b, c = FakeRoad("a", lasting("no token")), FakeRoad("b"), FakeRoad("c")
    ear = Ear()
    opened = asyncio.run(first(a, b, c, ear=ear))
    assert (opened.road, opened.tunnel, opened.rest) == (b, b.tunnel, (c, b))
    assert ear.warned == ["a: no token"]
    assert ear.told == ["Reachable through b, 1 ms away"]
    assert (a.tries, b.tries, c.tries) == (1, 1, 0)


def test_fail_over_goes_on_with_what_is_left_and_comes_back() -> None:
    a, b = FakeRoad("a"), FakeRoad("b", lasting("gone"))

    async def test() -> None:
        opened = await first(a, b)
        again = await first(*opened.rest)  # type: ignore[arg-type]
        assert again.road is a

    asyncio.run(test())


def test_what_fails_in_passing_is_tried_twice_and_no_more() -> None:
    once, twice = FakeRoad("once", passing("blip")), FakeRoad("twice", passing("1"), passing("2"))
    opened = asyncio.run(first(twice, once))
    assert (twice.tries, once.tries, opened.road) == (2, 2, once)


def test_a_silent_road_is_given_up_and_closed() -> None:
    silent, good = FakeRoad("silent", hangs=True), FakeRoad("good")
    ear = Ear()
    opened = asyncio.run(first(silent, good, ear=ear, open_within=0.05))
    assert (opened.road, silent.tries) == (good, 1)
    assert ear.warned == ["silent: silent opened no tunnel within 0.05 s"]


def test_a_road_that_leads_elsewhere_is_not_taken() -> None:
    wrong, good = FakeRoad("wrong"), FakeRoad("good")
    opened = asyncio.run(first(wrong, good, probe=FakeProbe(wrong=lasting("a web page"))))
    assert opened.road is good


def test_a_tunnel_that_dies_while_it_is_probed_is_not_waited_for() -> None:
    dying = FakeRoad("dying")

    async def probe(tunnel: Tunnel) -> Probe:
        tunnel.lost.tell("its agent ended")
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(NetworkError, match="its agent ended") as caught:
        asyncio.run(asyncio.wait_for(first(dying, probe=probe), 10))
    assert (caught.value.code, dying.tries) == ("TUNNEL_LOST", 2)


def test_if_all_fail_each_is_named_with_its_reason() -> None:
    with pytest.raises(PrerequisiteError) as caught:
        asyncio.run(first(FakeRoad("a", lasting("no token")), FakeRoad("b", *[passing("x")] * 2)))
    error = caught.value
    assert error.code == "NO_ROAD"
    assert "  a: no token [ERR_NGROK_107]\n    pay\n  b: x [TUNNEL_FAILED]" in error.message
    assert error.details is not None
    assert [road["road"] for road in error.details["roads"]] == ["a", "b"]


def test_the_failure_of_a_single_road_is_raised_as_it_is() -> None:
    with pytest.raises(PrerequisiteError, match=r"^no token$"):
        asyncio.run(first(FakeRoad("a", lasting("no token"))))


def test_what_breaks_in_the_block_closes_the_tunnel_and_is_no_reason_for_another() -> None:
    a, b = FakeRoad("a"), FakeRoad("b")

    async def test() -> None:
        options: Any = {"tell": print, "warn": print, "probe": FakeProbe()}
        async with open_first([a, b], 8123, **options):
            raise passing("the call failed")

    with pytest.raises(NetworkError, match="the call failed"):
        asyncio.run(test())
    assert (a.is_open, b.tries) == (False, 0)


@pytest.mark.parametrize("hangs", [True, False])
def test_cancelling_leaves_nothing_open(hangs: bool) -> None:
    road = FakeRoad("road", hangs=hangs)

    async def test() -> None:
        async def probe(_: Tunnel) -> Probe:
            await asyncio.Event().wait()
            raise AssertionError

        opening = asyncio.create_task(first(road, probe=probe))
        async with asyncio.timeout(5):
            while not road.is_open:  # noqa: ASYNC110
                await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert not road.is_open

    asyncio.run(test())
