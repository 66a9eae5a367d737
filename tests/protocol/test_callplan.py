"""What a call would be, told without making it."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as ET

import msgspec
import pytest

from asyncflow_cli.protocol.callplan import (
    Addresses,
    CallPlanReport,
    Playing,
    Speaking,
    call_plan,
)
from asyncflow_cli.protocol.callrequest import CallRequest, stream_twiml
from asyncflow_cli.protocol.callrequest import doubts as request_doubts

TO, FROM = "+15551230001", "+15557654321"
ACCOUNT = "AC" + "1" * 32
SPEECH = Speaking(
    url="wss://api.async.com/ws", model_id="async_flash_v1.5", voice_id="v", characters=150
)


def requested(host: str = "wss://TUNNEL", **changes: object) -> CallRequest:
    found = Addresses(host)
    request = CallRequest(
        to=TO,
        from_=FROM,
        twiml=stream_twiml(found.media, found.stream_status),
        status_callback=found.status,
        ring_timeout=30,
        time_limit=120,
    )
    return dataclasses.replace(request, **changes)  # type: ignore[arg-type]


def plan(
    request: CallRequest, saying: Speaking | Playing = SPEECH, api_key: str | None = None
) -> CallPlanReport:
    return call_plan(
        request,
        saying,
        media_url=Addresses().media,
        twilio="https://api.twilio.com",
        account_sid=ACCOUNT,
        api_key=api_key,
    )


def test_the_order_stands_in_the_plan_as_it_would_be_sent() -> None:
    made = plan(requested())
    assert made.headline == f"POST https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    assert made.parameters == requested().parameters
    stream = ET.fromstring(made.parameters["Twiml"]).find("Connect/Stream")
    assert stream is not None
    assert stream.get("url") == made.media_url == "wss://TUNNEL/twilio/media/TOKEN"
    assert stream.get("statusCallback") == "https://TUNNEL/twilio/stream-status/TOKEN"


def test_a_fixed_address_stands_in_place_of_the_tunnel() -> None:
    assert Addresses("wss://voice.example.com").machine == (
        "https://voice.example.com/twilio/amd/TOKEN"
    )
    assert Addresses("ws://127.0.0.1:8").status == "http://127.0.0.1:8/twilio/status/TOKEN"


def test_who_signs_in_is_told_and_nobodys_secret() -> None:
    assert plan(requested()).login == f"{ACCOUNT}:***"
    assert plan(requested(), api_key="SK1").login == "SK1:***"


@pytest.mark.parametrize(
    ("saying", "seconds", "usd"),
    [
        (SPEECH, 10.0, 0.001389),
        (dataclasses.replace(SPEECH, characters=None), 120, 0.016667),
        (dataclasses.replace(SPEECH, model_id="new"), 10.0, None),
        (Playing(seconds=7.25), 7.2, 0.0),
    ],
    ids=["a text", "a text being written", "an unknown model", "a recording"],
)
def test_speech_is_priced_by_its_length(
    saying: Speaking | Playing, seconds: float, usd: float | None
) -> None:
    made = plan(requested(), saying)
    assert (made.estimated_seconds, made.estimated_usd) == (seconds, usd)


@pytest.mark.parametrize(("limit", "minutes"), [(1, 1), (60, 1), (61, 2), (120, 2)])
def test_minutes_are_rounded_up(limit: int, minutes: int) -> None:
    assert plan(requested(time_limit=limit)).billed_minutes_at_most == minutes


def test_what_costs_beyond_the_minutes_is_told() -> None:
    assert plan(requested()).cost_drivers == ()
    dear = plan(requested(machine="Enable", record=True))
    assert [driver.split(",")[0] for driver in dear.cost_drivers] == [
        "machine detection",
        "recording",
    ]
    words = "\n".join(str(value) for value in dear.brief.values())
    for told in (TO, FROM, "120 s of talk at most", "$0.0014", "2 billed minutes", "recording"):
        assert told in words


def test_a_text_that_is_longer_than_the_call_is_doubted() -> None:
    long = plan(requested(), dataclasses.replace(SPEECH, characters=15 * 121))
    assert ["--max-duration" in doubt for doubt in long.doubts] == [True]
    assert list(plan(requested()).doubts) == []


def test_what_twilio_takes_without_doing_it_is_doubted() -> None:
    callback = {"machine": "Enable", "async_amd_status_callback": "https://h"}
    assert list(request_doubts(requested(**callback))) == []
    assert len(list(request_doubts(requested(**callback, send_digits="1")))) == 1


def test_a_plan_is_a_document() -> None:
    written = msgspec.json.encode(plan(requested(record=True)))
    assert msgspec.json.decode(written)["schema"] == "asyncflow.call-dry-run"
    assert msgspec.json.decode(written, type=CallPlanReport) == plan(requested(record=True))
