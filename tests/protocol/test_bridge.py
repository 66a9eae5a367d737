"""The call as a table: no network, no waiting."""

import base64

import pytest

from asyncflow_cli.protocol import callevents, media
from asyncflow_cli.protocol.actions import (
    Action,
    Clear,
    Dial,
    HangUp,
    Hush,
    Mark,
    Play,
    Reconnect,
    Speak,
)
from asyncflow_cli.protocol.bridge import HELLO, MOST_RECONNECTS, TAIL, Bridge
from asyncflow_cli.protocol.delivery import LEAD_IN, PAUSE
from asyncflow_cli.protocol.endings import EndReason
from asyncflow_cli.protocol.phases import Phase
from asyncflow_cli.protocol.plan import Deadlines, Manners
from asyncflow_cli.protocol.script import Script
from asyncflow_cli.protocol.speechmessages import Audio, Final, RanDry
from asyncflow_cli.protocol.takes import TRIES

START = media.Start(
    start=media.StartBody(account_sid="AC", call_sid="CA", stream_sid="MZ"), stream_sid="MZ"
)
STOP = media.Stop()
CHUNK_SECONDS = 0.4
HOUR = 3600.0
AUDIO = base64.b64encode(bytes(3200)).decode()
CHUNK = Audio(AUDIO)
END = Final()
DONE = [HangUp(EndReason.COMPLETED, tail=TAIL)]


def echo(name: str) -> media.Mark:
    return media.Mark(mark=media.MarkBody(name))


def key(digit: str) -> media.Dtmf:
    return media.Dtmf(dtmf=media.DtmfBody(digit=digit))


def ringing(bridge: Bridge | None = None) -> Bridge:
    bridge = bridge or Bridge("Hello.")
    assert bridge.on_clock(0) == []
    assert [type(action) for action in bridge.begin()] == [Speak]
    assert bridge.on_speech(CHUNK) == [Dial()]
    assert bridge.on_status("ringing") == []
    return bridge


def speaking(bridge: Bridge | None = None) -> Bridge:
    bridge = ringing(bridge)
    bridge.on_status("in-progress")
    assert bridge.on_phone(START) == [Play(LEAD_IN), Play(AUDIO)]
    return bridge


def draining(bridge: Bridge | None = None) -> Bridge:
    bridge = speaking(bridge)
    assert bridge.on_speech(END) == [Mark("g0-end")]
    return bridge


def script(*lines: str, more: bool = False, keep: bool = False) -> Script:
    return Script(lines, more=more, keep=keep)


def told(bridge: Bridge) -> list[str]:
    """What a person was told since they were last."""
    news = bridge.news.take()
    return [type(event).__name__ for event in news]


# From the first word to the last


def test_a_call_from_the_first_word_to_the_last() -> None:
    bridge = speaking()
    assert bridge.on_speech(CHUNK) == [Play(AUDIO)]
    assert bridge.on_speech(END) == [Mark("g0-end")]
    assert bridge.on_phone(echo("g0-end")) == DONE
    assert (bridge.phase, bridge.end_reason) == (Phase.DONE, EndReason.COMPLETED)
    assert bridge.seconds_heard == bridge.seconds_sent == pytest.approx(0.8)
    assert bridge.heard_text == "Hello."
    assert told(bridge) == ["Connected", "Sentence", "Heard", "LastWord"]


def test_a_call_that_is_stopped_tells_what_was_heard_until_that_very_moment() -> None:
    bridge = speaking()
    bridge.stop(0.2 + 0.3)
    assert bridge.end_reason is EndReason.STOPPED
    assert bridge.seconds_heard == pytest.approx(0.3)
    bridge.stop(5.0)
    assert bridge.seconds_heard == pytest.approx(0.3), "what came later was not heard"


def test_the_phone_rings_only_once_there_is_something_to_say() -> None:
    bridge = Bridge("Hello.")
    assert bridge.begin() == [Speak("Hello.")]
    assert bridge.on_speech(Audio("")) == []
    assert bridge.on_speech(CHUNK) == [Dial()]
    assert bridge.on_speech(CHUNK) == []


