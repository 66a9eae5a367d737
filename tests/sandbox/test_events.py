"""What Twilio notes of a call's web requests, and copies of a call that REST begins and ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import Response
from twilio.base.exceptions import TwilioRestException
from websockets.asyncio.server import ServerConnection

from asyncflow_cli.sandbox.account import read_account
from asyncflow_cli.sandbox.server import Sandbox
from tests.sandbox.far_ends import (
    MediaServer,
    client,
    ended,
    in_thread,
    make_call,
    media_server,
    run,
    sandbox,
    web_server,
    xml,
)


def test_every_request_and_its_answer_are_events() -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            web.pages["/voice"] = xml("<Response/>")
            web.pages["/status"] = Response("out of order", status_code=500)
            call = await make_call(
                running, url=web.url + "/voice", status_callback=web.url + "/status"
            )
            await ended(running, call.sid)
            voice, status = await in_thread(lambda: client(running).calls(call.sid).events.list())
            assert voice.request["url"] == web.url + "/voice"
            assert voice.request["method"] == "POST"
            assert voice.request["parameters"]["CallSid"] == call.sid
            assert voice.response["response_code"] == 200
            assert voice.response["content_type"].startswith("text/xml")
            assert voice.response["response_body"] == "<Response/>"
            assert status.request["parameters"]["CallStatus"] == "completed"
            assert status.response["response_code"] == 500
            assert "out of order" in status.response["response_body"]

    run(test())


def test_a_server_that_is_not_there_has_no_response_code() -> None:
    async def test() -> None:
        async with sandbox() as running:
            call = await make_call(running, url="http://127.0.0.1:1/voice")
            await ended(running, call.sid)
            (event,) = await in_thread(lambda: client(running).calls(call.sid).events.list())
            assert event.response["response_code"] is None

    run(test())


@contextlib.asynccontextmanager
async def talking() -> AsyncIterator[tuple[Sandbox, Any, MediaServer]]:
    """A call that a media server has the line of, as Twilio's client sees it."""
    started = asyncio.Event()

    async def talk(_socket: ServerConnection, _sid: str) -> None:
        started.set()

    async with sandbox() as running, media_server(talk) as server:
        call = await make_call(running, twiml=server.twiml())
        await started.wait()
        yield running, client(running).calls(call.sid), server


def test_a_copy_of_the_call_is_begun_and_ended_by_name() -> None:
    async def test() -> None:
        async with talking() as (running, call, server), web_server() as web:
            made = await in_thread(
                lambda: call.streams.create(
                    url=server.url + "/copy",
                    name="copy",
                    track="both_tracks",
                    status_callback=web.url + "/stream",
                    parameter1_name="run",
                    parameter1_value="7",
                )
            )
            assert (made.name, made.status) == ("copy", "in-progress")
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(lambda: call.streams.create(url=server.url, name="copy"))
            assert caught.value.code == 20001
            stopped = await in_thread(lambda: call.streams("copy").update(status="stopped"))
            assert (stopped.sid, stopped.status) == (made.sid, "stopped")
            _, seen = server.conversations
            assert seen.events() == ["connected", "start", "stop"]
            start = seen.messages[1]["start"]
            assert start["streamSid"] == made.sid
            assert start["tracks"] == ["inbound", "outbound"]
            assert start["customParameters"] == {"run": "7"}
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(lambda: call.streams("copy").update(status="stopped"))
            assert caught.value.code == 20404
            await in_thread(lambda: call.update(status="completed"))
            await ended(running, made.call_sid)
            events = [form["StreamEvent"] for form in web.forms("/stream")]
            assert events == ["stream-started", "stream-stopped"]

    run(test())


def test_a_copy_without_a_name_is_ended_by_its_sid() -> None:
    async def test() -> None:
        async with talking() as (_, call, server):
            made = await in_thread(lambda: call.streams.create(url=server.url))
            assert made.name is None
            stopped = await in_thread(lambda: call.streams(made.sid).update(status="stopped"))
            assert stopped.name is None

    run(test())


def test_on_trial_there_are_no_copies() -> None:
    async def test() -> None:
        async with talking() as (running, call, server):
            running.carrier.account = read_account(["trial"])
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(lambda: call.streams.create(url=server.url))
            assert caught.value.code == 10002

    run(test())


def test_a_copy_that_cannot_be_opened_or_of_a_call_that_is_over_is_refused() -> None:
    async def test() -> None:
        async with talking() as (running, call, server):
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(lambda: call.streams.create(url="ws://127.0.0.1:1/"))
            assert caught.value.code == 20001
            (notice,) = await in_thread(call.notifications.list)
            assert notice.error_code == "31902"
            await in_thread(lambda: call.update(status="completed"))
            await ended(running, notice.call_sid)
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(lambda: call.streams.create(url=server.url))
            assert caught.value.code == 21220

    run(test())
