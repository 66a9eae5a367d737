"""Twilio's REST API as clients that others wrote use it: what they put into the query."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from asyncflow_cli.sandbox import account
from asyncflow_cli.sandbox.server import Sandbox

CALLS = f"/2010-04-01/Accounts/{account.ACCOUNT_SID}/Calls.json"
ORDER = {"To": "+15551230001", "From": account.INBOUND_NUMBER, "Twiml": "<Response/>"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"StartTime": "{day}"}, 1),
        ({"StartTime": "{day}T00:00:00Z"}, 1),
        ({"StartTime": "2001-01-01T00:00:00Z"}, 0),
        ({"StartTime>": "{day}T00:00:00Z"}, 1),
        ({"StartTime<": "2001-01-01T00:00:00Z"}, 0),
    ],
)
def test_a_day_may_be_written_as_its_midnight(query: dict[str, str], found: int) -> None:
    async def test() -> None:
        auth = (account.ACCOUNT_SID, account.AUTH_TOKEN)
        async with (
            Sandbox(speed=40) as sandbox,
            httpx.AsyncClient(base_url=sandbox.url, auth=auth) as web,
        ):
            made = await web.post(CALLS, data=ORDER)
            day = sandbox.carrier.clock.date().date().isoformat()
            assert made.status_code == 201
            asked = {name: value.format(day=day) for name, value in query.items()}
            answer: dict[str, Any] = (await web.get(CALLS, params=asked)).json()
            assert len(answer["calls"]) == found

    asyncio.run(asyncio.wait_for(test(), timeout=20))
