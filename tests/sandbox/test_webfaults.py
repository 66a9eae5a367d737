"""Each fault of a status callback and of a TwiML document, as a customer's web server sees it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from twilio.request_validator import RequestValidator, get_signature_algorithm

from asyncflow_cli.sandbox.account import AUTH_TOKEN, SHARED_KEY_ID, SHARED_KEY_SECRET
from asyncflow_cli.sandbox.server import Sandbox
from tests.sandbox.far_ends import (
    WebHit,
    WebServer,
    codes,
    ended,
    make_call,
    media_server,
    run,
    sandbox,
    speaker,
    until,
    web_server,
    xml,
)

BUSY = "+15551230486"
EVENTS = ["initiated", "ringing", "answered", "completed"]


@contextlib.asynccontextmanager
async def callbacks(*faults: str) -> AsyncIterator[tuple[Sandbox, WebServer, Any]]:
    """A call that is busy, and over: it has three callbacks, 0, 1 and 2."""
    async with sandbox(faults=faults) as running, web_server() as web:
        to = {"status_callback": f"{web.url}/status", "status_callback_event": EVENTS}
        made = await make_call(running, to=BUSY, twiml="<Response/>", **to)
        yield running, web, await ended(running, made.sid)


@contextlib.asynccontextmanager
async def document(*faults: str, **fields: Any) -> AsyncIterator[tuple[Sandbox, WebServer, Any]]:
    """A call whose document, and its fallback, hang up; and which is over."""
    async with sandbox(faults=faults) as running, web_server() as web:
        hang_up = xml("<Response><Hangup/></Response>")
        web.pages = {"/voice": hang_up, "/fallback": hang_up}
        urls = {name: f"{web.url}/{path}" for name, path in fields.items()}
        made = await make_call(running, url=f"{web.url}/voice", **urls)
        yield running, web, await ended(running, made.sid)


def numbers(web: WebServer) -> list[str]:
    return [form["SequenceNumber"] for form in web.forms("/status")]


def signed_by(hit: WebHit, secret: str) -> bool:
    """What twilio-python says of it."""
    settings = hit.headers.get("x-twilio-webhooks-signature-settings", "")
    algorithm = get_signature_algorithm(settings)
    validator = RequestValidator(secret)
    return bool(validator.validate(hit.url, hit.form, hit.signature, algorithm))


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("callback:drop x1", ["1", "2"]),
        ("callback:drop", []),
        ("callback:duplicate x1", ["0", "0", "1", "2"]),
        ("callback:reorder x1", ["1", "0", "2"]),
        ("callback:reorder x2", ["2", "0", "1"]),
        ("callback:reorder", ["0", "1", "2"]),
        ("callback:late 1s", ["0", "1", "2"]),
    ],
)
def test_which_callbacks_come_and_in_which_order(fault: str, seen: list[str]) -> None:
    async def test() -> None:
        async with callbacks(fault) as (running, web, made):
            assert numbers(web) == seen
            assert made.status == "busy"
            assert codes(running, made.sid) == []

    run(test())


def test_a_duplicate_has_the_token_of_the_first() -> None:
    async def test() -> None:
        async with callbacks("callback:duplicate x1") as (_, web, _made):
            tokens = [hit.headers["i-twilio-idempotency-token"] for hit in web.hits]
            assert tokens[0] == tokens[1]
            assert len(set(tokens)) == 3

    run(test())


def test_callbacks_are_late_when_the_call_has_ended_long_ago() -> None:
    async def test() -> None:
        async with sandbox(faults=["callback:late 20s x1"]) as running, web_server() as web:
            to = {"status_callback": f"{web.url}/status", "status_callback_event": EVENTS}
            making = asyncio.create_task(make_call(running, to=BUSY, twiml="<Response/>", **to))
            await until(lambda: running.live_calls)
            await running.live_calls[0].ended.wait()
            assert web.hits == []
            made = await making
            await ended(running, made.sid)
            assert numbers(web) == ["0", "1", "2"]

    run(test())


@pytest.mark.parametrize("fault", ["503", "timeout", "refused", "tls", "unreachable"])
def test_a_callback_that_fails_is_15003(fault: str) -> None:
    async def test() -> None:
        async with callbacks(f"callback:{fault} x1") as (running, web, made):
            assert numbers(web) == ["1", "2"]
            assert codes(running, made.sid) == ["15003"]

    run(test())


@pytest.mark.parametrize(
    ("fault", "secret", "valid"),
    [
        ("late 0s", AUTH_TOKEN, True),
        ("wrong-signature", AUTH_TOKEN, False),
        ("no-signature", AUTH_TOKEN, False),
        ("shared-key", AUTH_TOKEN, False),
        ("shared-key", SHARED_KEY_SECRET, True),
    ],
)
def test_who_signed(fault: str, secret: str, valid: bool) -> None:
    async def test() -> None:
        async with callbacks(f"callback:{fault}") as (_, web, _made):
            assert [signed_by(hit, secret) for hit in web.hits] == [valid] * 3
        async with document(f"twiml:{fault}") as (_, web, _made):
            assert [signed_by(hit, secret) for hit in web.hits] == [valid]
            assert ("x-twilio-signature" in web.hits[0].headers) is (fault != "no-signature")

    run(test())


def test_a_sandbox_may_sign_everything_with_a_shared_key() -> None:
    async def test() -> None:
        servers, talk = speaker()
        async with (
            sandbox(signing="shared-key") as running,
            web_server() as web,
            media_server(talk) as server,
        ):
            servers.append(server)
            web.pages = {"/voice": xml(server.twiml())}
            made = await make_call(
                running, url=f"{web.url}/voice?a=1", status_callback=f"{web.url}/status"
            )
            await ended(running, made.sid)
            assert [hit.url for hit in web.hits] == [f"{web.url}/voice?a=1", f"{web.url}/status"]
            assert all(signed_by(hit, SHARED_KEY_SECRET) for hit in web.hits)
            headers = server.conversations[0].headers
            assert headers["X-Twilio-Webhooks-Signature-Settings"] == (
                f"key={SHARED_KEY_ID},algorithm=HMAC_SHA256"
            )
            hit = WebHit("GET", f"{server.url}/media", {}, headers["X-Twilio-Signature"])
            validator = RequestValidator(SHARED_KEY_SECRET)
            assert validator.validate(hit.url, {}, hit.signature, "HMAC_SHA256")

    run(test())


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("404", "11200"),
        ("timeout", "11200"),
        ("refused", "11205"),
        ("tls", "11220"),
        ("unreachable", "11210"),
    ],
)
def test_a_document_is_not_to_be_had_and_its_fallback_is(fault: str, code: str) -> None:
    async def test() -> None:
        faulty = document(f"twiml:{fault} x1", fallback_url="fallback")
        async with faulty as (running, web, made):
            assert [hit.url for hit in web.hits] == [f"{web.url}/fallback"]
            assert web.hits[0].form["ErrorCode"] == code
            assert codes(running, made.sid) == [code]

    run(test())
