"""Audio that may be longer than memory: written to a file as it comes, then read in slices."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from asyncflow_cli.protocol.audio import BLOCK_BYTES
from asyncflow_cli.transport.files import explained

SHORT = 1 << 20
"""Bytes up to which it is kept in memory: a sentence needs no disk."""


class Spool:
    """A `protocol.audio.Content` that is written first, and read then.

    `path` is where it will be, which errors name.
    """

    def __init__(self, file: BinaryIO, path: Path | None) -> None:
        self._file = file
        self.path = path
        self._size = file.seek(0, os.SEEK_END)
        self._block, self._start = b"", 0
        """What was read last, for what is read next is mostly in it: the next frame of an mp3."""

    def write(self, data: bytes) -> None:
        with explained(self.path):
            self._file.write(data)
        self._size += len(data)

    def mend(self, head: bytes) -> None:
        """Put this in place of as many bytes at the beginning."""
        with explained(self.path):
            self._file.seek(0)
            self._file.write(head)
        self._block = b""

    def close(self) -> None:
        self._block = b""  # else a long text, of many pieces, would hold one of each
        with contextlib.suppress(OSError):  # a full disk fails once more, for what nobody wants
            self._file.close()

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(self._size)
        end = max(start, end)
        if not self._start <= start <= end <= self._start + len(self._block):
            self._read(start, end)
        return self._block[start - self._start : end - self._start]

    def _read(self, start: int, end: int) -> None:
        with explained(self.path):
            self._file.seek(start)
            self._start, self._block = start, self._file.read(max(end - start, BLOCK_BYTES))


@contextlib.contextmanager
def spooled(beside: Path | None) -> Iterator[Spool]:
    """A spool that has no name and is gone with the block. What is long is on the disk where
    `beside` will be, which has to have the room anyhow."""
    folder = None if beside is None else str(beside.resolve().parent)
    file = tempfile.SpooledTemporaryFile(SHORT, dir=folder)  # noqa: SIM115
    with contextlib.closing(Spool(cast("BinaryIO", file), beside)) as spool:
        yield spool