def test_a_call_that_is_there_already_speaks_on_start() -> None:
    bridge = Bridge("Hello.")
    assert bridge.on_phone(START) == [Speak("Hello."), Play(LEAD_IN)]
    assert bridge.on_speech(CHUNK) == [Play(AUDIO)]


def test_a_sentence_is_asked_for_when_the_one_before_it_is_there() -> None:
    bridge = Bridge(script("One. ", "Two."))
    assert bridge.begin() == [Speak("One. ", take=1)]
    bridge.on_speech(CHUNK)
    assert bridge.on_speech(END) == [Speak("Two.", take=2)]
    assert bridge.on_speech(CHUNK, take=1) == [], "of a take that is over"
    assert bridge.on_speech(CHUNK, take=2) == []
    assert bridge.on_phone(START) == [Play(LEAD_IN), Play(AUDIO), Mark("g0-0"), Play(AUDIO)]
    assert bridge.on_speech(END) == [Mark("g0-end")]
    assert bridge.on_phone(echo("g0-0")) == []
    assert bridge.heard_text == "One."


def test_speech_that_ended_while_the_phone_rang_is_all_played() -> None:
    bridge = ringing()
    bridge.on_speech(Final("AA=="))
    rest = base64.b64encode(b"\0".ljust(160, b"\xff")).decode()
    assert bridge.on_phone(START) == [Play(LEAD_IN), Play(AUDIO), Play(rest), Mark("g0-end")]
    assert bridge.seconds_sent == pytest.approx(3201 / 8000), "and silence of ours is no speech"


def test_every_second_of_speech_is_marked() -> None:
    bridge = speaking()
    assert bridge.on_speech(CHUNK) == [Play(AUDIO)]
    assert bridge.on_speech(CHUNK) == [Play(AUDIO), Mark("g0-0")]
    assert bridge.on_speech(CHUNK) == [Play(AUDIO)]
    bridge.on_phone(echo("g0-0"))
    assert bridge.seconds_heard == pytest.approx(1.2)
    bridge.on_clock(0.2)
    assert bridge.seconds_heard == pytest.approx(1.4)
    bridge.on_clock(9.9)
    assert bridge.seconds_heard == pytest.approx(1.6), "no more than was sent"


def test_the_rest_of_a_sentence_joins_the_next_one_in_a_frame() -> None:
    bridge = speaking(Bridge(script("One. ", "Two.")))
    assert bridge.on_speech(Final(base64.b64encode(b"a" * 100).decode())) == [Speak("Two.", take=2)]
    both = base64.b64encode(b"a" * 100 + b"b" * 60).decode()
    joined = bridge.on_speech(Audio(base64.b64encode(b"b" * 60).decode()))
    assert joined == [Play(both), Mark("g0-0")]


def test_the_rest_of_a_sentence_is_sent_before_the_line_runs_dry() -> None:
    bridge = speaking(Bridge(script("One. ", "Two.")))
    bridge.on_speech(Final(base64.b64encode(b"a" * 100).decode()))
    padded = base64.b64encode(b"a" * 100 + b"\xff" * 60).decode()
    assert bridge.on_clock(0.53) == []
    assert bridge.on_clock(0.55) == [Play(padded), Mark("g0-0")]


def test_the_phone_holds_no_more_than_the_lead() -> None:
    bridge = ringing(Bridge("Hello.", manners=Manners(lead=1.0)))
    for _ in range(9):
        bridge.on_speech(CHUNK)
    first = bridge.on_phone(START)
    assert first.count(Play(AUDIO)) == 2, "0.2 s of silence, and 0.8 of speech"
    assert bridge.on_clock(0.49) == []
    assert bridge.on_clock(0.5).count(Play(AUDIO)) == 2, "there is room for more"
    bridge.on_clock(0.6)
    later = bridge.on_phone(echo("g0-0"))
    assert later.count(Play(AUDIO)) >= 1, "the phone is ahead of our reckoning"


def test_no_more_is_synthesised_than_the_lead_either() -> None:
    bridge = Bridge(script("One. ", "Two."), manners=Manners(lead=0.3))
    bridge.begin()
    bridge.on_speech(CHUNK)
    assert bridge.on_speech(END) == []
    assert bridge.on_phone(START)[0] == Play(LEAD_IN)
    assert bridge.on_clock(0.79) == []
    assert bridge.on_clock(0.8) == [Mark("g0-0"), Speak("Two.", take=2)]


