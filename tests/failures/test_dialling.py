"""One phone rings, or none: what stands in the way of a call is told, and no call is made twice."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import TO
from tests.failures.conftest import Caller


def test_a_port_that_is_taken_rings_no_phone(call: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = call("Yes.", "--port", str(taken.getsockname()[1]))
    assert (result.code, result.error["code"]) == (10, "PORT_TAKEN")
    assert call.calls == []


@pytest.mark.parametrize("fault", ["call:lost-answer x1", "call:503-after x1"])
def test_a_call_whose_answer_is_lost_is_found_and_not_made_twice(
    unhurried: Caller, fault: str
) -> None:
    unhurried.breaks(fault)
    result = unhurried("Yes.")
    assert result.code == 0, result.err
    assert [made.sid for made in unhurried.calls] == [result.json["call_sid"]]


def test_a_call_whose_answer_is_too_slow_is_found_too(unhurried: Caller) -> None:
    unhurried.answers("answer after 25s")
    unhurried.breaks("call:slow-answer 5s x1")
    result = unhurried("Yes.", "--timeout", "800ms")
    assert result.code == 0, result.err
    assert len(unhurried.calls) == 1


def test_too_many_requests_is_asked_again_for_nothing_was_done(call: Caller) -> None:
    call.breaks("call:429 x1")
    assert call("Yes.").code == 0
    assert len(call.calls) == 1


def test_too_many_requests_for_good_is_told(call: Caller) -> None:
    call.breaks("call:429")
    result = call("Yes.", "--retries", "0")
    assert result.code == 5, result.err
    assert call.calls == []


@pytest.mark.parametrize(
    ("knob", "args", "exit_code", "code", "hint"),
    [
        ("trial", (), 4, "TRIAL_ACCOUNT", "--force"),
        ("trial", ("--force",), 22, "TWILIO_21219", "erif"),
        ("suspended", (), 4, "TWILIO_10001", "console"),
        ("no-geo:+1", (), 22, "TWILIO_21215", "Geo"),
        (f"block:{TO}", (), 22, "TWILIO_21216", ""),
        ("premium:+1555", (), 22, "TWILIO_21202", ""),
        ("strict-from", ("--from", "+15551112222"), 22, "TWILIO_21210", ""),
        ("strict-from", ("--caller-id", "+15551112222"), 22, "TWILIO_21210", ""),
    ],
)
def test_what_twilio_does_not_allow_is_told_with_what_to_do(
    call: Caller, knob: str, args: tuple[str, ...], exit_code: int, code: str, hint: str
) -> None:
    call.account(*([knob, "verified:+15550009999"] if "--force" in args else [knob]))
    result = call("Yes.", *args)
    assert (result.code, result.error["code"]) == (exit_code, code), result.err
    assert hint in (result.error["hint"] or "")
    assert call.calls == []


def test_on_trial_the_callee_hears_no_stream_and_the_reason_is_told(call: Caller) -> None:
    call.account("trial", f"verified:{TO}")
    result = call("Yes.", "--force")
    assert (result.code, result.error["code"]) == (25, "MEDIA_NEVER_CONNECTED")
    noted = result.error["details"]["notifications"]
    assert [note["code"] for note in noted] == ["10002"]


def test_a_number_of_somebody_else_is_told_with_those_that_would_do(call: Caller) -> None:
    call.account("strict-from", "verified:+15551112222")
    result = call("Yes.", "--from", "+15553334444")
    assert result.error["details"]["owned"] == ["+15557654321", "+15551112222"]


@pytest.mark.parametrize(
    ("script", "exit_code", "reason", "sip"),
    [
        ("busy after 100ms", 20, "busy", "486"),
        ("no answer", 21, "no-answer", "480"),
        ("decline after 100ms", 22, "rejected", "603"),
        ("failed 404", 22, "rejected", "404"),
        ("failed 503", 22, "rejected", "503"),
    ],
)
def test_how_a_call_is_not_answered_has_an_exit_code_and_words(
    call: Caller, script: str, exit_code: int, reason: str, sip: str
) -> None:
    call.answers(script)
    result = call("Yes.", "--ring-timeout", "5s")
    assert result.code == exit_code, result.err
    assert (result.json["event"], result.json["exit_code"]) == ("error", exit_code)
    assert result.error["details"]["end_reason"] == reason
    assert result.error["details"]["sip_code"] == sip
    if reason == "rejected":
        assert f"(SIP {sip})" in result.error["message"]
