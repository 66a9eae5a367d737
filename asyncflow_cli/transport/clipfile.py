"""A clip to clone a voice from, read and measured on this machine, before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from asyncflow_cli.errors import IncompleteError, PrerequisiteError, UsageError
from asyncflow_cli.protocol.clips import (
    LARGEST,
    Clip,
    Loudness,
    check_content,
    check_loudness,
    pcm_loudness,
    wav_loudness,
)
from asyncflow_cli.protocol.failures import from_code
from asyncflow_cli.transport.decoding import decode

RATE = 16_000
"""Enough to measure."""


def read_clip(file: str, *, warn: Callable[[str], None]) -> Clip:
    """The clip at this path, or on stdin for `-`; refused if the service is sure to refuse it."""
    content = _read(file)
    name = "stdin" if file == "-" else Path(file).name
    kind = check_content(name, content)
    loudness = wav_loudness(content) if kind == "wav" else None
    if loudness is None:
        loudness = _measured(name, content, kind, warn)
    if loudness is not None:
        check_loudness(name, loudness)
    return Clip(f"clip.{kind}" if file == "-" else name, content, kind, loudness)


def _read(file: str) -> bytes:
    """As much as tells that it is too much."""
    if file == "-":
        return sys.stdin.buffer.read(LARGEST + 1)
    try:
        with Path(file).open("rb") as stream:
            return stream.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", code="NOT_READABLE") from None


def _measured(name: str, content: bytes, kind: str, warn: Callable[[str], None]) -> Loudness | None:
    try:
        pcm = decode(content, kind, RATE)
    except PrerequisiteError as error:
        warn(f"{name} was not measured: that takes {error.hint}")
        return None
    except IncompleteError:
        raise from_code("FORMAT_NOT_RECOGNIZED", f"{name} cannot be decoded") from None
    return pcm_loudness(pcm, len(pcm) / 2 / RATE)
