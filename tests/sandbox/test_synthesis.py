"""The three operations that speak: every format they may be asked for, and when words are heard."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import httpx
import pytest

from asyncflow_cli.protocol.audio import wav_file
from asyncflow_cli.sandbox.choices import Choices
from tests.conftest import ServedSandbox
from tests.sandbox.stranger import KEY, WAV, code, samples_of, seconds_of, speech, web

WHOLE, TIMED, STREAM = (
    "/text_to_speech",
    "/text_to_speech/with_timestamps",
    "/text_to_speech/streaming",
)
RATES = (8000, 16000, 22050, 24000, 44100, 48000)


@pytest.fixture
def http(fast: ServedSandbox) -> Any:
    with web(fast.sandbox) as client:
        yield client


def formats(streamed: bool) -> list[tuple[str, str | None]]:
    pcm = ["pcm_s16le", "pcm_f32le"]
    if streamed:
        return [("mp3", None), *(("raw", encoding) for encoding in [*pcm, "pcm_mulaw"])]
    return [("mp3", None), *itertools.product(("raw", "wav"), pcm)]


LEGAL = [
    (path, container, encoding, rate)
    for path in (WHOLE, TIMED, STREAM)
    for (container, encoding), rate in itertools.product(formats(path == STREAM), RATES)
]


@pytest.fixture(scope="module")
def engine_seconds(fast: ServedSandbox) -> float:
    """How long the engine speaks: its own rate and samples, untouched."""
    form = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 22050}
    with web(fast.sandbox) as http:
        audio = http.post(STREAM, json=speech("Hello there.", output_format=form)).content
    return len(audio) / 2 / 22050


@pytest.mark.parametrize(("path", "container", "encoding", "rate"), LEGAL)
def test_every_legal_format_lasts_as_long_as_the_engine_spoke(
    http: httpx.Client,
    engine_seconds: float,
    path: str,
    container: str,
    encoding: str | None,
    rate: int,
) -> None:
    form = {"container": container, "sample_rate": rate}
    form |= {"encoding": encoding} if encoding else {"bit_rate": 64000}
    response = http.post(path, json=speech("Hello there.", output_format=form))
    assert response.status_code == 200, response.text
    audio = response.content
    if path == TIMED:
        audio = base64.b64decode(response.json()["audio_base64"], validate=True)
    if container == "raw":
        audio = wav_file(str(encoding), rate, audio)
    # FFmpeg would stretch the bare frames of a stream by what it guesses of their number.
    lasted = seconds_of(audio, "mp3" if container == "mp3" else "wav")
    bare = container == "mp3" and path == STREAM
    slack = (1152 + 1105 + 1152) / rate if bare else 0.02
    assert abs(lasted - engine_seconds) <= slack


@pytest.mark.parametrize(
    ("path", "container", "encoding", "place"),
    [
        (WHOLE, "raw", "pcm_mulaw", "encoding"),
        (WHOLE, "wav", "pcm_mulaw", "encoding"),
        (TIMED, "raw", "pcm_mulaw", "encoding"),
        (STREAM, "wav", "pcm_s16le", "container"),
        (STREAM, "raw", "pcm_alaw", "encoding"),
        (STREAM, "ogg", None, "container"),
    ],
)
def test_other_formats_do_not_validate(
    http: httpx.Client, path: str, container: str, encoding: str | None, place: str
) -> None:
    form = {"container": container, "encoding": encoding, "sample_rate": 8000}
    response = http.post(path, json=speech(output_format=form))
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "output_format", place]


@pytest.mark.parametrize("path", [WHOLE, TIMED, STREAM])
def test_all_three_refuse_alike(http: httpx.Client, path: str) -> None:
    form = {"container": "mp3", "sample_rate": 44100}

    def post(**changes: Any) -> httpx.Response:
        return http.post(path, json=speech(**{"output_format": form, **changes}))

    assert code(post(voice={"mode": "id", "id": "nobody"})) == "VOICE_NOT_FOUND"
    assert code(post(language="xx")) == "INVALID_LANGUAGE"
    assert post(transcript=" ").status_code == 422
    assert post(model_id="gpt").status_code == 422
    keyless = http.post(path, json=speech(), headers={"x-api-key": "sk_no"})
    assert (keyless.status_code, code(keyless)) == (401, "INVALID_API_KEY")
    other = http.post(path, json=speech(), headers={"version": "v9"})
    assert (other.status_code, code(other)) == (404, "VERSION_NOT_FOUND")


def loud(samples: memoryview, start: float, end: float, rate: int = 8000) -> int:
    return max(map(abs, samples[round(start * rate) : round(end * rate)]), default=0)


@pytest.mark.parametrize("container", ["mp3", "wav"])
def test_words_are_heard_when_their_times_say(http: httpx.Client, container: str) -> None:
    text = "Wonderful <break time='700ms'/> morning, <break time='0.7s'/> everybody."
    form = {"container": container, "sample_rate": 24000}
    answer = http.post(TIMED, json=speech(text, output_format=form)).json()
    alignment = answer["alignment"]
    assert sorted(answer) == ["alignment", "audio_base64"]
    assert alignment.pop("words") == ["Wonderful", "morning,", "everybody."]
    starts = [time / 1000 for time in alignment.pop("word_start_times_milliseconds")]
    ends = [time / 1000 for time in alignment.pop("word_end_times_milliseconds")]
    assert alignment == {}
    samples = samples_of(base64.b64decode(answer["audio_base64"]))
    for start, end in zip(starts, ends, strict=True):
        assert loud(samples, start, end) > 3000
    for end, start in zip(ends, starts[1:], strict=False):
        assert start - end >= 0.65
        assert loud(samples, end + 0.05, start - 0.02) < 300


def test_a_stream_is_sent_while_it_is_made(http: httpx.Client, fast: ServedSandbox) -> None:
    # Two minutes at 192 kB a second are more than the sockets between us hold.
    text = "Slowly, <break time='10s'/>" * 12
    form = {"container": "raw", "encoding": "pcm_f32le", "sample_rate": 48000}
    with http.stream("POST", STREAM, json=speech(text, output_format=form)) as response:
        assert response.headers["content-type"] == "application/octet-stream"
        assert "content-length" not in response.headers
        pieces = response.iter_raw()
        next(pieces)
        assert text not in [said.transcript for said in fast.sandbox.store.speeches()]
        for _ in pieces:
            pass
    assert fast.sandbox.store.speeches()[-1].transcript == text


def test_by_the_june_rule_two_models_are_streamed_only() -> None:
    with ServedSandbox(choices=Choices(model_rule="june")) as served, web(served.sandbox) as http:
        mp3 = {"container": "mp3", "sample_rate": 44100}
        for model in ("async_pro_v1.0", "async_flash_v1.5"):
            asked = speech(model_id=model, output_format=mp3)
            for path in (WHOLE, TIMED):
                refused = http.post(path, json=asked)
                assert refused.status_code == 422
                assert refused.json()["detail"][0]["loc"] == ["body", "model_id"]
            assert http.post(STREAM, json=asked).status_code == 200
        assert http.post(WHOLE, json=speech()).status_code == 200


def test_what_does_not_validate_can_be_a_400_with_a_code_of_ours() -> None:
    with ServedSandbox(choices=Choices(validation=400)) as served, web(served.sandbox) as http:
        refused = http.post(WHOLE, json=speech(model_id="gpt"))
        assert (refused.status_code, code(refused)) == (400, "SANDBOX_VALIDATION_ERROR")
        assert "body.model_id" in refused.json()["detail"]["message"]


def test_a_method_that_a_path_does_not_have_is_405(fast: ServedSandbox) -> None:
    for method, path, allowed in (
        ("GET", WHOLE, "POST"),
        ("DELETE", "/voices", "POST"),
        ("PATCH", "/voices/x", "DELETE, GET, PUT"),
        ("PUT", "/", "GET"),
    ):
        response = httpx.request(
            method, fast.sandbox.url + path, headers=KEY, trust_env=False, verify=False
        )
        assert (response.status_code, response.headers["allow"]) == (405, allowed)


def test_the_default_encoding_of_a_wav_is_16_bits(http: httpx.Client) -> None:
    bare = {name: value for name, value in WAV.items() if name != "encoding"}
    answers = {http.post(WHOLE, json=speech(output_format=form)).content for form in (WAV, bare)}
    assert len(answers) == 1
