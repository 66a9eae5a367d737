"""Who speaks on the line: real speech, and everything that is loud and no speech."""

from __future__ import annotations

import time

import pytest

from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.protocol.vad import RELEASE, SpeechDetector
from asyncflow_cli.sandbox.encode import encode_whole
from asyncflow_cli.sandbox.engine import Engine
from asyncflow_cli.sandbox.voices import LIBRARY
from tests.protocol.lines import click, frames, mixed, noise, silence, tone
from tests.sandbox.test_engine import say, with_engine

VOICES = {voice.name: voice.sound for voice in LIBRARY[:4]}
SENTENCES = ("Hello?", "Wait, I have a question.", "Please do not call me in the evening again.")
PHONE = OutputFormat(container="raw", encoding="pcm_mulaw", sample_rate=8000)

NOISE_20 = 3277.0
"""An RMS of -20 dBFS."""


@pytest.fixture(scope="module")
def speech() -> dict[tuple[str, str], bytes]:
    async def all_of_it(engine: Engine) -> dict[tuple[str, str], bytes]:
        return {
            (name, text): encode_whole((await say(engine, text, sound))[0], PHONE)
            for name, sound in VOICES.items()
            for text in SENTENCES
        }

    return with_engine(all_of_it)


def begun(line: bytes, detector: SpeechDetector | None = None, *, at: float = 0.0) -> list[float]:
    """The moments at which speech was told to have begun."""
    detector = detector or SpeechDetector()
    moments = ((at + n * 0.02, payload) for n, payload in enumerate(frames(line)))
    return [now for now, payload in moments if detector.feed(payload, now)]


def scaled(mulaw: bytes, decibels: float) -> bytes:
    return mixed(mulaw, silence(len(mulaw) / 8000), gain=10 ** (decibels / 20))


@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("name", VOICES)
def test_speech_is_noticed_once_and_soon(
    speech: dict[tuple[str, str], bytes], name: str, text: str
) -> None:
    (moment,) = begun(silence(0.5) + speech[name, text] + silence(1))
    assert 0.5 + 0.18 <= moment < 0.5 + 0.5


@pytest.mark.parametrize("name", VOICES)
def test_speech_is_noticed_above_a_noisy_line(
    speech: dict[tuple[str, str], bytes], name: str
) -> None:
    talk = silence(2.5) + speech[name, SENTENCES[2]]
    (moment,) = begun(mixed(talk, noise(len(talk) / 8000, rms=NOISE_20 / 10)))
    assert 2.5 < moment < 2.5 + 1.2


def test_speech_again_after_a_pause_is_an_onset_again(
    speech: dict[tuple[str, str], bytes],
) -> None:
    said = speech["Adam", "Hello?"]
    first, second = begun((silence(0.5) + said + silence(RELEASE)) * 2)
    assert second - first == pytest.approx(0.5 + len(said) / 8000 + RELEASE, abs=0.05)


@pytest.mark.parametrize(
    "line",
    [
        silence(3),
        noise(5, rms=NOISE_20),
        silence(2) + noise(5, rms=NOISE_20),
        (silence(0.217) + click() + silence(0.05)) * 20,
        (silence(0.013) + click()) * 150,
        (silence(0.205) + tone(697, 1209, seconds=0.1) + silence(0.06)) * 8,
        (silence(0.055) + tone(941, 1477, seconds=0.08) + silence(0.05)) * 20,
        silence(1.003) + tone(1000, seconds=1.0) + silence(1),
        silence(1) + tone(440, 480, seconds=2) + silence(1),
        silence(1) + tone(50, 150, seconds=4, amplitude=6000),
    ],
    ids=[
        "silence",
        "noise",
        "fan-switched-on",
        "clicks",
        "crackle",
        "digits",
        "fast-digits",
        "beep",
        "ringback",
        "hum",
    ],
)
def test_what_is_loud_and_no_speech_is_not_taken_for_it(line: bytes) -> None:
    assert begun(line) == []


def test_a_whisper_below_the_threshold_is_left_alone(
    speech: dict[tuple[str, str], bytes],
) -> None:
    said = silence(0.5) + scaled(speech["Adam", SENTENCES[2]], -25)
    assert begun(said) == []
    assert begun(said, SpeechDetector(threshold_dbfs=-55)) != []


def test_a_longer_onset_waits_longer(speech: dict[tuple[str, str], bytes]) -> None:
    said = silence(0.5) + speech["Adam", SENTENCES[2]]
    assert begun(said, SpeechDetector(onset=0.1))[0] < begun(said, SpeechDetector(onset=0.5))[0]


def test_silence_that_the_line_does_not_send_counts_as_silence(
    speech: dict[tuple[str, str], bytes],
) -> None:
    detector = SpeechDetector()
    said = speech["Jennie", "Hello?"]
    assert len(begun(said, detector, at=5.0)) == 1
    assert len(begun(said, detector, at=30.0)) == 1


def test_sounds_with_unsent_silence_between_them_do_not_add_up(
    speech: dict[tuple[str, str], bytes],
) -> None:
    syllable = speech["Adam", SENTENCES[2]][1600:2560]
    assert len(begun(syllable * 5, at=1.0)) == 1
    detector = SpeechDetector()
    assert [begun(syllable, detector, at=n * 0.5) for n in range(1, 6)] == [[]] * 5


def test_frames_that_come_late_and_in_bursts_are_no_pause(
    speech: dict[tuple[str, str], bytes],
) -> None:
    detector = SpeechDetector()
    line = list(frames(silence(0.5) + speech["Adam", SENTENCES[2]]))
    # Eight frames at a time, each burst at the moment of its last.
    late = [detector.feed(payload, (n // 8 + 1) * 0.16) for n, payload in enumerate(line)]
    assert late.count(True) == 1


def test_a_frame_costs_little() -> None:
    detector = SpeechDetector()
    line = list(frames(noise(10, rms=NOISE_20)))
    began = time.process_time()
    for n, payload in enumerate(line):
        detector.feed(payload, n * 0.02)
    # 5 µs where it was measured; a machine twenty times slower keeps up still.
    assert (time.process_time() - began) / len(line) < 100e-6
