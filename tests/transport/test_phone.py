"""The local server, asked by Twilio and by strangers over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextvars import ContextVar
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asyncflow_cli.protocol.media import (
    Connected,
    Dtmf,
    Mark,
    Start,
    Stop,
)
from asyncflow_cli.sandbox.cable import sever
from asyncflow_cli.transport.callbacks import CallStatus, StreamFailed, Verdict
from asyncflow_cli.transport.leg import START_WITHIN, PhoneLost
from asyncflow_cli.transport.listener import serving
from asyncflow_cli.transport.mediasocket import LARGEST_MESSAGE
from asyncflow_cli.transport.phone import Phone, PhoneEvent
from asyncflow_cli.transport.signature import Keys, sign
from tests.clock import pass_time

CALL, STREAM, TOKEN = "CA" + "1" * 32, "MZ" + "2" * 32, "0" * 32
CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
PAYLOAD = "//8="


OURS = "our listener"
FORM = ContextVar("FORM", default=OURS)
"""What carries the media sockets."""


@pytest.fixture(params=[OURS, "any ASGI host"])
def form(request: pytest.FixtureRequest) -> Iterator[None]:
    """For tests of what must be the same in both."""
    before = FORM.set(request.param)
    yield
    FORM.reset(before)


def start(**changes: Any) -> dict[str, Any]:
    media_format = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    body = {
        "accountSid": "AC" + "3" * 32,
        "streamSid": STREAM,
        "callSid": CALL,
        "tracks": ["inbound"],
        "mediaFormat": media_format,
        "customParameters": {},
        **changes,
    }
    return {"event": "start", "sequenceNumber": "1", "start": body, "streamSid": STREAM}


def message(event: str, **fields: Any) -> dict[str, Any]:
    return {"event": event, "sequenceNumber": "2", "streamSid": STREAM, **fields}


class Line:
    """A phone that is being served, and everything it told us."""

    def __init__(self, **options: Any) -> None:
        self.events: asyncio.Queue[PhoneEvent] = asyncio.Queue()
        self.refusals: list[str] = []
        self.phone = Phone(self.events.put_nowait, refused=self.refusals.append, **options)
        self.phone.gate.call_sid = CALL
        self.port = 0

    async def event(self) -> PhoneEvent:
        return await asyncio.wait_for(self.events.get(), 5)

    async def dial(self, path: str | None = None, signature: str | None = None) -> ClientConnection:
        headers = {"x-twilio-signature": signature} if signature is not None else {}
        return await connect(
            f"ws://127.0.0.1:{self.port}{path or f'/twilio/media/{self.phone.token}'}",
            additional_headers=headers,
            compression=None,
            proxy=None,
            ping_interval=None,
        )

    async def started(self, **changes: Any) -> ClientConnection:
        socket = await self.dial()
        await say(socket, CONNECTED, start(**changes))
        return socket

    async def ask(self, method: str, path: str, **options: Any) -> int:
        async with httpx.AsyncClient(trust_env=False) as web:
            url = f"http://127.0.0.1:{self.port}{path}"
            return (await web.request(method, url, **options)).status_code


@contextlib.asynccontextmanager
async def line(**options: Any) -> AsyncIterator[Line]:
    made = Line(**options)
    answer = made.phone.answer if FORM.get() == OURS else None
    async with serving(made.phone.app, answer=answer) as made.port:
        made.phone.public_url = f"ws://127.0.0.1:{made.port}"
        yield made


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


async def say(socket: ClientConnection, *messages: dict[str, Any]) -> None:
    for each in messages:
        await socket.send(json.dumps(each))


async def close_code(socket: ClientConnection) -> int:
    """With which code the other side closes."""
    await asyncio.wait_for(socket.wait_closed(), 5)
    assert socket.close_code is not None
    return socket.close_code


@pytest.fixture(autouse=True)
def no_crash(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A stranger must not be able to make the server stumble."""
    yield
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


