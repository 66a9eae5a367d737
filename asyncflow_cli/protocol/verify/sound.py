"""Samples as a listener would judge them: where it is silent, where it clips, how loud it is.

It looks at windows of 10 ms with the few functions of Python that are loops in C, so that ten
minutes at 44.1 kHz take about two seconds and no library of numbers.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import mul
from typing import TypeAlias

from asyncflow_cli.protocol.audio import decode_mulaw
from asyncflow_cli.protocol.clips import QUIETEST
from asyncflow_cli.protocol.levels import FULL_SCALE, SILENCE

WINDOW = 0.01
"""Seconds."""

PAUSE = 0.2
"""Seconds of quiet that count as silence; stops inside words are shorter."""

_CLICK = 2
"""Windows of sound with quiet on both sides: a click does not end a silence."""

_END = 0.005
"""Seconds: some voices fall silent within ten milliseconds."""

_SAMPLED = 8
"""Of so many windows one tells how alike neighbouring samples are."""

Samples: TypeAlias = "array[int] | array[float]"


@dataclass(frozen=True)
class Span:
    """Seconds from the beginning."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Ceiling:
    """Where samples stand side by side for no other reason than that they were cut off."""

    at: float
    scale: float
    """What 0 dBFS is in these samples."""
    run: int
    """Samples in a row; a peak without clipping has fewer."""
    seconds: float
    """In all; less is not heard."""


INTEGERS = Ceiling(FULL_SCALE - 1, FULL_SCALE, 3, 0.001)
FLOATS = Ceiling(1.0, 1.0, 3, 0.001)
MULAW = Ceiling(32124, FULL_SCALE, 6, 0.006)
"""Its highest step is a sixteenth of full scale, on which peaks of sound speech may rest."""


@dataclass(frozen=True)
class Sound:
    seconds: float
    peak: float
    """As a part of full scale; more than 1 in samples of floating point that are too loud."""
    level: float
    """dBFS, RMS, of the windows with sound."""
    loud: bytes
    """A 1 for every window with sound, a 0 for every other."""
    silences: tuple[Span, ...]
    """Those of a pause or longer, in order."""
    clips: tuple[Span, ...]
    clipped: float
    """Seconds of all of them, or 0 where it is too little to be heard."""
    likeness: float
    """Of neighbouring samples, -1 to 1: noise has about 0, and speech more than 0.5."""
    end_level: float
    """dBFS of the last 5 ms."""
    broken: float | None
    """Seconds before the first sample that is no number."""

    def sounding(self, start: float, end: float) -> float:
        """Seconds with sound between two moments."""
        first, last = (max(0, round(moment / WINDOW)) for moment in (start, end))
        return self.loud.count(1, first, last) * WINDOW


def samples_of(audio: bytes, encoding: str) -> tuple[Samples, Ceiling]:
    """Samples of one channel, and what clips in them. A part of a sample at the end is left out."""
    if encoding == "pcm_mulaw":
        return _read("h", decode_mulaw(audio)), MULAW
    kind, ceiling = ("f", FLOATS) if encoding == "pcm_f32le" else ("h", INTEGERS)
    return _read(kind, audio), ceiling


def _read(kind: str, audio: bytes) -> Samples:
    samples = array(kind)
    samples.frombytes(memoryview(audio)[: len(audio) // samples.itemsize * samples.itemsize])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def measure(samples: Samples, sample_rate: int, ceiling: Ceiling) -> Sound:
    """What is heard of the samples."""
    size = max(1, round(sample_rate * WINDOW))
    windows = [_looked_at(samples[at : at + size]) for at in range(0, len(samples), size)]
    lasts = len(samples) / sample_rate
    quietest = QUIETEST * ceiling.scale
    loud = _without_clicks(bytes(window.peak >= quietest for window in windows))
    clips = tuple(_clips(samples, windows, size, sample_rate, ceiling))
    clipped = sum(clip.seconds for clip in clips)
    sounding = [window.power for window, is_loud in zip(windows, loud, strict=True) if is_loud]
    broken = next((n * WINDOW for n, w in enumerate(windows) if not math.isfinite(w.power)), None)
    return Sound(
        seconds=lasts,
        peak=max((window.peak for window in windows), default=0.0) / ceiling.scale,
        level=_decibels(sounding, size, ceiling),
        loud=loud,
        silences=tuple(_silences(loud, lasts)),
        clips=clips if clipped >= ceiling.seconds else (),
        clipped=clipped if clipped >= ceiling.seconds else 0.0,
        likeness=_likeness(samples, loud, size),
        end_level=_end_level(samples, max(1, round(sample_rate * _END)), ceiling),
        broken=broken,
    )


@dataclass(frozen=True, slots=True)
class _Window:
    peak: float
    power: float
    """The sum of squares."""


def _looked_at(window: Samples) -> _Window:
    values = window.tolist()
    return _Window(max(max(values), -min(values)), sum(map(mul, values, values)))


def _decibels(powers: Sequence[float], size: int, ceiling: Ceiling) -> float:
    mean = sum(powers) / (max(1, len(powers)) * size * ceiling.scale**2)
    # Digital silence has no logarithm, and neither has what is no number.
    return 10 * math.log10(mean) if 0 < mean < math.inf else SILENCE


def _end_level(samples: Samples, size: int, ceiling: Ceiling) -> float:
    return _decibels([_looked_at(samples[-size:]).power] if samples else [], size, ceiling)


def _without_clicks(loud: bytes) -> bytes:
    cleaned = bytearray(loud)
    for value, start, end in _runs(loud):
        if value and end - start <= _CLICK and start > 0 and end < len(loud):
            around = round(PAUSE / WINDOW / 2)
            if not any(loud[max(0, start - around) : start] + loud[end : end + around]):
                cleaned[start:end] = bytes(end - start)
    return bytes(cleaned)


def _runs(loud: bytes) -> Iterator[tuple[int, int, int]]:
    """Each value, and where the run of it starts and ends."""
    start = 0
    for value, run in groupby(loud):
        end = start + sum(1 for _ in run)
        yield value, start, end
        start = end


def _silences(loud: bytes, lasts: float) -> Iterator[Span]:
    for value, start, end in _runs(loud):
        span = Span(start * WINDOW, min(end * WINDOW, lasts))
        if not value and span.seconds >= PAUSE - WINDOW / 2:
            yield span


def _clips(
    samples: Samples, windows: Sequence[_Window], size: int, rate: int, ceiling: Ceiling
) -> Iterator[Span]:
    """Runs of samples at the ceiling; only windows that reach it are looked at."""
    for reaches, group in groupby(enumerate(windows), lambda item: item[1].peak >= ceiling.at):
        if not reaches:
            continue
        numbers = [number for number, _ in group]
        first = numbers[0] * size
        part = samples[first : (numbers[-1] + 1) * size]
        for start, end in _flat(part, ceiling):
            yield Span((first + start) / rate, (first + end) / rate)


def _flat(part: Samples, ceiling: Ceiling) -> Iterator[tuple[int, int]]:
    start, top = 0, ceiling.at
    for side, run in groupby(part, lambda sample: (sample >= top) - (sample <= -top)):
        end = start + sum(1 for _ in run)
        if side and end - start >= ceiling.run:
            yield start, end
        start = end


def _likeness(samples: Samples, loud: bytes, size: int) -> float:
    alike = power = 0.0
    for number in range(0, len(loud), _SAMPLED):
        if loud[number]:
            values = samples[number * size : (number + 1) * size].tolist()
            alike += sum(map(mul, values, values[1:]))
            power += sum(map(mul, values, values))
    return alike / power if power else 0.0
