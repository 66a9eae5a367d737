"""Speech with word times: each answer checked against itself, and several of them made one.

https://docs.async.com/text-to-speech-with-word-timestamps-18761064e0

Times that are a little off are put right and told. Audio that is shorter than its own times is
incomplete, whoever asks: a word is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol import wav
from asyncflow_cli.protocol.answers import TimestampedSpeech
from asyncflow_cli.protocol.audio import seconds
from asyncflow_cli.protocol.checked import check
from asyncflow_cli.protocol.frames import decode
from asyncflow_cli.protocol.joining import join, starts
from asyncflow_cli.protocol.markup import Break, parse
from asyncflow_cli.protocol.models import OutputFormat
from asyncflow_cli.protocol.timings import (
    FRAME,
    Word,
    clock,
    milliseconds,
    problems,
    read,
    repaired,
    shifted,
)
from asyncflow_cli.protocol.wording import from_source

WORD = 500
"""Milliseconds that a word may end behind the audio; one that ends later is not in it."""

LISTED = 5
"""Problems that a message names; a document has them all."""


@dataclass(frozen=True)
class Timed:
    """Audio that is all there, and when its words are heard in it: in order, and inside."""

    audio: bytes
    seconds: float
    words: tuple[Word, ...]
    problems: tuple[str, ...] = ()
    """What the times were said to be, and cannot; in `words` it is put right."""


def decipher(answer: TimestampedSpeech, transcript: str, wanted: OutputFormat) -> Timed:
    """The answer to one request. IncompleteError if audio, times or words are missing."""
    audio, length = _whole(decode(answer.audio_base64), wanted)
    told = answer.alignment
    words = read(told.words, told.word_start_times_milliseconds, told.word_end_times_milliseconds)
    _insist_on_words(words, transcript)
    _insist_on_audio(words, length)
    straight = repaired(words, length)
    written = from_source(straight, transcript)
    wrong = (*problems(words, length), *_untimed(straight, written))
    return Timed(audio, length, written, wrong)


def join_timed(parts: Sequence[Timed], wanted: OutputFormat) -> Timed:
    """The parts one after the other; their times are shifted by the audio as it is."""
    if len(parts) == 1:
        return parts[0]
    audios = [part.audio for part in parts]
    audio, length = _whole(join(audios, wanted), wanted)
    words = [
        word
        for part, start in zip(parts, starts(audios, wanted), strict=True)
        for word in shifted(part.words, start)
    ]
    # A time and the start it is added to are rounded each, which may be a millisecond too much.
    return Timed(audio, length, repaired(words, length), tuple(_numbered(parts)))


def insist(spoken: Timed) -> None:
    """IncompleteError that lists the problems, if there are any."""
    if spoken.problems:
        raise IncompleteError(
            f"The word times cannot be true. {told(spoken.problems)}",
            hint="Leave --strict out, and they are put right",
            code="TIMES_NOT_TRUE",
            details={"problems": list(spoken.problems)},
        )


def told(wrong: Sequence[str]) -> str:
    """The first of the problems, and how many there are besides."""
    more = len(wrong) - LISTED
    return "; ".join(wrong[:LISTED]) + (f"; and {more} more" if more > 0 else "")


def _whole(audio: bytes, wanted: OutputFormat) -> tuple[bytes, float]:
    """The audio put right, and how many seconds it lasts."""
    checked = check(audio, wanted)
    if checked.seconds is not None:
        return checked.mended(audio), checked.seconds
    file = wav.read(audio)
    return checked.mended(audio), seconds(len(file.audio), file.encoding, file.sample_rate)


def _insist_on_words(words: Sequence[Word], transcript: str) -> None:
    said = (s.text for s in parse(transcript) if not isinstance(s, Break))
    if not words and any(character.isalnum() for text in said for character in text):
        raise IncompleteError("The service timed no word of the text", code="TIMES_MISSING")


def _insist_on_audio(words: Sequence[Word], length: float) -> None:
    limit = milliseconds(length)
    for number, word in enumerate(words, 1):
        if word.start > limit + FRAME or word.end > limit + WORD:
            raise IncompleteError(
                f"The audio ends at {clock(limit)} s, but word {number} of {len(words)} "
                f"({word.text}) is said from {clock(word.start)} s to {clock(word.end)} s",
                hint="Run the command again; if it persists, report it to the service",
                code="AUDIO_SHORTER_THAN_TIMES",
            )


def _untimed(heard: Sequence[Word], written: Sequence[Word]) -> Iterator[str]:
    """Words of the text that the service did not time, and for which there is no time left."""
    instants = [word for word in written if word.start == word.end]
    missing = len(instants) - sum(word.start == word.end for word in heard)
    if missing > 0:
        yield f"{missing} words of the text have no time, the last of them ({instants[-1].text})"


def _numbered(parts: Sequence[Timed]) -> Iterator[str]:
    for number, part in enumerate(parts, 1):
        yield from (f"Request {number}: {problem}" for problem in part.problems)
