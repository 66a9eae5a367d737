"""What the engine is given to say for a transcript, piece by piece, and where each letter is from.

Choices of the sandbox, the service's behaviour being unknown: a break is exact silence and 10 s at
most; a separator among digits is a short pause, and anything else there is read by itself like a
digit; phonemes that look like espeak's mnemonics are spoken as such (`h@l'oU`), all others are
read as plain text. A sentence's end is followed by a breath, so that sentences sent one by one do
not run together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asyncflow_cli.protocol.markup import Break, Digits, Phonemes, Text, parse
from asyncflow_cli.sandbox.words import Span

LONGEST_BREAK = 10.0
"""Seconds; the service's own limit is unknown."""


@dataclass(frozen=True)
class Silence:
    seconds: float


@dataclass(frozen=True)
class Utterance:
    text: str
    origins: Sequence[int]
    """For each code point of `text`, the one of the transcript that it stands for."""
    spans: tuple[Span, ...] | None = None
    """The words, if they are not what white space divides."""
    phonetic: bool = False
    end_pause: bool = False

    def origin(self, span: Span) -> Span:
        return Span(self.origins[span.start], self.origins[span.end - 1] + 1)


_SENTENCE_END = re.compile(r"""[.!?…。！？।][\s"'”’»)\]]*\Z""")
_MNEMONICS = re.compile(r"[A-Za-z0-9@':;,|#~=^!?*%&+\- ]+")
_TELLING = re.compile(r"@|'[aeiouAEIOUVQ03]")  # a schwa, or a stress before a vowel
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SEPARATORS = " -().\t\n"


def utterances(transcript: str) -> Iterator[Silence | Utterance]:
    segments = parse(transcript)
    for segment in segments:
        match segment:
            case Break(seconds):
                yield Silence(min(seconds, LONGEST_BREAK))
            case Digits() if segment.text.strip(_SEPARATORS):
                yield _digits(segment)
            case Phonemes() if segment.text.strip():
                yield _phonemes(segment)
            case Text() if segment.text.strip():
                yield _plain(segment, last=segment is segments[-1])


def _plain(segment: Text | Phonemes, *, last: bool = False) -> Utterance:
    # Code points that end or upset the engine's string become spaces; the count stays.
    text = _UNSPEAKABLE.sub(" ", segment.text)
    origins = range(segment.offset, segment.offset + len(text))
    return Utterance(text, origins, end_pause=last and bool(_SENTENCE_END.search(text)))


def _phonemes(segment: Phonemes) -> Utterance:
    if not (_MNEMONICS.fullmatch(segment.text) and _TELLING.search(segment.text)):
        return _plain(segment)
    first = segment.offset
    origins = (first, first, *range(first, first + len(segment.text)))
    whole = Span(2, 2 + len(segment.text))
    return Utterance(f"[[{segment.text}]]", origins, spans=(whole,), phonetic=True)


def _digits(segment: Digits) -> Utterance:
    text, origins = "", list[int]()
    for index, character in enumerate(segment.text, segment.offset):
        if character not in _SEPARATORS:
            text += f"{character} "
            origins += (index, index)
        elif text and not text.endswith(", "):
            text = f"{text[:-1]}, "
            origins.append(index)
    return Utterance(text, origins)
