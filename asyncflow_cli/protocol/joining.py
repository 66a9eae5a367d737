"""Pieces of speech to one legal file, and where in it each piece begins.

Each piece is read once and can be let go then, so that a file may be longer than memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from asyncflow_cli.errors import IncompleteError, LocalProtocolError, UsageError
from asyncflow_cli.protocol import mp3join, wav
from asyncflow_cli.protocol.audio import (
    UNKNOWN_LENGTH,
    Content,
    blocks,
    insist_on_whole_samples,
    seconds,
    wav_header,
)
from asyncflow_cli.protocol.models import OutputFormat

_WAV_ROOM = UNKNOWN_LENGTH - 1024
"""Bytes of audio that 32-bit sizes can name, headers apart."""


class Joint(Protocol):
    """Pieces that become one file, added one after the other."""

    def add(self, piece: Content) -> Iterator[bytes]:
        """What one more piece adds to the file. IncompleteError if it is cut short or unlike the
        others. The first thing that is added keeps the place of the head."""
        ...

    def edges(self) -> tuple[bytes, bytes]:
        """The head, which is true once all was added, and what stands behind it all."""
        ...


def joint(output_format: OutputFormat) -> Joint:
    match output_format.container:
        case "mp3":
            return mp3join.Mp3Joint()
        case "wav":
            return _WavJoint()
        case _:
            return _RawJoint(output_format.encoding or "pcm_s16le")


def join(pieces: Sequence[bytes], output_format: OutputFormat) -> bytes:
    """One file that plays the pieces in order. IncompleteError if one is cut short or unlike."""
    _insist_on_some(pieces)
    joined = joint(output_format)
    _, *added = (part for piece in pieces for part in joined.add(piece))
    head, tail = joined.edges()
    return b"".join((head, *added, tail))


class _WavJoint:
    def __init__(self) -> None:
        self._kind: tuple[str, int] | None = None
        self._size = 0

    def add(self, piece: Content) -> Iterator[bytes]:
        found = wav.locate(piece)
        kind = found.encoding, found.sample_rate
        if self._kind is None:
            self._kind = kind
            yield wav_header(*kind, None)
        _insist_on_one_kind({self._kind, kind})
        self._size += found.end - found.start
        if self._size > _WAV_ROOM:
            raise UsageError(
                "That is more audio than a WAV can hold", hint="Write a .mp3 or .raw file"
            )
        yield from blocks(piece, found.start, found.end)

    def edges(self) -> tuple[bytes, bytes]:
        assert self._kind is not None
        return wav_header(*self._kind, self._size), b"\0" * (self._size % 2)


class _RawJoint:
    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def add(self, piece: Content) -> Iterator[bytes]:
        insist_on_whole_samples(len(piece), self._encoding)
        yield b""  # samples have no head
        yield from blocks(piece)

    def edges(self) -> tuple[bytes, bytes]:
        return b"", b""


def starts(pieces: Sequence[bytes], output_format: OutputFormat) -> list[float]:
    """Seconds into the joined file at which each piece begins: what to add to its word times."""
    _insist_on_some(pieces)
    if output_format.container == "mp3":
        return mp3join.starts(pieces)
    if output_format.container == "wav":
        wavs = [wav.locate(piece) for piece in pieces]
        encoding, sample_rate = wavs[0].encoding, wavs[0].sample_rate
        _insist_on_one_kind({(piece.encoding, piece.sample_rate) for piece in wavs})
        sizes = [piece.end - piece.start for piece in wavs]
    else:
        encoding, sample_rate = output_format.encoding or "pcm_s16le", output_format.sample_rate
        sizes = [len(piece) for piece in pieces]
        for size in sizes:
            insist_on_whole_samples(size, encoding)
    before = accumulate(sizes[:-1], initial=0)
    return [seconds(n_bytes, encoding, sample_rate) for n_bytes in before]


def _insist_on_one_kind(kinds: set[tuple[str, int]]) -> None:
    if len(kinds) > 1:
        told = ", ".join(f"{encoding} {rate} Hz" for encoding, rate in sorted(kinds))
        raise IncompleteError(f"The pieces do not fit together: {told}", code="AUDIO_MISMATCH")


def _insist_on_some(pieces: Sequence[bytes]) -> None:
    if not pieces:
        raise LocalProtocolError("There is nothing to join")
