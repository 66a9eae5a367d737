"""MP3 files as frames: how long they play, whether they are whole. It decodes nothing.

The frame header: http://www.mp3-tech.org/programmer/frame_header.html
The Info frame: http://gabriel.mp3-tech.org/mp3infotag.html
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol.audio import Content, blocks

DECODER_DELAY = 529
"""Samples by which every decoder is late; an Info frame counts the encoder's share only."""

BIT_RATES = {
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""kbit/s of layer III by bit rate index 1 to 14, for MPEG-1, and for MPEG-2 and 2.5."""

_SAMPLE_RATES = {
    0b11: (44_100, 48_000, 32_000),
    0b10: (22_050, 24_000, 16_000),
    0b00: (11_025, 12_000, 8_000),
}
_LAYER_3 = 0b01
_MONO = 0b11
_TRUSTED = (b"LAME", b"Lavf", b"Lavc")
"""Encoders whose word on delay and padding is taken; FFmpeg's list, so that we agree with it."""


@dataclass(frozen=True)
class Header:
    """The four bytes at the start of every frame."""

    version: int
    """1 is MPEG-1, 2 is MPEG-2 or its half-rate extension 2.5: the same layout."""
    sample_rate: int
    channels: int
    bit_rate: int
    length: int
    """Bytes of the whole frame."""
    has_crc: bool

    @property
    def samples(self) -> int:
        return 1152 if self.version == 1 else 576

    @property
    def side_start(self) -> int:
        return 6 if self.has_crc else 4

    @property
    def side_bytes(self) -> int:
        if self.version == 1:
            return 17 if self.channels == 1 else 32
        return 9 if self.channels == 1 else 17


@lru_cache(maxsize=256)
def read_header(start: bytes) -> Header | None:
    """The header that these four bytes are; None if they are none, or of free format."""
    if len(start) < 4 or start[0] != 0xFF or start[1] & 0xE0 != 0xE0:
        return None
    version_bits, layer = start[1] >> 3 & 3, start[1] >> 1 & 3
    rate_index, kilobits_index = start[2] >> 2 & 3, start[2] >> 4
    if version_bits not in _SAMPLE_RATES or layer != _LAYER_3 or rate_index == 3:
        return None
    if kilobits_index in (0, 15):
        return None
    version = 1 if version_bits == 0b11 else 2
    sample_rate = _SAMPLE_RATES[version_bits][rate_index]
    bit_rate = 1000 * BIT_RATES[version][kilobits_index - 1]
    padding = start[2] >> 1 & 1
    return Header(
        version=version,
        sample_rate=sample_rate,
        channels=1 if start[3] >> 6 == _MONO else 2,
        bit_rate=bit_rate,
        length=(144 if version == 1 else 72) * bit_rate // sample_rate + padding,
        has_crc=not start[1] & 1,
    )


@dataclass(frozen=True)
class Info:
    """What the silent first frame tells of the others. None: it does not say."""

    frames: int | None = None
    size: int | None = None
    """Bytes from this frame to the end of the last."""
    encoder: bytes = b""
    delay: int | None = None
    """Samples before the sound that the encoder added, and behind it; a decoder drops them."""
    padding: int | None = None


@dataclass(frozen=True)
class Mp3:
    header: Header
    """The first frame's; the others may differ in bit rate only."""
    lengths: array[int]
    """Bytes of each frame with sound: two bytes of memory a frame, 0.3 MB an hour."""
    info: Info
    content: Content

    @property
    def frames(self) -> Iterator[bytes]:
        """Frames with sound, whole and in order: no Info frame, no ID3 tag."""
        return _frames(self.content)[1]

    @property
    def samples(self) -> int:
        """What a decoder gives that heeds the Info frame, as FFmpeg's does."""
        added = (self.info.delay or 0) + (self.info.padding or 0)
        return max(0, len(self.lengths) * self.header.samples - added)

    @property
    def seconds(self) -> float:
        return self.samples / self.header.sample_rate


def duration(file: Content) -> float:
    """Seconds of sound, without what the encoder added at both ends if the file tells it."""
    return parse(file).seconds


def parse(file: Content) -> Mp3:
    """The file taken apart. IncompleteError if its end is missing, or if it is no MP3."""
    tag, frames = _frames(file)
    lengths, header = array("H"), None
    for frame in frames:
        header = header or read_header(frame[:4])
        lengths.append(len(frame))
    info = read_info(tag) or Info()
    _insist_on_all(len(tag), lengths, info)
    if header is None:
        raise IncompleteError("The mp3 holds no audio", code="AUDIO_EMPTY")
    return Mp3(header, lengths, info, file)


def _insist_on_all(tag_bytes: int, lengths: array[int], info: Info) -> None:
    there = len(lengths)
    # Some encoders count the Info frame too; then the size still agrees.
    if info.frames is None or there >= info.frames:
        return
    if info.size is None or tag_bytes + sum(lengths) < info.size:
        raise IncompleteError(
            f"The mp3 holds {there} of {info.frames} frames", code="AUDIO_TRUNCATED"
        )


def _frames(file: Content) -> tuple[bytes, Iterator[bytes]]:
    """The Info frame, empty if there is none, and the frames with sound, as they are read."""
    found = _all_frames(file)
    first = next(found, b"")
    if read_info(first) is not None:
        return first, found
    return b"", chain((first,), found) if first else found


def _all_frames(file: Content) -> Iterator[bytes]:
    position, end = 0, _end_of_frames(file)
    first: Header | None = None
    while position < end:
        header = read_header(file[position : position + 4])
        if header is None:
            position = _after_id3(file, position, end)
            continue
        first = first or header
        if (header.sample_rate, header.channels) != (first.sample_rate, first.channels):
            raise IncompleteError("The mp3 changes its sample rate", code="AUDIO_NOT_MP3")
        if position + header.length > end:
            raise IncompleteError("The mp3 ends in the middle of a frame", code="AUDIO_TRUNCATED")
        yield file[position : position + header.length]
        position += header.length


def _end_of_frames(file: Content) -> int:
    """Where the ID3v1 tag begins, if there is one: 128 bytes at the end."""
    end = len(file)
    return end - 128 if end >= 128 and file[end - 128 : end - 125] == b"TAG" else end


def _after_id3(file: Content, position: int, end: int) -> int:
    """The end of the ID3v2 tag here, or of zeros that fill the file up.

    https://id3.org/id3v2.4.0-structure: a size of four times seven bits, a footer if flag 0x10.
    """
    start = file[position : min(position + 10, end)]
    if start.startswith(b"ID3") and len(start) == 10:
        flags, *size = start[5:]
        length = size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3]
        return position + 10 + length + (10 if flags & 0x10 else 0)
    if not any(block.strip(b"\0") for block in blocks(file, position, end)):
        return end
    if len(start) < 4 or start.startswith(b"ID3"):
        raise IncompleteError("The mp3 ends in the middle of a frame", code="AUDIO_TRUNCATED")
    raise IncompleteError(f"No mp3 frame begins at byte {position}", code="AUDIO_NOT_MP3")


def read_info(frame: bytes) -> Info | None:
    """What an Info, Xing or VBRI frame says; None for a frame with sound."""
    header = read_header(frame[:4])
    if header is None:
        return None
    if frame[36:40] == b"VBRI":
        return Info()
    # The tag stands where it would without a CRC, whatever the CRC bit says.
    at = 4 + header.side_bytes
    if frame[at : at + 4] not in (b"Info", b"Xing") or len(frame) < at + 8:
        return None
    (flags,) = struct.unpack_from(">I", frame, at + 4)
    numbers: list[int | None] = [None, None]
    at += 8
    for bit in (0, 1):
        if flags >> bit & 1 and at + 4 <= len(frame):
            (numbers[bit],) = struct.unpack_from(">I", frame, at)
            at += 4
    at += 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    return Info(numbers[0], numbers[1], *_gaps(frame[at : at + 24]))


def _gaps(extension: bytes) -> tuple[bytes, int | None, int | None]:
    """Encoder, delay and padding; twelve bits each, behind 21 bytes of other facts."""
    if len(extension) < 24 or not extension.startswith(_TRUSTED):
        return b"", None, None
    both = int.from_bytes(extension[21:24], "big")
    return extension[:9], both >> 12, both & 0xFFF
