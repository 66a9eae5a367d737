"""Words and when they are heard, in whole milliseconds: read, shifted, doubted, repaired.

The service answers with three parallel arrays (https://docs.async.com, `alignment` of
`/text_to_speech/with_timestamps`); the numbers may have fractions. They are rounded once, here,
so that no writer of captions can round 3599.9996 s to 00:59:60. Wording is not known here: what
the source text says in a word's place stands in `wording.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, zip_longest

from asyncflow_cli.errors import IncompleteError

FRAME = 20
"""Milliseconds. Codecs and telephone lines think in frames of it: a smaller overlap is none."""


@dataclass(frozen=True)
class Word:
    text: str
    """One line, and never empty."""
    start: int
    """Milliseconds from the beginning of the audio; the same in `end`."""
    end: int
    spaced: bool | None = None
    """Whether a space follows in the source text; where that is not known, the script decides."""


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


_BREAKING = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def one_line(text: str) -> str:
    """`text` without line breaks, control characters and idle white space."""
    return _BREAKING.sub(" ", text).strip(" ")


def read(texts: Sequence[str], starts: Sequence[float], ends: Sequence[float]) -> tuple[Word, ...]:
    """The service's three arrays as words; an empty word is left out."""
    if not len(texts) == len(starts) == len(ends):
        raise IncompleteError(
            f"The service timed {len(texts)} words with {len(starts)} starts and {len(ends)} ends",
            hint="Run the command again; if it persists, report it to the service.",
            code="UNEQUAL_TIMINGS",
        )
    return tuple(
        Word(line, round(start), round(end))
        for text, start, end in zip(texts, starts, ends, strict=True)
        if (line := one_line(text))
    )


def shifted(words: Iterable[Word], seconds: float) -> tuple[Word, ...]:
    """The words as heard behind `seconds` of other audio."""
    by = milliseconds(seconds)
    return tuple(replace(word, start=word.start + by, end=word.end + by) for word in words)


def problems(words: Sequence[Word], seconds_of_audio: float) -> list[str]:
    """What cannot be true of these times. Up to a frame of overlap or excess is not counted."""
    limit = milliseconds(seconds_of_audio)
    alone = [
        f"Word {number} ({word.text}) {doubt}"
        for number, word in enumerate(words, 1)
        for doubt in _doubts(word, limit)
    ]
    between = [
        f"Word {number} ({word.text}) {doubt}"
        for number, (before, word) in enumerate(pairwise(words), 2)
        for doubt in _collisions(before, word)
    ]
    return alone + between


def _doubts(word: Word, limit: int) -> Iterator[str]:
    last = max(word.start, word.end)
    if word.end < word.start:
        yield f"ends at {clock(word.end)} s, before it begins at {clock(word.start)} s"
    if word.start < -FRAME:
        yield f"begins at {clock(word.start)} s, before the audio"
    if last > limit + FRAME:
        yield f"lasts until {clock(last)} s, but the audio ends at {clock(limit)} s"


def _collisions(before: Word, word: Word) -> Iterator[str]:
    begins = f"begins at {clock(word.start)} s"
    if word.start < before.start:
        yield f"{begins}, but the word before it at {clock(before.start)} s"
    elif word.start < before.end - FRAME:
        yield f"{begins}, but the word before it lasts until {clock(before.end)} s"


def clock(time: int) -> str:
    """Milliseconds as seconds with three decimals, exactly."""
    sign = "-" if time < 0 else ""
    return f"{sign}{abs(time) // 1000}.{abs(time) % 1000:03d}"


def repaired(words: Sequence[Word], seconds_of_audio: float) -> tuple[Word, ...]:
    """The same words with times in order, apart from each other and inside the audio.

    Starts are trusted more than ends: they are what an engine measures.
    """
    limit = max(milliseconds(seconds_of_audio), 0)
    starts = list(accumulate((min(max(word.start, 0), limit) for word in words), max))
    bounds = [*starts[1:], limit]
    return tuple(
        replace(word, start=start, end=min(max(word.end, start), bound))
        for word, start, bound in zip(words, starts, bounds, strict=False)
    )


CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Characters of Chinese and Japanese, as ranges of a regular expression. Korean has spaces."""
_UNSPACED = re.compile(rf"[{CJK}\u3000-\u303f\uff00-\uff65]")


def spaced(word: Word, following: Word) -> bool:
    """Whether a space stands between two words on a line."""
    if word.spaced is not None:
        return word.spaced
    return not (_UNSPACED.match(word.text[-1]) or _UNSPACED.match(following.text[0]))


def text_of(words: Sequence[Word]) -> str:
    """The words as one line of text."""
    return "".join(
        word.text + (" " if following and spaced(word, following) else "")
        for word, following in zip_longest(words, words[1:])
    )