@pytest.mark.usefixtures("form")
def test_a_whole_conversation() -> None:
    async def test() -> None:
        heard: list[tuple[str, int]] = []
        async with line(hear=lambda *frame: heard.append(frame)) as phone:
            socket = await phone.started()
            await say(
                socket,
                {"event": "news", "streamSid": STREAM},
                message("media", media={"track": "inbound", "payload": PAYLOAD, "timestamp": "20"}),
                message("media", media={"track": "outbound", "payload": "AAAA"}),
                message("dtmf", dtmf={"track": "inbound_track", "digit": "4"}),
                message("mark", mark={"name": "m"}),
                message("stop", stop={"callSid": CALL}),
            )
            kinds = [type(await phone.event()) for _ in range(5)]
            assert kinds == [Connected, Start, Dtmf, Mark, Stop]
            assert heard == [(PAYLOAD, 20)], "and not what others play to the callee"
            phone.phone.leg.play(PAYLOAD)
            phone.phone.leg.mark("end")
            phone.phone.leg.clear()
            phone.phone.leg.flush()
            assert [json.loads(await socket.recv()) for _ in range(3)] == [
                {"event": "media", "media": {"payload": PAYLOAD}, "streamSid": STREAM},
                {"event": "mark", "mark": {"name": "end"}, "streamSid": STREAM},
                {"event": "clear", "streamSid": STREAM},
            ]
            phone.phone.close()
            assert await close_code(socket) == 1000
            assert await phone.event() == PhoneLost(phone.phone.token)
            assert phone.events.empty()
            assert phone.refusals == []

    run(test())


@pytest.mark.parametrize("politely", [True, False])
@pytest.mark.usefixtures("form")
def test_a_lost_socket_is_one_event_and_sending_to_it_no_error(politely: bool) -> None:
    async def test() -> None:
        async with line() as phone:
            socket = await phone.started()
            await phone.event()
            await phone.event()
            if politely:
                await socket.close()
            else:
                socket.transport.abort()
            phone.phone.leg.play(PAYLOAD)
            phone.phone.leg.flush()
            assert await phone.event() == PhoneLost(phone.phone.token)
            phone.phone.leg.play(PAYLOAD)
            phone.phone.leg.flush()
            phone.phone.close()
            assert phone.events.empty()

    run(test())


def test_what_came_before_a_reset_is_heard_though_sending_was_the_first_to_fail() -> None:
    async def test() -> None:
        async with line() as phone:
            socket = await phone.started()
            assert [type(await phone.event()) for _ in range(2)] == [Connected, Start]
            await say(socket, message("mark", mark={"name": "m"}))
            sever(socket.transport)
            await asyncio.sleep(0)  # in which it is cut, and nothing is read
            phone.phone.leg.play(PAYLOAD)
            phone.phone.leg.flush()
            assert [type(await phone.event()) for _ in range(2)] == [Mark, PhoneLost]

    run(test())


@pytest.mark.parametrize("token", ["0" * 43, "", "µ", "%00", "../media"])
@pytest.mark.usefixtures("form")
def test_a_stranger_without_the_token_gets_no_socket(token: str) -> None:
    async def test() -> None:
        async with line() as phone:
            with pytest.raises(InvalidStatus) as caught:
                await phone.dial(f"/twilio/media/{token}")
            assert caught.value.response.status_code in (403, 404)
            assert phone.events.empty()
            await (await phone.started()).close()

    run(test())


@pytest.mark.usefixtures("form")
def test_a_second_socket_is_refused_and_the_first_goes_on() -> None:
    async def test() -> None:
        async with line() as phone:
            socket = await phone.started()
            for _ in range(2):
                with pytest.raises(InvalidStatus):
                    await phone.dial()
            await say(socket, message("mark", mark={"name": "m"}))
            assert [type(await phone.event()) for _ in range(3)] == [Connected, Start, Mark]
            assert phone.refusals == ["media socket refused: a second socket"], "said once"
            await socket.close()
            await phone.event()
            with pytest.raises(InvalidStatus):
                await phone.dial()

    run(test())


