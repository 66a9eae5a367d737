"""Whole calls: real sockets, real web servers, Twilio's own client and validator."""

from __future__ import annotations

import asyncio
import base64
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request
from websockets.http11 import Response as WireResponse

from asyncflow_cli.protocol.audio import wav_file
from asyncflow_cli.sandbox.account import AUTH_TOKEN
from asyncflow_cli.sandbox.callee import Callee, Press
from tests.sandbox.far_ends import (
    FROM,
    TO,
    TONE,
    clear,
    client,
    codes,
    ended,
    in_thread,
    make_call,
    mark,
    media,
    media_server,
    run,
    sandbox,
    say_nothing,
    speaker,
    streams_of,
    web_server,
    xml,
)
from tests.tlsservers import certify, in_front_of

ALL = ["initiated", "ringing", "answered", "completed"]
# The stream


def test_what_a_media_server_says_is_heard_and_the_call_ends_when_it_closes() -> None:
    async def test() -> None:
        servers, talk = speaker()
        async with sandbox(deterministic=True) as running, media_server(talk) as server:
            servers.append(server)
            call = await make_call(running, twiml=server.twiml())
            assert (await ended(running, call.sid)).status == "completed"
            assert running.heard(call.sid) == TONE
            assert server.conversations[0].events() == ["connected", "start", "mark"]
            assert codes(running, call.sid) == []

    run(test())


def test_the_messages_of_a_stream_are_twilios_to_the_letter() -> None:
    async def test() -> None:
        servers, talk = speaker()
        async with sandbox(deterministic=True) as running, media_server(talk) as server:
            servers.append(server)
            twiml = server.twiml().replace(
                "/></C", '><Parameter name="run" value="7"/></Stream></C'
            )
            call = await make_call(running, twiml=twiml)
            await ended(running, call.sid)
            connected, start, *others = server.conversations[0].messages
            sid = start["streamSid"]
            assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
            assert start == {
                "event": "start",
                "sequenceNumber": "1",
                "start": {
                    "accountSid": call.account_sid,
                    "streamSid": sid,
                    "callSid": call.sid,
                    "tracks": ["inbound"],
                    "mediaFormat": {
                        "encoding": "audio/x-mulaw",
                        "sampleRate": 8000,
                        "channels": 1,
                    },
                    "customParameters": {"run": "7"},
                },
                "streamSid": sid,
            }
            first = next(message for message in others if message["event"] == "media")
            silence = base64.b64encode(b"\xff" * 160).decode()
            assert first == {
                "event": "media",
                "sequenceNumber": first["sequenceNumber"],
                "media": {
                    "track": "inbound",
                    "chunk": "1",
                    "timestamp": "155",
                    "payload": silence,
                },
                "streamSid": sid,
            }
            numbers = [int(message["sequenceNumber"]) for message in (start, *others)]
            assert numbers == list(range(1, len(numbers) + 1))

    run(test())


def test_the_handshake_is_signed_for_twilios_validator() -> None:
    async def test() -> None:
        servers, talk = speaker()
        async with sandbox() as running, media_server(talk) as server:
            servers.append(server)
            call = await make_call(running, twiml=server.twiml("/media/a?token=lost"))
            await ended(running, call.sid)
            (conversation,) = server.conversations
            assert conversation.path == "/media/a"
            assert codes(running, call.sid) == ["12200"]
            signature = conversation.headers["X-Twilio-Signature"]
            validator = RequestValidator(AUTH_TOKEN)
            assert validator.validate(server.url + "/media/a", {}, signature)

    run(test())


def test_clear_echoes_all_marks_and_the_rest_is_not_heard() -> None:
    async def test() -> None:
        names: list[str] = []

        async def talk(socket: ServerConnection, sid: str) -> None:
            await socket.send(media(sid, TONE))
            await socket.send(mark(sid, "heard"))
            await server.heard_mark("heard")
            await socket.send(media(sid, b"\x00" * 80_000))
            await socket.send(mark(sid, "one"))
            await socket.send(media(sid, b"\x00" * 80_000))
            await socket.send(mark(sid, "two"))
            await socket.send(clear(sid))
            names.append(await server.marks.get())
            names.append(await server.marks.get())
            await socket.close()

        async with sandbox() as running, media_server(talk) as server:
            call = await make_call(running, twiml=server.twiml())
            await ended(running, call.sid)
            assert names == ["one", "two"]
            assert running.heard(call.sid).count(0) < 80_000
            report = running.store.report(call.sid)
            assert report is not None
            assert [found["cleared"] for found in report.marks] == [False, True, True]

    run(test())


