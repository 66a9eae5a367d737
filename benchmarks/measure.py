"""Figures, what they are beside one another, and what must hold of them.

It knows no benchmark: each is a module with `run(plan) -> Section`, listed in `__main__`.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SPREAD, FEW, LEAST = (0.1, 0.9), 10, 0.01
"""Between these quantiles lies what is printed as a figure's spread, the middle 80 %; of fewer than
so many samples, which have no tenth to leave out, all of them. It is never narrower than this share
of the median to either side: nothing here is known better. The median of a second run lies there
unless something has changed, be it the machine."""

Sample = Callable[[], float]
"""Does the thing once, and returns its figure."""


@dataclass(frozen=True)
class Figure:
    """One thing that was measured several times."""

    name: str
    samples: tuple[float, ...]
    unit: str = "ms"

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def low(self) -> float:
        return min(quantile(self.samples, self._outer[0]), self.median * (1 - LEAST))

    @property
    def high(self) -> float:
        return max(quantile(self.samples, self._outer[1]), self.median * (1 + LEAST))

    @property
    def _outer(self) -> tuple[float, float]:
        return SPREAD if len(self.samples) >= FEW else (0.0, 1.0)


@dataclass(frozen=True)
class Claim:
    """A line that must hold: `figure` is at most `limit`, or at least."""

    text: str
    figure: float
    limit: float
    unit: str = "×"
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit


@dataclass(frozen=True)
class Section:
    """What one benchmark found."""

    title: str
    figures: tuple[Figure, ...]
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    """Whatever a reader must know: what was left out, and why."""


@dataclass(frozen=True)
class Plan:
    """How thoroughly to measure, and where there is room for files; the folder is empty."""

    folder: Path
    quick: bool = False
    versions: dict[str, str] = field(default_factory=dict)
    """Of everything that took part; whoever starts something notes it here."""

    def rounds(self, full: int) -> int:
        return max(3, full // 4) if self.quick else full


def interleaved(
    contenders: Mapping[str, Sample], rounds: int, unit: str = "ms"
) -> dict[str, Figure]:
    """Every contender once a round, each round beginning with another one.

    Whatever else the machine does meets all of them alike, and samples of the same round can be
    held against each other. A round that is not counted comes first: it fills the caches.
    """
    names = list(contenders)
    samples: dict[str, list[float]] = {name: [] for name in names}
    for count in range(rounds + 1):
        for name in itertools.islice(itertools.cycle(names), count, count + len(names)):
            sample = contenders[name]()
            if count:
                samples[name].append(sample)
    return {name: Figure(name, tuple(found), unit) for name, found in samples.items()}


def ratio(one: Figure, other: Figure, name: str | None = None) -> Figure:
    """How many times the other figure, round by round."""
    pairs = zip(one.samples, other.samples, strict=True)
    return Figure(name or f"{one.name} / {other.name}", tuple(a / b for a, b in pairs), "×")


def at_most(figure: Figure, limit: float, text: str | None = None) -> Claim:
    return Claim(text or figure.name, figure.median, limit, figure.unit)


def at_least(figure: Figure, limit: float, text: str | None = None) -> Claim:
    return Claim(text or figure.name, figure.median, limit, figure.unit, at_least=True)


def quantile(samples: Iterable[float], share: float) -> float:
    """By linear interpolation between the two nearest."""
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