@pytest.mark.parametrize(
    ("signature", "refusal"),
    [
        ("right", None),
        (None, "no signature"),
        ("", "wrong signature"),
        ("d3Jvbmc=", "wrong signature"),
        ("wröng", "wrong signature"),
    ],
)
@pytest.mark.usefixtures("form")
def test_signatures_of_sockets_and_callbacks(signature: str | None, refusal: str | None) -> None:
    async def test() -> None:
        async with line(keys=Keys(TOKEN)) as phone:
            signed = sign(TOKEN, phone.phone.media_url) if signature == "right" else signature
            if refusal is None:
                await (await phone.dial(signature=signed)).close()
            else:
                with pytest.raises(InvalidStatus):
                    await phone.dial(signature=signed)
            form = {"CallSid": CALL, "CallStatus": "ringing"}
            url = phone.phone.status_url
            signed = sign(TOKEN, url, form) if signature == "right" else signature
            headers = {} if signed is None else {"x-twilio-signature": signed.encode("latin-1")}
            path = f"/twilio/status/{phone.phone.callback_token}"
            status = await phone.ask("POST", path, data=form, headers=headers)
            assert status == (204 if refusal is None else 403)
            assert [said.partition(": ")[2] for said in phone.refusals] == (
                [] if refusal is None else [refusal] * 2
            )

    run(test())


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([CONNECTED, start(callSid="CA" + "9" * 32)], "A stream of another call"),
        ([CONNECTED, start(mediaFormat={"encoding": "audio/x-l16"})], "not 8 kHz μ-law"),
        ([CONNECTED, start(mediaFormat={"sampleRate": 16000})], "not 8 kHz μ-law"),
        ([start()], "Start is not legal in opening"),
        ([CONNECTED, start(), start()], "Start is not legal in streaming"),
        ([CONNECTED, message("media", media={"payload": ""})], "Media is not legal"),
        ([CONNECTED, message("start", start={})], "Not a media message"),
        (["{"], "The frame is not JSON"),
        (["[]"], "not a JSON object"),
        ([b"\x00\x01"], "A binary frame"),
        (["[" * 60_000], "The frame is not JSON"),
    ],
)
@pytest.mark.usefixtures("form")
def test_what_is_no_stream_of_this_call_is_closed(frames: list[Any], words: str) -> None:
    async def test() -> None:
        async with line() as phone:
            socket = await phone.dial()
            for frame in frames:
                await socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)
            assert await close_code(socket) == 1008
            while not isinstance(event := await phone.event(), PhoneLost):
                assert isinstance(event, Connected | Start)
            (said,) = phone.refusals
            assert said.startswith("media socket closed: ")
            assert words in said

    run(test())


@pytest.mark.usefixtures("form")
def test_a_frame_that_no_twilio_sends_ends_the_socket_unread() -> None:
    async def test() -> None:
        async with line() as phone:
            socket = await phone.dial()
            with contextlib.suppress(ConnectionClosed):  # before it was all sent
                await socket.send("x" * (1 << 20))
            assert await close_code(socket) == 1009
            assert await phone.event() == PhoneLost(phone.phone.token)

    assert LARGEST_MESSAGE < 1 << 20
    run(test())


@pytest.mark.usefixtures("form")
def test_a_stranger_who_breaks_a_rule_and_leaves_is_forgotten() -> None:
    async def test() -> None:
        async with line() as phone:
            socket = await phone.dial()
            await socket.send(b"\x00")
            socket.transport.abort()
            assert await phone.event() == PhoneLost(phone.phone.token)

    run(test())


