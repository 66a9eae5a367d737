"""Callees who act by a script, on the line and in calls."""

from __future__ import annotations

import cmath
import json
import math

import httpx
import pytest
from websockets.asyncio.server import ServerConnection

from asyncflow_cli.protocol.audio import decode_mulaw
from tests.sandbox.far_ends import TO, ended, make_call, media_server, run, sandbox, say_nothing

PAUSE = '<Response><Pause length="9"/></Response>'


def test_a_script_is_acted_out_on_the_line() -> None:
    async def test() -> None:
        script = 'answer after 0s; say "Hi"; press 1#; wait 100ms; hang up'
        async with sandbox(callees={TO: script}) as running, media_server(say_nothing) as server:
            call = await make_call(running, twiml=server.twiml())
            await ended(running, call.sid)
            messages = server.conversations[0].messages
            keys = [found["dtmf"]["digit"] for found in messages if found["event"] == "dtmf"]
            assert keys == ["1", "#"]
            # 120 ms of speech, two keys, and the pause.
            assert sum(found["event"] == "media" for found in messages) == (120 + 400 + 100) / 20
            report = running.store.report(call.sid)
            assert report is not None
            assert (report.ended_by, report.billed_minutes) == ("callee", 1)

    run(test())


@pytest.mark.parametrize(
    ("order", "twiml"),
    [
        ({"send_digits": "1w#"}, "<Response/>"),
        ({}, '<Response><Play digits="1w#"/></Response>'),
    ],
)
def test_keys_that_are_sent_are_heard(order: dict[str, str], twiml: str) -> None:
    async def test() -> None:
        async with sandbox() as running:
            call = await make_call(running, twiml=twiml, **order)
            await ended(running, call.sid)
            heard = running.heard(call.sid)
            assert len(heard) == 7200
            assert strongest(heard[:1200]) == {697, 1209}
            assert set(heard[1600:5600]) == {0xFF}
            assert strongest(heard[5600:6800]) == {941, 1477}

    run(test())


def strongest(mulaw: bytes) -> set[int]:
    """The two of a telephone's eight frequencies that are loudest."""
    samples = memoryview(decode_mulaw(mulaw)).cast("h")

    def level(hz: int) -> float:
        turn = -2j * math.pi * hz / 8000
        return abs(sum(sample * cmath.exp(turn * at) for at, sample in enumerate(samples)))

    frequencies = (697, 770, 852, 941, 1209, 1336, 1477, 1633)
    return set(sorted(frequencies, key=level)[-2:])


def test_a_callee_may_hang_up_the_moment_something_is_taken_back() -> None:
    async def test() -> None:
        async def talk(socket: ServerConnection, sid: str) -> None:
            await socket.send(json.dumps({"event": "clear", "streamSid": sid}))

        callees = {"*": "when cleared hang up"}
        async with sandbox(callees=callees) as running, media_server(talk) as server:
            call = await make_call(running, twiml=server.twiml())
            await ended(running, call.sid)
            report = running.store.report(call.sid)
            assert report is not None
            assert report.ended_by == "callee"

    run(test())


def test_a_stream_that_is_closed_is_nothing_taken_back() -> None:
    async def test() -> None:
        async def leave(socket: ServerConnection, _sid: str) -> None:
            await socket.close()

        callees = {"*": "when cleared hang up"}
        async with sandbox(callees=callees) as running, media_server(leave) as server:
            twiml = server.twiml().replace("</Response>", "<Pause/></Response>")
            call = await make_call(running, twiml=twiml)
            await ended(running, call.sid)
            report = running.store.report(call.sid)
            assert report is not None
            assert report.ended_by == "twiml"

    run(test())


@pytest.mark.parametrize(
    ("number", "digits", "answered_by"),
    [("701", "", "human"), ("702", "1", "human"), ("801", "", "machine_end_beep")],
)
def test_some_numbers_are_answered_by_somebody_in_particular(
    number: str, digits: str, answered_by: str
) -> None:
    async def test() -> None:
        async with sandbox() as running:
            call = await make_call(
                running,
                to=f"+15550100{number}",
                twiml=PAUSE,
                machine_detection="DetectMessageEnd",
            )
            assert (await ended(running, call.sid)).answered_by == answered_by
            report = running.store.report(call.sid)
            assert report is not None
            assert report.digits_pressed == digits

    run(test())


def test_whoever_embeds_the_sandbox_registers_callees_one_by_one() -> None:
    async def test() -> None:
        async with sandbox() as running:
            running.register("busy", TO)
            running.register("decline")
            for to, status in ((TO, "busy"), ("+15550100410", "failed")):
                call = await make_call(running, to=to, twiml=PAUSE)
                assert (await ended(running, call.sid)).status == status

    run(test())


def test_callees_come_and_go_while_the_sandbox_runs() -> None:
    async def test() -> None:
        async with sandbox() as running, httpx.AsyncClient(base_url=running.url) as web:
            path = "/__sandbox/callees"
            busy = {"number": TO, "script": "busy"}
            assert (await web.post(path, json=busy)).json() == {"callees": [busy]}
            everybody = {"number": "*", "script": "decline"}
            await web.post(path, json={"script": "decline"})
            assert (await web.get(path)).json() == {"callees": [busy, everybody]}
            for to, status in ((TO, "busy"), ("+15550100001", "failed")):
                call = await make_call(running, to=to, twiml=PAUSE)
                assert (await ended(running, call.sid)).status == status
            for bad in (b"{}", b'{"script": "dance"}', b'{"script": "", "number": "7"}', b"\xff"):
                assert (await web.post(path, content=bad)).status_code == 422
            await web.delete(path, params={"number": TO})
            assert (await web.get(path)).json() == {"callees": [everybody]}
            assert (await web.delete(path)).status_code == 204
            assert running.carrier.callees == {}

    run(test())
