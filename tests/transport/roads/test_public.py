"""Addresses that need no tunnel."""

from __future__ import annotations

import asyncio

import pytest

from asyncflow_cli.errors import UsageError
from asyncflow_cli.transport.roads.public import Loopback, Public, websocket_address
from asyncflow_cli.transport.roads.road import Road, Tunnel


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("wss://host.example", "wss://host.example"),
        ("https://host.example/", "wss://host.example"),
        (" https://host.example:8443/a/b/ ", "wss://host.example:8443/a/b"),
        ("HTTPS://Host.Example/A", "wss://host.example/A"),
        ("wss://User:Pw@Host.example", "wss://User:Pw@host.example"),
        ("ws://127.0.0.1:80", "ws://127.0.0.1:80"),
        ("http://localhost:8000", "ws://localhost:8000"),
        ("http://[::1]:8000", "ws://[::1]:8000"),
    ],
)
def test_a_public_address_becomes_what_twilio_takes(given: str, expected: str) -> None:
    assert websocket_address(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "",
        "host.example",
        "ftp://host.example",
        "wss://",
        "wss:///path",
        "wss://host.example/?a=1",
        "wss://host.example/#a",
        "ws://host.example",
        "http://host.example",
        "wss://[::1",
        "wss://host.example:99999",
        "wss://host.example:0",
        "wss://host.example:eighty",
    ],
)
def test_an_address_that_twilio_would_not_take_is_refused(given: str) -> None:
    with pytest.raises(UsageError) as caught:
        websocket_address(given)
    assert caught.value.hint


async def tunnel(road: Road) -> Tunnel:
    async with road.open(8123) as tunnel:
        return tunnel


def test_an_address_of_your_own_and_this_machine_have_no_agent() -> None:
    for road, url in (
        (Public("https://host.example"), "wss://host.example"),
        (Loopback(), "ws://127.0.0.1:8123"),
    ):
        found = asyncio.run(tunnel(road))
        assert road.missing() is None
        assert (found.url, found.pid, found.lost.reason) == (url, None, None)


def test_no_address_leads_nowhere() -> None:
    missing = Public(None).missing()
    assert missing is not None
    assert "--public-url" in (missing.hint or "")
