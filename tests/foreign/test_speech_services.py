"""Speech services that others wrote: what they send instead of what was asked for."""

from __future__ import annotations

import pytest

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol.audio import Encoding, wav_file
from asyncflow_cli.protocol.checked import check
from asyncflow_cli.protocol.models import OutputFormat

WANTED = OutputFormat(container="wav", encoding="pcm_s16le", sample_rate=44100)


@pytest.mark.parametrize(("encoding", "rate"), [("pcm_s16le", 22050), ("pcm_f32le", 44100)])
def test_a_wav_whose_header_is_not_as_asked_is_no_success(encoding: Encoding, rate: int) -> None:
    with pytest.raises(IncompleteError, match=f"The WAV is {encoding} at {rate} Hz, not pcm_s16le"):
        check(wav_file(encoding, rate, bytes(800)), WANTED)


def test_an_encoding_left_open_is_the_services_default() -> None:
    wanted = OutputFormat(container="wav", sample_rate=8000)
    assert check(wav_file("pcm_s16le", 8000, bytes(16000)), wanted).seconds == 1.0
