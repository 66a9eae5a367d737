"""A call that is over is over everywhere, and one that is not is ended."""

from __future__ import annotations

import pytest

from tests.conftest import FROM
from tests.failures.conftest import Caller, at_mark
from tests.speechservers import SpeechServer, drops_at

TEXT = "Your table is ready. We look forward to seeing you."
LONG = " ".join([TEXT] * 8)
CALL = "/2010-04-01/Accounts/{sid}/Calls/{sid}.json"


def test_a_call_that_outlives_its_socket_is_hung_up_by_rest(call: Caller) -> None:
    # Where another tunnel could take over, a pause behind the stream keeps the line open.
    call.breaks(f"POST {CALL}:503 x1")
    result = call("Yes.", "--tunnel", "sandbox", "--tunnel", "loopback", "--reconnect", "100s")
    assert result.code == 0, result.err
    assert result.json["status"] == "completed"
    assert call.report.ended_by == "api"


@pytest.mark.parametrize("fault", ["404", "503"])
def test_a_call_that_twilio_misses_for_a_moment_is_hung_up_all_the_same(
    call: Caller, fault: str
) -> None:
    call.breaks(f"GET {CALL}:{fault} x1")
    result = call("Yes.", "--tunnel", "sandbox", "--tunnel", "loopback", "--reconnect", "100s")
    assert result.code == 0, result.err
    assert call.ended
    assert call.report.ended_by == "api"


@pytest.mark.parametrize("fault", ["duplicate", "reorder", "late 2s"])
def test_the_callees_hang_up_ends_it_whatever_becomes_of_the_callbacks(
    call: Caller, fault: str
) -> None:
    call.answers("answer after 100ms; hang up after 1s")
    call.breaks(f"callback:{fault}")
    result = call(LONG)
    assert (result.code, result.error["details"]["end_reason"]) == (24, "callee-hung-up")
    assert result.error["details"]["status"] == "completed"


def test_a_callee_who_hangs_up_as_we_do_has_heard_the_last_word(call: Caller) -> None:
    call.attends(leaves=at_mark("g0-end"))  # the tail lasts six seconds on this line
    assert call("Yes.", "--from", FROM).code == 0


def test_the_twilio_side_holds_the_time_limit_too(unhurried: Caller) -> None:
    result = unhurried(LONG, "--max-duration", "20s")
    assert (result.code, result.error["details"]["end_reason"]) == (26, "time-limit")
    assert unhurried.report.ended_by == "time limit"


def test_a_lost_speech_connection_is_replaced_and_every_sentence_is_heard(call: Caller) -> None:
    call.breaks("ws:ws-drop 1 x1")
    result = call(TEXT)
    assert result.code == 0, result.err
    assert "lost" in result.events
    assert "resumed" in result.events
    heard = call.heard
    for sentence in call.spoken[-2:]:
        assert sentence in heard


def test_speech_that_fails_for_good_in_mid_call_is_a_call_cut_short(call: Caller) -> None:
    with SpeechServer(drops_at(2)) as server:
        result = call(TEXT, ASYNC_BASE_URL=server.url)
    assert (result.code, result.error["details"]["end_reason"]) == (24, "tts-failed")
    assert result.error["details"]["heard_text"].startswith("Your table is ready.")


def test_nobody_is_called_before_there_is_something_to_say(call: Caller) -> None:
    call.breaks("ws:first-byte 400ms x1")
    result = call("Yes.")
    assert result.code == 0, result.err
    assert result.json["first_audio_ms"] >= 400
    events = result.events
    assert events.index("ready") < events.index("placed"), "it was ready before it rang"
    assert result.json["first_frame_ms"] < 1500
