"""Pieces of any size become whole frames: nothing is lost, doubled, reordered or made up."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol.audio import FRAME_BYTES, MULAW_SILENCE
from asyncflow_cli.protocol.frames import LARGEST, Framer, payloads, size

SIZES = st.integers(0, 700) | st.sampled_from([160, 320, 3200, 3360, 8000])


def noise(n_bytes: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(n_bytes)


def packed(audio: bytes) -> str:
    return base64.b64encode(audio).decode()


def unpacked(pieces: list[str]) -> bytes:
    return b"".join(base64.b64decode(piece, validate=True) for piece in pieces)


@given(st.lists(SIZES, max_size=12), st.sampled_from([160, 800, LARGEST]))
def test_all_bytes_come_out_once_in_order_and_only_the_end_is_filled(
    sizes: list[int], largest: int
) -> None:
    framer = Framer(largest)
    pieces = [noise(n_bytes, seed) for seed, n_bytes in enumerate(sizes)]
    given_out: list[str] = []
    taken = b""
    for piece in pieces:
        taken += piece
        given_out += framer.push(packed(piece))
        # At every moment all but the held part of a frame is out.
        assert unpacked(given_out) == taken[: len(taken) - framer.held]
        assert framer.held == len(taken) % FRAME_BYTES
    last = framer.flush()
    whole = unpacked([*given_out, *([last] if last else [])])
    assert whole == taken + MULAW_SILENCE * (-len(taken) % FRAME_BYTES)
    assert framer.held == 0
    for out in given_out:
        assert 0 < size(out) <= largest
        assert size(out) % FRAME_BYTES == 0


@pytest.mark.parametrize("n_bytes", [160, 320, 480, 1600, LARGEST])
def test_whole_frames_pass_as_the_very_string_they_came_as(n_bytes: int) -> None:
    payload = packed(noise(n_bytes))
    (out,) = Framer().push(payload)
    assert out is payload


def test_whole_frames_do_not_overtake_what_is_held() -> None:
    framer = Framer()
    assert framer.push(packed(b"\x01" * 100)) == []
    assert framer.push(packed(b"\x02" * 160)) == [packed(b"\x01" * 100 + b"\x02" * 60)]
    assert framer.flush() == packed(b"\x02" * 100 + MULAW_SILENCE * 60)


def test_a_second_of_audio_in_one_message_becomes_short_ones() -> None:
    pieces = Framer().push(packed(noise(8000)))
    assert [size(piece) for piece in pieces] == [3200, 3200, 1600]


def test_nothing_held_is_nothing_to_flush() -> None:
    framer = Framer()
    framer.push(packed(noise(160)))
    assert framer.flush() is None
    assert framer.push("") == []
    assert framer.flush() is None


@given(st.binary(max_size=500))
def test_the_size_is_known_without_decoding(audio: bytes) -> None:
    assert size(packed(audio)) == len(audio)


@pytest.mark.parametrize("payload", ["abc", "ab!=", "Zä==", "=", "a"])
def test_what_is_no_base64_is_an_error_of_the_audio(payload: str) -> None:
    with pytest.raises(IncompleteError) as raised:
        Framer().push(payload)
    assert raised.value.code == "AUDIO_NOT_BASE64"


@pytest.mark.parametrize("largest", [0, 100, 161])
def test_a_largest_piece_that_is_no_whole_frames_is_refused(largest: int) -> None:
    with pytest.raises(ValueError, match="whole frames"):
        Framer(largest)


@given(st.binary(max_size=1000), st.sampled_from([160, 320]))
def test_payloads_are_the_audio_in_pieces(audio: bytes, chunk: int) -> None:
    pieces = list(payloads(audio, chunk))
    assert unpacked(pieces) == audio
    assert all(size(piece) == chunk for piece in pieces[:-1])
