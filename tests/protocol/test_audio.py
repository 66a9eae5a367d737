"""μ-law against published vectors, WAV headers against readers that are not ours."""

from __future__ import annotations

import io
import struct
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.protocol.audio import (
    MULAW_SILENCE,
    UNKNOWN_LENGTH,
    decode_mulaw,
    encode_mulaw,
    seconds,
    wav_file,
    wav_header,
)

NEGATIVE_ZERO = 0x7F

DECODED = {0x00: -32124, 0x0F: -16764, 0x7E: -8, 0x7F: 0, 0x80: 32124, 0xFE: 8, 0xFF: 0}
ENCODED = {
    0: 0xFF,
    -1: 0x7F,
    4: 0xFE,
    100: 0xF2,
    -100: 0x72,
    1000: 0xCE,
    -1000: 0x4E,
    8031: 0xA0,
    32767: 0x80,
    -32768: 0x00,
}


def pcm(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


@pytest.mark.parametrize(("code", "sample"), DECODED.items())
def test_a_code_decodes_to_its_published_sample(code: int, sample: int) -> None:
    assert decode_mulaw(bytes([code])) == pcm(sample)


@pytest.mark.parametrize(("sample", "code"), ENCODED.items())
def test_a_sample_encodes_to_its_published_code(sample: int, code: int) -> None:
    assert encode_mulaw(pcm(sample)) == bytes([code])


def test_every_code_but_negative_zero_survives_the_round_trip() -> None:
    codes = bytes(code for code in range(256) if code != NEGATIVE_ZERO)
    assert encode_mulaw(decode_mulaw(codes)) == codes


def test_negative_zero_becomes_digital_silence() -> None:
    assert encode_mulaw(decode_mulaw(bytes([NEGATIVE_ZERO]))) == MULAW_SILENCE


@given(st.lists(st.integers(-32635, 32635)))
def test_a_sample_comes_back_within_half_a_step_of_its_loudness(samples: list[int]) -> None:
    back = struct.unpack(f"<{len(samples)}h", decode_mulaw(encode_mulaw(pcm(*samples))))
    for sample, decoded in zip(samples, back, strict=True):
        # A loudness from 2ⁿ to 2ⁿ⁺¹ has sixteen steps.
        assert abs(sample - decoded) <= (abs(sample) + 0x84) / 16 / 2


def test_half_a_sample_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match="multiple"):
        encode_mulaw(b"\0\0\0")


@pytest.mark.parametrize(
    ("n_bytes", "encoding", "rate", "expected"),
    [
        (0, "pcm_s16le", 8000, 0),
        (160, "pcm_mulaw", 8000, 0.02),
        (88200, "pcm_s16le", 44100, 1),
        (48000, "pcm_f32le", 24000, 0.5),
    ],
)
def test_duration_is_bytes_over_width_and_rate(
    n_bytes: int, encoding: str, rate: int, expected: float
) -> None:
    assert seconds(n_bytes, encoding, rate) == expected


@given(st.lists(st.integers(-0x8000, 0x7FFF)), st.integers(8000, 48000))
def test_python_reads_back_the_pcm_we_write(samples: list[int], rate: int) -> None:
    with wave.open(io.BytesIO(wav_file("pcm_s16le", rate, pcm(*samples)))) as reader:
        assert reader.getparams()[:4] == (1, 2, rate, len(samples))
        assert reader.readframes(len(samples)) == pcm(*samples)


def chunks(wav: bytes) -> dict[bytes, bytes]:
    """The chunks of a RIFF file, read by the book: a name, a size, a body, a pad byte."""
    riff, size, kind = struct.unpack_from("<4sI4s", wav)
    assert (riff, size, kind) == (b"RIFF", len(wav) - 8, b"WAVE")
    found, position = {}, 12
    while position < len(wav):
        name, length = struct.unpack_from("<4sI", wav, position)
        found[name] = wav[position + 8 : position + 8 + length]
        assert len(found[name]) == length
        position += 8 + length + length % 2
    assert position == len(wav)
    return found


@pytest.mark.parametrize(
    ("encoding", "tag", "width"), [("pcm_s16le", 1, 2), ("pcm_f32le", 3, 4), ("pcm_mulaw", 7, 1)]
)
@given(n_samples=st.integers(0, 99), rate=st.integers(8000, 48000))
def test_each_encoding_has_its_format_tag_and_all_but_pcm_a_fact_chunk(
    encoding: str, tag: int, width: int, n_samples: int, rate: int
) -> None:
    audio = b"\x01" * n_samples * width
    found = chunks(wav_file(encoding, rate, audio))
    fmt = struct.unpack_from("<HHIIHH", found[b"fmt "])
    assert fmt == (tag, 1, rate, rate * width, width, width * 8)
    assert found[b"data"] == audio
    if tag == 1:
        assert list(found) == [b"fmt ", b"data"]
        assert len(found[b"fmt "]) == 16
    else:
        assert list(found) == [b"fmt ", b"fact", b"data"]
        assert found[b"fmt "][16:] == b"\0\0"
        assert found[b"fact"] == struct.pack("<I", n_samples)


def test_an_odd_number_of_bytes_is_padded_but_not_counted() -> None:
    wav = wav_file("pcm_mulaw", 8000, b"\xff\xff\xff")
    assert wav.endswith(b"data\x03\0\0\0\xff\xff\xff\0")
    assert chunks(wav)[b"data"] == b"\xff\xff\xff"


@pytest.mark.parametrize(
    ("encoding", "places"), [("pcm_s16le", (4, 40)), ("pcm_mulaw", (4, 46, 54))]
)
def test_an_unknown_length_is_all_ones_wherever_a_length_stands(
    encoding: str, places: tuple[int, ...]
) -> None:
    unknown, known = wav_header(encoding, 8000, None), wav_header(encoding, 8000, 2)
    assert len(unknown) == len(known)
    assert {struct.unpack_from("<I", unknown, place)[0] for place in places} == {UNKNOWN_LENGTH}
    changed = [i for i, (a, b) in enumerate(zip(unknown, known, strict=True)) if a != b]
    assert changed == [place + i for place in places for i in range(4)]


def test_python_opens_a_header_of_unknown_length() -> None:
    endless = io.BytesIO(wav_header("pcm_s16le", 16000, None) + pcm(1, 2, 3))
    with wave.open(endless) as reader:
        assert reader.getframerate() == 16000
        assert reader.readframes(3) == pcm(1, 2, 3)
