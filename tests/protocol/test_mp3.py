"""MP3 files measured and joined by their frames, and heard by FFmpeg."""

from __future__ import annotations

import array
import io
import math
import random
from contextlib import suppress
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import IncompleteError, LocalProtocolError
from asyncflow_cli.protocol import joining, mp3, mp3join
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.sandbox.encode import SOURCE_RATE, Encoder, encode_whole

FORMATS = [
    (8000, 32_000),
    (16_000, 64_000),
    (22_050, 160_000),
    (44_100, 128_000),
    (48_000, 320_000),
]
SENTENCE_PAUSE = 0.5


def tone(samples: int, hertz: float = 440) -> bytes:
    step = 2 * math.pi * hertz / SOURCE_RATE
    return array.array("h", (round(20_000 * math.sin(step * n)) for n in range(samples))).tobytes()


def noise(samples: int) -> bytes:
    """Full to the very end, so that the encoder's bit reservoir is in use."""
    chance = random.Random(samples)
    return array.array("h", (chance.randrange(-16_000, 16_000) for _ in range(samples))).tobytes()


def encoded(pcm: bytes, rate: int = 44_100, bit_rate: int = 128_000) -> bytes:
    return encode_whole(pcm, OutputFormat(container="mp3", sample_rate=rate, bit_rate=bit_rate))


def bare(pcm: bytes, rate: int = 44_100, bit_rate: int = 128_000) -> bytes:
    """Frames without the Info frame, as a stream has them."""
    encoder = Encoder(OutputFormat(container="mp3", sample_rate=rate, bit_rate=bit_rate))
    return encoder.feed(pcm) + encoder.finish()


def heard(file: bytes) -> array.array[float]:
    samples = array.array("f")
    with av.open(io.BytesIO(file), "r") as container:
        to_float = av.AudioResampler("flt", "mono", container.streams.audio[0].rate)
        for frame in container.decode(audio=0):
            for made in to_float.resample(frame):
                samples.frombytes(bytes(made.planes[0])[: made.samples * 4])
    return samples


def join(files: list[bytes]) -> bytes:
    return joining.join(files, OutputFormat(container="mp3", sample_rate=44_100))


def frames_of(file: bytes) -> list[bytes]:
    return list(mp3.parse(file).frames)


SPEECH = (noise(9000), tone(11_111), noise(5000), tone(7000, 1000))
FILE = encoded(tone(22_050))


# --- one file ------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "bit_rate"), FORMATS)
@pytest.mark.parametrize("samples", [100, 9000, 22_050])
def test_the_duration_is_what_is_heard(rate: int, bit_rate: int, samples: int) -> None:
    file = encoded(noise(samples), rate, bit_rate)
    assert mp3.duration(file) * rate == pytest.approx(len(heard(file)))
    assert mp3.duration(file) == pytest.approx(samples / SOURCE_RATE, abs=0.002)


def test_without_an_info_frame_every_frame_counts() -> None:
    stream = bare(tone(22_050))
    assert len(heard(stream)) == 1152 * len(frames_of(stream))
    assert mp3.duration(stream) * 44_100 == pytest.approx(len(heard(stream)))


def test_frames_are_the_file_without_its_info_and_tags() -> None:
    frames = frames_of(FILE)
    assert FILE.endswith(b"".join(frames))
    id3v2 = b"ID3\x04\0\0\0\0\x01\x05" + b"x" * 133
    id3v1 = b"TAG" + b"\0" * 125
    assert frames_of(id3v2 + FILE + id3v1) == frames
    assert mp3.duration(id3v2 + FILE + id3v1) == mp3.duration(FILE)


def test_zeros_that_fill_the_file_up_are_no_frame() -> None:
    assert frames_of(FILE + b"\0" * 50) == frames_of(FILE)


@pytest.mark.parametrize("missing", [1, 100, 416, 3000])
def test_a_file_cut_short_is_incomplete(missing: int) -> None:
    with pytest.raises(IncompleteError, match=r"middle of a frame|holds \d+ of 40 frames"):
        mp3.parse(FILE[:-missing])


def test_a_file_cut_between_two_frames_is_incomplete_if_it_tells_their_number() -> None:
    with pytest.raises(IncompleteError, match="holds 39 of 40 frames"):
        mp3.parse(FILE[: -len(frames_of(FILE)[-1])])


@pytest.mark.parametrize("file", [b"", b"ID3\x04\0\0\0\0\0\0", b"\0\0", FILE[:417]])
def test_a_file_without_frames_holds_no_audio(file: bytes) -> None:
    with pytest.raises(IncompleteError, match=r"no audio|0 of 40"):
        mp3.parse(file)


def test_what_is_no_frame_is_told_with_its_place() -> None:
    with pytest.raises(IncompleteError, match=f"begins at byte {len(FILE)}"):
        mp3.parse(FILE + b"--ERROR:QUOTA_EXCEEDED--")


@given(st.binary(max_size=600), st.integers(0, 600))
def test_hostile_bytes_raise_nothing_but_our_errors(tail: bytes, kept: int) -> None:
    with suppress(IncompleteError):
        mp3.parse(FILE[:kept] + tail)