@pytest.mark.usefixtures("form")
def test_a_socket_that_does_not_start_in_time_is_closed() -> None:
    async def test() -> None:
        async with line() as phone:
            socket = await phone.dial()
            await say(socket, CONNECTED)
            assert type(await phone.event()) is Connected
            pass_time(START_WITHIN)
            assert await close_code(socket) == 1008
            assert phone.refusals == ["media socket closed: no start in time"]
        async with line() as phone:
            socket = await phone.started()
            assert [type(await phone.event()) for _ in range(2)] == [Connected, Start]
            pass_time(START_WITHIN)
            await say(socket, message("mark", mark={"name": "m"}))
            assert type(await phone.event()) is Mark
            await socket.close()

    run(test())


ELSEWHERE = [
    ("GET", "/", 404),
    ("POST", "/", 404),
    ("GET", "/docs", 404),
    ("GET", "/twilio", 404),
    ("POST", "/twilio/status/", 404),
    ("POST", "/twilio/status/{token}/", 404),
    ("GET", "/twilio/media/{token}", 404),
    ("POST", "/twilio/media/{token}", 404),
    ("GET", "/twilio/stream-status/{token}", 405),
    ("PUT", "/twilio/status/{token}", 405),
    ("DELETE", "/twilio/stream-status/{token}", 405),
    ("POST", "/twilio/status/wrong", 403),
    ("GET", "/twilio/status/wrong", 403),
    ("POST", "/twilio/stream-status/wrong", 403),
]


def test_there_is_nothing_else_here() -> None:
    async def test() -> None:
        async with line() as phone:
            for method, path, status in ELSEWHERE:
                asked = path.replace("{token}", phone.phone.token)
                assert (path, await phone.ask(method, asked)) == (path, status)
            assert phone.events.empty()

    run(test())


@pytest.mark.parametrize(
    ("path", "form", "event"),
    [
        ("status", {"CallStatus": "ringing"}, CallStatus("ringing")),
        ("stream-status", {"StreamEvent": "stream-started"}, None),
        (
            "stream-status",
            {"StreamEvent": "stream-error", "StreamError": "31921"},
            StreamFailed("31921"),
        ),
        ("stream-status", {"StreamEvent": "stream-error"}, StreamFailed("unknown")),
    ],
)
def test_callbacks_become_events(path: str, form: dict[str, str], event: Any) -> None:
    async def test() -> None:
        async with line() as phone:
            path_ = f"/twilio/{path}/{phone.phone.callback_token}"
            assert await phone.ask("POST", path_, data={"CallSid": CALL, **form}) == 204
            assert ([] if phone.events.empty() else [await phone.event()]) == (
                [] if event is None else [event]
            )

    run(test())


def test_a_callback_may_come_as_get() -> None:
    async def test() -> None:
        async with line(keys=Keys(TOKEN)) as phone:
            query = f"?CallSid={CALL}&CallStatus=busy"
            signature = sign(TOKEN, phone.phone.status_url + query)
            path = f"/twilio/status/{phone.phone.callback_token}{query}"
            headers = {"x-twilio-signature": signature}
            assert await phone.ask("GET", path, headers=headers) == 204
            assert await phone.event() == CallStatus("busy")
            assert await phone.ask("GET", f"{path}&a=1", headers=headers) == 403

    run(test())


@pytest.mark.parametrize("about", [{"CallSid": "CA" + "9" * 32}, {}])
@pytest.mark.parametrize("path", ["status", "stream-status"])
def test_callbacks_about_another_call_are_refused(about: dict[str, str], path: str) -> None:
    async def test() -> None:
        async with line() as phone:
            form = {"CallStatus": "completed", "StreamEvent": "stream-error", **about}
            path_ = f"/twilio/{path}/{phone.phone.callback_token}"
            assert await phone.ask("POST", path_, data=form) == 403
            assert phone.events.empty()
            (said,) = phone.refusals
            assert said.startswith("callback refused: it is about call ")

    run(test())


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=x", "application/json"]
)
def test_a_body_that_is_no_form_is_an_answer_of_4xx(content_type: str) -> None:
    async def test() -> None:
        async with line() as phone:
            path = f"/twilio/status/{phone.phone.callback_token}"
            headers = {"content-type": content_type}
            assert await phone.ask("POST", path, content=b"\xff{", headers=headers) in (400, 403)
            assert phone.events.empty()

    run(test())


