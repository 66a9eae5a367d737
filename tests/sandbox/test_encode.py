"""Every format, whole and streamed, read back by someone else: `wave`, or FFmpeg's decoders."""

from __future__ import annotations

import array
import io
import math
import struct
import sys
import tracemalloc
import wave
from collections.abc import Sequence
from itertools import pairwise

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncflow_cli.protocol.audio import Container, Encoding, decode_mulaw
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.sandbox.encode import (
    MP3_RATES,
    SOURCE_RATE,
    STEP,
    Encoder,
    encode_whole,
    mp3_rate,
)
from asyncflow_cli.sandbox.engine import EngineMissing

RATES = (8000, 11111, 16000, 22050, 24000, 44100, 48000)


def raw(encoding: Encoding, sample_rate: int) -> OutputFormat:
    return OutputFormat(container="raw", encoding=encoding, sample_rate=sample_rate)


def mp3(sample_rate: int, bit_rate: int | None = None) -> OutputFormat:
    return OutputFormat(container="mp3", sample_rate=sample_rate, bit_rate=bit_rate)


def tone(samples: int, hertz: float = 440, amplitude: float = 0.4) -> bytes:
    step = 2 * math.pi * hertz / SOURCE_RATE
    return array.array(
        "h", (round(32767 * amplitude * math.sin(step * n)) for n in range(samples))
    ).tobytes()


def streamed(pcm: bytes, output_format: OutputFormat, size: int = 2648) -> bytes:
    encoder = Encoder(output_format)
    pieces = [encoder.feed(pcm[at : at + size]) for at in range(0, len(pcm), size)]
    return b"".join(pieces) + encoder.finish()


def values(audio: bytes, encoding: Encoding) -> Sequence[float]:
    """Samples, full scale being 1."""
    if encoding == "pcm_f32le":
        return array.array("f", audio)
    pcm = decode_mulaw(audio) if encoding == "pcm_mulaw" else audio
    return [sample / 32768 for sample in array.array("h", pcm)]


def rms(samples: Sequence[float]) -> float:
    return math.sqrt(sum(s * s for s in samples) / len(samples))


def upward_crossings(samples: Sequence[float]) -> int:
    return sum(a < 0 <= b for a, b in pairwise(samples))


def decoded(file: bytes) -> tuple[list[float], int]:
    """What FFmpeg hears: samples and rate."""
    with av.open(io.BytesIO(file), "r") as container:
        rate = container.streams.audio[0].rate
        to_float = av.AudioResampler("flt", "mono", rate)
        samples = array.array("f")
        for frame in container.decode(audio=0):
            for made in to_float.resample(frame):
                samples.frombytes(bytes(made.planes[0])[: made.samples * 4])
    return list(samples), rate


# --- raw -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_f32le", "pcm_mulaw"])
@pytest.mark.parametrize("rate", RATES)
def test_raw_audio_keeps_duration_pitch_and_level(encoding: Encoding, rate: int) -> None:
    samples = values(encode_whole(tone(22050 + 777), raw(encoding, rate)), encoding)
    assert abs(len(samples) - (22050 + 777) * rate / SOURCE_RATE) <= 1
    assert abs(upward_crossings(samples) - 440 * 1.035) < 4
    assert rms(samples) == pytest.approx(0.4 / math.sqrt(2), rel=0.02)


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_f32le", "pcm_mulaw"])
@pytest.mark.parametrize("rate", RATES)
def test_a_stream_is_the_whole_in_pieces(encoding: Encoding, rate: int) -> None:
    pcm = tone(20_000)
    assert streamed(pcm, raw(encoding, rate)) == encode_whole(pcm, raw(encoding, rate))


