"""What is to be streamed, over which transport, and what the stream has to keep to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from asyncflow_cli.errors import GateError
from asyncflow_cli.protocol.models import SpeechRequest

if TYPE_CHECKING:
    from asyncflow_cli.protocol.gauge import Arrival
    from asyncflow_cli.protocol.reports import StreamReport


class Gates(msgspec.Struct, frozen=True):
    """What a stream has to keep to; None is no limit."""

    first_byte: float | None = None
    """Seconds from the request to the first audio."""
    max_gap: float | None = None
    """Seconds between two chunks."""
    real_time_factor: float | None = None

    def check(self, arrival: Arrival, report: StreamReport) -> None:
        limits = (
            ("first audio after", arrival.first_byte_ms, self.first_byte, 1000, " ms"),
            ("longest gap", arrival.gap_max_ms, self.max_gap, 1000, " ms"),
            ("real-time factor", arrival.real_time_factor, self.real_time_factor, 1, ""),
        )
        failed = [
            f"{name} {value}{unit}, not within {limit * scale:g}{unit}"
            for name, value, limit, scale, unit in limits
            if limit is not None and value is not None and value > limit * scale
        ]
        if failed:
            raise GateError("; ".join(failed), details=msgspec.to_builtins(report))


class StreamOrder(msgspec.Struct, frozen=True, kw_only=True):
    request: SpeechRequest
    """Its transcript is empty; its output format is that of the file or pipe."""
    text: str | None
    """None is text on stdin, which may still be written."""
    transport: Literal["ws", "http"] = "ws"
    flush_after: float | None = None
    """Seconds without new text after which what was written so far is spoken."""
    gates: Gates = Gates()
    verify: bool = False
    """Whether the sound is checked before a file is put in place."""
