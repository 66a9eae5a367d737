"""How the account stands, and what that does to its calls."""

from __future__ import annotations

import socket

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from asyncflow_cli.errors import RemoteProtocolError, UsageError
from asyncflow_cli.sandbox.account import ACCOUNT_SID, read_account
from asyncflow_cli.sandbox.clock import Clock
from asyncflow_cli.sandbox.faults import Faults
from asyncflow_cli.sandbox.server import Sandbox
from asyncflow_cli.sandbox.signature import BY_TOKEN
from asyncflow_cli.sandbox.webhook import WebClient, WebTerms
from tests.sandbox.far_ends import (
    FROM,
    TO,
    client,
    ended,
    in_thread,
    make_call,
    media_server,
    run,
    sandbox,
    say_nothing,
)

SHORT = "<Response/>"
ENGLISH = "+442071838750"


@pytest.mark.parametrize(
    ("knobs", "order", "code"),
    [
        (["suspended"], {}, 10001),
        (["closed"], {}, 10001),
        (["balance=0.00"], {}, 10001),
        (["no-geo:+44"], {"to": ENGLISH}, 21215),
        (["premium:+1900"], {"to": "+19005550000"}, 21202),
        (["block:" + TO], {}, 21216),
        (["trial"], {"to": "+15551230002"}, 21219),
        (["trial", "verified:" + ENGLISH], {}, 21219),
        (["strict-from"], {"from_": "+15550000000"}, 21210),
        (["strict-from"], {"caller_id": "+15550000000"}, 21210),
    ],
)
def test_what_the_account_may_not_do_has_twilios_code(
    knobs: list[str], order: dict[str, str], code: int
) -> None:
    async def test() -> None:
        async with sandbox(account=knobs) as running:
            with pytest.raises(TwilioRestException) as caught:
                await make_call(running, twiml=SHORT, **order)
            assert (caught.value.status, caught.value.code) == (400, code)

    run(test())


@pytest.mark.parametrize(
    ("knobs", "order"),
    [
        (["no-geo:+44", "block:" + ENGLISH, "premium:+1900"], {}),
        (["trial"], {}),
        (["trial", "verified:" + ENGLISH], {"to": ENGLISH}),
        (["strict-from", "verified:" + ENGLISH], {"from_": ENGLISH, "caller_id": FROM}),
        (["balance=0.01"], {}),
    ],
)
def test_what_it_may_do_is_done(knobs: list[str], order: dict[str, str]) -> None:
    async def test() -> None:
        async with sandbox(account=knobs) as running:
            call = await make_call(running, twiml=SHORT, **order)
            assert (await ended(running, call.sid)).status == "completed"

    run(test())


def test_the_resources_agree_with_the_knobs() -> None:
    async def test() -> None:
        knobs = ["trial", "verified:" + ENGLISH, "balance=-1.50"]
        async with sandbox(account=knobs) as running:
            twilio = client(running)
            api = twilio.api.v2010.accounts(ACCOUNT_SID)
            fetched = await in_thread(api.fetch)
            assert (fetched.type, fetched.status) == ("Trial", "suspended")
            assert (await in_thread(api.balance.fetch)).balance == "-1.50"
            (verified,) = await in_thread(lambda: twilio.outgoing_caller_ids.list())
            assert verified.phone_number == ENGLISH
            again = await in_thread(lambda: twilio.outgoing_caller_ids(verified.sid).fetch())
            assert again.phone_number == ENGLISH
            (own,) = await in_thread(lambda: twilio.incoming_phone_numbers.list())
            found = await in_thread(lambda: twilio.incoming_phone_numbers(own.sid).fetch())
            assert found.phone_number == FROM
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(lambda: twilio.incoming_phone_numbers(verified.sid).fetch())
            assert caught.value.code == 20404

    run(test())


