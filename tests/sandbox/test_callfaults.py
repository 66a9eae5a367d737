"""The request that makes a call, when its answer is lost, late or wrong; and a clock that is."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from asyncflow_cli.sandbox.account import ACCOUNT_SID, AUTH_TOKEN
from asyncflow_cli.sandbox.server import Sandbox
from tests.sandbox.far_ends import (
    FROM,
    TO,
    client,
    ended,
    in_thread,
    make_call,
    run,
    sandbox,
    web_server,
)

CALLS = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json"
PAUSE = '<Response><Pause length="600"/></Response>'
FORM = {"To": TO, "From": FROM, "Twiml": PAUSE}


@contextlib.asynccontextmanager
async def http(*faults: str) -> AsyncIterator[tuple[Sandbox, httpx.AsyncClient]]:
    async with (
        sandbox(faults=faults) as running,
        httpx.AsyncClient(
            base_url=running.url, auth=(ACCOUNT_SID, AUTH_TOKEN), trust_env=False, timeout=20
        ) as made,
    ):
        yield running, made


async def found(running: Sandbox) -> list[Any]:
    return await in_thread(lambda: client(running).calls.list())


def test_the_answer_is_lost_and_the_call_is_made() -> None:
    async def test() -> None:
        async with http("call:lost-answer x1") as (running, web):
            with pytest.raises(httpx.RemoteProtocolError):
                await web.post(CALLS, data=FORM)
            (lost,) = await found(running)
            assert (lost.to, lost.sid) == (TO, running.live_calls[0].sid)
            assert (await web.post(CALLS, data=FORM)).status_code == 201

    run(test())


def test_the_answer_is_slow_and_the_call_rings_meanwhile() -> None:
    async def test() -> None:
        async with http("call:slow-answer 300ms x1") as (running, web):
            with pytest.raises(httpx.ReadTimeout):
                await web.post(CALLS, data=FORM, timeout=httpx.Timeout(20, read=0.1))
            assert len(await found(running)) == 1

    run(test())


def test_a_slow_answer_comes_all_the_same() -> None:
    async def test() -> None:
        async with http("call:slow-answer 50ms") as (_, web):
            assert (await web.post(CALLS, data=FORM)).json()["to"] == TO

    run(test())


@pytest.mark.parametrize(("status", "code"), [(503, 20503), (500, 20500)])
def test_a_failure_is_answered_after_the_call_was_made(status: int, code: int) -> None:
    async def test() -> None:
        async with http(f"call:{status}-after x1") as (running, _):
            with pytest.raises(TwilioRestException) as error:
                await make_call(running, twiml=PAUSE)
            assert (error.value.status, error.value.code) == (status, code)
            assert len(await found(running)) == 1

    run(test())


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 20001), (401, 20003), (403, 20006), (429, 20429), (500, 20500), (503, 20503)],
)
@pytest.mark.parametrize("where", ["call", f"POST {CALLS}", "/2010-04-01/*"])
def test_a_refusal_has_twilios_body_and_no_call_is_made(where: str, status: int, code: int) -> None:
    async def test() -> None:
        async with http(f"{where}:{status} x1") as (running, web):
            answered = await web.post(CALLS, data=FORM)
            body = answered.json()
            assert (answered.status_code, body["status"], body["code"]) == (status, status, code)
            assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
            assert set(body) == {"code", "message", "more_info", "status"}
            assert await found(running) == []

    run(test())


def test_what_stands_before_twilio_has_a_page_of_its_own() -> None:
    async def test() -> None:
        async with http("call:502") as (_, web):
            answered = await web.post(CALLS, data=FORM)
            assert (answered.status_code, answered.headers["content-type"]) == (
                502,
                "text/html; charset=utf-8",
            )

    run(test())


def test_any_other_answer_may_be_lost_too() -> None:
    async def test() -> None:
        fault = "POST /2010-04-01/Accounts/{sid}/Calls/{call}.json:lost-answer x1"
        async with http(fault) as (running, web):
            sid = (await web.post(CALLS, data=FORM)).json()["sid"]
            with pytest.raises(httpx.RemoteProtocolError):
                await web.post(CALLS.replace(".json", f"/{sid}.json"), data={"Status": "completed"})
            assert (await ended(running, sid)).status in ("canceled", "completed")

    run(test())


@pytest.mark.parametrize(("fault", "off"), [("-300s", -300), ("300s", 300), ("0s", 0)])
def test_the_clock_is_wrong_everywhere(fault: str, off: int) -> None:
    async def test() -> None:
        async with http(f"call:skewed-clock {fault} x1") as (running, _), web_server() as web:
            before = running.carrier.clock.date() - timedelta(seconds=1)  # none is written
            made = await make_call(
                running, to="+15551230486", twiml=PAUSE, status_callback=f"{web.url}/status"
            )
            resource = await ended(running, made.sid)
            after = running.carrier.clock.date()
            written = [parsedate_to_datetime(web.hits[0].form["Timestamp"]), resource.date_created]
            for date in written:
                assert before <= date - timedelta(seconds=off) <= after

    run(test())
