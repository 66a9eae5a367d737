"""Word times: from the engine's events to one interval per word of the text.

The engine's events are good to a median of 10 ms, but they are not words as a reader sees them:
"of the" is one event, "$12.50" is six, a position may be one short after a full stop, and a
word's end includes the pause behind it. This file repairs that. It is pure arithmetic on samples
and code points, and does not know which engine spoke.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec


class Event(msgspec.Struct, frozen=True, array_like=True):
    """Something that begins at a sample: a word, a sound of it, or a pause."""

    kind: Literal["word", "sound", "pause"]
    sample: int
    position: int = 0
    """Of a word: code points before it, as far as the engine kept count."""


class Span(NamedTuple):
    """Where a word stands in the text: code points, end excluded."""

    start: int
    end: int


class Timing(NamedTuple):
    """When a span is heard: samples."""

    span: Span
    start: int
    end: int


class _Group(msgspec.Struct):
    """Spans that the engine spoke as one, and the samples at which parts of them begin."""

    spans: list[Span] = []
    marks: list[int] = []


# Chinese and Japanese are written without spaces: there, every character is a word.
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_CJK}][^\w\s]*|[^\s{_CJK}]+")


def spans_of(text: str) -> list[Span]:
    """What lies between white space, a Chinese or Japanese character each by itself."""
    return [Span(*match.span()) for match in _TOKEN.finditer(text)]


def timings(
    text: str, events: Sequence[Event], samples: int, spans: Sequence[Span] | None = None
) -> list[Timing]:
    """The times of `text`'s words (or of the given spans), in order and inside the audio."""
    spans = spans_of(text) if spans is None else spans
    spans, marks = _fold(text, spans, _marks(text, spans, events))
    groups = list(_groups(spans, marks))
    starts = [group.marks[0] if group.marks else 0 for group in groups]
    sounds = sorted((e for e in events if e.kind != "word"), key=lambda event: event.sample)
    found: list[Timing] = []
    for group, (start, bound) in zip(groups, pairwise([*starts, samples]), strict=True):
        found += _share(text, group.spans, start, _speech_end(sounds, start, bound))
    return found


def _marks(text: str, spans: Sequence[Span], events: Iterable[Event]) -> list[list[int]]:
    """For each span, where the engine's words in it begin. Positions never lead backwards."""
    marks: list[list[int]] = [[] for _ in spans]
    at = 0
    for event in events:
        if event.kind == "word" and spans:
            at = max(at, _span_at(text, spans, marks, event.position))
            marks[at].append(event.sample)
    return marks


def _span_at(
    text: str, spans: Sequence[Span], marks: Sequence[Sequence[int]], position: int
) -> int:
    index = max(bisect_right(spans, position, key=lambda span: span.start) - 1, 0)
    if index + 1 == len(spans) or spans[index + 1].start - position > 2:
        return index
    # One or two short of the next word: on the space before it, or on the full stop of a word
    # that has already been spoken.
    behind = position >= spans[index].end
    on_full_stop = bool(marks[index]) and not text[position].isalnum()
    return index + 1 if behind or on_full_stop else index


def _fold(
    text: str, spans: Sequence[Span], marks: Sequence[list[int]]
) -> tuple[list[Span], list[list[int]]]:
    """Give unspoken punctuation that stands alone ("« oui » ?") to the word it belongs to."""
    folded: list[Span] = []
    kept: list[list[int]] = []
    opening: int | None = None
    for span, mark in zip(spans, marks, strict=True):
        if mark or _letters(text, span):
            folded.append(Span(span.start if opening is None else opening, span.end))
            kept.append(mark)
            opening = None
        elif not folded or opening is not None or _opens(text[span.start]):
            opening = span.start if opening is None else opening
        else:
            folded[-1] = Span(folded[-1].start, span.end)
    return folded, kept


def _opens(character: str) -> bool:
    return unicodedata.category(character) in ("Ps", "Pi")


def _groups(spans: Iterable[Span], marks: Iterable[list[int]]) -> Iterator[_Group]:
    """Every span that begins later than the one before starts a group; the others join it."""
    group = _Group()
    for span, mark in zip(spans, marks, strict=True):
        if mark and group.marks and mark[0] > group.marks[0]:
            yield from _split(group)
            group = _Group()
        group.spans.append(span)
        group.marks += mark
    if group.spans:
        yield from _split(group)


def _split(group: _Group) -> Iterator[_Group]:
    # Kana come as one word with an event for each character, all at the same position.
    rising = all(a < b for a, b in pairwise(group.marks))
    if len(group.spans) == len(group.marks) and rising:
        for span, mark in zip(group.spans, group.marks, strict=True):
            yield _Group([span], [mark])
    else:
        yield group


def _speech_end(sounds: Sequence[Event], start: int, bound: int) -> int:
    """Where the last run of pauses in an interval begins."""
    first = bisect_left(sounds, start, key=lambda event: event.sample)
    last = bisect_left(sounds, bound, key=lambda event: event.sample)
    end = bound
    for event in reversed(sounds[first:last]):
        if event.kind != "pause" or event.sample <= start:
            break
        end = event.sample
    return end


def _share(text: str, spans: Sequence[Span], start: int, end: int) -> Iterator[Timing]:
    """Divide an interval among its words by their letters."""
    weights = [max(_letters(text, span), 1) for span in spans]
    before = 0
    for span, weight in zip(spans, weights, strict=True):
        after = before + weight
        yield Timing(
            span,
            start + (end - start) * before // sum(weights),
            start + (end - start) * after // sum(weights),
        )
        before = after


def _letters(text: str, span: Span) -> int:
    return sum(character.isalnum() for character in text[span.start : span.end])
