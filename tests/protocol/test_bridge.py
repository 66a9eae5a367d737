"""The call as a table: no network, no waiting."""

import base64

import pytest

from asyncflow_cli.protocol import media, speech
from asyncflow_cli.protocol.bridge import (
    LEAD_IN,
    TAIL,
    Action,
    Bridge,
    Deadlines,
    Dial,
    HangUp,
    Mark,
    Phase,
    Play,
    RanDry,
    Speak,
)
from asyncflow_cli.protocol.endings import EndReason

START = media.Start(
    start=media.StartBody(account_sid="AC", call_sid="CA", stream_sid="MZ"), stream_sid="MZ"
)
STOP = media.Stop()
HALF_SECOND = base64.b64encode(bytes(4000)).decode()
CHUNK = speech.Audio(HALF_SECOND)
END = speech.Final()


def echo(name: str) -> media.Mark:
    return media.Mark(mark=media.MarkBody(name))


def ringing(text: str = "Hello.") -> Bridge:
    bridge = Bridge(text)
    assert bridge.begin() == [Speak(text)]
    assert bridge.on_speech(CHUNK) == [Dial()]
    assert bridge.on_status("ringing") == []
    return bridge


def speaking() -> Bridge:
    bridge = ringing()
    bridge.on_status("in-progress")
    assert bridge.on_phone(START) == [Play(LEAD_IN), Play(HALF_SECOND)]
    return bridge


def draining() -> Bridge:
    bridge = speaking()
    assert bridge.on_speech(END) == [Mark("g0-end")]
    return bridge


def test_a_call_from_the_first_word_to_the_last() -> None:
    bridge = speaking()
    assert bridge.on_speech(speech.Audio("//8=")) == [Play("//8=")]
    assert bridge.on_speech(END) == [Mark("g0-end")]
    assert bridge.on_phone(echo("g0-end")) == [HangUp(EndReason.COMPLETED, tail=TAIL)]
    assert (bridge.phase, bridge.end_reason) == (Phase.DONE, EndReason.COMPLETED)
    assert bridge.heard.until(99) == pytest.approx(4002 / 8000)


def test_the_phone_rings_only_once_there_is_something_to_say() -> None:
    bridge = Bridge("Hello.")
    assert bridge.begin() == [Speak("Hello.")]
    assert bridge.on_speech(speech.Audio("")) == []
    assert bridge.on_speech(CHUNK) == [Dial()]
    assert bridge.on_speech(CHUNK) == []


def test_a_call_that_is_there_already_speaks_on_start() -> None:
    bridge = Bridge("Hello.")
    assert bridge.on_phone(START) == [Speak("Hello."), Play(LEAD_IN)]
    assert bridge.on_speech(CHUNK) == [Play(HALF_SECOND)]


def test_speech_that_ended_while_the_phone_rang_is_all_played() -> None:
    bridge = ringing()
    bridge.on_speech(speech.Final("AA=="))
    assert bridge.on_phone(START) == [
        Play(LEAD_IN),
        Play(HALF_SECOND),
        Play("AA=="),
        Mark("g0-end"),
    ]


def test_every_second_of_speech_is_marked() -> None:
    bridge = speaking()
    assert bridge.on_speech(CHUNK) == [Play(HALF_SECOND), Mark("g0-0")]
    assert bridge.on_speech(CHUNK) == [Play(HALF_SECOND)]
    assert bridge.on_phone(echo("g0-0")) == []
    assert bridge.heard.until(0.0) == 1.0
    assert bridge.heard.until(0.2) == pytest.approx(1.2)
    assert bridge.heard.until(9.9) == 1.5


def test_a_mark_that_is_not_ours_ends_nothing() -> None:
    bridge = draining()
    assert bridge.on_phone(echo("end")) == []
    assert bridge.on_phone(echo("g1-end")) == []
    assert bridge.phase is Phase.DRAINING


def test_silence_of_the_service_is_taken_for_the_end_once_all_was_heard() -> None:
    bridge = speaking()
    assert bridge.on_speech(RanDry()) == [Mark("g0-dry0")]
    assert bridge.on_phone(echo("g0-dry0")) == [HangUp(EndReason.COMPLETED, tail=TAIL)]
    assert bridge.assumed_end


