"""Answering-machine detection: its verdicts, and how a customer learns of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from asyncflow_cli.sandbox.account import AUTH_TOKEN
from asyncflow_cli.sandbox.casting import cast
from asyncflow_cli.sandbox.detection import Detection, Verdict, verdict
from asyncflow_cli.sandbox.script import parse
from tests.sandbox.far_ends import (
    TO,
    client,
    ended,
    in_thread,
    make_call,
    media_server,
    run,
    sandbox,
    say_nothing,
    web_server,
    xml,
)

BEEPING = 'machine; say "We are out."; beep'
PAUSE = '<Response><Pause length="8"/></Response>'


async def hum(text: str, _language: str | None) -> bytes:
    return b"\x11" * 800 * len(text)


@pytest.mark.parametrize(
    ("script", "mode", "tuning", "expected"),
    [
        ("", "Enable", {}, Verdict("human", 1.2)),
        ('wait 1s; say "abcde"', "Enable", {}, Verdict("human", 2.7)),
        ('say "ab"; wait 2s; say "c"', "Enable", {}, Verdict("human", 1.4)),
        ('say "ab"; wait 1s; say "c"', "Enable", {}, Verdict("human", 2.5)),
        ("human", "Enable", {"SpeechEndThreshold": 0.5}, Verdict("human", 0.5)),
        (BEEPING, "Enable", {}, Verdict("machine_start", 4.0)),
        (BEEPING, "Enable", {"SpeechThreshold": 1.0}, Verdict("machine_start", 1.0)),
        (BEEPING, "Enable", {"Timeout": 3.0}, Verdict("unknown", 3.0)),
        (BEEPING, "DetectMessageEnd", {}, Verdict("machine_end_beep", 1.6)),
        ('machine; say "ab"', "DetectMessageEnd", {}, Verdict("machine_end_silence", 1.4)),
        ("machine", "DetectMessageEnd", {}, Verdict("machine_end_other", 4.0)),
        ("fax", "Enable", {}, Verdict("fax", 2.0)),
        ("unknown", "Enable", {}, Verdict("unknown", 5.0)),
    ],
)
def test_the_script_decides_and_its_words_say_when(
    script: str, mode: Any, tuning: dict[str, float], expected: Verdict
) -> None:
    tuned = {f"MachineDetection{name}": value for name, value in tuning.items()}
    found = verdict(Detection(mode, tuning=tuned), asyncio.run(cast(parse(script), hum)))
    assert found.answered_by == expected.answered_by
    assert found.after == pytest.approx(expected.after)


def test_synchronous_detection_holds_the_twiml_back_and_is_told_everywhere() -> None:
    async def test() -> None:
        async with sandbox(callees={TO: BEEPING}, say=hum) as running, web_server() as web:
            web.pages["/voice"] = xml("<Response/>")
            call = await make_call(
                running,
                url=web.url + "/voice",
                machine_detection="DetectMessageEnd",
                status_callback=web.url + "/status",
            )
            assert (await ended(running, call.sid)).answered_by == "machine_end_beep"
            assert web.forms("/voice")[0]["AnsweredBy"] == "machine_end_beep"
            assert web.forms("/status")[0]["AnsweredBy"] == "machine_end_beep"
            assert len(running.heard(call.sid)) == 1.6 * 8000
            report = running.store.report(call.sid)
            assert report is not None
            assert report.answered_by == "machine_end_beep"

    run(test())


def test_asynchronous_detection_posts_its_verdict_while_the_twiml_runs() -> None:
    async def test() -> None:
        async with sandbox(callees={"*": BEEPING}, say=hum) as running, web_server() as web:
            call = await make_call(
                running,
                twiml=PAUSE,
                machine_detection="Enable",
                async_amd="true",
                async_amd_status_callback=web.url + "/amd",
            )
            assert (await ended(running, call.sid)).answered_by == "machine_start"
            (hit,) = web.hits
            assert hit.form == {
                "CallSid": call.sid,
                "AccountSid": call.account_sid,
                "AnsweredBy": "machine_start",
                "MachineDetectionDuration": "4000",
            }
            assert RequestValidator(AUTH_TOKEN).validate(hit.url, hit.form, hit.signature)
            assert len(running.heard(call.sid)) == 8 * 8000

    run(test())


def test_a_stream_goes_on_while_it_is_found_out_who_answered() -> None:
    async def test() -> None:
        callees = {"*": 'machine; say "We are out."; beep; wait 1s; hang up'}
        async with (
            sandbox(callees=callees, say=hum) as running,
            web_server() as web,
            media_server(say_nothing) as server,
        ):
            call = await make_call(
                running,
                twiml=server.twiml(),
                machine_detection="DetectMessageEnd",
                async_amd="true",
                async_amd_status_callback=web.url + "/amd",
            )
            assert (await ended(running, call.sid)).answered_by == "machine_end_beep"
            assert web.forms("/amd")[0]["MachineDetectionDuration"] == "1600"
            heard = [m for m in server.conversations[0].messages if m["event"] == "media"]
            assert len(heard) == 2.6 * 50

    run(test())


def test_a_call_that_ends_first_has_no_verdict() -> None:
    async def test() -> None:
        async with sandbox(callees={TO: "machine; hang up after 1s"}) as running:
            call = await make_call(running, twiml=PAUSE, machine_detection="Enable")
            found = await ended(running, call.sid)
            assert (found.status, found.answered_by) == ("completed", None)

    run(test())


def test_keys_turn_detection_off() -> None:
    async def test() -> None:
        async with sandbox() as running:
            call = await make_call(
                running, twiml="<Response/>", machine_detection="Enable", send_digits="1"
            )
            assert (await ended(running, call.sid)).answered_by is None

    run(test())


def test_a_mode_that_is_none_is_refused_and_bad_tuning_is_warned_of() -> None:
    async def test() -> None:
        async with sandbox() as running:
            with pytest.raises(TwilioRestException) as caught:
                await make_call(running, twiml=PAUSE, machine_detection="Sometimes")
            assert caught.value.code == 21234
            call = await make_call(
                running,
                twiml="<Response/>",
                machine_detection="Enable",
                machine_detection_timeout=99,
                machine_detection_speech_end_threshold=500,
                async_amd="true",
            )
            await ended(running, call.sid)
            notified = await in_thread(lambda: client(running).calls(call.sid).notifications.list())
            assert [(found.error_code, found.log) for found in notified] == [
                ("21262", "1"),
                ("21263", "1"),
            ]

    run(test())
