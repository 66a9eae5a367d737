"""The three tags a transcript may contain: breaks, digits and phonemes. It is not SSML.

https://docs.async.com describes `<break time='400ms'/>` and `<digits>…</digits>`; what stands
inside `<phonemes>…</phonemes>` is not public, so it is passed on as it is. Nothing here fails:
a tag that is not well-formed is text, as it would be to anyone who reads it aloud.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    text: str
    offset: int
    """Code points of the transcript before `text`; the same in the classes below."""


@dataclass(frozen=True)
class Break:
    seconds: float
    offset: int
    """Code points of the transcript before the tag."""


@dataclass(frozen=True)
class Digits:
    text: str
    offset: int


@dataclass(frozen=True)
class Phonemes:
    text: str
    offset: int


Segment = Text | Break | Digits | Phonemes

# Single quotes are the documented ones, double quotes the expected ones. No part can match in two
# ways, so that hostile text costs linear time.
_TAG = re.compile(
    r"""
      <break \s+ time \s* = \s* (?P<quote>['"])
          (?P<number> [0-9]+ (?:\.[0-9]+)? | \.[0-9]+ ) (?P<unit> ms | s )
      (?P=quote) \s* / \s* >
    | <digits> (?P<digits> [^<]* ) </digits>
    | <phonemes> (?P<phonemes> [^<]* ) </phonemes>
    """,
    re.VERBOSE,
)
_UNITS = {"ms": 0.001, "s": 1.0}


def parse(transcript: str) -> tuple[Segment, ...]:
    """The transcript in its order; adjoining text is one segment, and no text segment is empty."""
    return tuple(_segments(transcript))


def _segments(transcript: str) -> Iterator[Segment]:
    end = 0
    for tag in _TAG.finditer(transcript):
        if tag.start() > end:
            yield Text(transcript[end : tag.start()], end)
        yield _segment(tag)
        end = tag.end()
    if end < len(transcript):
        yield Text(transcript[end:], end)


def _segment(tag: re.Match[str]) -> Segment:
    match tag.lastgroup:
        case "digits":
            return Digits(tag["digits"], tag.start("digits"))
        case "phonemes":
            return Phonemes(tag["phonemes"], tag.start("phonemes"))
        case _:
            return Break(float(tag["number"]) * _UNITS[tag["unit"]], tag.start())