def test_a_mark_that_is_not_ours_ends_nothing() -> None:
    bridge = draining()
    assert bridge.on_phone(echo("end")) == []
    assert bridge.on_phone(echo("g1-end")) == []
    assert bridge.phase is Phase.DRAINING


def test_silence_of_the_service_is_taken_for_the_end_once_all_was_heard() -> None:
    bridge = speaking()
    assert bridge.on_speech(RanDry()) == [Mark("g0-dry0")]
    assert bridge.on_phone(echo("g0-dry0")) == DONE
    assert bridge.assumed_end


def test_silence_after_a_word_or_two_of_a_long_sentence_is_not_taken_for_its_end() -> None:
    bridge = speaking(Bridge("Once upon a time a voice fell silent after its first two words."))
    assert bridge.on_speech(RanDry()) == []
    assert not bridge.assumed_end
    stall = Deadlines().stall
    assert bridge.on_clock(stall - 0.1) == []
    assert Speak(bridge.script.text[0].text, take=2, anew=True) in bridge.on_clock(stall + 1)


def test_audio_after_a_silence_goes_on() -> None:
    bridge = speaking()
    bridge.on_speech(RanDry())
    assert bridge.on_speech(CHUNK) == [Play(AUDIO)]
    assert bridge.on_phone(echo("g0-dry0")) == []
    assert bridge.on_speech(END) == [Mark("g0-end")]
    assert bridge.on_phone(echo("g0-end")) == DONE
    assert not bridge.assumed_end


def test_a_gap_is_told_and_counted_where_speech_came_too_late() -> None:
    bridge = speaking()
    bridge.on_clock(2.0)
    assert bridge.on_speech(CHUNK) == [Play(AUDIO)]
    assert bridge.delivery.playout.gaps == [pytest.approx(2.0 - 0.6)]
    assert told(bridge) == ["Connected", "Silent"]


# A file in place of a text


def test_a_file_needs_no_synthesis_and_rings_at_once() -> None:
    played = script()
    played.add_audio([AUDIO, AUDIO])
    bridge = Bridge(played)
    assert bridge.begin() == [Dial()]
    assert bridge.on_phone(START) == [Play(LEAD_IN), Play(AUDIO), Play(AUDIO), Mark("g0-end")]
    assert bridge.on_phone(echo("g0-end")) == DONE


# Text that is still being written


def test_a_text_that_is_being_written_is_spoken_as_it_comes() -> None:
    bridge = Bridge(script(more=True))
    assert bridge.begin() == []
    assert bridge.on_clock(HOUR) == [], "whoever writes may think first"
    assert bridge.on_text("One. ") == [Speak("One. ")]
    bridge.on_speech(CHUNK)
    bridge.on_speech(END)
    assert bridge.on_phone(START) == [Play(LEAD_IN), Play(AUDIO), Mark("g0-0")]
    assert told(bridge) == ["Connected", "Sentence"]
    assert bridge.on_clock(HOUR + 0.2 + CHUNK_SECONDS) == []
    assert told(bridge) == ["Waiting"], "once the line is dry"
    assert bridge.on_text("Two.") == [Speak("Two.", take=2)]
    assert bridge.on_text_end() == []
    assert bridge.on_speech(CHUNK) == [Play(AUDIO)]
    assert bridge.on_speech(END) == [Mark("g0-end")]


def test_a_text_that_ends_after_all_was_sent_ends_with_a_mark_of_its_own() -> None:
    bridge = speaking(Bridge(script("One.", more=True)))
    assert bridge.on_speech(END) == [Mark("g0-0")]
    assert bridge.on_text_end() == [Mark("g0-end")]
    assert bridge.on_phone(echo("g0-0")) == []
    assert bridge.on_phone(echo("g0-end")) == DONE
    assert told(bridge) == ["Connected", "Sentence", "Heard", "LastWord"]


