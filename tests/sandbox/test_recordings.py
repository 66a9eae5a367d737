"""Recordings of calls, made, steered and fetched by Twilio's own client."""

from __future__ import annotations

import asyncio
import contextlib
import io
import struct
import wave
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any, cast

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from websockets.asyncio.server import ServerConnection

from asyncflow_cli.protocol.audio import decode_mulaw
from asyncflow_cli.sandbox.account import AUTH_TOKEN
from asyncflow_cli.sandbox.callee import Callee
from asyncflow_cli.sandbox.mediafeed import Ticked
from asyncflow_cli.sandbox.server import Sandbox
from asyncflow_cli.sandbox.tape import Tape, TapeOrder
from tests.sandbox.far_ends import (
    TO,
    client,
    ended,
    in_thread,
    make_call,
    media_server,
    run,
    sandbox,
    web_server,
)
from tests.sandbox.stranger import seconds_of

SAID, HEARD = b"\xce" * 800, b"\xa0" * 800
"""1000 and 8031, near enough: a tenth of a second each."""


async def say(_text: str, _language: str | None) -> bytes:
    return HEARD


async def recorded(running: Sandbox, **order: Any) -> Any:
    """A call in which half a second passes, both speak, and half a second passes."""
    running.carrier.callees[TO] = Callee(says=b"\xff" * 4000 + SAID)
    pause = "<Play digits='w'/>"
    twiml = f"<Response>{pause}<Say>x</Say>{pause}</Response>"
    call = await make_call(running, **{"twiml": twiml, "record": True, **order})
    await ended(running, call.sid)
    return call


async def file_of(running: Sandbox, sid: str, query: str = "") -> wave.Wave_read:
    (made,) = running.store.recordings(sid)
    async with httpx.AsyncClient() as web:
        response = await web.get(f"{made.media_url}.wav{query}")
    assert response.headers["content-type"] == "audio/x-wav"
    return wave.Wave_read(io.BytesIO(response.content))


def levels(file: wave.Wave_read) -> list[int]:
    """The samples at 50 ms, 550 ms and 650 ms, whatever the channels."""
    found: list[int] = []
    for second in (0.05, 0.55, 0.65):
        file.setpos(int(second * 8000))
        found += struct.unpack(f"<{file.getnchannels()}h", file.readframes(1))
    return found


def level(mulaw: bytes) -> int:
    return int(struct.unpack("<h", decode_mulaw(mulaw[:1]))[0])


def test_a_recorded_call_is_a_file_of_what_was_said_and_heard() -> None:
    async def test() -> None:
        async with sandbox(say=say) as running:
            call = await recorded(running, trim="do-not-trim")
            file = await file_of(running, call.sid)
            assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 8000, 8800)
            assert levels(file) == [0, level(SAID) + level(HEARD), 0]

    run(test())


def test_two_channels_keep_callee_and_caller_apart() -> None:
    async def test() -> None:
        async with sandbox(say=say) as running:
            call = await recorded(running, trim="do-not-trim", recording_channels="dual")
            both = [0, 0, level(SAID), level(HEARD), 0, 0]
            assert levels(await file_of(running, call.sid)) == both
            mixed = await file_of(running, call.sid, "?RequestedChannels=1")
            assert levels(mixed) == [0, level(SAID) + level(HEARD), 0]

    run(test())


@pytest.mark.parametrize(("track", "spoken"), [("inbound", SAID), ("outbound", HEARD)])
def test_one_track_is_one_side(track: str, spoken: bytes) -> None:
    async def test() -> None:
        async with sandbox(say=say) as running:
            call = await recorded(running, trim="do-not-trim", recording_track=track)
            assert levels(await file_of(running, call.sid)) == [0, level(spoken), 0]

    run(test())


def test_the_silence_around_it_is_trimmed_and_nothing_but_silence_is_absent() -> None:
    async def test() -> None:
        async with sandbox(say=say) as running, web_server() as web:
            call = await recorded(running)
            assert (await file_of(running, call.sid)).getnframes() == 800
            running.carrier.callees[TO] = Callee()
            silent = await make_call(
                running,
                twiml="<Response><Pause/></Response>",
                record=True,
                recording_status_callback=web.url + "/recording",
                recording_status_callback_event=["absent"],
            )
            await ended(running, silent.sid)
            assert [form["RecordingStatus"] for form in web.forms("/recording")] == ["absent"]
            (made,) = running.store.recordings(silent.sid)
            async with httpx.AsyncClient() as stranger:
                assert (await stranger.get(made.media_url)).status_code == 404

    run(test())


