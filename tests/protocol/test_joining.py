"""Pieces to one file that others can read, WAV and raw; presets are formats the service makes."""

from __future__ import annotations

import io
import struct
import wave
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import IncompleteError, LocalProtocolError
from asyncflow_cli.protocol import formats, mp3, mp3join, wav
from asyncflow_cli.protocol.audio import Encoding, wav_file, wav_header
from asyncflow_cli.protocol.joining import join, starts
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.protocol.presets import PRESETS
from asyncflow_cli.sandbox.encode import encode_whole

WAV = OutputFormat(container="wav", encoding="pcm_s16le", sample_rate=16_000)
RAW = OutputFormat(container="raw", encoding="pcm_f32le", sample_rate=8000)
MP3 = OutputFormat(container="mp3", sample_rate=16_000)
PCM = struct.pack("<600h", *range(600))

samples = st.binary(max_size=40).map(lambda audio: audio[: len(audio) // 4 * 4])


@given(
    st.lists(samples.filter(bool), min_size=1, max_size=5),
    st.sampled_from(("pcm_s16le", "pcm_f32le", "pcm_mulaw")),
)
def test_a_joined_wav_holds_all_samples_under_one_header(
    pieces: list[bytes], encoding: Encoding
) -> None:
    files = [wav_file(encoding, 16_000, piece) for piece in pieces]
    joined = join(files, WAV)
    assert joined == wav_file(encoding, 16_000, b"".join(pieces))
    assert wav.read(joined) == wav.Wav(encoding, 16_000, b"".join(pieces))


def test_another_reader_reads_the_joined_wav() -> None:
    with wave.open(io.BytesIO(join([wav_file("pcm_s16le", 16_000, PCM)] * 3, WAV))) as file:
        assert file.getnframes() == 1800
        assert file.readframes(1800) == PCM * 3


def test_a_wav_of_unknown_length_is_joined_with_a_known_one() -> None:
    unknown = wav_header("pcm_s16le", 16_000, None) + PCM
    assert join([unknown, unknown], WAV) == wav_file("pcm_s16le", 16_000, PCM * 2)
    assert join([unknown], WAV) == wav_file("pcm_s16le", 16_000, PCM)


def test_chunks_before_and_after_the_audio_are_left_out() -> None:
    plain = wav_file("pcm_s16le", 16_000, PCM)
    note = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    assert join([plain[:12] + note + plain[12:] + note], WAV) == plain


def test_an_extensible_header_is_understood() -> None:
    fmt = struct.pack("<HHIIHHHHIH14x", 0xFFFE, 1, 48_000, 192_000, 4, 32, 22, 32, 4, 3)
    file = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data\x04\0\0\0abcd"
    assert wav.read(file) == wav.Wav("pcm_f32le", 48_000, b"abcd")


@pytest.mark.parametrize(
    ("piece", "code"),
    [
        (wav_file("pcm_s16le", 16_000, PCM)[:-2], "AUDIO_TRUNCATED"),
        (wav_file("pcm_s16le", 16_000, PCM)[:40], "AUDIO_TRUNCATED"),
        (wav_header("pcm_s16le", 16_000, None) + b"abc", "AUDIO_TRUNCATED"),
        (wav_file("pcm_s16le", 8000, PCM), "AUDIO_MISMATCH"),
        (wav_file("pcm_f32le", 16_000, PCM), "AUDIO_MISMATCH"),
        (b"ID3", "AUDIO_NOT_WAV"),
    ],
)
def test_a_piece_that_is_cut_short_or_unlike_the_others_spoils_the_file(
    piece: bytes, code: str
) -> None:
    for joins in (join, starts):
        with pytest.raises(IncompleteError) as caught:
            joins([wav_file("pcm_s16le", 16_000, PCM), piece], WAV)
        assert caught.value.code == code


@given(st.binary(max_size=60))
def test_hostile_bytes_raise_nothing_but_our_errors(tail: bytes) -> None:
    for head in (b"", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0"):
        with suppress(IncompleteError):
            join([head + tail], WAV)


@given(st.lists(samples, min_size=1, max_size=5))
def test_raw_pieces_are_put_end_to_end(pieces: list[bytes]) -> None:
    assert join(pieces, RAW) == b"".join(pieces)
    assert starts(pieces, RAW)[-1] == sum(map(len, pieces[:-1])) / 32_000


def test_raw_that_ends_inside_a_sample_is_incomplete() -> None:
    with pytest.raises(IncompleteError):
        join([b"abcd", b"abc"], RAW)


def test_each_piece_begins_where_the_one_before_ended() -> None:
    files = [wav_file("pcm_s16le", 16_000, PCM * n) for n in (1, 2, 3)]
    assert starts(files, WAV) == [0, 600 / 16_000, 1800 / 16_000]


def test_mp3_is_joined_by_its_frames() -> None:
    files = [encode_whole(PCM * n, MP3) for n in (9, 12)]
    joined = join(files, MP3)
    assert starts(files, MP3) == mp3join.starts(files)
    assert len(mp3.parse(joined).lengths) == sum(len(mp3.parse(file).lengths) for file in files)


@pytest.mark.parametrize("output_format", [WAV, RAW, MP3])
def test_nothing_cannot_be_joined(output_format: OutputFormat) -> None:
    for joins in (join, starts):
        with pytest.raises(LocalProtocolError):
            joins([], output_format)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_format_that_is_made(name: str) -> None:
    made = PRESETS[name].output_format
    asked: dict[str, Any] = {
        "container": made.container,
        "sample_rate": made.sample_rate,
        "bit_rate": made.bit_rate,
        "encoding": made.encoding,
    }
    assert formats.output_format(**asked) == made
    assert PRESETS[name].reason


def test_the_presets_are_the_four_that_are_promised() -> None:
    assert set(PRESETS) == {"phone", "web", "hd", "stt"}
