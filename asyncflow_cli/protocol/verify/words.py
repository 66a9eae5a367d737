"""Words against the sound of them: how fast they are, which are not heard, what has no words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import msgspec

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.markup import Break, parse
from asyncflow_cli.protocol.timings import CJK, Word, milliseconds, one_line, problems
from asyncflow_cli.protocol.verify.findings import Finding, Limits
from asyncflow_cli.protocol.verify.sound import Sound

USUAL = (60.0, 280.0)
"""Words per minute. A slow reading has 110, quick speech 220, the fastest 250."""

_PAUSE = 0.5
"""Seconds of silence that are no part of speaking."""

_FEW = 6
"""Fewer words, or less than two seconds, have no rate: one number or name changes it too much."""

_CJK_WORD = 0.6
"""Of a word a character of Chinese or Japanese is, at the rate at which people speak."""

_DIGIT_WORD = 0.7
"""And a digit, in a number that is spelt out."""

_LONGEST = 12
"""Characters a word has on average, at most; else the script has no spaces, as Thai."""

_TOKEN = re.compile(rf"[{CJK}]|[^\s{CJK}]+")
_UNHEARD = 0.15
"""Seconds of words in silence that are missed; a soft sound at an end lasts less."""


@dataclass(frozen=True)
class Said:
    """What ought to be in the audio. Either may be unknown."""

    words: tuple[Word, ...] = ()
    text: str | None = None
    speed: float = 1.0
    """At which it was ordered: the usual rates are meant for 1."""

    @property
    def is_known(self) -> bool:
        return bool(self.words) or self.text is not None

    @property
    def pause(self) -> float:
        """Seconds of the longest break that the text asks for."""
        breaks = (part.seconds for part in parse(self.text or "") if isinstance(part, Break))
        return max(breaks, default=0.0)

    @property
    def count(self) -> float:
        return _count(_spoken(self.text)) if self.text is not None else self.timed

    @property
    def timed(self) -> float:
        return sum(_count(word.text) for word in self.words)


def _spoken(transcript: str | None) -> str:
    return "".join(part.text for part in parse(transcript or "") if not isinstance(part, Break))


def _count(text: str) -> float:
    """How many words of the usual length it takes to say this."""
    return sum(map(_weight, _TOKEN.findall(text)))


def _weight(token: str) -> float:
    if not any(character.isalnum() for character in token):
        return 0.0
    if re.match(f"[{CJK}]", token):
        return _CJK_WORD
    return max(1.0, _DIGIT_WORD * sum(map(str.isdecimal, token)))


def rate(said: Said, sound: Sound) -> float | None:
    """Words per minute while there is speech; None where it means nothing."""
    text = _spoken(said.text) if said.text is not None else " ".join(w.text for w in said.words)
    tokens = _TOKEN.findall(text)
    speaking = sound.seconds - sum(s.seconds for s in sound.silences if s.seconds >= _PAUSE)
    if said.count < _FEW or speaking < 2 or len(text) > (_LONGEST + 1) * len(tokens):
        return None
    return 60 * said.count / speaking


def judge(said: Said, sound: Sound, limits: Limits) -> Iterator[Finding]:
    """What does not agree. A silent file has no words in it, and is judged elsewhere."""
    yield from _pace(rate(said, sound), said, limits)
    if said.words:
        yield from _times(said.words, sound.seconds)
        yield from _missing(said)
        yield from _unheard(said.words, sound)
        yield from _untimed(said.words, sound)


def _pace(found: float | None, said: Said, limits: Limits) -> Iterator[Finding]:
    if found is None:
        return
    least = limits.min_wpm or USUAL[0] * min(1.0, said.speed)
    most = limits.max_wpm or USUAL[1] * max(1.0, said.speed)
    if found < least:
        message = f"{found:.0f} words a minute, fewer than {least:g}: words may be missing"
        yield Finding(code="TOO_SLOW", message=message, value=round(found, 1), limit=least)
    if found > most:
        message = f"{found:.0f} words a minute, more than {most:g}: speech may be missing"
        yield Finding(code="TOO_FAST", message=message, value=round(found, 1), limit=most)


def _times(words: Sequence[Word], seconds: float) -> Iterator[Finding]:
    wrong = problems(words, seconds)
    if wrong:
        more = f"; and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        message = f"The times cannot be true. {wrong[0]}{more}"
        yield Finding(code="TIMES_NOT_TRUE", message=message, value=len(wrong), limit=0)


def _missing(said: Said) -> Iterator[Finding]:
    """Words of the text for which there is no time; a number may be timed as one or as many."""
    missing = said.count - said.timed
    if said.text is not None and missing > max(2.0, 0.15 * said.count):
        message = f"About {missing:.0f} of the text's {said.count:.0f} words have no time"
        yield Finding(code="WORDS_MISSING", message=message, value=round(missing, 1), limit=0)


def _unheard(words: Sequence[Word], sound: Sound) -> Iterator[Finding]:
    spoken = [word for word in words if _count(word.text) and word.end > word.start]
    for silent, group in groupby(spoken, lambda word: _is_silent(word, sound)):
        run = list(group)
        start, end = run[0].start / 1000, min(run[-1].end / 1000, sound.seconds)
        if not silent or end - start < _UNHEARD:
            continue
        more = f" and {len(run) - 1} more words are" if len(run) > 1 else " is"
        yield Finding(
            code="WORD_NOT_HEARD",
            message=f"({run[0].text}){more} not heard: there is silence",
            start=start,
            end=round(end, 3),
            value=len(run),
            limit=0,
        )


def _is_silent(word: Word, sound: Sound) -> bool:
    start, end = word.start / 1000, min(word.end / 1000, sound.seconds)
    return sound.sounding(start, end) <= 0.1 * (end - start)


def _untimed(words: Sequence[Word], sound: Sound) -> Iterator[Finding]:
    """Speech where no word is; a second of breath and echo is nobody's loss."""
    total = sound.sounding(0, sound.seconds)
    gaps = [(start, end, sound.sounding(start, end)) for start, end in _gaps(words, sound.seconds)]
    outside = sum(heard for *_, heard in gaps)
    limit = max(1.0, 0.25 * total)
    if outside > limit:
        start, end, _ = max(gaps, key=lambda gap: gap[2])
        yield Finding(
            code="SPEECH_NOT_TIMED",
            message=f"{outside:.2f} s of {total:.2f} s with sound belong to no word",
            start=start,
            end=end,
            value=round(outside, 3),
            limit=round(limit, 3),
        )