def test_a_writer_who_leaves_the_line_silent_for_too_long_ends_the_call() -> None:
    bridge = speaking(Bridge(script("One.", more=True), Deadlines(writer=7)))
    bridge.on_speech(END)
    bridge.on_clock(1)
    assert bridge.on_clock(0.2 + CHUNK_SECONDS + 6.99) == []
    assert bridge.on_clock(0.2 + CHUNK_SECONDS + 7.01) == [HangUp(EndReason.WRITER_STALLED)]


def test_a_text_of_nothing_is_never_dialled() -> None:
    bridge = Bridge(script(more=True))
    bridge.begin()
    assert bridge.on_text_end() == [HangUp(EndReason.TTS_EMPTY)]


def test_a_call_that_is_kept_open_rings_before_there_is_a_text() -> None:
    bridge = Bridge(script(more=True), manners=Manners(keep_open=True))
    assert bridge.begin() == [Dial()]
    assert bridge.on_phone(START) == [Play(LEAD_IN)]
    assert bridge.on_text("Hi.") == [Speak("Hi.")]
    bridge.on_speech(CHUNK)
    bridge.on_speech(END)
    assert bridge.on_text_end() == [Mark("g0-end")]


# Once more


def test_a_text_is_repeated_after_a_pause() -> None:
    bridge = speaking(Bridge(script("Hello.", keep=True), manners=Manners(repeat=2)))
    again = bridge.on_speech(END)
    assert again == [
        Mark("g0-0"),
        *map(Play, PAUSE),
        Mark("g0-1"),
        Play(AUDIO),
        Mark("g0-end"),
    ]
    assert not any(isinstance(event, callevents.Repeating) for event in bridge.news.events), (
        "it is only queued"
    )
    bridge.on_phone(echo("g0-0"))
    assert isinstance(bridge.news.events[-1], callevents.Repeating)
    assert bridge.on_phone(echo("g0-end")) == DONE


def twice() -> Bridge:
    """All of it is queued, and nothing was heard."""
    text = script("One two. ", "Three.", keep=True)
    bridge = speaking(Bridge(text, manners=Manners(repeat=2, stop_key="9")))
    bridge.on_speech(END)
    bridge.on_speech(CHUNK)
    assert bridge.on_speech(END)[-1] == Mark("g0-end")
    return bridge


def test_what_was_heard_is_told_of_the_time_that_plays_and_not_of_the_one_that_is_queued() -> None:
    bridge = twice()
    bridge.on_clock(0.2 + CHUNK_SECONDS)
    bridge.on_phone(echo("g0-0"))
    assert (bridge.heard_text, bridge.sentences_heard) == ("One two.", 1)
    bridge.on_phone(key("9"))
    assert (bridge.heard_text, bridge.sentences_heard) == ("One two.", 1)


def test_nothing_is_heard_in_the_pause_before_a_repetition() -> None:
    bridge = twice()
    bridge.on_clock(1.0)
    bridge.on_phone(echo("g0-0"))
    bridge.on_phone(echo("g0-1"))
    bridge.on_clock(1.9)
    assert (bridge.heard_text, bridge.sentences_heard) == ("One two. Three.", 2)
    assert bridge.seconds_heard == pytest.approx(2 * CHUNK_SECONDS)


def test_a_repetition_that_is_stopped_names_the_words_it_came_to() -> None:
    bridge = twice()
    bridge.on_clock(2.0)
    for name in ("g0-0", "g0-1", "g0-2"):
        bridge.on_phone(echo(name))
    bridge.on_clock(2.0 + CHUNK_SECONDS / 2)
    bridge.on_phone(key("9"))
    assert (bridge.heard_text, bridge.sentences_heard) == ("One", 0)
    assert bridge.seconds_heard == pytest.approx(2.5 * CHUNK_SECONDS), "in all"
    assert not bridge.script.all_heard


def test_a_key_says_it_again_from_the_beginning() -> None:
    manners = Manners(repeat_key="1")
    bridge = draining(Bridge(script("Hello.", keep=True), manners=manners))
    assert bridge.on_phone(key("1")) == [Clear(), Play(AUDIO), Mark("g1-end")]
    assert bridge.on_phone(echo("g0-end")) == [], "the clear released it, which proves nothing"
    assert bridge.on_phone(echo("g1-end")) == []
    assert bridge.phase is Phase.LINGERING, "for another key"
    assert bridge.on_phone(key("1")) == [Clear(), Play(AUDIO), Mark("g2-end")]
    bridge.on_phone(echo("g2-end"))
    assert bridge.on_clock(5.0) == DONE