def test_a_strangers_body_is_not_waited_for() -> None:
    async def test() -> None:
        async with line() as phone:
            reader, writer = await asyncio.open_connection("127.0.0.1", phone.port)
            head = b"POST /twilio/status/wrong HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n"
            writer.write(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
            answer = await asyncio.wait_for(reader.readline(), 5)
            assert answer.split()[1] == b"403"
            writer.close()
            await writer.wait_closed()

    run(test())


def test_the_addresses_are_those_of_the_public_url() -> None:
    phone = Phone(lambda _event: None, refused=lambda _why: None)
    phone.public_url = "wss://h.example"
    for url, expected, token in (
        (phone.media_url, "wss://h.example/twilio/media/", phone.token),
        (phone.status_url, "https://h.example/twilio/status/", phone.callback_token),
        (phone.stream_status_url, "https://h.example/twilio/stream-status/", phone.callback_token),
        (phone.amd_url, "https://h.example/twilio/amd/", phone.callback_token),
    ):
        assert url == expected + token
        assert "?" not in url
    assert len(phone.token) >= 43
    assert len(phone.callback_token) >= 43
    assert phone.token != Phone(lambda _event: None, refused=lambda _why: None).token


@pytest.mark.usefixtures("form")
def test_after_a_loss_there_is_another_address_and_the_first_is_good_for_nothing() -> None:
    async def test() -> None:
        async with line() as phone:
            first = await phone.started()
            used = phone.phone.token
            await phone.event()
            await phone.event()
            phone.phone.renew()
            with pytest.raises(InvalidStatus):
                await phone.dial(f"/twilio/media/{used}")
            second = await phone.started()
            assert [type(await phone.event()) for _ in range(2)] == [Connected, Start]
            # What the old stream still says is no news of the new one.
            await say(first, message("stop", stop={"callSid": CALL}))
            await first.close()
            assert await phone.event() == PhoneLost(used)
            phone.phone.leg.play(PAYLOAD)
            phone.phone.leg.flush()
            assert json.loads(await second.recv())["event"] == "media"
            assert used != phone.phone.token

    run(test())


def test_who_answered_is_told_by_post_or_get() -> None:
    async def test() -> None:
        async with line() as phone:
            path = f"/twilio/amd/{phone.phone.callback_token}"
            form = {"CallSid": CALL, "AnsweredBy": "machine_end_beep"}
            assert await phone.ask("POST", path, data=form) == 204
            assert await phone.ask("GET", f"{path}?CallSid={CALL}&AnsweredBy=human") == 204
            assert await phone.event() == Verdict("machine_end_beep")
            assert await phone.event() == Verdict("human")
            assert await phone.ask("POST", "/twilio/amd/wrong", data=form) == 403

    run(test())


@pytest.mark.usefixtures("form")
def test_a_stream_that_came_before_its_call_had_a_name_is_compared_afterwards() -> None:
    async def test() -> None:
        async with line() as phone:
            phone.phone.gate.call_sid = None
            await phone.started()
            await phone.event()
            await phone.event()
            assert not phone.phone.gate.expect("CA" + "9" * 32)
            assert phone.phone.gate.expect(CALL)

    run(test())


def test_a_stand_in_need_not_sign_but_one_that_does_is_held_to_it() -> None:
    async def test() -> None:
        async with line(keys=Keys(TOKEN), sign_required=False) as phone:
            url, path = phone.phone.status_url, f"/twilio/status/{phone.phone.callback_token}"
            form = {"CallSid": CALL, "CallStatus": "ringing"}
            wrong, right = ({"x-twilio-signature": s} for s in ("bm8=", sign(TOKEN, url, form)))
            answers = [
                await phone.ask("POST", path, data=form, headers=headers)
                for headers in ({}, wrong, {}, right, {})
            ]
            assert answers == [204, 403, 204, 204, 403]

    run(test())
