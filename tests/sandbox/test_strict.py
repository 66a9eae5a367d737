"""A strict sandbox: what Twilio would only log is a failure."""

from __future__ import annotations

import httpx
import msgspec

from tests.sandbox.far_ends import TO, ended, make_call, run, sandbox

PAUSE = '<Response><Pause length="999"/></Response>'


def test_every_notification_is_a_failure_until_a_reset() -> None:
    async def test() -> None:
        async with (
            sandbox(strict=True) as running,
            httpx.AsyncClient(base_url=running.url) as web,
        ):
            good = await make_call(running, twiml="<Response/>")
            await ended(running, good.sid)
            assert running.failures == []
            bad = await make_call(running, twiml="<Response><say/></Response>")
            await ended(running, bad.sid)
            (failure,) = running.failures
            assert (failure.call_sid, failure.code) == (bad.sid, "12200")
            listed = (await web.get("/__sandbox/failures")).json()
            assert listed == {"strict": True, "failures": [msgspec.to_builtins(failure)]}
            await web.post("/__sandbox/reset")
            assert running.failures == []

    run(test())


def test_a_call_that_is_left_alive_is_one_too() -> None:
    async def test() -> None:
        async with sandbox(strict=True) as running:
            call = await make_call(running, twiml=PAUSE)
        (failure,) = running.failures
        assert (failure.call_sid, failure.code) == (call.sid, "SANDBOX_LIVE_CALL")
        assert TO in failure.text

    run(test())


def test_a_sandbox_that_is_not_strict_counts_nothing() -> None:
    async def test() -> None:
        async with sandbox() as running:
            await make_call(running, twiml="<Response><say/></Response>")
        assert running.failures == []

    run(test())