def test_a_mark_takes_as_long_as_its_audio() -> None:
    """At line pace: half a second of audio is echoed after half a second."""

    async def test() -> None:
        loop = asyncio.get_running_loop()
        took: list[float] = []
        stood_still = 0.0

        async def watch() -> None:
            nonlocal stood_still
            while True:
                began = loop.time()
                await asyncio.sleep(0.01)
                stood_still += loop.time() - began - 0.01

        async def talk(socket: ServerConnection, sid: str) -> None:
            began = loop.time()
            await socket.send(media(sid, b"\x10" * 4000))
            await socket.send(mark(sid, "end"))
            await server.heard_mark("end")
            took.append(loop.time() - began)
            await socket.close()

        async with sandbox(speed=1.0) as running, media_server(talk) as server:
            running.carrier.callees[TO] = Callee(ring_seconds=0)
            began, watching = loop.time(), asyncio.create_task(watch())
            call = await make_call(running, twiml=server.twiml())
            await ended(running, call.sid)
            watching.cancel()
            # A line that is late catches up with a tenth of a second, and leaves the rest out.
            assert 0.37 < took[0] < 0.9 + stood_still
            frames = streams_of(running, call.sid)[0]["frames_sent"]
            assert 25 <= frames <= (loop.time() - began) / 0.02

    run(test())


def test_a_report_tells_when_speech_came_and_silence_is_none() -> None:
    async def test() -> None:
        waited: list[float] = []

        async def talk(socket: ServerConnection, sid: str) -> None:
            began = time.monotonic()
            await socket.send(media(sid, b"\xff" * 8000))
            await socket.send(mark(sid, "silence"))
            await server.heard_mark("silence")
            waited.append((time.monotonic() - began) * 1000)
            await socket.send(media(sid, b"\x10" * 160))
            await socket.close()

        async with sandbox() as running, media_server(talk) as server:
            call = await make_call(running, twiml=server.twiml())
            await ended(running, call.sid)
            assert streams_of(running, call.sid)[0]["first_audio_ms"] >= round(waited[0], 1)
            report = running.store.report(call.sid)
            assert report is not None
            assert report.most_queued_seconds == 1.0

    run(test())


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"binary", "31950"),
        ("not json", "31950"),
        ("[" * 20_000, "31950"),
        ('{"event":"media","streamSid":"MZwrong","media":{"payload":""}}', "31951"),
        ('{"event":"media","media":{"payload":""}}', "31951"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"!"}}', "31951"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"","odd":1}}', "31951"),
        ('{"event":"mark","streamSid":"SID"}', "31951"),
        ('{"event":"mark","streamSid":"SID","mark":{"name":""}}', "31951"),
        ('{"event":"hangup","streamSid":"SID"}', "31951"),
        ("[]", "31951"),
    ],
)
def test_a_bad_message_is_warned_of_once_and_the_call_goes_on(
    frame: str | bytes, code: str
) -> None:
    async def test() -> None:
        async def talk(socket: ServerConnection, sid: str) -> None:
            for _ in range(3):
                await socket.send(frame.replace("SID", sid) if isinstance(frame, str) else frame)
            await socket.send(mark(sid, "still here"))
            await server.heard_mark("still here")
            await socket.close()

        async with sandbox() as running, media_server(talk) as server:
            call = await make_call(running, twiml=server.twiml())
            assert (await ended(running, call.sid)).status == "completed"
            assert codes(running, call.sid) == [code]
            (found,) = await in_thread(lambda: client(running).calls(call.sid).notifications.list())
            assert (found.error_code, found.log) == (code, "1")

    run(test())


def test_more_than_ten_minutes_are_lost_with_one_warning() -> None:
    async def test() -> None:
        async def talk(socket: ServerConnection, sid: str) -> None:
            minute = media(sid, b"\x10" * 480_000)
            for _ in range(12):
                await socket.send(minute)
            await socket.send(clear(sid))
            await socket.send(mark(sid, "end"))
            await server.heard_mark("end")
            await socket.close()

        # At the pace of a real line it plays next to nothing until all has come.
        async with sandbox(speed=1.0) as running, media_server(talk) as server:
            running.carrier.callees[TO] = Callee(ring_seconds=0)
            call = await make_call(running, twiml=server.twiml())
            await ended(running, call.sid)
            assert codes(running, call.sid) == ["31931"]
            report = running.store.report(call.sid)
            assert report is not None
            assert 100 < report.discarded_seconds <= 120

    run(test())


