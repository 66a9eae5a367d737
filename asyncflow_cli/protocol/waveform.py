"""How speech looks on a terminal: bars as high as it is loud, its words under them.

Without words all of it stands in one band. With them as many bands follow one another as it takes
for the words to be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from asyncflow_cli.columns import Row, columns
from asyncflow_cli.protocol.timings import Word
from asyncflow_cli.protocol.verify.sound import Samples

HEIGHT = 3
"""Rows of a band."""

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII = " .:|"
"""From nothing to a full cell."""

PACE = 20
"""Columns a second where there are words, for speech of 15 characters a second."""


@dataclass(frozen=True)
class Waveform:
    samples: Samples
    """Of one channel."""
    sample_rate: int
    words: tuple[Word, ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sample_rate

    def rows(self, width: int, cells: str = BLOCKS) -> Iterator[Row]:
        """Rows of at most `width` columns. The loudest moment is as high as bars are."""
        lasts = width / PACE if self.words else self.seconds
        loudest = self._peak(0, self.seconds) or 1
        bands = max(1, -int(-self.seconds // lasts)) if lasts else 0
        for band in range(bands):
            start = band * lasts
            n = min(width, round((self.seconds - start) / lasts * width))
            moments = [start + column * lasts / width for column in range(n + 1)]
            peaks = [self._peak(*pair) for pair in pairwise(moments)]
            for bar in bars([peak / loudest for peak in peaks], cells):
                yield ((bar, "cyan"),)
            for line in self._under(start, start + lasts, width):
                yield ((line, ""),)
            yield ((scale(start, min(start + lasts, self.seconds), n), "dim"),)

    def _peak(self, start: float, end: float) -> float:
        first, last = (round(moment * self.sample_rate) for moment in (start, end))
        part = self.samples[first:last]
        return max(max(part), -min(part)) if part else 0

    def _under(self, start: float, end: float, width: int) -> list[str]:
        """The words that begin in a band, each where it does, on as many lines as that takes."""
        lines: list[str] = []
        for word in self.words:
            if start <= word.start / 1000 < end:
                column = int((word.start / 1000 - start) / (end - start) * width)
                _put(lines, word.text, max(0, min(column, width - columns(word.text))))
        return lines


def _put(lines: list[str], text: str, column: int) -> None:
    """On the first line that is free there, with a space before it."""
    for index, line in enumerate(lines):
        if columns(line) < column:
            lines[index] = line + " " * (column - columns(line)) + text
            return
    lines.append(" " * column + text)


def bars(heights: Sequence[float], cells: str = BLOCKS) -> Iterator[str]:
    """Rows from the top; each height is a part of 1. What is not silent can be seen."""
    steps = len(cells) - 1
    levels = [max(round(height * HEIGHT * steps), height > 0.01) for height in heights]
    for row in reversed(range(HEIGHT)):
        yield "".join(cells[max(0, min(steps, level - row * steps))] for level in levels).rstrip()


def scale(start: float, end: float, width: int) -> str:
    """When a band begins and ends, in seconds; the end stands at its right if there is room."""
    first, last = f"{start:.1f} s", f"{end:.1f} s"
    room = width - len(first) - len(last)
    return first + " " * room + last if room > 0 else first
