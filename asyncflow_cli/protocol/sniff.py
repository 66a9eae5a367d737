"""What a file of audio is, by its first bytes; names and extensions lie too often.

Raw samples have no header, so they are whatever nothing here knows. The list of signatures:
https://en.wikipedia.org/wiki/List_of_file_signatures
"""

from __future__ import annotations

from asyncflow_cli.protocol.mp3 import read_header

_SIGNATURES: tuple[tuple[str, bytes, int, bytes], ...] = (
    ("wav", b"RIFF", 8, b"WAVE"),
    ("wav", b"RIFX", 8, b"WAVE"),
    ("wav", b"RF64", 8, b"WAVE"),
    ("mp3", b"ID3", 3, b""),
    ("flac", b"fLaC", 4, b""),
    ("ogg", b"OggS", 4, b""),
    ("m4a", b"", 4, b"ftyp"),
    ("webm", b"\x1a\x45\xdf\xa3", 4, b""),
    ("aiff", b"FORM", 8, b"AIF"),
    ("au", b".snd", 4, b""),
    ("caf", b"caff", 4, b""),
    ("amr", b"#!AMR", 5, b""),
)
"""Kind, start, and what stands further on. RIFF holds films too, and FORM pictures."""

KINDS = frozenset({*(kind for kind, *_ in _SIGNATURES), "aac"})


def kind_of(content: bytes) -> str | None:
    """wav, mp3, flac, ogg, m4a, webm, aiff, au, caf, amr or aac; None for all else."""
    for kind, start, offset, further in _SIGNATURES:
        if content.startswith(start) and content.startswith(further, offset):
            return kind
    if _begins_a_frame_of_mp3(content):
        return "mp3"
    return "aac" if _begins_a_frame_of_aac(content) else None


def _begins_a_frame_of_mp3(content: bytes) -> bool:
    """Two frames in a row: the first two bytes of one are soft noise in μ-law as well."""
    first = read_header(content[:4])
    if first is None:
        return False
    if first.length == len(content):
        return True
    second = read_header(content[first.length : first.length + 4])
    return second is not None and second.sample_rate == first.sample_rate


def _begins_a_frame_of_aac(content: bytes) -> bool:
    """Two ADTS frames in a row. https://wiki.multimedia.cx/index.php/ADTS"""
    length = _adts_length(content)
    return bool(length) and (length == len(content) or bool(_adts_length(content[length:])))


def _adts_length(content: bytes) -> int:
    if len(content) < 7 or content[0] != 0xFF or content[1] & 0xF6 != 0xF0:
        return 0
    length = (content[3] & 3) << 11 | content[4] << 3 | content[5] >> 5
    return length if length > 7 else 0