@pytest.mark.parametrize("how", ["abort", "1011", "1001"])
def test_a_socket_that_is_lost_is_an_error_and_the_next_verb_runs(how: str) -> None:
    async def test() -> None:
        async def talk(socket: ServerConnection, _sid: str) -> None:
            if how == "abort":
                socket.transport.abort()
            else:
                await socket.close(int(how), "oops")

        async with sandbox() as running, web_server() as web, media_server(talk) as server:
            stream = server.twiml(statusCallback=web.url + "/stream")
            next_verb = f"<Redirect>{web.url}/retry</Redirect></Response>"
            web.pages["/retry"] = xml("<Response/>")
            call = await make_call(running, twiml=stream.replace("</Response>", next_verb))
            assert (await ended(running, call.sid)).status == "completed"
            assert codes(running, call.sid) == ["31921"]
            events = [form["StreamEvent"] for form in web.forms("/stream")]
            assert events == ["stream-started", "stream-error"]
            assert web.forms("/retry")[0]["CallStatus"] == "in-progress"

    run(test())


def test_a_close_without_a_code_is_a_normal_end() -> None:
    """As `ws.close()` does it in JavaScript."""

    async def test() -> None:
        async def talk(socket: ServerConnection, _sid: str) -> None:
            socket.transport.write(b"\x88\x00")

        async with sandbox() as running, media_server(talk) as server:
            call = await make_call(running, twiml=server.twiml())
            await ended(running, call.sid)
            assert codes(running, call.sid) == []

    run(test())


def test_broken_frames_are_a_protocol_error() -> None:
    async def test() -> None:
        async def talk(socket: ServerConnection, _sid: str) -> None:
            socket.transport.write(b"\xff\xff\xff\xff")

        async with sandbox() as running, media_server(talk) as server:
            call = await make_call(running, twiml=server.twiml())
            await ended(running, call.sid)
            assert codes(running, call.sid) == ["31924"]

    run(test())


def test_a_refused_handshake_is_31920_with_the_servers_answer() -> None:
    async def test() -> None:
        def refuse(socket: ServerConnection, _: Request) -> WireResponse:
            return socket.respond(404, "no such stream")

        async with (
            sandbox() as running,
            web_server() as web,
            media_server(say_nothing, process_request=refuse) as server,
        ):
            twiml = server.twiml(name="s", statusCallback=web.url + "/stream")
            call = await make_call(running, twiml=twiml)
            assert (await ended(running, call.sid)).status == "completed"
            (found,) = running.store.notifications(call.sid)
            assert found.error_code == "31920"
            assert "404" in found.message_text
            assert "no+such+stream" in found.message_text
            (form,) = web.forms("/stream")
            assert form["StreamEvent"] == "stream-error"
            assert form["StreamName"] == "s"
            assert "404" in form["StreamError"]
            assert form["Timestamp"].endswith("Z")

    run(test())


@pytest.mark.parametrize(
    ("url", "track", "code"),
    [
        ("ws://127.0.0.1:1/", None, "31902"),
        ("ws://bridge.example/", None, "31922"),
        ("wss://{{host}}/", None, "31923"),
        ("/media", None, "31922"),
        ("ws://127.0.0.1:1/", "both_tracks", "31941"),
    ],
)
def test_a_stream_that_cannot_be_dialled_is_an_error(
    url: str, track: str | None, code: str
) -> None:
    async def test() -> None:
        async with sandbox() as running:
            attribute = f' track="{track}"' if track else ""
            twiml = f'<Response><Connect><Stream url="{url}"{attribute}/></Connect></Response>'
            call = await make_call(running, twiml=twiml)
            await ended(running, call.sid)
            assert codes(running, call.sid) == [code]

    run(test())


def test_a_server_here_that_speaks_no_tls_is_dialled_without_it() -> None:
    async def leave(socket: ServerConnection, _stream_sid: str) -> None:
        await socket.close()

    async def test() -> None:
        async with sandbox() as running, media_server(leave) as server:
            call = await make_call(running, twiml=server.twiml().replace("ws://", "wss://"))
            await ended(running, call.sid)
            assert codes(running, call.sid) == []
            assert server.conversations[0].events() == ["connected", "start"]

    run(test())