def test_while_a_key_is_waited_for_it_is_told() -> None:
    bridge = draining(Bridge(script("Hello.", keep=True), manners=Manners(repeat_key="1")))
    bridge.on_phone(echo("g0-end"))
    (*_, awaiting) = bridge.news.events
    assert isinstance(awaiting, callevents.AwaitingKey)
    assert (awaiting.key, awaiting.seconds) == ("1", 5.0)
    assert awaiting.words == "Waiting 5 s for key 1, to say it once more"


def test_a_key_in_mid_sentence_needs_no_second_synthesis() -> None:
    bridge = speaking(Bridge(script("Hello.", keep=True), manners=Manners(repeat_key="1")))
    assert bridge.on_phone(key("1")) == [Clear(), Play(AUDIO)]
    assert bridge.on_speech(CHUNK) == [Play(AUDIO)]
    assert bridge.on_speech(END) == [Mark("g1-end")]


def test_a_key_that_comes_before_the_first_text_repeats_nothing() -> None:
    manners = Manners(keep_open=True, repeat_key="1")
    bridge = Bridge(script(more=True, keep=True), manners=manners)
    assert bridge.begin() == [Dial()]
    assert bridge.on_phone(START) == [Play(LEAD_IN)]
    assert bridge.on_phone(key("1")) == []
    assert bridge.on_text("Hi.") == [Speak("Hi.")]


def test_a_key_stops_it() -> None:
    bridge = speaking(Bridge("Hello.", manners=Manners(stop_key="9")))
    assert bridge.on_phone(key("8")) == []
    assert bridge.on_phone(key("9")) == [Hush(), Clear(), HangUp(EndReason.STOPPED_BY_KEY)]


# Barge-in


def test_a_key_silences_us_and_what_was_heard_is_told() -> None:
    bridge = speaking(Bridge("A b c d e.", manners=Manners(barge_in="key")))
    bridge.on_clock(0.5)
    cut = bridge.on_phone(key("5"))
    assert cut == [Hush(), Clear(), HangUp(EndReason.INTERRUPTED)]
    (*_, interrupted) = bridge.news.events
    assert interrupted == callevents.Interrupted(
        at=0.5, by="key", heard_text="A b", seconds_heard=0.3
    )
    assert bridge.on_speech(CHUNK, take=1) == [], "late audio"
    assert bridge.heard_text == "A b", "what the phone was made to forget was not heard"
    assert bridge.seconds_heard == pytest.approx(0.3)


def test_a_sentence_that_was_dropped_in_the_queue_was_not_heard() -> None:
    text = script("One two. ", "Three.", more=True)
    bridge = speaking(Bridge(text, manners=Manners(barge_in="key")))
    bridge.on_speech(END)
    bridge.on_speech(CHUNK)
    bridge.on_clock(0.2 + CHUNK_SECONDS / 2)
    bridge.on_phone(key("5"))
    assert (bridge.heard_text, bridge.sentences_heard) == ("One", 0)


def test_a_voice_silences_us_but_not_the_first_hello() -> None:
    bridge = speaking(Bridge("Hello.", manners=Manners(barge_in="speech")))
    for _ in range(9):
        bridge.on_speech(CHUNK)
    assert bridge.on_voice() == []
    bridge.on_clock(HELLO)
    assert HangUp(EndReason.INTERRUPTED) in bridge.on_voice()


def test_a_voice_is_no_interruption_unless_asked_for() -> None:
    bridge = speaking()
    bridge.on_clock(HELLO)
    assert bridge.on_voice() == []


