"""How a stream arrived: time to the first byte, gaps, and how much faster than speech."""

from __future__ import annotations

import math

import msgspec


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds from the request; gaps are the waits between one chunk and the next."""

    connect_ms: float | None
    first_byte_ms: float | None
    gap_p50_ms: float | None
    gap_p95_ms: float | None
    gap_max_ms: float | None
    total_ms: float
    real_time_factor: float | None
    """Time taken over duration of the audio: below 1 it arrives faster than it is spoken."""


class Gauge:
    """Told what happens and when, in seconds of one clock."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._connected: float | None = None
        self._arrivals: list[float] = []

    def connected(self, now: float) -> None:
        self._connected = now

    def chunk(self, now: float) -> None:
        self._arrivals.append(now)

    def arrival(self, now: float, seconds: float | None) -> Arrival:
        """`seconds` is the duration of the audio that came, where it is known."""
        pairs = zip(self._arrivals, self._arrivals[1:], strict=False)
        gaps = sorted((later - earlier) * 1000 for earlier, later in pairs)
        first = self._arrivals[0] if self._arrivals else None
        return Arrival(
            connect_ms=self._since_start(self._connected),
            first_byte_ms=self._since_start(first),
            gap_p50_ms=_percentile(gaps, 0.5),
            gap_p95_ms=_percentile(gaps, 0.95),
            gap_max_ms=_percentile(gaps, 1.0),
            total_ms=round((now - self._began) * 1000, 1),
            real_time_factor=round((now - self._began) / seconds, 3) if seconds else None,
        )

    def _since_start(self, moment: float | None) -> float | None:
        return None if moment is None else round((moment - self._began) * 1000, 1)


def _percentile(ordered: list[float], share: float) -> float | None:
    """Nearest rank."""
    if not ordered:
        return None
    return round(ordered[max(0, math.ceil(len(ordered) * share) - 1)], 1)
