"""What happened in a call, kept until its trace is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10

from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.protocol.callevents import AnyCallEvent, CallEvent, Silent
from asyncflow_cli.protocol.calltrace import (
    CALLEE_SLICE,
    SLICE,
    CalleeLevels,
    CallTrace,
    Gap,
    MarkTrace,
    Sent,
    Stretch,
)
from asyncflow_cli.protocol.frames import decode
from asyncflow_cli.protocol.levels import SILENCE, peak

SLICE_BYTES = int(PHONE_RATE * SLICE)

FULL = 32124
"""The loudest sample μ-law has."""


@dataclass
class _Mark:
    at: float
    due: float
    echoed: float | None = None
    cleared: bool = False


@dataclass
class _Stretch:
    at: float
    audio: bytes = b""
    """What does not fill a slice of the envelope yet."""
    n_bytes: int = 0
    peaks: list[int] = field(default_factory=list)

    def add(self, mulaw: bytes) -> None:
        self.n_bytes += len(mulaw)
        audio = self.audio + mulaw
        whole = len(audio) - len(audio) % SLICE_BYTES
        self.peaks += [_percent(audio[i : i + SLICE_BYTES]) for i in range(0, whole, SLICE_BYTES)]
        self.audio = audio[whole:]

    def cut(self, now: float) -> None:
        """What was not played by now never is."""
        self.n_bytes = min(self.n_bytes, max(0, round((now - self.at) * PHONE_RATE)))
        self.peaks = self.peaks[: -(-self.n_bytes // SLICE_BYTES)]
        self.audio = self.audio[: max(0, self.n_bytes - len(self.peaks) * SLICE_BYTES)]

    def finished(self) -> Stretch:
        rest = [_percent(self.audio)] if self.audio else []
        seconds = round(self.n_bytes / PHONE_RATE, 3)
        return Stretch(round(self.at, 3), seconds, (*self.peaks, *rest))


class Watcher:
    """Is told everything that happens, in order, with its moment. This one keeps nothing."""

    def event(self, event: CallEvent) -> None: ...

    def sent(self, payload: str, at: float) -> None:
        """Base64 μ-law was queued at the phone."""

    def mark(self, name: str, at: float) -> None: ...

    def echo(self, name: str, at: float) -> None: ...

    def clear(self, at: float) -> None:
        """Whatever the phone has not played is dropped: a `clear`, or a socket that was lost."""

    def callee(self, level: float, at: float) -> None:
        """A frame of the callee's, in dBFS."""


class Tracer(Watcher):
    """Keeps what it is told of one call."""

    def __init__(self) -> None:
        self._events: list[AnyCallEvent] = []
        self._sent: list[Sent] = []
        self._played: list[_Stretch] = []
        self._marks: dict[str, _Mark] = {}
        self._clears: list[float] = []
        self._gaps: list[Gap] = []
        self._levels: list[float] = []
        self._callee_since: float | None = None
        self._until = 0.0
        """When the phone will have played all it has."""

    def event(self, event: CallEvent) -> None:
        self._events.append(event)  # type: ignore[arg-type]  # AnyCallEvent names all there are
        if isinstance(event, Silent):
            self._gaps.append(Gap(round(event.at - event.seconds, 3), event.seconds))

    def sent(self, payload: str, at: float) -> None:
        mulaw = decode(payload)
        if not self._played or at > self._until:
            self._played.append(_Stretch(at))
            self._until = at
        self._played[-1].add(mulaw)
        self._until += len(mulaw) / PHONE_RATE
        self._sent.append(Sent(round(at, 3), round(len(mulaw) / PHONE_RATE, 4)))

    def mark(self, name: str, at: float) -> None:
        self._marks[name] = _Mark(at, max(self._until, at))

    def echo(self, name: str, at: float) -> None:
        mark = self._marks.get(name)
        if mark is not None and mark.echoed is None:
            mark.echoed = at

    def clear(self, at: float) -> None:
        for mark in self._marks.values():
            mark.cleared = mark.cleared or mark.echoed is None
        if self._played and self._until > at:
            self._played[-1].cut(at)
        self._until = min(self._until, at)
        self._clears.append(round(at, 3))

    def callee(self, level: float, at: float) -> None:
        if self._callee_since is None:
            self._callee_since = at
        slot = int((at - self._callee_since) / CALLEE_SLICE + 1e-6)
        self._levels += [SILENCE] * (slot + 1 - len(self._levels))
        self._levels[slot] = max(self._levels[slot], round(level, 1))

    def lead(self, now: float) -> float:
        """Seconds that the phone can still play."""
        return max(self._until - now, 0.0)

    def level(self, now: float) -> float:
        """The peak of what is played now, in dBFS, by our reckoning."""
        for stretch in reversed(self._played):
            slot = int((now - stretch.at) / SLICE)
            if slot >= 0:
                percent = stretch.peaks[slot] if slot < len(stretch.peaks) else 0
                return 20 * log10(percent / 100) if percent else SILENCE
        return SILENCE

    def callee_level(self, now: float) -> float | None:
        """The callee's in the tenth of a second before; None if they were never listened to."""
        if self._callee_since is None:
            return None
        slot = int((now - self._callee_since) / CALLEE_SLICE) - 1
        return max(self._levels[max(slot, 0) : slot + 2], default=SILENCE)

    def trace(self) -> CallTrace:
        since = self._callee_since
        return CallTrace(
            events=tuple(self._events),
            sent=tuple(self._sent),
            played=tuple(stretch.finished() for stretch in self._played if stretch.n_bytes),
            marks=tuple(_traced(name, mark) for name, mark in self._marks.items()),
            clears=tuple(self._clears),
            gaps=tuple(self._gaps),
            callee=None if since is None else CalleeLevels(round(since, 3), tuple(self._levels)),
        )


def _percent(mulaw: bytes) -> int:
    return round(100 * peak(mulaw) / FULL)


def _traced(name: str, mark: _Mark) -> MarkTrace:
    echoed = None if mark.echoed is None else round(mark.echoed, 3)
    return MarkTrace(name, round(mark.at, 3), round(mark.due, 3), echoed, mark.cleared)
