"""What was queued at the phone, and how much of it was heard. It is told what time it is.

"Sent" is not "heard": only the echo of a mark proves that playback has come so far. Between two
echoes the clock tells the rest, and never beyond the next mark that is still to come.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from asyncflow_cli.protocol.audio import PHONE_RATE

UNHEARD_GAP = 0.04
"""Seconds the line may seem dry without anybody noticing: two frames, which is our own reckoning's
error."""


@dataclass(slots=True)
class Playout:
    """Positions are bytes of speech sent since the call began; silence of ours is not counted, and
    what was dropped is."""

    sent: int = 0
    echoed: int = 0
    echoed_at: float = 0.0
    pending: dict[str, int] = field(default_factory=dict)
    """Marks that were not echoed yet, and the bytes of speech sent before each."""
    gaps: list[float] = field(default_factory=list)
    """Seconds each time the line ran dry although there was more to say, by our own reckoning."""
    lags: list[float] = field(default_factory=list)
    """Seconds by which each mark came back later than the length of the audio says."""
    _due: dict[str, float] = field(default_factory=dict)
    _before: dict[str, int] = field(default_factory=dict)
    """Of each mark, the bytes of speech and silence that were ever queued before it."""
    _silence: int = 0
    """Bytes of ours."""
    _until: float = 0.0
    """When the phone will have played all it was sent."""
    _lost: int = 0
    """Bytes that were sent and dropped unheard: by a `clear`, or with a socket."""

    def open(self, now: float) -> None:
        """A stream has begun: nothing is queued."""
        self.echoed_at = self._until = now

    def silence(self, n_bytes: int, now: float) -> None:
        """Queue silence of ours."""
        self._silence += n_bytes
        self._until = max(self._until, now) + n_bytes / PHONE_RATE
        if self.sent == self.echoed:
            self.echoed_at = self._until

    def send(self, n_bytes: int, now: float, *, expected: bool) -> None:
        """Queue speech. If it was `expected` sooner, a line that was dry meanwhile had a gap."""
        if now > self._until:
            self._on_dry(now, expected=expected)
        self.sent += n_bytes
        self._until += n_bytes / PHONE_RATE

    def _on_dry(self, now: float, *, expected: bool) -> None:
        dry, self._until = now - self._until, now
        if self.sent == self.echoed:
            self.echoed_at = now
        if expected and dry >= UNHEARD_GAP:
            self.gaps.append(dry)

    def mark(self, name: str, now: float) -> None:
        self.pending[name] = self.sent
        self._due[name] = max(self._until, now)
        self._before[name] = self.sent + self._silence

    def echo(self, name: str, now: float) -> bool:
        """Whether the mark was awaited: then all before it was heard."""
        position = self.pending.pop(name, None)
        if position is None:
            return False
        self.echoed, self.echoed_at = position, now
        self.lags.append(now - self._due.pop(name))
        # The phone may be ahead of our reckoning, as where its time runs faster.
        behind = self.sent + self._silence - self._before.pop(name)
        self._until = min(self._until, now + behind / PHONE_RATE)
        return True

    def position(self, now: float) -> int:
        """Where playback is: at the last echo, and by the clock since, short of the next echo."""
        ahead = max(0, int((now - self.echoed_at) * PHONE_RATE))
        return min(self.echoed + ahead, min(self.pending.values(), default=self.sent))

    @property
    def seconds_sent(self) -> float:
        return self.sent / PHONE_RATE

    def seconds_heard(self, now: float) -> float:
        return (self.position(now) - self._lost) / PHONE_RATE

    @property
    def left(self) -> float:
        """Seconds sent and not yet confirmed."""
        return (self.sent - self.echoed) / PHONE_RATE

    def lead(self, now: float) -> float:
        """Seconds the phone can still play from what it was sent."""
        left = self._until - now
        return left if left > 0 else 0.0

    def drop(self, now: float) -> None:
        """What is queued and unheard is gone, and so are its marks: their echoes prove nothing."""
        self._lost += self.sent - self.position(now)
        self.echoed = self.sent
        self.echoed_at = self._until = now
        self.pending.clear()
        self._due.clear()
        self._before.clear()
