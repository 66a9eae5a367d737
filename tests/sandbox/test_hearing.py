"""Speech to text: the sandbox knows its own speech again, and nothing else."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import httpx
import pytest

from asyncflow_cli.protocol.audio import MULAW_SILENCE, wav_file
from tests.conftest import ServedSandbox
from tests.sandbox.stranger import JENNIE, WAV, code, samples_of, speech, voice, web

TEXT = "Your order ships on Monday."
listens = pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="pocketsphinx is missing")
deaf = pytest.mark.skipif(find_spec("pocketsphinx") is not None, reason="pocketsphinx listens")


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with ServedSandbox() as served, web(served.sandbox) as client:
        yield client


def say(http: httpx.Client, text: str, path: str = "", **changes: Any) -> bytes:
    response = http.post(f"/text_to_speech{path}", json=speech(text, **changes))
    assert response.status_code == 200
    return response.content


def hear(http: httpx.Client, audio: bytes, **fields: str) -> httpx.Response:
    return http.post("/speech_to_text", files={"file": ("clip", audio)}, data=fields)


def assert_echo(response: httpx.Response, text: str) -> None:
    assert response.json() == {"text": text}
    assert response.headers["x-sandbox-recognition"] == "echo"


def phone(http: httpx.Client, text: str, **changes: Any) -> bytes:
    """As the line of a call has it: silence first, 8 kHz, μ-law."""
    form = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000}
    mulaw = say(http, text, "/streaming", output_format=form, **changes)
    return wav_file("pcm_mulaw", 8000, MULAW_SILENCE * 3333 + mulaw + MULAW_SILENCE * 1000)


MP3 = {"container": "mp3", "sample_rate": 44100, "bit_rate": 32000}


def test_the_same_audio_in_other_clothes_is_the_same_text(http: httpx.Client) -> None:
    assert_echo(hear(http, say(http, TEXT)), TEXT)
    for clip in (
        phone(http, TEXT),
        say(http, TEXT, output_format=MP3),
        say(http, TEXT, "/streaming", output_format=MP3),
    ):
        assert_echo(hear(http, clip), TEXT)


@pytest.mark.parametrize("make", [phone, lambda *args: say(*args, output_format=MP3)])
def test_it_is_known_again_when_only_the_original_is_remembered(make: Any) -> None:
    with ServedSandbox() as other, web(other.sandbox) as elsewhere:
        clip = make(elsewhere, TEXT)
    with ServedSandbox() as served, web(served.sandbox) as http:
        say(http, TEXT)
        say(http, "Something else altogether.")
        assert_echo(hear(http, clip), TEXT)


def test_another_word_or_voice_is_not_the_same(http: httpx.Client) -> None:
    say(http, "One two three four five six.")
    say(http, "No.")
    with ServedSandbox() as other, web(other.sandbox) as elsewhere:
        unknown = [
            say(elsewhere, "One two three four nine six."),
            say(elsewhere, "One two three."),
            say(elsewhere, "One two three four five six. And seven."),
            say(elsewhere, "Hello."),
            say(elsewhere, "One two three four five six.", voice=voice(JENNIE)),
        ]
    for clip in unknown:
        assert "echo" not in hear(http, clip).headers.get("x-sandbox-recognition", "")


@deaf
def test_what_nobody_here_can_tell_is_501_with_the_install_line(http: httpx.Client) -> None:
    say(http, TEXT)
    noise = array("h", random.Random(1).choices(range(-9000, 9000), k=24_000)).tobytes()
    for samples in (noise, bytes(48_000)):
        response = hear(http, wav_file("pcm_s16le", 16000, samples))
        assert response.status_code == 501
        assert "pip install 'asyncflow-cli[stt]'" in response.json()["detail"]["message"]
        assert "x-sandbox-recognition" not in response.headers


@listens
def test_pocketsphinx_listens_to_what_others_said(http: httpx.Client) -> None:
    with ServedSandbox() as other, web(other.sandbox) as elsewhere:
        clip = say(elsewhere, "One two three.")
    response = hear(http, clip)
    assert response.headers["x-sandbox-recognition"] == "pocketsphinx"
    assert hear(http, clip, language="fr").status_code == 501


def test_speeches_one_after_the_other_are_heard_in_their_order(http: httpx.Client) -> None:
    texts = ["Good morning, everybody.", "Your table is ready.", "See you at noon!"]
    joined = b"".join(samples_of(say(http, text), 22050).tobytes() for text in texts)
    assert_echo(hear(http, wav_file("pcm_s16le", 22050, joined)), " ".join(texts))


def test_what_is_refused(http: httpx.Client) -> None:
    clip = say(http, "Hi.", output_format=WAV)
    assert code(hear(http, clip, language="xx")) == "INVALID_LANGUAGE"
    assert code(hear(http, b"not a sound")) == "FORMAT_NOT_RECOGNIZED"
    assert hear(http, clip, model_id="async_flash_v1.0").status_code == 422
    assert hear(http, clip, model_id="async_asr_v1.0", language="en").status_code == 200
    assert http.post("/speech_to_text", data={"language": "en"}).status_code == 422
