"""What the callee does: keys, a voice that cuts in, a machine that answers; and what it proves."""

from __future__ import annotations

import json

from asyncflow_cli.protocol.audio import MULAW_SILENCE
from tests.conftest import TO, Result, Run, ServedSandbox
from tests.failures.conftest import Caller, at_mark, having_heard, sounds

TEXT = "Your table is ready."
LONG = " ".join(["Your table is ready. We look forward to seeing you."] * 8)
MACHINE = 'answer after 100ms; machine; say "Please leave a message after the tone."; beep'
SLOW_MACHINE = MACHINE.replace("Please", "There is nobody here, nor will there be today. Please")


def test_a_text_is_said_as_often_as_it_is_asked_for_with_a_pause_between(call: Caller) -> None:
    result = call(TEXT, "--repeat", "2")
    assert result.code == 0, result.err
    (sentence,) = call.spoken
    before, once, after = call.heard.partition(sentence)
    pause, twice, rest = after.partition(sentence)
    assert once == twice == sentence
    assert set(before + pause + rest) == {MULAW_SILENCE[0]}
    assert len(pause) >= 8000


def test_a_key_says_it_again_from_the_beginning(unhurried: Caller) -> None:
    # The marks of what is cleared come back at once, and must not pass for the end.
    text = f"{TEXT} We look forward to seeing you. Bring some of your friends along. Goodbye, then."
    unhurried.attends("1", when=having_heard(3), leaves=at_mark("g1-end"))
    result = unhurried(text, "--press-to-repeat", "1")
    assert result.code == 0, result.err
    played, whole = sounds(unhurried.heard), sounds(b"".join(unhurried.spoken[:4]))
    assert played.count(whole[:800]) == 2
    assert played.endswith(whole)
    assert unhurried.stream["received"]["clear"] == 1
    assert result.json["digits"] == "1"


def test_a_key_stops_it(call: Caller) -> None:
    call.answers("answer after 100ms; wait 1s; press 9")
    result = call(LONG, "--press-to-stop", "9")
    assert (result.code, result.error["details"]["end_reason"]) == (24, "stopped-by-key")
    assert len(call.heard) < 8000 * 15, "of 25 seconds"


def test_a_repetition_that_is_stopped_tells_what_was_heard_of_it(unhurried: Caller) -> None:
    text = " ".join(["Your table is ready. We look forward to seeing you."] * 3)
    unhurried.attends("9", when=having_heard(15.5))
    result = unhurried(text, "--repeat", "3", "--press-to-stop", "9")
    assert result.code == 24, result.err
    told, names = result.error["details"], result.events
    assert names.count("repeating") == 1, "it is in the second of three"
    heard_again = names[names.index("repeating") :].count("heard")
    assert (told["sentences"], told["sentences_heard"]) == (6, heard_again)
    assert told["heard_text"] != text
    assert text.startswith(told["heard_text"])


def test_who_cuts_in_by_a_key_hears_no_more_and_no_more_is_said_to_be_heard(
    unhurried: Caller,
) -> None:
    unhurried.attends("5", when=having_heard(2))
    result = unhurried(LONG, "--barge-in", "key")
    cut_short(result)
    assert unhurried.stream["received"]["clear"] == 1
    loud = [at for at, byte in enumerate(b"".join(unhurried.spoken)) if byte != MULAW_SILENCE[0]]
    last = loud[len(sounds(unhurried.heard)) - 1] / 8000
    assert 0 < result.error["details"]["seconds_heard"] <= last + 0.1


def test_who_cuts_in_by_speaking_hears_no_more(run: Run) -> None:
    # Their first second and a half, of our clock, is their "Hello?".
    callee = 'answer after 100ms; wait 16s; say "Stop it, please, who is this, stop it"'
    with ServedSandbox(speed=8, callees={"*": callee}) as served:
        result = run("call", "--to", TO, LONG, "--barge-in", "speech", "--json", **served.environ)
        served.finish()
        assert served.ended()
    cut_short(result)


def cut_short(result: Result) -> None:
    assert result.code == 24, result.err
    told = result.error["details"]
    assert told["end_reason"] == "interrupted"
    assert told["seconds_heard"] < told["seconds_sent"]
    assert told["heard_text"]
    assert LONG.startswith(told["heard_text"])
    at = result.events.index("interrupted")
    interrupted = json.loads(result.stdout.splitlines()[at])
    same = "heard_text", "seconds_heard"
    assert [told[name] for name in same] == [interrupted[name] for name in same]


def test_a_callee_who_cuts_in_is_not_heard_out_unless_asked(call: Caller) -> None:
    call.answers("answer after 100ms; wait 200ms; press 5")
    result = call(TEXT)
    assert (result.code, result.json["digits"]) == (0, "5")


def test_a_machine_is_hung_up_on(call: Caller) -> None:
    call.answers(MACHINE)
    result = call(LONG, "--machine", "hangup")
    assert (result.code, result.error["details"]["end_reason"]) == (23, "machine")
    assert result.error["details"]["answered_by"] == "machine_start"


def test_a_machine_has_the_whole_message_on_its_tape_behind_the_beep(unhurried: Caller) -> None:
    unhurried.answers(SLOW_MACHINE)
    result = unhurried(TEXT, "--machine", "after-beep")
    assert result.code == 0, result.err
    assert result.json["answered_by"] == "machine_end_beep"
    (sentence,) = unhurried.spoken
    taped = sounds(unhurried.heard)
    assert taped.endswith(sounds(sentence))
    assert len(taped) > len(sounds(sentence)), "it was said to the greeting, too"


def test_a_fax_is_hung_up_on(call: Caller) -> None:
    call.answers("answer after 100ms; fax")
    result = call(LONG, "--machine", "hangup")
    assert (result.code, result.error["details"]["end_reason"]) == (23, "fax")


def test_a_human_hears_no_dead_air_while_it_is_found_out_who_they_are(call: Caller) -> None:
    call.answers('answer after 100ms; human; say "Hello?"')
    result = call(TEXT, "--machine", "after-beep")
    assert result.code == 0, result.err
    assert call.heard.index(call.spoken[0]) < 8000, "the verdict is not waited for"


def test_keys_are_pressed_on_answer(call: Caller) -> None:
    result = call(TEXT, "--send-digits", "12")
    assert result.code == 0, result.err
    tones = call.heard.partition(call.spoken[0])[0].strip(MULAW_SILENCE)
    assert len(tones) > 1600, "two tones come before the speech"


def test_a_call_is_recorded(unhurried: Caller) -> None:
    result = unhurried(TEXT, "--record")
    assert result.code == 0, result.err
    assert result.json["recording_sid"].startswith("RE")
    assert result.json["cost"]["recording"] is True
    assert len(unhurried.report.recordings) == 1


def test_the_callee_sees_another_number_if_it_is_ours(call: Caller) -> None:
    assert call(TEXT, "--caller-id", "+15551112222").code == 0