def test_a_server_that_breaks_off_the_tls_greeting_is_31910() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    async def test() -> None:
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        twiml = f'<Response><Connect><Stream url="wss://127.0.0.1:{port}/"/></Connect></Response>'
        async with sandbox() as running, server:
            call = await make_call(running, twiml=twiml)
            await ended(running, call.sid)
            assert codes(running, call.sid) == ["31910"]

    run(test())


def test_a_certificate_that_nobody_trusts_is_31910(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            sandbox() as running,
            web_server() as web,
            in_front_of(int(web.url.rpartition(":")[2]), certify("localhost", tmp_path)) as edge,
        ):
            url = f"wss://localhost:{edge}/media"
            twiml = f'<Response><Connect><Stream url="{url}"/></Connect></Response>'
            call = await make_call(running, twiml=twiml)
            await ended(running, call.sid)
            assert codes(running, call.sid) == ["31910"]

    run(test())


def test_a_redirected_handshake_is_refused_too() -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            web.pages["/media"] = Response(status_code=302, headers={"Location": "/other"})
            url = web.url.replace("http", "ws")
            twiml = f'<Response><Connect><Stream url="{url}/media"/></Connect></Response>'
            call = await make_call(running, twiml=twiml)
            await ended(running, call.sid)
            assert codes(running, call.sid) == ["31920"]

    run(test())


def test_a_copy_of_the_call_has_both_tracks_and_ignores_what_comes_back() -> None:
    async def test() -> None:
        async def talk(socket: ServerConnection, sid: str) -> None:
            await socket.send(media(sid, TONE))
            await socket.send("nonsense")

        async with sandbox(deterministic=True) as running, media_server(talk) as server:
            running.carrier.callees[TO] = Callee(says=b"\x22" * 1600)
            twiml = (
                f'<Response><Start><Stream name="c" track="both_tracks" url="{server.url}/c"/>'
                '</Start><Pause length="1"/><Stop><Stream name="c"/></Stop></Response>'
            )
            call = await make_call(running, twiml=twiml)
            await ended(running, call.sid)
            assert codes(running, call.sid) == []
            assert running.heard(call.sid) == b""
            messages = server.conversations[0].messages
            assert messages[1]["start"]["tracks"] == ["inbound", "outbound"]
            assert server.conversations[0].events() == ["connected", "start", "stop"]
            said = [
                base64.b64decode(message["media"]["payload"])
                for message in messages
                if message["event"] == "media" and message["media"]["track"] == "inbound"
            ]
            assert b"".join(said) == b"\x22" * 1600 + b"\xff" * 6400

    run(test())


def test_the_callee_speaks_presses_keys_and_hangs_up() -> None:
    async def test() -> None:
        async with sandbox() as running, media_server(say_nothing) as server:
            running.carrier.callees[TO] = Callee(
                says=TONE, presses=(Press(0.1, "1"), Press(0.2, "#")), hangup_after=0.5
            )
            call = await make_call(running, twiml=server.twiml())
            assert (await ended(running, call.sid)).status == "completed"
            (conversation,) = server.conversations
            assert conversation.events() == ["connected", "start", "dtmf", "dtmf", "stop"]
            assert conversation.close_code == 1000
            messages = conversation.messages
            keys = [message["dtmf"] for message in messages if message["event"] == "dtmf"]
            assert keys == [
                {"track": "inbound_track", "digit": "1"},
                {"track": "inbound_track", "digit": "#"},
            ]
            payloads = [m["media"]["payload"] for m in messages if m["event"] == "media"]
            assert len(payloads) == 25
            assert b"".join(map(base64.b64decode, payloads)).startswith(TONE)
            assert messages[-1]["stop"] == {"accountSid": call.account_sid, "callSid": call.sid}
            report = running.store.report(call.sid)
            assert report is not None
            assert (report.ended_by, report.digits_pressed) == ("callee", "1#")

    run(test())


# The life of a call


