"""A clip to clone a voice from, read and measured on this machine, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from asyncflow_cli.errors import IncompleteError, PrerequisiteError
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
from asyncflow_cli.transport.reading import read_whole

RATE = 16_000
"""Enough to measure."""


def read_clip(file: str, *, warn: Callable[[str], None]) -> Clip:
    """The clip at this path, or on stdin for `-`; refused if the service is sure to refuse it."""
    content = read_whole(file, LARGEST + 1)  # as much as tells that it is too much
    name = "stdin" if file == "-" else Path(file).name
    kind = check_content(name, content)
    loudness = wav_loudness(content) if kind == "wav" else None
    if loudness is None:
        loudness = _measured(name, content, kind, warn)
    if loudness is not None:
        check_loudness(name, loudness)
    return Clip(f"clip.{kind}" if file == "-" else name, content, kind, loudness)


def _measured(name: str, content: bytes, kind: str, warn: Callable[[str], None]) -> Loudness | None:
    try:
        pcm = decode(content, kind, RATE)
    except PrerequisiteError as error:
        warn(f"{name} was not measured: that takes {error.hint}")
        return None
    except IncompleteError:
        raise from_code("FORMAT_NOT_RECOGNIZED", f"{name} cannot be decoded") from None
    return pcm_loudness(pcm, len(pcm) / 2 / RATE)
