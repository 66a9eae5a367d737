"""Each fault of a media stream, as a customer's server and the call's report see it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from twilio.request_validator import RequestValidator, get_signature_algorithm
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request
from websockets.http11 import Response as WireResponse

from asyncflow_cli.protocol.media import MediaStream, Side
from asyncflow_cli.sandbox.account import AUTH_TOKEN, SHARED_KEY_ID, SHARED_KEY_SECRET
from asyncflow_cli.sandbox.callee import Callee
from asyncflow_cli.sandbox.clock import Clock
from asyncflow_cli.sandbox.faults import Faults
from asyncflow_cli.sandbox.handshake import CLOSE_SECONDS
from asyncflow_cli.sandbox.line import SILENCE
from asyncflow_cli.sandbox.mediafeed import Conditions, MediaFeed, Opening, Ticked
from asyncflow_cli.sandbox.server import Sandbox
from tests.sandbox.far_ends import (
    SPEED,
    TO,
    TONE,
    MediaServer,
    Talk,
    codes,
    ended,
    make_call,
    mark,
    media,
    media_server,
    run,
    sandbox,
    say_nothing,
    speaker,
    streams_of,
    until,
)

HANGS_UP = "+15551230410"


@contextlib.asynccontextmanager
async def call(
    *faults: str, talk: Talk | None = None, to: str = TO, **options: Any
) -> AsyncIterator[tuple[Sandbox, MediaServer, Any]]:
    """A call that is over, to a server that says TONE unless `talk` says otherwise."""
    servers, speak = speaker()
    options = {"deterministic": True, **options}
    async with sandbox(faults=faults, **options) as running, media_server(talk or speak) as server:
        servers.append(server)
        made = await make_call(running, to=to, twiml=server.twiml())
        yield running, server, await ended(running, made.sid)


# The handshake


@pytest.mark.parametrize(
    ("fault", "code", "text"),
    [
        ("media:404", "31920", "answered 404 Not Found"),
        ("media:403", "31920", "answered 403 Forbidden"),
        ("media:503", "31920", "answered 503 Service Unavailable"),
        ("media:timeout", "31901", "too long"),
        ("media:refused", "31902", "refused"),
        ("media:unreachable", "31904", "leads nowhere"),
        ("media:tls", "31910", "nobody trusts"),
    ],
)
def test_a_handshake_fails_before_it_reaches_the_server(fault: str, code: str, text: str) -> None:
    async def test() -> None:
        async with call(fault) as (running, server, made):
            assert made.status == "completed"
            assert codes(running, made.sid) == [code]
            report = running.store.report(made.sid)
            assert report is not None
            assert text in report.warnings[0]["text"]
            assert server.conversations == []

    run(test())


def test_it_fails_as_often_as_it_says() -> None:
    async def test() -> None:
        servers, talk = speaker()
        faults = ["media:404 x1", "media:duplicate-mark x1"]
        async with sandbox(faults=faults) as running, media_server(talk) as server:
            servers.append(server)
            twice = server.twiml().replace("</Response>", "") + server.twiml()[len("<Response>") :]
            made = await make_call(running, twiml=twice)
            await ended(running, made.sid)
            assert codes(running, made.sid) == ["31920"]
            assert [stream["faults"] for stream in streams_of(running, made.sid)] == [
                ["media:duplicate-mark x1"]
            ]

    run(test())


@pytest.mark.parametrize(
    ("fault", "token", "valid"),
    [
        ("media:jitter 0s", AUTH_TOKEN, True),
        ("media:wrong-signature", AUTH_TOKEN, False),
        ("media:shared-key", AUTH_TOKEN, False),
        ("media:shared-key", SHARED_KEY_SECRET, True),
    ],
)
def test_who_signed(fault: str, token: str, valid: bool) -> None:
    async def test() -> None:
        async with call(fault) as (_, server, _made):
            headers = {k.lower(): v for k, v in server.conversations[0].headers.items()}
            settings = headers.get("x-twilio-webhooks-signature-settings", "")
            algorithm = get_signature_algorithm(settings)
            url, signature = f"{server.url}/media", headers["x-twilio-signature"]
            validator = RequestValidator(token)
            assert validator.validate(url, {}, signature, algorithm) is valid
            assert (f"key={SHARED_KEY_ID}," in settings) is ("shared" in fault)

    run(test())


def test_nobody_signed() -> None:
    async def test() -> None:
        async with call("media:no-signature") as (_, server, _made):
            assert not any("twilio" in name.lower() for name in server.conversations[0].headers)

    run(test())


# The start


@pytest.mark.parametrize(
    ("fault", "field"),
    [("media:wrong-call-sid", "callSid"), ("media:wrong-account-sid", "accountSid")],
)
def test_the_start_is_of_another_call(fault: str, field: str) -> None:
    async def test() -> None:
        async with call(fault) as (_, server, made):
            start = server.conversations[0].messages[1]["start"]
            right = {"callSid": made.sid, "accountSid": made.account_sid}
            wrong = {name for name, value in right.items() if start[name] != value}
            assert wrong == {field}
            assert len(start[field]) == 34

    run(test())


def test_the_start_comes_late_and_nothing_before_it() -> None:
    async def test() -> None:
        async with call("media:late-start 1s") as (running, server, made):
            messages = server.conversations[0].messages
            assert [m["event"] for m in messages[:3]] == ["connected", "start", "media"]
            assert int(messages[2]["media"]["timestamp"]) == 155 + 1000
            assert running.heard(made.sid) == TONE

    run(test())


def test_a_second_socket_says_what_the_first_said_and_is_reported() -> None:
    async def test() -> None:
        async with call("media:second-socket", talk=shy) as (running, server, made):
            first, second = server.conversations
            signed = [seen.headers["X-Twilio-Signature"] for seen in (first, second)]
            assert (first.path, signed[0]) == (second.path, signed[1])
            assert second.messages[:2] == first.messages[:2]
            (stream,) = streams_of(running, made.sid)
            assert stream["second_socket"] == {
                "opened": True,
                "close_code": 1008,
                "text": "It was let in, and shown out: 1008",
            }

    talking = 0

    async def shy(socket: ServerConnection, _sid: str) -> None:
        nonlocal talking
        talking += 1
        if talking == 2:
            await socket.close(1008)
            over.set()
        await over.wait()
        await socket.close()

    over = asyncio.Event()
    run(test())


def test_a_second_socket_may_be_refused_and_the_first_goes_on() -> None:
    async def test() -> None:
        seen: list[str] = []

        def only_one(socket: ServerConnection, request: Request) -> WireResponse | None:
            seen.append(request.path)
            return socket.respond(403, "Taken\n") if len(seen) > 1 else None

        async def talk(socket: ServerConnection, sid: str) -> None:
            await socket.send(media(sid, TONE))
            await until(lambda: len(seen) == 2)
            for number in range(10):  # Time enough to read that it was refused.
                await socket.send(mark(sid, str(number)))
                await server.heard_mark(str(number))
            await socket.close()

        async with (
            sandbox(faults=["media:second-socket"], deterministic=True) as running,
            media_server(talk, process_request=only_one) as server,
        ):
            made = await make_call(running, twiml=server.twiml())
            await ended(running, made.sid)
            assert len(seen) == 2
            (stream,) = streams_of(running, made.sid)
            assert stream["second_socket"]["opened"] is False
            assert "answered 403" in stream["second_socket"]["text"]
            assert running.heard(made.sid) == TONE
            assert codes(running, made.sid) == []

    run(test())


# What Twilio sends


def test_a_mark_comes_twice() -> None:
    async def test() -> None:
        async def talk(socket: ServerConnection, sid: str) -> None:
            await socket.send(mark(sid, "end"))
            await servers[0].heard_mark("end")
            await servers[0].heard_mark("end")
            await socket.close()

        servers: list[MediaServer] = []
        async with (
            sandbox(faults=["media:duplicate-mark"]) as running,
            media_server(talk) as server,
        ):
            servers.append(server)
            made = await make_call(running, twiml=server.twiml())
            await ended(running, made.sid)
            assert server.conversations[0].events() == ["connected", "start", "mark", "mark"]

    run(test())


def test_marks_come_so_much_later_than_what_was_heard() -> None:
    async def test() -> None:
        async with call("media:late-marks 1.5s") as (running, server, made):
            events = [m["event"] for m in server.conversations[0].messages]
            frames = events.index("mark") - 2
            assert frames >= (len(TONE) / 8000 + 1.5) / 0.02
            assert running.heard(made.sid) == TONE

    run(test())


def test_marks_never_come_and_the_audio_was_heard_all_the_same() -> None:
    async def test() -> None:
        async def talk(socket: ServerConnection, sid: str) -> None:
            await long(socket, sid)
            await until(lambda: running.live_calls[0].heard == TONE * 20)
            await socket.close()

        async with (
            sandbox(faults=["media:no-marks"], deterministic=True) as running,
            media_server(talk) as server,
        ):
            made = await make_call(running, twiml=server.twiml())
            await ended(running, made.sid)
            assert server.conversations[0].events() == ["connected", "start"]
            assert running.heard(made.sid) == TONE * 20
            report = running.store.report(made.sid)
            assert report is not None
            assert report.marks[0]["echoed_at"] == 4.0

    run(test())


def test_lost_frames_leave_gaps_in_the_numbers() -> None:
    async def test() -> None:
        async def talk(socket: ServerConnection, sid: str) -> None:
            await long(socket, sid)
            await server.heard_mark("end")
            await socket.close()

        async with (
            sandbox(faults=["media:loss 50%"], deterministic=True) as running,
            media_server(talk) as server,
        ):
            made = await make_call(running, twiml=server.twiml())
            await ended(running, made.sid)
            frames = server.conversations[0].media()
            numbers = [int(frame["sequenceNumber"]) for frame in frames]
            chunks = [int(frame["media"]["chunk"]) for frame in frames]
            assert numbers == sorted(set(numbers))
            assert chunks[-1] > 1.4 * len(frames)

    run(test())


def test_silence_is_not_sent_and_voice_is() -> None:
    async def test() -> None:
        async with sandbox(faults=["media:no-inbound"]) as running, media_server(talk) as server:
            servers.append(server)
            running.carrier.callees[TO] = Callee(says=SILENCE * 5 + TONE)
            made = await make_call(running, twiml=server.twiml())
            await ended(running, made.sid)
            frames = server.conversations[0].media()
            assert len(frames) == len(TONE) / 160
            assert [frame["media"]["chunk"] for frame in frames][:2] == ["1", "2"]
            first, last = (int(frames[i]["media"]["timestamp"]) for i in (0, -1))
            assert last - first == 20 * (len(frames) - 1)

    servers: list[MediaServer] = []

    async def talk(socket: ServerConnection, sid: str) -> None:
        await socket.send(media(sid, TONE * 3))
        await socket.send(mark(sid, "end"))
        await servers[0].heard_mark("end")
        await socket.close()

    run(test())


def test_under_jitter_all_arrives_in_order_and_all_is_heard() -> None:
    async def test() -> None:
        async with call("media:jitter 300ms") as (running, server, made):
            messages = server.conversations[0].messages
            numbers = [int(m["sequenceNumber"]) for m in messages[1:]]
            assert numbers == list(range(1, len(numbers) + 1))
            assert running.heard(made.sid) == TONE

    run(test())


class FakeConnection:
    """A connection that takes everything at once."""

    def __init__(self) -> None:
        self.sent = 0
        self.keepalive_task = None

    async def send(self, _text: str) -> None:
        self.sent += 1


def test_jitter_holds_frames_back_and_lets_them_go_in_bursts() -> None:
    async def test() -> None:
        connection = FakeConnection()
        faults = Faults(["media:jitter 100ms"]).take_each("media")
        feed = MediaFeed(
            connection,  # type: ignore[arg-type]
            Opening("ws://h/", "AC", "CA", "MZ", 155, {}),
            MediaStream(Side.TWILIO),
            lambda _code, _text: None,
            Conditions(Clock(1.0), faults, Random(0)),
        )
        bursts = []
        for _ in range(100):
            before = connection.sent
            feed.on_tick(Ticked(SILENCE, SILENCE), bidirectional=True)
            for _ in range(20):
                await asyncio.sleep(0)
            bursts.append(connection.sent - before)
        feed.end()
        assert bursts.count(0) > 30
        assert max(bursts[1:]) == 5  # 100 ms
        assert sum(bursts) >= 95

    run(test())


# How it breaks


def test_the_socket_is_cut_when_so_many_bytes_were_heard() -> None:
    async def test() -> None:
        async with call("media:abort 800", talk=long) as (running, server, made):
            assert running.heard(made.sid) == TONE[:800]
            assert codes(running, made.sid) == ["31921"]
            await until(lambda: server.conversations[0].close_code is not None)
            assert server.conversations[0].close_code == 1006

    run(test())


async def long(socket: ServerConnection, sid: str) -> None:
    await socket.send(media(sid, TONE * 20))
    await socket.send(mark(sid, "end"))


def test_a_half_open_socket_says_nothing_until_twilio_notices() -> None:
    async def test() -> None:
        async with call("media:half-open 800 3s", talk=long) as (running, server, made):
            assert running.heard(made.sid) == (TONE * 20)[: 800 + 24000]
            assert codes(running, made.sid) == ["31924"]
            seen = server.conversations[0]
            await until(lambda: seen.close_code is not None)
            assert (seen.close_code, seen.events()) == (1006, ["connected", "start"])
            (stream,) = streams_of(running, made.sid)
            assert len(seen.media()) <= stream["frames_sent"] - 150  # Of three seconds.

    run(test())


def test_a_half_open_socket_has_no_farewell_either() -> None:
    async def test() -> None:
        hung_up = call("media:half-open", talk=long, to=HANGS_UP, deterministic=False)
        async with hung_up as (running, server, made):
            assert made.status == "completed"
            seen = server.conversations[0]
            await until(lambda: seen.close_code is not None)
            assert (seen.close_code, "stop" in seen.events()) == (1006, False)
            assert codes(running, made.sid) == []
            assert int(made.duration) < CLOSE_SECONDS * SPEED  # Nobody waited for an answer.

    run(test())


def test_a_slow_reader_takes_its_time() -> None:
    async def test() -> None:
        took: list[float] = []

        async def talk(socket: ServerConnection, sid: str) -> None:
            began = asyncio.get_running_loop().time()
            for number in range(41):
                await socket.send(mark(sid, f"{number} " + "x" * 2000))
            await until(lambda: server.conversations[0].events().count("mark") == 41)
            took.append(asyncio.get_running_loop().time() - began)
            await socket.close()

        async with (
            sandbox(faults=["media:slow-reader 20000"]) as running,
            media_server(talk) as server,
        ):
            made = await make_call(running, twiml=server.twiml())
            await ended(running, made.sid)
            # 80 kB at 20 kB a second are four seconds, and then the last mark is read.
            assert took[0] >= 4 / SPEED

    run(test())


def test_a_stop_that_is_late_holds_the_call_up() -> None:
    async def test() -> None:
        late = call("media:stop-late 5s", talk=say_nothing, to=HANGS_UP, deterministic=False)
        async with late as (_, server, made):
            assert server.conversations[0].events()[-1] == "stop"
            assert int(made.duration) >= 7

    run(test())


def test_what_happened_on_request_stands_in_the_report() -> None:
    async def test() -> None:
        async with call("media:late-marks 20ms x2", "media:jitter 20ms") as (running, _, made):
            (stream,) = streams_of(running, made.sid)
            assert stream["faults"] == ["media:late-marks 20ms x2", "media:jitter 20ms"]
            assert running.faults.listed()[0]["left"] == 1

    run(test())