def _gaps(words: Sequence[Word], seconds: float) -> Iterator[tuple[float, float]]:
    at = 0.0
    for word in sorted(words, key=lambda word: word.start):
        if word.start / 1000 > at:
            yield at, word.start / 1000
        at = max(at, word.end / 1000)
    if seconds > at:
        yield at, seconds


class _Timed(msgspec.Struct):
    text: str
    start: float
    end: float


class _Timings(msgspec.Struct):
    words: list[_Timed]


_CUE = re.compile(
    r"^[ \t]*((?:\d+:)?\d\d:\d\d[.,]\d{3})[ \t]+-->[ \t]+((?:\d+:)?\d\d:\d\d[.,]\d{3})[^\n]*\n"
    r"((?:[^\n]*\S[^\n]*(?:\n|$))*)",
    re.MULTILINE,
)
"""The cues of srt and vtt, which differ in the point and in what stands around."""


def read(name: str, content: bytes) -> tuple[Word, ...]:
    """Words in json, as `timestamps` writes them, or the cues of an srt or vtt as words each.

    UsageError for anything else.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_times(name) from None
    words = _from_json(text) if text.lstrip().startswith("{") else _from_cues(text)
    if not words:
        raise _not_times(name)
    return words


def _from_json(text: str) -> tuple[Word, ...]:
    try:
        found = msgspec.json.decode(text, type=_Timings).words
    except msgspec.DecodeError:
        return ()
    return tuple(
        Word(one_line(word.text), milliseconds(word.start), milliseconds(word.end))
        for word in found
    )


def _from_cues(text: str) -> tuple[Word, ...]:
    cues = _CUE.findall(text.replace("\r\n", "\n").replace("\r", "\n"))
    return tuple(
        Word(one_line(re.sub(r"<[^>\n]*>", "", lines)), _milliseconds(start), _milliseconds(end))
        for start, end, lines in cues
    )


def _milliseconds(time: str) -> int:
    *minutes, seconds = time.replace(",", ".").split(":")
    whole = 0
    for part in minutes:
        whole = whole * 60 + int(part)
    return whole * 60_000 + milliseconds(float(seconds))


def _not_times(name: str) -> UsageError:
    return UsageError(
        f"{name} holds no times of words",
        hint="Make it with: asyncflow timestamps … --captions json, srt or vtt",
        code="TIMES_NOT_READABLE",
    )