@pytest.mark.parametrize(
    ("number", "status", "sip_code"),
    [
        ("+15550100486", "busy", "486"),
        ("+15550100480", "no-answer", "480"),
        ("+15550100404", "failed", "404"),
        ("+15550100503", "failed", "503"),
        ("+15550100603", "failed", "603"),
    ],
)
def test_the_last_digits_decide_who_answers(number: str, status: str, sip_code: str) -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            call = await make_call(
                running,
                to=number,
                timeout=2,
                twiml="<Response><Pause/></Response>",
                status_callback=web.url + "/status",
                status_callback_event=ALL,
            )
            found = await ended(running, call.sid)
            assert (found.status, found.duration) == (status, "0")
            forms = web.forms("/status")
            assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", status]
            assert forms[-1]["SipResponseCode"] == sip_code
            assert forms[-1]["CallDuration"] == "0"

    run(test())


def test_one_callee_hangs_up_after_two_seconds() -> None:
    async def test() -> None:
        async with sandbox() as running, media_server(say_nothing) as server:
            call = await make_call(running, to="+15550100410", twiml=server.twiml())
            assert (await ended(running, call.sid)).status == "completed"
            assert len(running.heard(call.sid)) == 2 * 8000

    run(test())


def test_status_callbacks_are_signed_numbered_and_complete() -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            call = await make_call(
                running,
                twiml="<Response><Say>Hello</Say></Response>",
                status_callback=web.url + "/status?leg=1",
                status_callback_event=ALL,
            )
            await ended(running, call.sid)
            forms = web.forms("/status?leg=1")
            statuses = [form["CallStatus"] for form in forms]
            assert statuses == ["initiated", "ringing", "in-progress", "completed"]
            assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
            validator = RequestValidator(AUTH_TOKEN)
            for hit in web.hits:
                assert validator.validate(hit.url, hit.form, hit.signature)
            last = forms[-1]
            assert (last["From"], last["Called"]) == (FROM, TO)
            assert last["CallbackSource"] == "call-progress-events"
            assert int(last["CallDuration"]) in range(1, 60)  # a busy computer makes it longer
            assert last["Duration"] == "1"
            assert last["SipResponseCode"] == "200"

    run(test())


def test_only_the_end_is_told_unless_more_is_asked_for_and_get_is_possible() -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            call = await make_call(
                running,
                twiml="<Response/>",
                status_callback=web.url + "/status",
                status_callback_method="GET",
            )
            await ended(running, call.sid)
            (hit,) = web.hits
            assert hit.method == "GET"
            assert "CallStatus=completed" in hit.url
            assert RequestValidator(AUTH_TOKEN).validate(hit.url, {}, hit.signature)

    run(test())


def test_a_callback_that_fails_is_a_warning_and_no_more() -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            web.pages["/status"] = Response(status_code=500)
            call = await make_call(
                running, twiml="<Response/>", status_callback=web.url + "/status"
            )
            assert (await ended(running, call.sid)).status == "completed"
            assert codes(running, call.sid) == ["15003"]

    run(test())


def test_the_time_limit_ends_a_call_that_nobody_ends() -> None:
    async def test() -> None:
        async with sandbox() as running, media_server(say_nothing) as server:
            call = await make_call(running, twiml=server.twiml(), time_limit=3)
            found = await ended(running, call.sid)
            assert found.status == "completed"
            assert int(found.duration) >= 3
            assert server.conversations[0].events() == ["connected", "start", "stop"]
            report = running.store.report(call.sid)
            assert report is not None
            assert report.ended_by == "time limit"

    run(test())


def test_completed_hangs_up_with_a_stop_and_a_proper_close() -> None:
    async def test() -> None:
        started = asyncio.Event()

        async def talk(_socket: ServerConnection, _sid: str) -> None:
            started.set()

        async with sandbox() as running, media_server(talk) as server:
            call = await make_call(running, twiml=server.twiml())
            await started.wait()
            updated = await in_thread(
                lambda: client(running).calls(call.sid).update(status="completed")
            )
            assert updated.status == "completed"
            await ended(running, call.sid)
            (conversation,) = server.conversations
            assert conversation.events() == ["connected", "start", "stop"]
            assert conversation.close_code == 1000
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(lambda: client(running).calls(call.sid).update(status="completed"))
            assert caught.value.code == 21220

    run(test())


@pytest.mark.parametrize("status", ["canceled", "completed"])
def test_a_ringing_call_can_be_taken_back(status: str) -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            running.carrier.callees[TO] = Callee("no-answer")
            call = await make_call(
                running,
                twiml="<Response/>",
                timeout=600,
                status_callback=web.url + "/status",
            )
            await in_thread(lambda: client(running).calls(call.sid).update(status=status))
            assert (await ended(running, call.sid)).status == "canceled"
            assert web.forms("/status")[0]["SipResponseCode"] == "487"

    run(test())


