"""Cloning: what clips are refused, and how the voice sounds that comes out."""

from __future__ import annotations

import array
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from asyncflow_cli.protocol.audio import wav_file
from asyncflow_cli.sandbox.choices import Choices
from asyncflow_cli.sandbox.recording import Recording, decode, format_of
from asyncflow_cli.sandbox.voices import LIBRARY
from tests.conftest import ServedSandbox
from tests.sandbox.stranger import ADAM, JENNIE, WAV, code, samples_of, speech, voice, web

LONG = "The quick brown fox jumps over the lazy dog, near the river, and then it runs home again."


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with ServedSandbox() as served, web(served.sandbox) as client:
        yield client


@pytest.fixture(scope="module")
def clips(http: httpx.Client) -> dict[str, bytes]:
    """Five seconds of a man and of a woman."""
    return {
        name: http.post("/text_to_speech", json=speech(LONG, voice=voice(name))).content
        for name in (ADAM, JENNIE)
    }


def clone(http: httpx.Client, clip: bytes, **fields: str) -> httpx.Response:
    return http.post(
        "/voices/clone", files={"audio": ("clip", clip)}, data={"name": "Mine", **fields}
    )


def tone(seconds: float, level: float = 8000, rate: int = 8000) -> bytes:
    wave = (level * math.sin(2 * math.pi * 220 * n / rate) for n in range(round(seconds * rate)))
    clipped = (max(-32768, min(32767, round(value))) for value in wave)
    return wav_file("pcm_s16le", rate, array.array("h", clipped).tobytes())


def encoded(wav: bytes, container: str, codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out, av.open(io.BytesIO(wav), "r") as source:
        stream = out.add_stream(codec, rate=48000 if codec == "libopus" else 22050)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.layout = "mono"
        resampler = av.AudioResampler(stream.format, "mono", stream.rate, 960)
        for frame in (*source.decode(audio=0), None):
            for ready in resampler.resample(frame):
                ready.pts = None
                out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    return file.getvalue()


def pitch(file: bytes) -> float:
    found = Recording(array.array("h", samples_of(file).tobytes())).pitch
    assert found is not None
    return found


@pytest.mark.parametrize("name", [ADAM, JENNIE])
def test_the_voice_has_the_pitch_of_its_clip_and_is_no_stock_voice(
    http: httpx.Client, clips: dict[str, bytes], name: str
) -> None:
    response = clone(http, clips[name], description="of a clip")
    assert response.status_code == 200
    assert response.headers["x-sandbox-emulated"] == "pitch-matched stock voice"
    made = response.json()
    assert made.pop("id")
    assert made == {"name": "Mine", "description": "of a clip", "language": "en"}
    spoken = http.post(
        "/text_to_speech", json=speech(LONG, voice=voice(response.json()["id"]))
    ).content
    assert pitch(spoken) == pytest.approx(pitch(clips[name]), rel=0.05)
    for stock in LIBRARY:
        if stock.language == "en":
            same_text = speech(LONG, voice=voice(stock.voice_id))
            assert http.post("/text_to_speech", json=same_text).content != spoken


def test_the_voice_is_listed_speaks_everywhere_and_its_preview_is_the_clip(
    http: httpx.Client, clips: dict[str, bytes]
) -> None:
    form = {"gender": "Female", "accent": "Northern", "style": "News", "enhance": "true"}
    made = clone(http, clips[JENNIE], description="", transcript=LONG, **form).json()["id"]
    listed = http.post("/voices", json={"my_voice": True, "accent": "northern"}).json()["voices"]
    assert [(v["voice_id"], v["voice_type"], v["gender"]) for v in listed] == [
        (made, "CUSTOM", "Female")
    ]
    assert http.put(f"/voices/{made}", json={"name": "Renamed"}).status_code == 204
    url = http.get(f"/voices/preview/{made}").json()["signed_url"]
    assert httpx.get(url, trust_env=False).content == clips[JENNIE]
    streamed = speech("Hi.", voice=voice(made), output_format={**WAV, "container": "raw"})
    assert len(http.post("/text_to_speech/streaming", json=streamed).content) > 1000


@pytest.mark.parametrize(
    ("container", "codec"), [("mp3", "libmp3lame"), ("flac", "flac"), ("aiff", "pcm_s16be")]
)
def test_the_documented_formats_are_told_by_their_content(
    http: httpx.Client, clips: dict[str, bytes], container: str, codec: str
) -> None:
    clip = encoded(clips[ADAM], container, codec)
    assert format_of(clip) == container
    assert clone(http, clip).status_code == 200


def test_a_list_of_other_files_is_no_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "another.wav").write_bytes(wav_file("pcm_s16le", 8000, bytes(16_000)))
    assert decode((tmp_path / "another.wav").read_bytes()) is not None
    assert decode(b"ffconcat version 1.0\nfile another.wav\n") is None