def test_an_interruption_of_a_call_that_is_kept_open_ends_what_is_said_and_not_the_call() -> None:
    manners = Manners(barge_in="key", keep_open=True)
    bridge = speaking(Bridge(script("One. ", "Two.", more=True), manners=manners))
    bridge.on_clock(0.2 + CHUNK_SECONDS)
    assert bridge.on_phone(key("5")) == [Hush(), Clear()]
    assert bridge.on_text("Three.") == [Speak("Three.", take=3)]
    assert bridge.on_speech(CHUNK) == [Play(AUDIO)]
    assert bridge.on_speech(END) == [Mark("g1-0")]
    assert (bridge.heard_text, bridge.sentences_heard) == ("One.", 0)
    bridge.on_phone(echo("g1-0"))
    assert (bridge.heard_text, bridge.sentences_heard) == ("One. Three.", 1)


def test_a_callee_who_interrupts_after_the_last_word_has_heard_it() -> None:
    bridge = draining(Bridge(script("Hello.", keep=True), manners=Manners(repeat_key="1")))
    bridge.on_phone(echo("g0-end"))
    assert bridge.on_phone(STOP) == DONE


# Machines


def test_a_machine_is_hung_up_on() -> None:
    bridge = speaking(Bridge("Hello.", manners=Manners(machine="hangup")))
    assert bridge.on_machine("human") == []
    assert bridge.on_machine("machine_start") == [Hush(), Clear(), HangUp(EndReason.MACHINE)]


def test_who_answered_is_waited_for_where_a_machine_is_to_be_told_from_a_human() -> None:
    bridge = draining(Bridge("Hello.", manners=Manners(machine="hangup")))
    assert bridge.on_phone(echo("g0-end")) == []
    assert bridge.on_machine("machine_start") == [HangUp(EndReason.MACHINE)]


def test_a_machine_that_still_greets_is_waited_for_and_not_for_ever() -> None:
    bridge = draining(Bridge(script("Hello.", keep=True), manners=Manners(machine="after-beep")))
    bridge.on_phone(echo("g0-end"))
    assert bridge.on_machine("machine_start") == []
    assert bridge.on_clock(35) == DONE


def test_what_is_lost_after_the_last_word_cuts_nothing_short() -> None:
    bridge = draining(Bridge(script("Hello.", keep=True), manners=Manners(repeat_key="1")))
    bridge.on_phone(echo("g0-end"))
    assert bridge.on_phone_lost() == DONE


def test_an_echo_that_comes_twice_proves_nothing_more() -> None:
    bridge = draining(Bridge(script("Hello.", keep=True), manners=Manners(repeat_key="1")))
    bridge.on_phone(echo("g0-end"))
    told(bridge)
    assert bridge.on_phone(echo("g0-end")) == []
    assert told(bridge) == []


def test_of_two_things_that_are_due_the_first_may_end_the_other() -> None:
    bridge = draining(Bridge("Hello.", Deadlines(total=1, total_grace=0, reconnect=10)))
    assert bridge.on_clock(99) == [HangUp(EndReason.TIME_LIMIT)]
    assert bridge.phase is Phase.DONE


def test_a_service_that_goes_away_after_an_assumed_end_is_not_asked_again() -> None:
    bridge = speaking()
    bridge.on_speech(RanDry())
    assert bridge.on_speech_lost(1, passing=True) == []
    assert bridge.on_phone(echo("g0-dry0")) == DONE


def test_checks_that_take_long_take_nothing_from_the_time_to_ring() -> None:
    bridge = ringing()
    bridge.on_dialled(60)
    assert bridge.on_clock(69.9) == [], "the rest of the sentence has its time, too"
    bridge.on_speech(END)
    assert bridge.on_clock(60 + 30 + 14.9) == []
    assert bridge.on_clock(60 + 30 + 15) == [HangUp(EndReason.NO_ANSWER)]


def test_a_fax_is_hung_up_on() -> None:
    bridge = speaking(Bridge("Hello.", manners=Manners(machine="after-beep")))
    assert bridge.on_machine("fax")[-1] == HangUp(EndReason.FAX)


def test_a_machine_hears_all_of_it_after_its_beep() -> None:
    manners = Manners(machine="after-beep")
    bridge = draining(Bridge(script("Hello.", keep=True), manners=manners))
    assert bridge.on_phone(echo("g0-end")) == []
    assert bridge.phase is Phase.LINGERING, "nobody knows yet who it was"
    assert "LastWord" not in told(bridge)
    beeped = bridge.on_machine("machine_end_beep")
    assert beeped == [Clear(), Play(AUDIO), Mark("g1-end")]
    assert bridge.on_phone(echo("g1-end")) == DONE


