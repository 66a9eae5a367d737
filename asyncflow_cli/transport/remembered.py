"""Voices that were listed lately, in a file of the cache, so that a shell can complete their names.

It is read without a network and without the libraries that need one. What cannot be read or
written is nothing remembered: nobody loses more than a suggestion.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.protocol.voices import Voice
from asyncflow_cli.transport.files import write_file

LASTS = 24 * 3600
"""Seconds after which a voice that was not listed again is forgotten."""


class Seen(msgspec.Struct, frozen=True):
    name: str
    language: str
    gender: str
    at: float
    """Seconds since 1970."""


class Remembered:
    """`service` is the address whose voices they are; those of another one are left alone. `clean`
    takes secrets out of what is written."""

    def __init__(
        self,
        path: Path,
        service: str,
        clock: Callable[[], float] = time.time,
        clean: Callable[[str], str] = str,
    ) -> None:
        self._path = path
        self._service = service
        self._clock = clock
        self._clean = clean

    def voices(self) -> list[Seen]:
        return sorted(self._everything().get(self._service, {}).values(), key=lambda v: v.name)

    def keep(self, voices: Iterable[Voice]) -> None:
        everything, now = self._everything(), self._clock()
        mine = everything.setdefault(self._service, {})
        mine |= {v.voice_id: Seen(v.name, v.language, v.gender, now) for v in voices}
        with contextlib.suppress(OSError, AsyncflowError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            text = self._clean(msgspec.json.encode(everything).decode())
            write_file(self._path, text.encode())

    def _everything(self) -> dict[str, dict[str, Seen]]:
        """Of every service, what is not too old."""
        try:
            read = msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[str, Seen]])
        except (OSError, msgspec.MsgspecError):
            return {}
        fresh = self._clock() - LASTS
        return {
            service: {voice_id: seen for voice_id, seen in voices.items() if seen.at > fresh}
            for service, voices in read.items()
        }
