"""What was found in a file of audio, and what was asked of it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.audio import SAMPLE_BYTES
from asyncflow_cli.protocol.sniff import KINDS


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from the beginning of the audio, where it has a place in it."""

    code: str
    """One that `asyncflow explain` knows."""
    message: str
    start: float | None = None
    end: float | None = None
    value: float | None = None
    """What was measured, and the limit that it breaks, in the unit that the message names."""
    limit: float | None = None
    defect: bool = True
    """Whether the file fails for it; else it is only worth knowing."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a file has to keep to. None is no limit."""

    container: str | None = None
    encoding: str | None = None
    sample_rate: int | None = None
    max_silence: float = 2.0
    """Seconds; a pause for effect is shorter."""
    min_duration: float | None = None
    max_duration: float | None = None
    min_level: float = -40.0
    """dBFS while there is sound; people speak at -30 to -15."""
    max_level: float | None = None
    min_wpm: float | None = None
    """Words per minute while there is speech; None is the usual, `words.USUAL`."""
    max_wpm: float | None = None


@dataclass(frozen=True, kw_only=True)
class VerifyOrder:
    limits: Limits = Limits()
    timings: str | None = None
    """The file of word times; None is one beside the audio, if there is one."""
    text: str | None = None
    """What should have been said."""


def insist_on_known(limits: Limits) -> None:
    """UsageError for a container or an encoding that nothing here could find."""
    if limits.container not in (None, "raw", *KINDS):
        raise UsageError(
            f"{limits.container!r} is no container", hint=f"Use raw, {', '.join(sorted(KINDS))}"
        )
    if limits.container == "raw" and limits.encoding not in (None, *SAMPLE_BYTES):
        raise UsageError(
            f"{limits.encoding!r} is no encoding of raw samples",
            hint=f"Use {', '.join(SAMPLE_BYTES)}",
        )


EXTENSIONS: dict[str, str] = {
    **{f".{kind}": kind for kind in KINDS},
    **{".aif": "aiff", ".mp4": "m4a", ".oga": "ogg", ".opus": "ogg", ".weba": "webm"},
    **dict.fromkeys((".raw", ".pcm", ".ulaw", ".ul", ".mulaw"), "raw"),
}
"""What a name declares, if nobody says otherwise."""

MULAW_EXTENSIONS = frozenset({".ulaw", ".ul", ".mulaw"})