def test_audio_after_a_silence_goes_on() -> None:
    bridge = speaking()
    bridge.on_speech(RanDry())
    assert bridge.on_speech(speech.Audio("AA==")) == [Play("AA==")]
    assert bridge.on_phone(echo("g0-dry0")) == []
    assert bridge.on_speech(END) == [Mark("g0-end")]
    assert bridge.on_phone(echo("g0-end")) == [HangUp(EndReason.COMPLETED, tail=TAIL)]
    assert not bridge.assumed_end


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("busy", EndReason.BUSY),
        ("no-answer", EndReason.NO_ANSWER),
        ("failed", EndReason.REJECTED),
        ("canceled", EndReason.CANCELLED),
        ("completed", EndReason.STREAM_NEVER_CONNECTED),
    ],
)
def test_a_call_that_never_spoke_says_why(status: str, reason: EndReason) -> None:
    assert ringing().on_status(status) == [HangUp(reason)]


@pytest.mark.parametrize("how", ["stop", "status"])
def test_a_callee_who_hangs_up_cuts_the_call_short(how: str) -> None:
    bridge = draining()
    actions = bridge.on_phone(STOP) if how == "stop" else bridge.on_status("completed")
    assert actions == [HangUp(EndReason.CALLEE_HUNG_UP)]


def test_only_the_duration_tells_the_time_limit_from_a_hang_up() -> None:
    bridge = draining()
    bridge.on_phone(STOP)
    bridge.on_duration(119)
    assert bridge.end_reason is EndReason.CALLEE_HUNG_UP
    bridge.on_duration(120)
    assert bridge.end_reason.value == "time-limit"


def test_a_lost_socket_is_an_error_of_the_stream() -> None:
    assert speaking().on_phone_lost() == [HangUp(EndReason.STREAM_ERROR)]
    assert ringing().on_phone_lost() == [HangUp(EndReason.STREAM_NEVER_CONNECTED)]


def test_a_lost_speech_connection_ends_the_call() -> None:
    assert speaking().on_speech_lost() == [HangUp(EndReason.TTS_FAILED)]


def test_a_text_without_audio_is_never_dialled() -> None:
    bridge = Bridge("…")
    bridge.begin()
    assert bridge.on_speech(END) == [HangUp(EndReason.TTS_EMPTY)]


def test_statuses_may_come_late_and_out_of_order() -> None:
    bridge = speaking()
    assert bridge.on_status("ringing") == []
    assert bridge.status == "in-progress"


def test_keys_are_collected() -> None:
    bridge = speaking()
    for digit in "12#":
        bridge.on_phone(media.Dtmf(dtmf=media.DtmfBody(digit=digit)))
    assert bridge.digits == "12#"


def test_nothing_happens_after_the_end() -> None:
    bridge = draining()
    bridge.on_phone(STOP)
    later: list[list[Action]] = [
        bridge.on_phone(START),
        bridge.on_phone(echo("g0-end")),
        bridge.on_speech(CHUNK),
        bridge.on_status("completed"),
        bridge.on_phone_lost(),
        bridge.on_speech_lost(),
        bridge.on_clock(1e9),
    ]
    assert later == [[]] * 7
    assert bridge.end_reason is EndReason.CALLEE_HUNG_UP


LIMITS = Deadlines(first_audio=4, ring=30, ring_grace=15, media=10, total=120, drain_grace=5)


@pytest.mark.parametrize(
    ("bring_to", "seconds", "reason"),
    [
        ("preparing", 4, EndReason.TTS_EMPTY),
        ("dialling", 45, EndReason.NO_ANSWER),
        ("connecting", 10, EndReason.STREAM_NEVER_CONNECTED),
        ("speaking", 150, EndReason.TIME_LIMIT),
        ("draining", 5.5, EndReason.PLAYBACK_TIMEOUT),
    ],
)
def test_every_phase_gives_up_at_its_deadline(
    bring_to: str, seconds: float, reason: EndReason
) -> None:
    bridge = Bridge("Hello.", LIMITS)
    bridge.begin()
    if bring_to != "preparing":
        bridge.on_speech(CHUNK)
    if bring_to in ("connecting", "speaking", "draining"):
        bridge.on_status("in-progress")
    if bring_to in ("speaking", "draining"):
        bridge.on_phone(START)
    if bring_to == "draining":
        bridge.on_speech(END)
    assert bridge.phase is Phase(bring_to)
    assert bridge.deadline == seconds
    assert bridge.on_clock(seconds - 0.01) == []
    assert bridge.on_clock(seconds) == [HangUp(reason)]


def test_an_echo_on_the_way_moves_the_last_deadline() -> None:
    bridge = speaking()
    bridge.on_speech(CHUNK)
    bridge.on_speech(END)
    assert bridge.deadline == 6.0
    bridge.on_clock(3.0)
    bridge.on_phone(echo("g0-0"))
    assert bridge.deadline == 8.0