def test_a_recording_is_told_of_as_it_begins_and_ends_and_by_the_calls_last_callback() -> None:
    async def test() -> None:
        async with sandbox(say=say) as running, web_server() as web:
            call = await recorded(
                running,
                status_callback=web.url + "/status",
                recording_status_callback=web.url + "/recording",
                recording_status_callback_event=["in-progress", "completed"],
            )
            began, done = web.forms("/recording")
            assert [began["RecordingStatus"], done["RecordingStatus"]] == [
                "in-progress",
                "completed",
            ]
            assert (done["CallSid"], done["RecordingDuration"]) == (call.sid, "1")
            assert done["RecordingSource"] == "OutboundAPI"
            validator = RequestValidator(AUTH_TOKEN)
            assert all(validator.validate(hit.url, hit.form, hit.signature) for hit in web.hits)
            (status,) = web.forms("/status")
            assert status["RecordingUrl"] == done["RecordingUrl"]
            assert (status["RecordingSid"], status["RecordingDuration"]) == (
                done["RecordingSid"],
                "1",
            )
            report = running.store.report(call.sid)
            assert report is not None
            assert [made["sid"] for made in report.recordings] == [done["RecordingSid"]]

    run(test())


def test_twilios_client_lists_fetches_and_deletes_them() -> None:
    async def test() -> None:
        async with sandbox(say=say) as running:
            call, twilio = await recorded(running), client(running)
            (made,) = await in_thread(lambda: twilio.recordings.list(call_sid=call.sid))
            assert (made.status, made.duration, made.channels) == ("completed", "1", 1)
            assert made.start_time is not None
            tomorrow = date.today() + timedelta(days=2)
            assert (
                await in_thread(lambda: twilio.recordings.list(date_created_after=tomorrow)) == []
            )
            assert await in_thread(lambda: twilio.recordings.list(call_sid="CA1")) == []
            (of_call,) = await in_thread(lambda: twilio.calls(call.sid).recordings.list())
            assert of_call.sid == made.sid
            assert (await in_thread(of_call._proxy.fetch)).track == "both"
            assert await in_thread(twilio.recordings(made.sid).delete)
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(twilio.recordings(made.sid).fetch)
            assert caught.value.code == 20404

    run(test())


def test_an_mp3_of_it_can_be_had() -> None:
    pytest.importorskip("av")

    async def test() -> None:
        async with sandbox(say=say) as running, httpx.AsyncClient() as web:
            call = await recorded(running, trim="do-not-trim", recording_channels="dual")
            (made,) = running.store.recordings(call.sid)
            response = await web.get(made.media_url + ".mp3")
            assert response.headers["content-type"] == "audio/mpeg"
            assert seconds_of(response.content) == pytest.approx(1.1, abs=0.15)

    run(test())


@contextlib.asynccontextmanager
async def talking(**options: Any) -> AsyncIterator[tuple[Sandbox, Any]]:
    """A call that is in progress, as Twilio's client sees it."""
    started = asyncio.Event()

    async def talk(_socket: ServerConnection, _sid: str) -> None:
        started.set()

    async with sandbox(**options) as running, media_server(talk) as server:
        call = await make_call(running, twiml=server.twiml())
        await started.wait()
        yield running, client(running).calls(call.sid)


def test_a_call_in_progress_is_recorded_paused_and_stopped_by_rest() -> None:
    async def test() -> None:
        async with talking() as (_, call):
            made = await in_thread(lambda: call.recordings.create(recording_channels="dual"))
            assert (made.status, made.source) == ("in-progress", "StartCallRecordingAPI")
            current = call.recordings("Twilio.CURRENT")
            paused = await in_thread(lambda: current.update("paused", pause_behavior="skip"))
            assert (paused.sid, paused.status) == (made.sid, "paused")
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(call.recordings(made.sid).delete)
            assert caught.value.code == 20409
            went_on = await in_thread(lambda: current.update("in-progress"))
            assert went_on.status == "in-progress"
            stopped = await in_thread(lambda: call.recordings(made.sid).update("stopped"))
            assert stopped.status == "stopped"
            assert (await in_thread(call.recordings(made.sid).fetch)).status == "completed"
            with pytest.raises(TwilioRestException) as caught:
                await in_thread(lambda: call.recordings(made.sid).update("paused"))
            assert caught.value.code == 21220

    run(test())


def test_a_pause_is_silence_unless_it_is_skipped() -> None:
    tape = Tape(TapeOrder("OutboundAPI"))
    for paused in (None, "silence", "skip", None):
        tape.paused = cast(Any, paused)
        tape.on_tick(Ticked(SAID[:160], HEARD[:160]))
    assert tape.said == SAID[:160] + b"\xff" * 160 + SAID[:160]
    assert tape.heard == HEARD[:160] + b"\xff" * 160 + HEARD[:160]


def test_an_order_that_makes_no_sense_is_refused() -> None:
    async def test() -> None:
        async with sandbox() as running:
            for wrong in (
                {"recording_channels": "five"},
                {"recording_track": "left"},
                {"trim": "a bit"},
                {"recording_status_callback": "nowhere"},
                {"recording_status_callback_event": ["sometimes"]},
            ):
                with pytest.raises(TwilioRestException) as caught:
                    await make_call(running, twiml="<Response/>", record=True, **wrong)
                assert caught.value.status == 400
            call = await make_call(running, twiml="<Response/>")
            await ended(running, call.sid)
            for sid, code in ((call.sid, 21220), ("CA" + "0" * 32, 20404)):
                with pytest.raises(TwilioRestException) as caught:
                    await in_thread(client(running).calls(sid).recordings.create)
                assert caught.value.code == code

    run(test())
