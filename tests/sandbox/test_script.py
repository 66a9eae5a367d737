"""A callee's script, read and cast."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.audio import decode_mulaw, wav_file
from asyncflow_cli.sandbox.callee import Callee, Press, Words
from asyncflow_cli.sandbox.casting import cast, read_callees, rehearse
from asyncflow_cli.sandbox.script import Clip, HangUp, Keys, Script, Speak, Wait, parse


async def hum(text: str, _language: str | None) -> bytes:
    return b"\x11" * 800 * len(text)


def casted(text: str) -> Callee:
    return asyncio.run(cast(rehearse(text), hum))


def test_steps_stand_in_the_order_in_which_they_are_written() -> None:
    script = parse('answer after 1.5s; say "No; wait."; press 12#; wait 400ms; Hang  up')
    assert script.ring_seconds == 1.5
    assert script.steps == (Speak("No; wait."), Keys("12#"), Wait(0.4), HangUp())


@pytest.mark.parametrize(
    ("text", "outcome", "sip_code", "rings"),
    [
        ("busy", "busy", 486, 1.0),
        ("busy after 3s", "busy", 486, 3.0),
        ("no answer", "no-answer", 480, 1.0),
        ("decline", "failed", 603, 1.0),
        ("failed", "failed", 503, 0.2),
        ("failed 404;", "failed", 404, 0.2),
        ("", "answer", 200, 1.0),
    ],
)
def test_not_everybody_answers(text: str, outcome: str, sip_code: int, rings: float) -> None:
    script = parse(text)
    assert (script.outcome, script.sip_code, script.ring_seconds) == (outcome, sip_code, rings)


@pytest.mark.parametrize(
    "text",
    ["dance", "press", "press E", 'say ""', 'say "Hello', "wait long", "failed 200", "busy; beep"],
)
def test_what_is_no_step_is_named(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("press 5 after 2s", "Write: wait 2s; press 5"),
        ('say "Hello" after 400ms', 'Write: wait 400ms; say "Hello"'),
        ("beep  after 1s", "Write: wait 1s; beep"),
    ],
)
def test_a_step_at_a_time_of_its_own_is_written_with_a_wait(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.hint == hint
    assert parse(hint.removeprefix("Write: ")).steps


def test_a_path_may_hold_blanks_and_what_is_not_a_step_has_no_order() -> None:
    script = parse("machine; hang up after 20s; when cleared hang up; say my clip.wav")
    assert script.steps == (Clip("my clip.wav"),)
    assert (script.nature, script.hangup_after) == ("machine", 20.0)
    assert script.hangs_up_when_cleared


def test_every_step_takes_its_time() -> None:
    callee = casted('say "ab"; wait 1s; press 12; say "c"; hang up; wait 9s')
    assert callee.words == (Words(0.0, 0.2), Words(1.6, 1.7))
    assert callee.presses == (Press(1.2, "1"), Press(1.4, "2"))
    assert callee.hangup_after == pytest.approx(1.7)
    assert callee.says[:1600] == b"\x11" * 1600
    assert set(callee.says[1600:12800]) == {0xFF}


def test_whoever_shall_hang_up_twice_does_it_the_first_time() -> None:
    assert casted("hang up after 1s; wait 2s; hang up").hangup_after == 1.0


def test_a_machine_beeps_at_a_thousand_hertz() -> None:
    callee = casted("machine; beep")
    assert callee.beep_ends == 0.5
    samples = memoryview(decode_mulaw(callee.says)).cast("h")
    rises = sum(a < 0 <= b for a, b in pairwise(samples))
    assert abs(rises - 500) <= 1
    assert max(samples) > 7000


def test_a_clip_is_read_whatever_its_format(tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(wav_file("pcm_mulaw", 8000, b"\x22" * 800))
    assert casted(f"say {clip}").says == b"\x22" * 800
    clip.write_bytes(wav_file("pcm_s16le", 16000, b"\0\x10" * 16000))
    assert len(casted(f"say {clip}").says) == pytest.approx(8000, abs=80)
    clip.write_bytes(b"no audio at all")
    for broken in (clip, tmp_path / "missing.wav"):
        with pytest.raises(UsageError, match=broken.name):
            rehearse(f"say {broken}")


def test_a_script_is_somebodys_or_everybodys() -> None:
    found = read_callees(["+15551230001 = busy", "*=decline"])
    assert {number: script.sip_code for number, script in found.items()} == {
        "+15551230001": 486,
        "*": 603,
    }
    for number in ("1555", "+1555"):
        with pytest.raises(UsageError, match="1555"):
            read_callees({number: "busy"})
    assert read_callees("busy")["*"].outcome == "busy"
    assert read_callees(['say "1=2"']) == {"*": Script(steps=(Speak("1=2"),), text='say "1=2"')}
    assert read_callees({"+42": "busy"})["+42"].outcome == "busy"