def test_on_trial_a_stream_is_replaced_by_a_sentence() -> None:
    async def test() -> None:
        spoken: list[str] = []

        async def say(text: str, _language: str | None) -> bytes:
            spoken.append(text)
            return b"\x11" * 800

        async with (
            sandbox(account=["trial"], say=say) as running,
            media_server(say_nothing) as server,
        ):
            twiml = server.twiml().replace("</Response>", "<Dial>+1555</Dial></Response>")
            call = await make_call(running, twiml=twiml)
            await ended(running, call.sid)
            assert spoken == [
                "The Stream verb is not available on trial accounts.",
                "The Dial verb is not available on trial accounts.",
            ]
            assert server.conversations == []
            found = running.store.notifications(call.sid)
            assert [(notice.error_code, notice.log) for notice in found] == [("10002", "0")] * 2

    run(test())


def test_on_trial_a_call_ends_after_ten_minutes() -> None:
    async def test() -> None:
        async with sandbox(account=["trial"], speed=600) as running:
            call = await make_call(running, twiml='<Response><Pause length="99999"/></Response>')
            found = await ended(running, call.sid)
            assert 600 <= int(found.duration) < 14400
            assert running.store.notifications(call.sid)[0].error_code == "13805"

    run(test())


def test_on_trial_a_web_server_has_less_time() -> None:
    async def test() -> None:
        silent = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert read_account(["trial"]).web_budget == 5 < read_account([]).web_budget
        tls = httpx.create_ssl_context()
        web = WebClient(WebTerms(tls, BY_TOKEN, Faults(), Clock(1.0), budget=0.05))
        with silent, pytest.raises(RemoteProtocolError) as caught:
            await web.request("POST", url, {})
        assert caught.value.code == "11200"
        await web.close()

    run(test())


def test_more_calls_at_once_than_allowed_are_refused_until_one_has_ended() -> None:
    async def test() -> None:
        callees = {"*": "no answer"}
        async with sandbox(account=["concurrency=1"], callees=callees) as running:
            call = await make_call(running, twiml=SHORT, timeout=600)
            with pytest.raises(TwilioRestException) as caught:
                await make_call(running, twiml=SHORT)
            assert caught.value.code == 10004
            await in_thread(lambda: client(running).calls(call.sid).update(status="canceled"))
            await ended(running, call.sid)
            await make_call(running, twiml=SHORT)

    run(test())


def test_calls_beyond_the_rate_are_queued_for_longer_and_longer_and_can_be_canceled() -> None:
    async def test() -> None:
        async with sandbox(account=["cps=0.001"]) as running:
            calls = [await make_call(running, twiml=SHORT) for _ in range(3)]
            waits = [int(call.queue_time) for call in calls]
            assert waits[0] == 0
            assert 0 < waits[1] < waits[2] <= 2_000_000
            third = client(running).calls(calls[2].sid)
            assert (await in_thread(third.fetch)).status == "queued"
            await in_thread(lambda: third.update(status="canceled"))
            assert (await ended(running, calls[2].sid)).status == "canceled"

    run(test())


def test_a_call_leaves_the_queue_when_it_is_its_turn() -> None:
    async def test() -> None:
        async with sandbox(account=["cps=0.05"]) as running:
            await make_call(running, twiml=SHORT)
            call = await make_call(running, twiml=SHORT)
            second = await ended(running, call.sid)
            assert second.status == "completed"
            waited = (second.start_time - second.date_created).total_seconds()
            assert waited > int(call.queue_time) / 1000 - 1

    run(test())


def test_knobs_can_be_turned_while_the_sandbox_runs() -> None:
    async def test() -> None:
        async with sandbox() as running, httpx.AsyncClient(base_url=running.url) as web:
            path = "/__sandbox/account"
            turned = await web.post(path, json={"knobs": ["balance=0"]})
            assert turned.json() == {"knobs": ["balance=0"], "status": "suspended"}
            assert (await web.get(path)).json() == turned.json()
            for bad in (b'{"knobs": ["rich"]}', b"[]", b"\xff"):
                assert (await web.post(path, content=bad)).status_code == 422
            assert (await web.delete(path)).status_code == 204
            assert (await web.get(path)).json() == {"knobs": [], "status": "active"}

    run(test())


@pytest.mark.parametrize("knob", ["rich", "no-geo:44", "cps=0", "concurrency=0", "balance=much"])
def test_a_knob_that_is_none_is_named_at_once(knob: str) -> None:
    with pytest.raises(UsageError, match=knob):
        read_account([knob])
    with pytest.raises(UsageError, match=knob):
        Sandbox(account=[knob])