def test_a_human_who_heard_all_is_let_go_at_the_verdict() -> None:
    manners = Manners(machine="after-beep")
    bridge = draining(Bridge(script("Hello.", keep=True), manners=manners))
    bridge.on_phone(echo("g0-end"))
    assert bridge.on_machine("human") == DONE


def test_a_verdict_that_never_comes_is_not_waited_for_for_ever() -> None:
    manners = Manners(machine="after-beep")
    bridge = draining(Bridge(script("Hello.", keep=True), manners=manners))
    bridge.on_phone(echo("g0-end"))
    assert bridge.on_clock(35) == DONE


# What is lost


PATIENT = Deadlines(reconnect=10)


def test_a_lost_socket_is_replaced_and_speech_goes_on_at_the_first_unheard_sentence() -> None:
    bridge = speaking(Bridge(script("One. ", "Two."), PATIENT))
    assert bridge.on_speech(END) == [Mark("g0-0"), Speak("Two.", take=2)]
    assert bridge.on_speech(CHUNK) == [Play(AUDIO)]
    bridge.on_phone(echo("g0-0"))
    assert bridge.on_phone_lost() == [Reconnect()]
    assert bridge.on_speech(CHUNK) == [], "it goes on coming, and is kept"
    assert bridge.on_phone(START) == [Play(LEAD_IN), Play(AUDIO), Play(AUDIO)]
    assert bridge.on_speech(END) == [Mark("g1-end")]
    assert bridge.on_phone(echo("g1-end")) == DONE
    assert bridge.reconnects == 1
    assert told(bridge)[3:6] == ["Lost", "Connected", "Resumed"]


def test_what_was_queued_at_a_lost_socket_was_not_heard() -> None:
    bridge = draining(Bridge("Hello.", PATIENT))
    assert bridge.on_phone_lost() == [Reconnect()]
    assert bridge.on_phone(START) == [Play(LEAD_IN), Play(AUDIO), Mark("g1-end")]


def test_what_was_heard_before_a_socket_was_lost_stays_heard() -> None:
    bridge = draining(Bridge("One two three four.", PATIENT))
    bridge.on_clock(0.5)
    bridge.on_phone_lost()
    assert bridge.heard_text == "One two three"
    bridge.on_phone(START)
    bridge.on_clock(0.5 + 0.2 + 0.1)
    assert bridge.heard_text == "One two three", "it is at the first word again"
    bridge.on_phone(echo("g1-end"))
    assert (bridge.heard_text, bridge.sentences_heard) == ("One two three four.", 1)


def test_a_call_that_finds_no_other_socket_in_time_is_cut_short() -> None:
    bridge = draining(Bridge("Hello.", PATIENT))
    bridge.on_phone_lost()
    assert bridge.on_clock(10) == [HangUp(EndReason.STREAM_ERROR)]


def test_a_lost_tunnel_is_named() -> None:
    bridge = draining(Bridge("Hello.", PATIENT))
    assert bridge.on_tunnel_lost("ssh exited") == [Reconnect()]
    assert bridge.on_phone_lost() == [], "which follows from it"
    assert bridge.on_clock(10) == [HangUp(EndReason.TUNNEL_LOST)]
    assert speaking().on_tunnel_lost("gone") == [HangUp(EndReason.TUNNEL_LOST)]


def test_a_tunnel_lost_while_it_rings_is_replaced_without_a_pause() -> None:
    bridge = ringing(Bridge("Hello.", PATIENT))
    assert bridge.on_tunnel_lost("gone") == [Reconnect()]
    assert bridge.phase is Phase.DIALLING
    assert bridge.on_phone(START) == [Play(LEAD_IN), Play(AUDIO)]


def test_a_phone_that_confirms_nothing_is_led_to_another_socket() -> None:
    bridge = draining(Bridge("Hello.", PATIENT))
    assert bridge.on_clock(60) == [Reconnect()]


def test_sockets_are_not_replaced_for_ever() -> None:
    bridge = speaking(Bridge("Hello.", PATIENT))
    for _ in range(MOST_RECONNECTS):
        assert bridge.on_phone_lost() == [Reconnect()]
        bridge.on_phone(START)
    assert bridge.on_phone_lost() == [HangUp(EndReason.STREAM_ERROR)]


