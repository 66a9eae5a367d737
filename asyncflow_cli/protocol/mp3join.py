"""Several MP3 files to one: their frames in order behind one Info frame that is true.

Nothing is decoded, so each joint keeps the silence that encoders put around their sound: 1105
samples of the later file and less than a frame of the earlier one. That is 25 to 51 ms at 44 100 Hz
and at most 0.21 s at 8000 Hz, less than the pause between two sentences.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from asyncflow_cli.errors import IncompleteError, LocalProtocolError
from asyncflow_cli.protocol.audio import Content
from asyncflow_cli.protocol.mp3 import BIT_RATES, DECODER_DELAY, Header, Mp3, parse, read_header

_ALL_FIELDS = 0b1111
_EXTENSION_BYTES = 36
_TAG_BYTES = 120


class Mp3Joint:
    """Files that are joined one after the other."""

    def __init__(self) -> None:
        self._first: Mp3 | None = None
        self._last: Mp3 | None = None
        self._start, self._room = b"", 0
        self._lengths = array("H")
        self._bit_rates: set[int] = set()

    def add(self, file: Content) -> Iterator[bytes]:
        """What one more file adds. The first thing that is added keeps the place of the head."""
        part = parse(file)
        if self._first is None:
            self._first = part
            self._start, self._room = _roomy_header(next(part.frames), part.header)
            yield bytes(self._room)
        _insist_on_likeness((self._first, part))
        self._last = part
        self._lengths += part.lengths
        for frame in _self_contained(part.frames):
            self._bit_rates.add(frame[2] >> 4)
            yield frame

    def edges(self) -> tuple[bytes, bytes]:
        """The head, now that all is known, and what stands behind the last frame: nothing.

        The head is an Info frame, which tells the number of the others, their size, their places,
        and the silence at both ends. Without the first file's delay nothing is said of silence, and
        a decoder drops none.
        """
        first, last = self._first, self._last
        assert first is not None
        assert last is not None
        size = self._room + sum(self._lengths)
        kind = b"Info" if len(self._bit_rates) == 1 else b"Xing"
        tag = kind + struct.pack(">III", _ALL_FIELDS, len(self._lengths), size)
        tag += _places(self._lengths, self._room, size) + b"\0\0\0\0"
        frame = self._start + bytes(first.header.side_bytes) + tag
        if first.info.delay is not None:
            frame += _extension(first, last, size)
            frame += struct.pack(">H", _crc16(frame))
        return frame.ljust(self._room, b"\0"), b""


def starts(files: Sequence[bytes]) -> list[float]:
    """Seconds into the joined file at which each file's own sound begins."""
    parts = [parse(file) for file in files]
    _insist_on_likeness(parts)
    before = accumulate((len(part.lengths) * part.header.samples for part in parts), initial=0)
    first = parts[0].info.delay or 0
    # A decoder's own delay is the same for all files; it is dropped once, before the first.
    return [
        max(0, at + (part.info.delay or 0) - first) / part.header.sample_rate
        for at, part in zip(before, parts, strict=False)
    ]


def _insist_on_likeness(parts: Sequence[Mp3]) -> None:
    kinds = {(part.header.sample_rate, part.header.channels) for part in parts}
    if len(kinds) > 1:
        rates = ", ".join(f"{rate} Hz × {channels}" for rate, channels in sorted(kinds))
        raise IncompleteError(f"The pieces do not fit together: {rates}", code="AUDIO_MISMATCH")


def _self_contained(frames: Iterator[bytes]) -> Iterator[bytes]:
    """The frames; one that wants bits from before its file's beginning falls silent.

    A frame's sound may begin up to 511 bytes back, in earlier frames: the bit reservoir. An
    encoder's first frame never reaches back, but that of a file cut from a stream does. Behind
    another file it would be read from that file's bytes: a burst. Its own bytes stay where they
    are, since later frames need them.
    """
    collected = 0
    for frame in frames:
        header = read_header(frame[:4])
        assert header is not None
        yield _silent(frame, header) if _reach(frame, header) > collected else frame
        collected += header.length - header.side_start - header.side_bytes


def _reach(frame: bytes, header: Header) -> int:
    """How many bytes before this frame its sound begins (`main_data_begin`)."""
    at = header.side_start
    if header.version == 1:
        return frame[at] << 1 | frame[at + 1] >> 7
    return frame[at]


def _silent(frame: bytes, header: Header) -> bytes:
    """The frame with side information that claims no bits; its bytes count from their end on."""
    start = frame[0:1] + bytes((frame[1] | 1,)) + frame[2:4]
    kept = frame[header.side_start + header.side_bytes :]
    return start + kept.rjust(len(frame) - 4, b"\0")


def _roomy_header(frame: bytes, header: Header) -> tuple[bytes, int]:
    """A header like this frame's, without CRC and padding, of the smallest sufficient bit rate."""
    needed = 4 + header.side_bytes + _TAG_BYTES + _EXTENSION_BYTES
    for index in range(1, len(BIT_RATES[header.version]) + 1):
        third = index << 4 | frame[2] & 0x0D
        start = bytes((frame[0], frame[1] | 1, third, frame[3]))
        roomy = read_header(start)
        if roomy is not None and roomy.length >= needed:
            return start, roomy.length
    raise LocalProtocolError("No mp3 frame is large enough for an Info tag")


def _places(lengths: array[int], before: int, size: int) -> bytes:
    """Where each hundredth of the time begins, in 256ths of the file: for seeking."""
    hundredths = (len(lengths) * percent // 100 for percent in range(100))
    between = (sum(lengths[start:end]) for start, end in pairwise(hundredths))
    places = accumulate(between, initial=before)
    return bytes(min(255, 256 * place // size) for place in places)


def _extension(first: Mp3, last: Mp3, size: int) -> bytes:
    """LAME's addition, up to its own checksum; fields we know nothing of are zero."""
    # Padding counts from where the encoder stopped; DECODER_DELAY means that nothing is dropped.
    padding = DECODER_DELAY if last.info.padding is None else last.info.padding
    gaps = (first.info.delay or 0) << 12 | padding
    extension = first.info.encoder.ljust(21, b"\0") + gaps.to_bytes(3, "big")
    # The checksum of all audio stays zero: decoders do not look at it, and it would take seconds.
    return extension.ljust(28, b"\0") + struct.pack(">IH", size, 0)


def _crc16(data: bytes) -> int:
    """CRC-16/ARC, by which LAME's tag checks itself."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
