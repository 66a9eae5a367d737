"""A strict sandbox: what Twilio would only log is a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx
import msgspec

from asyncflow_cli.sandbox import account
from tests.conftest import FROM, TO, start
from tests.sandbox.far_ends import ended, make_call, sandbox

PAUSE = '<Response><Pause length="999"/></Response>'


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, timeout=20))


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


def served(home: Path, *arguments: str, twiml: str) -> tuple[int, str]:
    """Exit code and stderr of a sandbox that was stopped after a call was made in it."""
    with start(home, "sandbox", "serve", "--port", "0", "--speed", "20", *arguments) as process:
        assert process.stdout is not None
        url = msgspec.json.decode(process.stdout.readline())["url"]
        httpx.post(
            f"{url}/2010-04-01/Accounts/{account.ACCOUNT_SID}/Calls.json",
            data={"To": TO, "From": FROM, "Twiml": twiml},
            auth=(account.ACCOUNT_SID, account.AUTH_TOKEN),
            trust_env=False,
        ).raise_for_status()
        process.terminate()
        _, err = process.communicate(timeout=20)
    return process.returncode, err.decode()


def test_serve_exits_1_and_names_the_call_that_was_left_alive(home: Path) -> None:
    code, err = served(home, "--strict", twiml=PAUSE)
    assert code == 1
    assert "SANDBOX_LIVE_CALL" in err
    assert TO in err
    assert "Traceback" not in err


def test_serve_that_is_not_strict_is_stopped_as_ever(home: Path) -> None:
    assert served(home, twiml=PAUSE)[0] == 143
