"""What is read whole before anything is done with it: a file, or stdin for the text `-`."""

from __future__ import annotations

import sys
from pathlib import Path

from asyncflow_cli.errors import UsageError


def read_whole(file: str | Path, at_most: int = -1) -> bytes:
    """Its bytes, and no more than `at_most`. UsageError if it cannot be read."""
    if file == "-":
        return sys.stdin.buffer.read(at_most)
    try:
        with Path(file).open("rb") as stream:
            return stream.read(at_most)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", code="NOT_READABLE") from None
