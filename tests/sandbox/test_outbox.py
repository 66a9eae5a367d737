"""Callbacks on their way out, and what becomes of them when nobody waits for them any longer."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from asyncflow_cli.sandbox.clock import Clock
from asyncflow_cli.sandbox.faults import Faults
from asyncflow_cli.sandbox.outbox import Outbox
from asyncflow_cli.sandbox.signature import BY_TOKEN
from asyncflow_cli.sandbox.webhook import WebClient, WebTerms
from tests.sandbox.far_ends import run


def test_callbacks_that_are_given_up_are_all_given_up() -> None:
    async def test() -> None:
        late = Faults(["callback:late 60s"])
        web = WebClient(WebTerms(ssl.create_default_context(), BY_TOKEN, late, Clock(1.0)))
        outbox = Outbox(web, on_failure=lambda text, _url: pytest.fail(text))
        before = asyncio.all_tasks()
        for number in range(3):
            outbox.post("POST", f"http://127.0.0.1:9/{number}", {})
        draining = asyncio.create_task(outbox.drain())
        await asyncio.sleep(0)
        draining.cancel()
        await asyncio.wait([draining])
        await web.close()
        assert asyncio.all_tasks() == before

    run(test())