def test_clips_that_are_no_clips(http: httpx.Client, clips: dict[str, bytes]) -> None:
    ogg = encoded(clips[ADAM], "ogg", "libopus")
    for clip, refusal in (
        (b"", "FORMAT_NOT_RECOGNIZED"),
        (b"%PDF-1.7 and so on", "FORMAT_NOT_RECOGNIZED"),
        (b"RIFF\0\0\0\0WAVEnonsense", "FORMAT_NOT_RECOGNIZED"),
        (b"ID3" + bytes(500), "FORMAT_NOT_RECOGNIZED"),
        (ogg, "FORMAT_NOT_RECOGNIZED"),
        (tone(2.9), "SHORT_SPEECH_DURATION"),
        (tone(2) + bytes(80_000), "SHORT_SPEECH_DURATION"),
        (tone(1, level=0), "SHORT_SPEECH_DURATION"),
        (tone(5, level=0), "BAD_SPEECH_QUALITY"),
        (tone(5, level=60_000), "BAD_SPEECH_QUALITY"),
    ):
        response = clone(http, clip)
        assert (response.status_code, code(response)) == (400, refusal)


def test_two_seconds_of_speech_in_five_of_silence_are_two_seconds(http: httpx.Client) -> None:
    sound, rest = tone(1)[44:], bytes(32_000)
    response = clone(http, wav_file("pcm_s16le", 8000, sound + rest + sound + rest))
    assert code(response) == "SHORT_SPEECH_DURATION"
    assert "2.0 s" in response.json()["detail"]["message"]


def test_a_clip_may_have_ten_megabytes(http: httpx.Client) -> None:
    response = clone(http, b"ID3" + bytes(10 * 1024 * 1024))
    assert (response.status_code, code(response)) == (413, "FILE_TOO_LARGE")


@pytest.mark.parametrize(
    ("fields", "place"),
    [({"name": ""}, "name"), ({"gender": "male"}, "gender"), ({"enhance": "perhaps"}, "enhance")],
)
def test_fields_that_do_not_validate(
    http: httpx.Client, clips: dict[str, bytes], fields: dict[str, str], place: str
) -> None:
    response = clone(http, clips[ADAM], **fields)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", place]


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"name": "Mine"}},
        {"files": {"files": ("clip", b"RIFF")}, "data": {"name": "Mine"}},
        {"files": {"other": b""}, "data": {"name": "Mine", "audio": "text"}},
        {"json": {"name": "Mine"}},
        {"content": b"--x\r\nnonsense", "headers": {"content-type": "multipart/form-data"}},
    ],
)
def test_only_a_file_called_audio_is_one(http: httpx.Client, sent: dict[str, Any]) -> None:
    assert http.post("/voices/clone", **sent).status_code == 422


def test_the_language_is_checked_and_kept(http: httpx.Client, clips: dict[str, bytes]) -> None:
    assert code(clone(http, clips[ADAM], language="xx")) == "INVALID_LANGUAGE"
    assert clone(http, clips[ADAM], language="fr").json()["language"] == "fr"


def test_in_2025_language_enhance_and_five_seconds_were_required() -> None:
    with ServedSandbox(choices=Choices(era="asyncflow")) as served, web(served.sandbox) as http:
        assert clone(http, tone(6)).json()["detail"][0]["loc"] == ["body", "language"]
        required = {"language": "en", "enhance": "false"}
        assert code(clone(http, tone(4), **required)) == "SHORT_SPEECH_DURATION"
        assert clone(http, tone(6), **required).status_code == 200
