"""Tells when the callee begins to speak, from the loudness of what comes in.

Knows neither clock nor words. Speech is what is loud, louder than the line has been lately, lasts,
and wavers: a click does not last, a hum is as loud as it has been, and tones, which keypads and
answering machines make, do not waver.
"""

from __future__ import annotations

from collections import deque

from asyncflow_cli.protocol.audio import PHONE_RATE
from asyncflow_cli.protocol.frames import size
from asyncflow_cli.protocol.levels import SILENCE, level

MARGIN = 9.0
"""dB that speech stands above the noise of the line."""

STEADY = 2.5
"""dB. Between its loudest and its softest frame a tone, even two that beat, differs by less, and so
does white noise; speech by more."""

RELEASE = 0.8
"""Seconds of quiet after which speech is over; pauses between words are shorter."""

GAP = 0.2
"""Seconds without a frame that are jitter; more was silence that the line did not send."""

_FRAME = 0.02


class NoiseFloor:
    """The lowest level of the last two seconds: even fast speech has a dip in as much time, so
    that it never passes for noise, and what has no dip is noise."""

    _BUCKET = 0.5

    def __init__(self) -> None:
        self._lowest: deque[float] = deque(maxlen=4)
        self._next = float("-inf")

    def learn(self, decibels: float, now: float) -> float:
        """The floor, in dBFS, with this level heard."""
        if now >= self._next:
            self._lowest.append(decibels)
            self._next = now + self._BUCKET
        self._lowest[-1] = min(self._lowest[-1], decibels)
        return min(self._lowest)


class SpeechDetector:
    """Fed with the frames of the inbound track, in order.

    `onset` is how many seconds of speech it takes to believe in it. `floor` and `speaking` tell
    what it thinks at the moment.
    """

    def __init__(self, threshold_dbfs: float = -35.0, onset: float = 0.2) -> None:
        self.speaking = False
        self.floor = SILENCE
        self._noise = NoiseFloor()
        self._threshold = threshold_dbfs
        self._onset = onset
        self._run: list[float] = []
        self._inner: deque[float] = deque(maxlen=max(4, round(onset / _FRAME)))
        self._voiced = 0.0
        self._quiet = 0.0
        self._until = 0.0

    def feed(self, payload: str, now: float) -> bool:
        """True at the moment when speech has begun, once until it has ended.

        `now` is seconds since the stream's start: best the message's own timestamp, which knows no
        jitter, else by a clock. Time that no frame covers was silent.
        """
        if now - self._until > GAP:
            self._hear(SILENCE, self._until, now - self._until)
        lasts = size(payload) / PHONE_RATE
        self._until = now + lasts
        self._hear(level(payload), now, lasts)
        return self._begins()

    def _hear(self, decibels: float, now: float, lasts: float) -> None:
        self.floor = self._noise.learn(decibels, now)
        if decibels > max(self._threshold, self.floor + MARGIN):
            self._voice(decibels, lasts)
        else:
            self._rest(lasts)

    def _voice(self, decibels: float, lasts: float) -> None:
        self._voiced = min(self._voiced + lasts, self._onset)
        self._quiet = 0.0
        # A sound fills its first and its last frame in part, so these tell nothing of its level.
        self._run.append(decibels)
        if len(self._run) > 2:
            self._inner.append(self._run[-2])

    def _rest(self, lasts: float) -> None:
        self._run.clear()
        self._quiet += lasts
        # Quiet takes back what it lasts, so that separate clicks never add up.
        self._voiced = max(0.0, self._voiced - lasts)
        if not self._voiced:
            self._inner.clear()
        if self._quiet >= RELEASE:
            self.speaking = False

    def _begins(self) -> bool:
        # Half a frame off, for 0.02 s ten times is a little less than 0.2 s.
        long_enough = self._voiced >= self._onset - _FRAME / 2 and not self._quiet
        if self.speaking or not long_enough or self._is_steady():
            return False
        self.speaking = True
        return True

    def _is_steady(self) -> bool:
        return not self._inner or max(self._inner) - min(self._inner) < STEADY