def test_new_twiml_stops_the_stream_and_runs_instead() -> None:
    async def test() -> None:
        started = asyncio.Event()

        async def talk(_socket: ServerConnection, _sid: str) -> None:
            started.set()

        async with sandbox() as running, web_server() as web, media_server(talk) as server:
            web.pages["/next"] = xml("<Response><Pause/></Response>")
            call = await make_call(running, twiml=server.twiml())
            await started.wait()
            await in_thread(
                lambda: (
                    client(running)
                    .calls(call.sid)
                    .update(twiml=f"<Response><Redirect>{web.url}/next</Redirect></Response>")
                )
            )
            assert (await ended(running, call.sid)).status == "completed"
            assert server.conversations[0].events() == ["connected", "start", "stop"]
            assert len(web.forms("/next")) == 1

    run(test())


def test_leaving_the_sandbox_hangs_up_what_is_left() -> None:
    async def test() -> None:
        started = asyncio.Event()

        async def talk(_socket: ServerConnection, _sid: str) -> None:
            started.set()

        async with web_server() as web, media_server(talk) as server:
            async with sandbox() as running:
                await make_call(running, twiml=server.twiml(), status_callback=web.url + "/status")
                await started.wait()
                assert len(running.live_calls) == 1
            assert running.live_calls == []
            assert server.conversations[0].events() == ["connected", "start", "stop"]
            assert web.forms("/status")[0]["CallStatus"] == "completed"

    run(test())


# TwiML from a web server


def test_twiml_is_fetched_with_a_signed_form() -> None:
    async def test() -> None:
        servers, talk = speaker()
        async with sandbox() as running, web_server() as web, media_server(talk) as server:
            servers.append(server)
            web.pages["/voice"] = Response(server.twiml(), media_type="text/html")
            call = await make_call(running, url=web.url + "/voice")
            await ended(running, call.sid)
            assert TONE in running.heard(call.sid)
            (hit,) = web.hits
            assert hit.form["CallSid"] == call.sid
            assert hit.form["CallStatus"] == "in-progress"
            assert RequestValidator(AUTH_TOKEN).validate(hit.url, hit.form, hit.signature)

    run(test())


def test_the_fallback_is_asked_when_the_url_fails() -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            web.pages["/voice"] = Response(status_code=500)
            web.pages["/fallback"] = xml("<Response><Say>Sorry</Say></Response>")
            call = await make_call(
                running, url=web.url + "/voice", fallback_url=web.url + "/fallback"
            )
            await ended(running, call.sid)
            assert codes(running, call.sid) == ["11200"]
            assert web.forms("/fallback")[0]["ErrorCode"] == "11200"
            assert running.heard(call.sid) != b""

    run(test())


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (Response(status_code=404), "11200"),
        (Response('{"a":1}', media_type="application/json"), "12300"),
        (xml("<Response>"), "12100"),
        (xml(""), "12100"),
        (xml("<Response><Say>" + "x" * 70_000 + "</Say></Response>"), "11750"),
        (Response(status_code=302, headers={"Location": "/voice"}), "11215"),
    ],
)
def test_a_document_that_cannot_be_had_ends_the_call(page: Response, code: str) -> None:
    async def test() -> None:
        async with sandbox() as running, web_server() as web:
            web.pages["/voice"] = page
            call = await make_call(running, url=web.url + "/voice")
            assert (await ended(running, call.sid)).status == "completed"
            assert codes(running, call.sid) == [code]

    run(test())


def test_plain_text_is_spoken_and_nobody_there_is_11205() -> None:
    async def test() -> None:
        async with sandbox(deterministic=True) as running, web_server() as web:
            web.pages["/voice"] = Response("Hello", media_type="text/plain")
            call = await make_call(running, url=web.url + "/voice")
            await ended(running, call.sid)
            assert len(running.heard(call.sid)) == 5 * 480
            call = await make_call(running, url="http://127.0.0.1:1/voice")
            await ended(running, call.sid)
            assert codes(running, call.sid) == ["11205"]

    run(test())


