"""What the callee hears: the first word and the last, whole and in order, or an error that says why
not."""

from __future__ import annotations

import wave

import pytest

from asyncflow_cli.protocol.audio import MULAW_SILENCE
from tests.failures.conftest import Caller
from tests.speechservers import SpeechServer, begins_with

TEXT = "Your table is ready. We look forward to seeing you."
SILENT = MULAW_SILENCE[0]


def hear_all(call: Caller) -> None:
    """Byte for byte, with nothing but silence around."""
    sent = b"".join(call.spoken)
    before, found, after = call.heard.partition(sent)
    assert sent
    assert found == sent
    assert set(before + after) <= {SILENT}


def test_the_last_word_is_waited_for_however_late_the_phone_confirms_it(call: Caller) -> None:
    call.breaks("media:late-marks 1.5s")
    result = call(TEXT)
    assert result.code == 0, result.err
    assert result.json["last_word_heard"] is True
    hear_all(call)
    assert call.report.ended_by == "twiml", "the line was told to hang up by the closed socket"
    assert call.stream["close_code"] == 1000


def test_a_fifth_of_a_second_of_silence_comes_before_the_first_syllable(call: Caller) -> None:
    assert call("Yes.").code == 0
    silence = call.heard.partition(call.spoken[0])[0]
    assert set(silence) == {SILENT}
    assert len(silence) >= 1600


def test_a_line_that_leaves_out_silence_holds_nothing_up(call: Caller) -> None:
    call.breaks("media:no-inbound")
    result = call(TEXT)
    assert result.code == 0, result.err
    hear_all(call)


def test_speech_is_queued_ahead_and_not_fed_at_the_pace_of_the_line(call: Caller) -> None:
    assert call(TEXT).code == 0
    assert call.report.gaps == ()
    assert call.stream["received"]["media"] < sum(map(len, call.spoken)) / 160, "frames are long"


@pytest.mark.parametrize(
    "header",
    [b"RIFF\x24\x80\x00\x00WAVEfmt ", b"ID3\x04\x00\x00\x00\x00\x00\x23", b"OggS\x00\x02"],
    ids=["wav", "mp3", "ogg"],
)
def test_a_file_in_place_of_plain_speech_rings_no_phone(call: Caller, header: bytes) -> None:
    with SpeechServer(begins_with(header)) as server:
        result = call(TEXT, ASYNC_BASE_URL=server.url)
    assert (result.code, result.error["code"]) == (8, "SPEECH_IS_A_FILE")
    assert call.calls == []


def test_the_header_of_a_file_is_not_heard(call: Caller) -> None:
    with wave.open("clip.wav", "wb") as clip:
        clip.setnchannels(1)
        clip.setsampwidth(2)
        clip.setframerate(8000)
        clip.writeframes(b"\x00\x40\x00\xc0" * 2000)
    assert call("--audio", "clip.wav").code == 0
    heard = call.heard.strip(MULAW_SILENCE)
    assert len(set(heard)) <= 4, "the two tones of the clip, and nothing else"
    assert b"RIFF" not in heard


def test_a_mark_that_comes_twice_ends_nothing_early(call: Caller) -> None:
    call.breaks("media:duplicate-mark")
    assert call(TEXT).code == 0
    hear_all(call)