@settings(max_examples=30, deadline=None)
@given(samples=st.integers(0, 5000), size=st.integers(1, 3000), rate=st.integers(8000, 48000))
def test_any_length_in_any_pieces_is_exact(samples: int, size: int, rate: int) -> None:
    pcm = tone(samples)
    audio = streamed(pcm, raw("pcm_s16le", rate), 2 * size)
    assert abs(len(audio) // 2 - samples * rate / SOURCE_RATE) <= 1
    # At rates that are no neat fraction of the source's, FFmpeg's filter adds its terms up in
    # another order in other pieces, and a sample may be rounded the other way.
    pairs = zip(
        samples_of(audio), samples_of(encode_whole(pcm, raw("pcm_s16le", rate))), strict=True
    )
    assert max((abs(ours - theirs) for ours, theirs in pairs), default=0) <= 1


def samples_of(pcm: bytes) -> array.array[int]:
    return array.array("h", pcm)


def test_a_stream_gives_audio_before_it_has_all() -> None:
    encoder = Encoder(raw("pcm_mulaw", 8000))
    assert len(encoder.feed(tone(1324))) > 400


def test_the_engines_own_rate_passes_unchanged() -> None:
    pcm = tone(5000)
    assert encode_whole(pcm, raw("pcm_s16le", SOURCE_RATE)) == pcm


def test_what_a_telephone_cannot_carry_is_removed_and_not_folded_back() -> None:
    samples = values(encode_whole(tone(22050, hertz=6000), raw("pcm_s16le", 8000)), "pcm_s16le")
    assert rms(samples[200:-200]) < 0.4 / math.sqrt(2) / 300


def test_an_encoding_left_out_is_s16() -> None:
    without = OutputFormat(container="raw", sample_rate=16000)
    assert encode_whole(tone(999), without) == encode_whole(tone(999), raw("pcm_s16le", 16000))


@pytest.mark.parametrize("container", ["raw", "mp3"])
def test_nothing_in_is_nothing_out(container: Container) -> None:
    nothing = OutputFormat(container=container, sample_rate=16000)
    assert encode_whole(b"", nothing) == b""
    assert streamed(b"", nothing) == b""


def test_a_long_answer_needs_little_more_room_than_its_file() -> None:
    pcm = bytes(2 * SOURCE_RATE * 60)
    encode_whole(pcm[:STEP], mp3(44_100))
    tracemalloc.start()
    try:
        file = encode_whole(pcm, mp3(44_100, 32_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # All of its samples would be 5.3 MB.
    assert len(file) < 300_000
    assert peak < 2_000_000


# --- wav -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", RATES)
def test_a_wav_file_tells_the_truth(rate: int) -> None:
    output_format = OutputFormat(container="wav", encoding="pcm_s16le", sample_rate=rate)
    pcm = tone(22050)
    with wave.open(io.BytesIO(encode_whole(pcm, output_format))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, rate)
        assert file.getnframes() == rate
        assert file.readframes(rate) == encode_whole(pcm, raw("pcm_s16le", rate))


def test_a_float_wav_is_format_3_with_a_fact_chunk() -> None:
    output_format = OutputFormat(container="wav", encoding="pcm_f32le", sample_rate=44100)
    file = encode_whole(tone(22050), output_format)
    assert struct.unpack_from("<H", file, 20) == (3,)
    fact = file.index(b"fact")
    assert struct.unpack_from("<II", file, fact + 4) == (4, 44100)
    samples, rate = decoded(file)
    assert (len(samples), rate) == (44100, 44100)
    assert rms(samples) == pytest.approx(0.4 / math.sqrt(2), rel=0.02)


# --- mp3 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", MP3_RATES)
def test_an_mp3_file_has_the_exact_duration_and_begins_on_time(rate: int) -> None:
    pcm = bytes(2 * 4410) + tone(22050)
    samples, found = decoded(encode_whole(pcm, mp3(rate)))
    assert found == rate
    assert abs(len(samples) - rate * 1.2) <= 1
    loud = next(n for n, sample in enumerate(samples) if abs(sample) > 0.1)
    assert loud / rate == pytest.approx(0.2, abs=0.003)
    # LAME lowers the level by 5 %, so that what it rounds does not clip.
    assert rms(samples[loud:]) == pytest.approx(0.4 / math.sqrt(2), rel=0.06)


def test_an_mp3_file_has_an_info_header_and_no_tag_before_it() -> None:
    file = encode_whole(tone(22050), mp3(44100))
    assert file[:2] == b"\xff\xfb"
    assert b"Info" in file[:64]


def test_a_stream_of_mp3_is_bare_frames() -> None:
    stream = streamed(tone(22050), mp3(44100))
    assert stream[0] == 0xFF
    assert b"Info" not in stream[:64]
    assert b"Xing" not in stream[:64]
    samples, rate = decoded(stream)
    assert 1.0 <= len(samples) / rate < 1.1


def test_a_stream_of_mp3_comes_in_pieces() -> None:
    encoder = Encoder(mp3(44100))
    assert any(encoder.feed(tone(1324)) for _ in range(4))


@pytest.mark.parametrize("bit_rate", [32_000, 128_000, 320_000])
def test_the_bit_rate_is_what_was_asked_for(bit_rate: int) -> None:
    file = encode_whole(tone(44100), mp3(44100, bit_rate))
    with av.open(io.BytesIO(file), "r") as container:
        assert container.streams.audio[0].bit_rate == bit_rate
    assert len(file) == pytest.approx(bit_rate / 8 * 2, rel=0.1)


def test_a_rate_that_mp3_lacks_becomes_the_next_higher_one() -> None:
    assert [mp3_rate(rate) for rate in (8000, 8001, 22051, 44101, 48000)] == [
        8000,
        11025,
        24000,
        48000,
        48000,
    ]
    samples, rate = decoded(encode_whole(tone(22050), mp3(13_000)))
    assert (len(samples), rate) == (16000, 16000)


# --- without PyAV --------------------------------------------------------------------------


def test_without_pyav_the_line_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    for output_format in (raw("pcm_mulaw", 8000), mp3(44100)):
        with pytest.raises(EngineMissing) as caught:
            encode_whole(tone(10), output_format)
        assert caught.value.hint == "pip install 'asyncflow-cli[sandbox]'"


def test_the_engines_own_format_needs_no_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert encode_whole(tone(10), raw("pcm_s16le", SOURCE_RATE)) == tone(10)
