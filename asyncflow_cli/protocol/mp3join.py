"""Several MP3 files to one: their frames in order behind one Info frame that is true.

Nothing is decoded, so each joint keeps the silence that encoders put around their sound: 1105
samples of the later file and less than a frame of the earlier one. That is 25 to 51 ms at 44 100 Hz
and at most 0.21 s at 8000 Hz, less than the pause between two sentences.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate

from asyncflow_cli.errors import IncompleteError, LocalProtocolError
from asyncflow_cli.protocol.mp3 import BIT_RATES, DECODER_DELAY, Header, Mp3, parse, read_header

_ALL_FIELDS = 0b1111
_EXTENSION_BYTES = 36
_TAG_BYTES = 120


def join(files: Sequence[bytes]) -> bytes:
    """One file that plays them in order. A single file stays as it is."""
    parts = _parsed(files)
    if len(parts) == 1:
        return files[0]
    frames = [frame for part in parts for frame in _self_contained(part.frames)]
    return info_frame(parts[0], parts[-1], frames) + b"".join(frames)


def starts(files: Sequence[bytes]) -> list[float]:
    """Seconds into the joined file at which each file's own sound begins."""
    parts = _parsed(files)
    before = accumulate((len(part.frames) * part.header.samples for part in parts), initial=0)
    first = parts[0].info.delay or 0
    # A decoder's own delay is the same for all files; it is dropped once, before the first.
    return [
        max(0, at + (part.info.delay or 0) - first) / part.header.sample_rate
        for at, part in zip(before, parts, strict=False)
    ]


def _parsed(files: Sequence[bytes]) -> list[Mp3]:
    if not files:
        raise LocalProtocolError("There is nothing to join")
    parts = [parse(file) for file in files]
    kinds = {(part.header.sample_rate, part.header.channels) for part in parts}
    if len(kinds) > 1:
        rates = ", ".join(f"{rate} Hz × {channels}" for rate, channels in sorted(kinds))
        raise IncompleteError(f"The pieces do not fit together: {rates}", code="AUDIO_MISMATCH")
    return parts


def _self_contained(frames: list[bytes]) -> Iterator[bytes]:
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


def info_frame(first: Mp3, last: Mp3, frames: Sequence[bytes]) -> bytes:
    """The frame before all others: their number, size, places, and the silence at both ends.

    Without the first file's delay nothing is said of silence, and a decoder drops none.
    """
    start, length = _roomy_header(frames[0], first.header)
    size = length + sum(map(len, frames))
    kind = b"Info" if len({frame[2] >> 4 for frame in frames}) == 1 else b"Xing"
    tag = kind + struct.pack(">III", _ALL_FIELDS, len(frames), size)
    tag += _places(frames, length, size) + b"\0\0\0\0"
    frame = start + bytes(first.header.side_bytes) + tag
    if first.info.delay is not None:
        frame += _extension(first, last, size)
        frame += struct.pack(">H", _crc16(frame))
    return frame.ljust(length, b"\0")


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


def _places(frames: Sequence[bytes], before: int, size: int) -> bytes:
    """Where each hundredth of the time begins, in 256ths of the file: for seeking."""
    at = list(accumulate(map(len, frames), initial=before))
    return bytes(min(255, 256 * at[len(frames) * percent // 100] // size) for percent in range(100))


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
