"""Loudness by tables against loudness by arithmetic on the decoded samples."""

from __future__ import annotations

import base64
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol.audio import MULAW_SILENCE, decode_mulaw, encode_mulaw
from asyncflow_cli.protocol.levels import SILENCE, level, peak
from tests.protocol.lines import tone


def samples(mulaw: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(mulaw)}h", decode_mulaw(mulaw))


def packed(mulaw: bytes) -> str:
    return base64.b64encode(mulaw).decode()


@given(st.binary(max_size=400))
def test_level_and_peak_are_those_of_the_samples(mulaw: bytes) -> None:
    heard = samples(mulaw)
    assert peak(mulaw) == max(map(abs, heard), default=0)
    power = sum(sample * sample for sample in heard)
    expected = 10 * math.log10(power / len(heard) / 32768**2) if power else SILENCE
    assert level(packed(mulaw)) == pytest.approx(expected)


@pytest.mark.parametrize("mulaw", [b"", MULAW_SILENCE * 160, b"\x7f" * 160])
def test_both_zeros_are_silence(mulaw: bytes) -> None:
    assert level(packed(mulaw)) == SILENCE
    assert peak(mulaw) == 0


def test_a_sine_lies_three_decibels_below_its_peak() -> None:
    sine = tone(1000, seconds=0.1, amplitude=16384)
    assert level(packed(sine)) == pytest.approx(-6 - 3, abs=0.2)
    assert peak(sine) == pytest.approx(16384, rel=0.05)


def test_full_scale_is_nought() -> None:
    square = encode_mulaw(struct.pack("<160h", *(32767, -32768) * 80))
    assert level(packed(square)) == pytest.approx(0, abs=0.2)


def test_what_is_no_base64_has_no_level() -> None:
    with pytest.raises(IncompleteError):
        level("a")