def test_a_lost_speech_connection_is_replaced_at_the_sentence_it_was_at() -> None:
    bridge = speaking(Bridge(script("One. ", "Two.")))
    assert bridge.on_speech_lost(1, passing=True) == [Speak("One. ", take=2, anew=True)]
    assert bridge.on_speech(CHUNK, take=1) == []
    assert bridge.on_speech(CHUNK, take=2) == [Play(AUDIO)]
    assert bridge.on_speech(END, take=2) == [Mark("g0-0"), Speak("Two.", take=3)]


def test_of_a_sentence_that_is_still_being_made_no_more_was_heard_than_time_allows() -> None:
    bridge = speaking(Bridge("It takes about a second to say so much, and another for this."))
    bridge.on_clock(9.0)
    assert bridge.seconds_heard == pytest.approx(CHUNK_SECONDS)
    assert bridge.heard_text == "It"


def test_what_was_heard_before_the_speech_connection_was_lost_stays_heard() -> None:
    bridge = speaking(Bridge("One two three four."))
    bridge.on_speech(CHUNK)
    bridge.on_clock(0.2 + 2 * CHUNK_SECONDS)
    bridge.on_speech_lost(1, passing=True)
    assert bridge.heard_text == "One two"
    bridge.on_speech(CHUNK, take=2)
    bridge.on_clock(1.2)
    assert bridge.heard_text == "One two", "it is at the first word again"


def test_what_the_phone_has_is_played_and_heard_after_the_speech_connection_was_lost() -> None:
    bridge = speaking(Bridge("One two three four."))
    bridge.on_speech(CHUNK)
    bridge.on_speech(CHUNK)
    bridge.on_clock(0.2 + CHUNK_SECONDS)
    bridge.on_speech_lost(1, passing=True)
    assert bridge.heard_text == "One"
    bridge.on_clock(3)
    assert bridge.heard_text == "One two three"


def test_speech_that_stalls_is_asked_for_anew() -> None:
    bridge = speaking()
    assert bridge.on_clock(10) == [Speak("Hello.", take=2, anew=True)]


def test_a_speech_service_that_fails_again_and_again_is_given_up() -> None:
    bridge = speaking()
    for _ in range(TRIES - 1):
        assert len(bridge.on_speech_lost(passing=True)) == 1
    assert bridge.on_speech_lost(passing=True) == [HangUp(EndReason.TTS_FAILED)]


# How it can end otherwise


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
        bridge.on_phone(key(digit))
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
        ("draining", 5.4, EndReason.PLAYBACK_TIMEOUT),
    ],
)
def test_every_phase_gives_up_at_its_deadline(
    bring_to: str, seconds: float, reason: EndReason
) -> None:
    bridge = Bridge(script("Hello.", more=bring_to != "draining"), LIMITS)
    bridge.on_clock(0)
    bridge.begin()
    if bring_to != "preparing":
        bridge.on_speech(CHUNK)
        bridge.on_speech(END)
        bridge.on_dialled(0)
    if bring_to in ("connecting", "speaking", "draining"):
        bridge.on_status("in-progress")
    if bring_to in ("speaking", "draining"):
        bridge.on_phone(START)
    if bring_to == "speaking":
        bridge.on_clock(1.0)  # since then the line is dry
    assert bridge.phase is Phase(bring_to)
    assert bridge.on_clock(seconds - 0.01) == []
    assert bridge.on_clock(seconds) == [HangUp(reason)]


def test_an_echo_on_the_way_moves_the_last_deadline() -> None:
    bridge = speaking()
    for _ in range(3):
        bridge.on_speech(CHUNK)
    bridge.on_speech(END)
    assert bridge.on_clock(3.0) == []
    bridge.on_phone(echo("g0-0"))
    assert bridge.on_clock(3.0 + CHUNK_SECONDS + 4.99) == [], "later than before the echo"
    assert bridge.on_clock(3.0 + CHUNK_SECONDS + 5.01) == [HangUp(EndReason.PLAYBACK_TIMEOUT)]
