"""Which formats may be asked for, and what is not what was asked for."""

from __future__ import annotations

import contextlib
import io
import struct
import wave
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import IncompleteError, UsageError
from asyncflow_cli.protocol.audio import Container, Encoding, wav_file, wav_header
from asyncflow_cli.protocol.checked import check
from asyncflow_cli.protocol.formats import output_format
from asyncflow_cli.protocol.models import OutputFormat

PCM: tuple[str, str | None] = ("raw", "pcm_s16le")
WAV = ("wav", "pcm_s16le")
MP3 = ("mp3", None)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("hello.wav", WAV),
        ("HELLO.WAV", WAV),
        ("dir.mp3/hello.wav", WAV),
        ("v1.2/hello.tar.mp3", MP3),
        ("hello.mp3", MP3),
        ("hello.raw", PCM),
        ("hello.pcm", PCM),
        ("-", WAV),
        (None, WAV),
    ],
)
def test_the_extension_tells_the_container(
    path: str | None, expected: tuple[str, str | None]
) -> None:
    wanted = output_format(path=path)
    assert (wanted.container, wanted.encoding, wanted.sample_rate) == (*expected, 44_100)


@pytest.mark.parametrize("path", ["hello", "hello.ogg", ".wav", "dir.wav/hello", "hello.", ""])
def test_an_extension_that_tells_nothing_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="tells no audio format") as caught:
        output_format(path=path)
    assert "--format" in (caught.value.hint or "")


def test_the_container_given_comes_before_the_extension() -> None:
    assert output_format(container="mp3", path="hello.ogg").container == "mp3"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"container": "mp3", "encoding": "pcm_s16le"}, "mp3 has no --encoding"),
        ({"container": "wav", "bit_rate": 192_000}, "--bit-rate is for mp3 only"),
        ({"path": "a.raw", "bit_rate": 192_000}, "--bit-rate is for mp3 only"),
        ({"container": "raw", "encoding": "pcm_mulaw"}, "not made in pcm_mulaw"),
        ({"container": "raw", "encoding": "opus"}, "not made in opus"),
        ({"container": "ogg"}, "No such format"),
        ({"container": "mp3", "bit_rate": 31_999}, "bit_rate"),
        ({"container": "mp3", "bit_rate": 320_001}, "bit_rate"),
        ({"container": "mp3", "bit_rate": 0}, "bit_rate"),
        ({"container": "wav", "sample_rate": 7_999}, "sample_rate"),
        ({"container": "wav", "sample_rate": 48_001}, "sample_rate"),
        ({"container": "wav", "sample_rate": 0}, "sample_rate"),
    ],
)
def test_a_combination_that_is_not_made_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        output_format(**asked)


@pytest.mark.parametrize("rate", [8_000, 48_000])
@pytest.mark.parametrize(
    "asked",
    [
        {"container": "mp3", "bit_rate": 32_000},
        {"container": "mp3", "bit_rate": 320_000},
        {"container": "wav", "encoding": "pcm_f32le"},
        {"container": "raw", "encoding": "pcm_f32le"},
    ],
)
def test_every_combination_that_is_made_is_asked_for_as_given(
    asked: dict[str, Any], rate: int
) -> None:
    wanted = output_format(**asked, sample_rate=rate)
    assert {name: getattr(wanted, name) for name in asked} == asked
    assert wanted.sample_rate == rate


def wanted(container: Container, encoding: Encoding | None = None) -> OutputFormat:
    return OutputFormat(container=container, encoding=encoding, sample_rate=8000)


SAMPLES = b"\x01\x02" * 800
WHOLE = wav_file("pcm_s16le", 8000, SAMPLES)
JSON = b'{"detail":{}}.'
FRAME = b"\xff\xfb\x90\x00" + bytes(413)
"""MPEG-1 layer III, 128 kbit/s, 44.1 kHz."""


