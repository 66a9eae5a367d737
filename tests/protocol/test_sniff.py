"""What a file is, by its first bytes; raw μ-law is nothing that has a name."""

from __future__ import annotations

import pytest

from asyncflow_cli.protocol.sniff import kind_of
from tests.protocol.lines import noise, silence, tone

MP3_FRAME = b"\xff\xfb\x90\x64" + bytes(413)
AAC_FRAME = b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt ", "wav"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "wav"),
        (b"RIFF\x24\0\0\0AVI LIST", None),
        (b"ID3\x04\0\0", "mp3"),
        (MP3_FRAME * 2, "mp3"),
        (MP3_FRAME, "mp3"),
        (MP3_FRAME + b"?", None),
        (AAC_FRAME * 2, "aac"),
        (AAC_FRAME + b"\xff" * 9, None),
        (b"fLaC\0\0\0\x22", "flac"),
        (b"OggS\0\x02", "ogg"),
        (b"\0\0\0\x20ftypM4A ", "m4a"),
        (b"\x1a\x45\xdf\xa3", "webm"),
        (b"FORM\0\0\0\x24AIFFCOMM", "aiff"),
        (b"FORM\0\0\0\x24ILBM", None),
        (b"<!DOCTYPE html>", None),
        (b"#EXTM3U\n", None),
        (b"", None),
    ],
)
def test_a_start_tells_the_kind(start: bytes, kind: str | None) -> None:
    assert kind_of(start) == kind


@pytest.mark.parametrize("mulaw", [silence(1), tone(440, seconds=1), noise(1, rms=20)])
def test_a_telephone_line_is_no_file(mulaw: bytes) -> None:
    assert kind_of(mulaw) is None