def test_say_play_and_gather_take_their_time_and_keys_go_to_the_action() -> None:
    async def test() -> None:
        async def say(_text: str, language: str | None) -> bytes:
            return b"\x11" * 800 if language == "en-GB" else b""

        clip = b"\x22" * 800
        samples = struct.pack("<400h", *([1000] * 400))
        async with sandbox(deterministic=True, say=say) as running, web_server() as web:
            running.carrier.callees[TO] = Callee(presses=(Press(0.05, "4"), Press(0.06, "2")))
            web.pages["/mulaw.wav"] = Response(wav_file("pcm_mulaw", 8000, clip))
            web.pages["/pcm.wav"] = Response(wav_file("pcm_s16le", 8000, samples))
            web.pages["/pin"] = xml("<Response><Play>/pcm.wav</Play></Response>")
            web.pages["/voice"] = xml(
                '<Response><Gather input="dtmf" numDigits="2" action="/pin">'
                '<Say language="en-GB">Hello</Say><Play>mulaw.wav</Play></Gather>'
                "<Say>Never said</Say></Response>"
            )
            call = await make_call(running, url=web.url + "/voice")
            await ended(running, call.sid)
            assert web.forms("/pin")[0]["Digits"] == "42"
            assert running.heard(call.sid) == b"\x11" * 800 + clip + b"\xce" * 400

    run(test())


def test_a_clip_of_another_rate_is_played_too_and_what_is_none_is_two_seconds_of_silence() -> None:
    async def test() -> None:
        async with sandbox(deterministic=True) as running, web_server() as web:
            second = struct.pack("<16000h", *([1000, -1000] * 8000))
            web.pages["/clip"] = Response(wav_file("pcm_s16le", 16000, second))
            web.pages["/page"] = Response("no audio")
            for path, length in (("/clip", 8000), ("/page", 16000)):
                twiml = f"<Response><Play>{web.url}{path}</Play></Response>"
                call = await make_call(running, twiml=twiml)
                await ended(running, call.sid)
                assert len(running.heard(call.sid)) == pytest.approx(length, abs=80)

    run(test())


def test_a_say_is_spoken_by_the_sandboxs_voice() -> None:
    async def test() -> None:
        async with sandbox(deterministic=True, say=None) as running:
            call = await make_call(running, twiml="<Response><Say>Good morning</Say></Response>")
            await ended(running, call.sid)
            heard = running.heard(call.sid)
            assert 4000 < len(heard) < 16000
            assert len(set(heard)) > 50

    run(test())


def test_a_gather_without_keys_falls_through() -> None:
    async def test() -> None:
        async with sandbox(deterministic=True) as running, web_server() as web:
            web.pages["/voice"] = xml(
                '<Response><Gather timeout="1" action="/pin"/><Say>Bye</Say></Response>'
            )
            call = await make_call(running, url=web.url + "/voice")
            await ended(running, call.sid)
            assert web.forms("/pin") == []
            assert len(running.heard(call.sid)) == 3 * 480

    run(test())


# Determinism and pace


def test_a_deterministic_call_is_the_same_every_time() -> None:
    async def once() -> tuple[Any, ...]:
        servers, talk = speaker()
        async with sandbox(deterministic=True) as running, media_server(talk) as server:
            servers.append(server)
            call = await make_call(running, twiml=server.twiml())
            await ended(running, call.sid)
            resource = running.store.call(call.sid)
            start = server.conversations[0].messages[1]
            return resource, running.heard(call.sid), start["streamSid"]

    assert asyncio.run(once()) == asyncio.run(once())


def test_twenty_calls_at_once_each_hear_their_own() -> None:
    async def test() -> None:
        async def talk(socket: ServerConnection, sid: str) -> None:
            assert socket.request is not None
            own = bytes([int(socket.request.path.rpartition("/")[2])])
            await socket.send(media(sid, own * 1600))
            await socket.send(mark(sid, "end"))
            await done[own[0]].wait()
            await socket.close()

        done = {number: asyncio.Event() for number in range(20)}
        async with sandbox(deterministic=True, speed=5) as running, media_server(talk) as server:
            calls = await asyncio.gather(
                *(make_call(running, twiml=server.twiml(f"/{number}")) for number in range(20))
            )
            for _ in range(20):
                assert await server.marks.get() == "end"
            for event in done.values():
                event.set()
            for number, call in enumerate(calls):
                await ended(running, call.sid)
                assert running.heard(call.sid) == bytes([number]) * 1600

    run(test())
