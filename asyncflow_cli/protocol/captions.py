"""Timed words as cues: what stands on the screen at once, in balanced lines.

A cue ends where a sentence ends, where the speaker pauses, or where a limit is reached. A word is
never cut: one that is wider than a line stands alone on its own, and that is the only excess.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import inf

from asyncflow_cli.columns import columns
from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.timings import Word, milliseconds, spaced, text_of


@dataclass(frozen=True, kw_only=True)
class CueRules:
    max_chars: int = 42
    """Columns of a line; a full-width character takes two."""
    max_lines: int = 2
    max_cue: float = 7.0
    """Seconds a cue may last."""
    gap_split: float = 0.8
    """Seconds of silence that end a cue."""
    split_on: str = ".!?…。！？"
    """Characters that end a sentence, and with it the cue."""

    def __post_init__(self) -> None:
        if self.max_chars < 1 or self.max_lines < 1 or not 0 < self.max_cue < inf:
            raise UsageError("A cue needs at least one column and one line, and a limit above 0 s")
        if not 0 <= self.gap_split < inf:
            raise UsageError("A gap that splits lasts 0 s or longer")


@dataclass(frozen=True)
class Cue:
    rows: tuple[tuple[Word, ...], ...]
    """Its lines as words; neither the cue nor a line is empty."""

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(chain.from_iterable(self.rows))

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(text_of(row) for row in self.rows)

    @property
    def start(self) -> int:
        """Milliseconds; the same in `end`."""
        return self.rows[0][0].start

    @property
    def end(self) -> int:
        return self.rows[-1][-1].end


def cues(words: Sequence[Word], rules: CueRules) -> list[Cue]:
    """All words in their order; their times are in order too, as `timings.repaired` leaves them."""
    return [
        Cue(_balanced(_timely(chunk, rules), rules.max_chars))
        for sentence in _sentences(words, rules)
        for chunk in _chunks(sentence, rules)
    ]


def _sentences(words: Sequence[Word], rules: CueRules) -> Iterator[list[Word]]:
    gap = milliseconds(rules.gap_split)
    sentence: list[Word] = []
    for word in words:
        if sentence and (_ends(sentence[-1], rules) or word.start - sentence[-1].end >= gap):
            yield sentence
            sentence = []
        sentence.append(word)
    if sentence:
        yield sentence


_CLOSING = "\"'”’»›)]}」』）】*_"
"""May stand between a full stop and the end of its word."""


def _ends(word: Word, rules: CueRules) -> bool:
    closing = "".join(c for c in _CLOSING if c not in rules.split_on)
    return word.text.rstrip(closing).endswith(tuple(rules.split_on))


def _chunks(words: Sequence[Word], rules: CueRules) -> Iterator[list[Word]]:
    """As many words as lines and time allow, again and again."""
    longest = milliseconds(rules.max_cue)
    chunk: list[Word] = []
    rows, used = 1, 0
    for word in words:
        width = columns(word.text)
        added = width + (spaced(chunk[-1], word) if chunk else 0)
        full = used + added > rules.max_chars
        late = bool(chunk) and word.end - chunk[0].start > longest
        if chunk and (late or (full and rows == rules.max_lines)):
            yield chunk
            chunk, rows, used = [], 1, width
        elif chunk and full:
            rows, used = rows + 1, width
        else:
            used += added
        chunk.append(word)
    if chunk:
        yield chunk


def _timely(words: Sequence[Word], rules: CueRules) -> list[Word]:
    """Only a word that is alone can outlast a cue; then the cue shows it no longer."""
    limit = words[0].start + milliseconds(rules.max_cue)
    return [replace(word, end=min(word.end, limit)) for word in words]


def _balanced(words: Sequence[Word], max_chars: int) -> tuple[tuple[Word, ...], ...]:
    """No more lines than needed, and the longest of them as short as it can be."""
    fewest = len(_wrapped(words, max_chars))
    width = bisect_left(
        range(max_chars), True, key=lambda width: len(_wrapped(words, width)) <= fewest
    )
    return _wrapped(words, width)


def _wrapped(words: Sequence[Word], width: int) -> tuple[tuple[Word, ...], ...]:
    lines: list[list[Word]] = []
    used = 0
    for word in words:
        added = columns(word.text) + (spaced(lines[-1][-1], word) if lines else 0)
        if lines and used + added <= width:
            lines[-1].append(word)
            used += added
        else:
            lines.append([word])
            used = columns(word.text)
    return tuple(tuple(line) for line in lines)