# --- joined --------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "bit_rate"), FORMATS)
def test_each_piece_of_a_joined_file_sounds_as_it_did_alone(rate: int, bit_rate: int) -> None:
    files = [encoded(pcm, rate, bit_rate) for pcm in SPEECH]
    joined = join(files)
    samples = heard(joined)
    assert len(samples) == pytest.approx(mp3.duration(joined) * rate)
    for file, start in zip(files, mp3join.starts(files), strict=True):
        alone = heard(file)
        at = round(start * rate)
        there = samples[at : at + len(alone)]
        assert len(there) == len(alone)
        assert max(abs(a - b) for a, b in zip(alone, there, strict=True)) < 1e-4


@pytest.mark.parametrize(("rate", "bit_rate"), FORMATS)
def test_a_joint_is_short_and_without_a_burst(rate: int, bit_rate: int) -> None:
    files = [encoded(pcm, rate, bit_rate) for pcm in (tone(11_111), tone(9000), tone(7000))]
    samples, starts = heard(join(files)), mp3join.starts(files)
    ends = [start + mp3.duration(file) for start, file in zip(starts, files, strict=True)]
    for end, start in zip(ends, starts[1:], strict=False):
        assert 0 <= start - end <= (1105 + 1152) / rate < SENTENCE_PAUSE
        assert max(map(abs, samples[round(end * rate) : round(start * rate)])) < 0.62


def test_the_length_is_that_of_the_pieces_and_their_joints() -> None:
    files = [encoded(pcm) for pcm in SPEECH]
    joined, starts = join(files), mp3join.starts(files)
    assert mp3.duration(joined) == pytest.approx(starts[-1] + mp3.duration(files[-1]))
    assert starts[0] == 0
    assert all(b > a for a, b in pairwise(starts))


def test_the_joined_file_has_one_info_frame_that_is_true() -> None:
    joined = join([encoded(pcm) for pcm in SPEECH])
    parsed = mp3.parse(joined)
    info = parsed.info
    assert info.frames == len(frames_of(joined))
    assert info.size == len(joined)
    assert info.delay == 576
    assert joined.count(b"Info") == 1


def test_the_info_frame_checks_itself_as_lame_does() -> None:
    assert mp3join._crc16(b"123456789") == 0xBB3D
    joined = join([FILE, FILE])
    end = joined.index(b"Info") + 154
    assert joined[end : end + 2] == mp3join._crc16(joined[:end]).to_bytes(2, "big")


def test_a_joined_file_can_be_joined_again() -> None:
    files = [encoded(pcm) for pcm in SPEECH]
    twice = join([join(files[:2]), join(files[2:])])
    assert frames_of(twice) == frames_of(join(files))
    assert mp3.duration(twice) == mp3.duration(join(files))


def test_one_file_alone_keeps_its_frames() -> None:
    assert frames_of(join([FILE])) == frames_of(FILE)
    assert mp3.duration(join([FILE])) == mp3.duration(FILE)
    assert mp3join.starts([FILE]) == [0]


def test_streams_without_info_are_joined_with_nothing_dropped() -> None:
    files = [bare(pcm) for pcm in SPEECH]
    joined = join(files)
    frames = sum(len(frames_of(file)) for file in files)
    assert len(heard(joined)) == 1152 * frames == round(mp3.duration(joined) * 44_100)


def test_a_piece_cut_from_a_stream_does_not_burst_at_the_joint() -> None:
    # Its first frame wants bits that stayed behind; here it would take those of another file.
    loud, stream = encoded(noise(22_050)), frames_of(bare(noise(15_000)))
    cut = stream[5:]
    assert mp3join._reach(cut[0], mp3.parse(loud).header) > 0
    joined = join([loud, b"".join(cut)])
    before = len(frames_of(loud))
    assert frames_of(joined)[before + 1 :] == cut[1:]
    at = before * 1152 - 1105
    assert max(map(abs, heard(joined)[at : at + 1152])) < 0.01
    alone, there = heard(b"".join(stream))[7 * 1152 :], heard(joined)[at + 2 * 1152 :]
    assert max(abs(a - b) for a, b in zip(alone, there, strict=False)) < 1e-4


def test_a_silenced_frame_keeps_its_bytes_where_later_frames_look_for_them() -> None:
    frame = frames_of(encoded(noise(9000)))[5]
    protected = bytes((frame[0], frame[1] & 0xFE)) + frame[2:]
    for loud in (frame, protected):
        header = mp3.read_header(loud[:4])
        assert header is not None
        silent = mp3join._silent(loud, header)
        assert len(silent) == len(loud)
        assert silent[40:] == loud[40:]
        still = mp3.read_header(silent[:4])
        assert still is not None
        assert not still.has_crc
        assert not any(silent[still.side_start : still.side_start + still.side_bytes])


def test_pieces_of_different_rates_do_not_fit_together() -> None:
    with pytest.raises(IncompleteError, match="do not fit together"):
        join([FILE, encoded(tone(9000), 48_000)])


def test_nothing_cannot_be_joined() -> None:
    with pytest.raises(LocalProtocolError):
        join([])