@pytest.mark.parametrize(
    ("container", "encoding", "audio", "seconds"),
    [
        ("raw", "pcm_s16le", SAMPLES, 0.1),
        ("raw", "pcm_f32le", SAMPLES, 0.05),
        ("raw", "pcm_mulaw", SAMPLES[:-1], 1599 / 8000),
        ("wav", "pcm_s16le", WHOLE, 0.1),
        ("wav", "pcm_f32le", wav_file("pcm_f32le", 8000, SAMPLES), 0.05),
        ("wav", "pcm_s16le", WHOLE + b"LIST\2\0\0\0hi", 0.1),
        ("wav", "pcm_s16le", b"RIFF\0\0\0\0WAVELIST\3\0\0\0odd\0" + WHOLE[12:], 0.1),
        ("mp3", None, b"ID3\x04" + bytes(6) + FRAME, 1152 / 44_100),
        ("mp3", None, FRAME * 2, 2304 / 44_100),
    ],
)
def test_whole_audio_passes_unchanged_with_its_length(
    container: Container, encoding: Encoding | None, audio: bytes, seconds: float
) -> None:
    checked = check(audio, wanted(container, encoding))
    assert (checked.mended(audio), checked.seconds) == (audio, seconds)


@pytest.mark.parametrize(
    ("container", "audio", "code"),
    [
        *((container, b"", "AUDIO_EMPTY") for container in ("raw", "wav", "mp3")),
        ("raw", SAMPLES[:-1], "AUDIO_TRUNCATED"),
        ("wav", JSON, "AUDIO_NOT_WAV"),
        ("mp3", JSON, "AUDIO_NOT_MP3"),
        ("mp3", WHOLE, "AUDIO_NOT_MP3"),
        ("mp3", b"\xff", "AUDIO_NOT_MP3"),
        ("wav", b"ID3\x04\0", "AUDIO_NOT_WAV"),
        ("wav", WHOLE[:11], "AUDIO_NOT_WAV"),
        ("wav", WHOLE[:12], "AUDIO_TRUNCATED"),
        ("wav", WHOLE[:43], "AUDIO_TRUNCATED"),
        ("wav", WHOLE[:44], "AUDIO_EMPTY"),
        ("wav", WHOLE[:-1], "AUDIO_TRUNCATED"),
        ("wav", WHOLE[:-2], "AUDIO_TRUNCATED"),
        ("wav", wav_file("pcm_s16le", 8000, SAMPLES[:-1]), "AUDIO_TRUNCATED"),
        ("wav", wav_header("pcm_s16le", 8000, None), "AUDIO_EMPTY"),
        ("wav", wav_header("pcm_s16le", 8000, None) + SAMPLES[:-1], "AUDIO_TRUNCATED"),
    ],
)
def test_what_is_not_the_whole_audio_is_incomplete(
    container: Container, audio: bytes, code: str
) -> None:
    with pytest.raises(IncompleteError) as caught:
        check(audio, wanted(container, None if container == "mp3" else "pcm_s16le"))
    assert (caught.value.exit_code, caught.value.code) == (8, code)


@pytest.mark.parametrize("length", [None, 0])
def test_a_wav_that_names_no_length_is_put_right(length: int | None) -> None:
    audio = wav_header("pcm_s16le", 8000, length) + SAMPLES
    checked = check(audio, wanted("wav", "pcm_s16le"))
    assert (checked.mended(audio), checked.seconds) == (WHOLE, 0.1)
    with wave.open(io.BytesIO(checked.mended(audio))) as reader:
        assert reader.readframes(reader.getnframes()) == SAMPLES


def test_a_wav_of_an_encoding_we_cannot_measure_passes_without_a_length() -> None:
    twenty_four_bit = bytearray(WHOLE)
    struct.pack_into("<H", twenty_four_bit, 34, 24)
    assert check(bytes(twenty_four_bit), wanted("wav")).seconds is None


@given(
    st.sampled_from(["raw", "wav", "mp3"]),
    st.binary()
    | st.binary().map(lambda tail: b"RIFF\0\0\0\0WAVE" + tail)
    | st.integers(0, len(WHOLE)).map(lambda n: WHOLE[:n]),
)
def test_any_bytes_pass_or_are_incomplete(container: Container, audio: bytes) -> None:
    with contextlib.suppress(IncompleteError):
        assert len(check(audio, wanted(container)).mended(audio)) == len(audio)
