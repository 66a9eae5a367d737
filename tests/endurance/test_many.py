"""Many calls at once in one process: of fifty, too, every last word is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from asyncflow_cli.protocol.callresult import CallReport
from tests.conftest import start
from tests.endurance.calls import switchboard

TEXT = "Guest {} is expected. The table is by the window. Goodbye."


@pytest.fixture
def environment(home: Path) -> Iterator[dict[str, str]]:
    """Of a sandbox in a process of its own, which has the other core."""
    with start(home, "sandbox", "serve", "--port", "0", "--speed", "4") as process:
        assert process.stdout is not None
        yield msgspec.json.decode(process.stdout.readline())["environment"]
        process.terminate()
        process.communicate(timeout=20)


def seen_by_twilio(environment: dict[str, str]) -> dict[str, Any]:
    url = f"{environment['TWILIO_BASE_URL']}/__sandbox/calls"
    calls = httpx.get(url, trust_env=False).json()["calls"]
    return {call["sid"]: call for call in calls}


# Fifty have the whole machine busy for some seconds, which others in the suite would feel.
@pytest.mark.parametrize("count", [10, pytest.param(50, marks=pytest.mark.soak)])
def test_calls_at_once_are_all_heard_to_the_last_word(
    environment: dict[str, str], home: Path, count: int
) -> None:
    async def together() -> list[CallReport]:
        async with switchboard(environment, home, at_once=count) as board:
            calls = (board.call(TEXT.format(guest)) for guest in range(count))
            reports = await asyncio.gather(*calls)
            assert board.warnings == []
            return reports

    reports = asyncio.run(together())
    calls = seen_by_twilio(environment)
    assert len(calls) == count
    for report in reports:
        assert report.last_word_heard
        assert report.seconds_heard == report.seconds_sent > 2
        call = calls.pop(report.call_sid)
        assert call["status"] == "completed"
        end = call["report"]["marks"][-1]
        assert (end["name"], end["cleared"]) == ("g0-end", False)
        assert end["position"] >= report.seconds_sent
