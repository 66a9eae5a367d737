"""What a file says of itself, and whether that can be true: WAV, MP3 and bare samples.

Other kinds, and samples that Python has no loop for, are a decoder's to read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol import mp3, wav
from asyncflow_cli.protocol.audio import SAMPLE_BYTES, UNKNOWN_LENGTH, seconds
from asyncflow_cli.protocol.verify.findings import Finding

_CODECS = {
    (1, 8): "pcm_u8",
    (1, 16): "pcm_s16le",
    (1, 24): "pcm_s24le",
    (1, 32): "pcm_s32le",
    (3, 32): "pcm_f32le",
    (3, 64): "pcm_f64le",
    (6, 8): "pcm_alaw",
    (7, 8): "pcm_mulaw",
}
"""By WAVE format tag and bits. https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html"""


@dataclass(frozen=True, kw_only=True)
class Source:
    container: str
    encoding: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    seconds: float | None = None
    """By the file's own frames or bytes."""
    audio: bytes | None = None
    """Samples that can be measured as they are: mono, in one of our own encodings."""
    findings: tuple[Finding, ...] = ()


def raw(content: bytes, encoding: str, sample_rate: int) -> Source:
    """Samples without a header, of which somebody said what they are."""
    whole = len(content) // SAMPLE_BYTES[encoding] * SAMPLE_BYTES[encoding]
    source = Source(
        container="raw",
        encoding=encoding,
        sample_rate=sample_rate,
        channels=1,
        seconds=seconds(whole, encoding, sample_rate),
        audio=content[:whole],
    )
    return source if whole == len(content) else _cut(source, "The audio ends inside a sample")


def from_mp3(content: bytes) -> Source:
    """An mp3's frames, without their sound."""
    try:
        found = mp3.parse(_without_ape(content))
    except IncompleteError as error:
        return Source(
            container="mp3",
            encoding="mp3",
            findings=(Finding(code=error.code, message=error.message),),
        )
    return Source(
        container="mp3",
        encoding="mp3",
        sample_rate=found.header.sample_rate,
        channels=found.header.channels,
        seconds=found.seconds,
    )


def _without_ape(content: bytes) -> bytes:
    """Without the tag that some programs put at the end.

    https://wiki.hydrogenaud.io/index.php?title=Ape_Tags_Header
    """
    footer = content.rfind(b"APETAGEX")
    if footer < 0 or len(content) - footer not in (32, 32 + 128) or len(content) < footer + 24:
        return content
    size, _, flags = struct.unpack_from("<III", content, footer + 12)
    start = footer + 32 - size - (32 if flags >> 31 else 0)
    return content[:start] + content[footer + 32 :] if start >= 0 else content


def from_wav(content: bytes) -> Source:
    """A WAV's header and samples, as many as are there."""
    header: Source | None = None
    for name, start, size in wav.chunks(content):
        if name == b"fmt ":
            header = _header(content[start : start + size])
        if name == b"data" and header is not None:
            return _with_data(header, content, start, size)
    return _cut(Source(container="wav"), "The WAV ends before its audio")


def _header(chunk: bytes) -> Source:
    if len(chunk) < 16:
        return _cut(Source(container="wav"), "The WAV ends inside its header")
    tag, channels, rate, byte_rate, block, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == wav.EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    source = Source(
        container="wav",
        encoding=_CODECS.get((tag, bits)),
        sample_rate=rate,
        channels=channels,
    )
    doubt = _doubt(tag, channels, rate, byte_rate, block, bits)
    return source if doubt is None else _found(source, "HEADER_MISMATCH", doubt)


def _doubt(tag: int, channels: int, rate: int, byte_rate: int, block: int, bits: int) -> str | None:
    """What cannot be true of a header: three of its numbers follow from the others."""
    if not (channels and rate):
        return f"The WAV says that it has {channels} channels and {rate} Hz"
    wanted = channels * ((bits + 7) // 8)
    # Only for plain samples: blocks of other codecs have sizes of their own.
    if tag in (1, 3, 6, 7) and (block, byte_rate) != (wanted, wanted * rate):
        return (
            f"The WAV's header contradicts itself: {channels} channels of {bits} bits at {rate} Hz "
            f"are {wanted * rate} bytes a second in blocks of {wanted}, not {byte_rate} in {block}"
        )
    return None


def _with_data(header: Source, content: bytes, start: int, size: int) -> Source:
    known = size not in (0, UNKNOWN_LENGTH)
    audio = content[start : start + size] if known else content[start:]
    if not audio:
        return _found(header, "AUDIO_EMPTY", "The WAV holds no audio")
    source = _with_samples(header, audio)
    if known and size > len(audio):
        return _cut(source, f"The WAV holds {len(audio)} of {size} bytes of audio")
    if known and (behind := _strange_bytes(content, start + size)):
        return _found(source, "HEADER_MISMATCH", f"{behind} bytes stand behind the WAV's end")
    if len(audio) % (SAMPLE_BYTES.get(header.encoding or "") or 1):
        return _cut(source, "The audio ends inside a sample")
    return source


def _with_samples(header: Source, audio: bytes) -> Source:
    if header.encoding not in SAMPLE_BYTES or header.channels != 1 or not header.sample_rate:
        return header
    samples = raw(audio, header.encoding, header.sample_rate)
    return replace(header, audio=samples.audio, seconds=samples.seconds)


def _strange_bytes(content: bytes, end: int) -> int:
    """How many bytes stand behind the audio that are neither a chunk nor padding."""
    rest = content[end + end % 2 :].lstrip(b"\0")
    return 0 if rest[:4].decode("latin-1").isprintable() else len(rest)


def _cut(source: Source, message: str) -> Source:
    return _found(source, "AUDIO_TRUNCATED", message)


def _found(source: Source, code: str, message: str) -> Source:
    finding = Finding(code=code, message=message, start=source.seconds)
    return replace(source, findings=(*source.findings, finding))
