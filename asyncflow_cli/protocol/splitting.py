"""Long text to pieces that can be spoken one by one; joined again they are the text, to the letter.

A piece ends behind a sentence if one ends in reach, else behind a clause, else between two words;
only a word longer than a whole piece, and writing without spaces, is cut between characters. Tags,
and what stands between paired ones, are never cut. White space and breaks stay with the piece
before them, and are not counted in its length.
"""

from __future__ import annotations

import re

from asyncflow_cli.protocol.sentences import (
    BREAK,
    OPENED,
    SPOKEN,
    UNKNOWN,
    first_sentence,
    parts,
    places,
    veil,
)
from asyncflow_cli.protocol.transcript import FIRST, MOST

_VISIBLE = re.compile(rf"[^\s{BREAK}]")
_AUDIBLE = re.compile(rf"[^\W_]|{SPOKEN}")
_TRAIL = re.compile(rf"[\s{BREAK}]*")


def split(text: str, *, first: int = FIRST, most: int = MOST) -> list[str]:
    """Pieces whose concatenation is the text. Each has something to say, if the text has."""
    veiled = veil(text)
    cut_at = _Cutter(veiled)
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = cut_at(start, most if pieces else first)
        pieces.append(text[start:end])
        start = end
    return pieces


class _Cutter:
    def __init__(self, veiled: str) -> None:
        self._veiled = veiled
        self._places = places(veiled)
        self._last_audible = _last(_AUDIBLE, veiled)
        self._end = _last(_VISIBLE, veiled) + 1

    def __call__(self, start: int, most: int) -> int:
        """Where the piece ends that begins at `start`."""
        visible = _first(_VISIBLE, self._veiled, start)
        reach = visible + most
        if self._end <= reach:
            return len(self._veiled)
        audible = _first(_AUDIBLE, self._veiled, start, reach)
        cut = self._places.best(above=audible, end=reach, cut=self._last_audible)
        # Rather a piece of mere punctuation than a word in two.
        cut = cut or self._places.best(above=visible, end=reach, cut=self._end - 1)
        return cut or _between_characters(self._veiled, visible + 1, reach)


def _first(kind: re.Pattern[str], veiled: str, start: int = 0, stop: int | None = None) -> int:
    """The place of the first such character; `stop`, or the end, if there is none."""
    stop = len(veiled) if stop is None else stop
    found = kind.search(veiled, start, stop)
    return found.start() if found else stop


def _last(kind: re.Pattern[str], veiled: str) -> int:
    """The place of the last such character, -1 if there is none; from behind, as it is near."""
    for at in range(len(veiled) - 1, -1, -1):
        if kind.match(veiled, at):
            return at
    return -1


def _between_characters(veiled: str, lowest: int, reach: int) -> int:
    """The last place up to `reach` that parts no character and no tag; if none, the next one."""
    whole = [at for at in range(reach, lowest - 1, -1) if parts(veiled, at)]
    # Names and numbers stay whole in writing without spaces; a piece of half the length will do.
    kind = (at for at in whole if 2 * at >= lowest + reach and not _LATIN.match(veiled, at - 1))
    above = (at for at in range(reach + 1, len(veiled)) if parts(veiled, at))
    cut = next(kind, None) or next(iter(whole), None) or next(above, len(veiled))
    trail = _TRAIL.match(veiled, cut)
    return trail.end() if trail and parts(veiled, trail.end()) else cut


_LATIN = re.compile(r"[A-Za-z0-9]{2}")
_UNFINISHED = re.compile(r"<(?:/?[a-z][^<>]{0,200}|/)?\Z", re.IGNORECASE)
_ANY_TAG = re.compile(f"[{SPOKEN}{OPENED}{UNKNOWN}]")


class SentenceSplitter:
    """The same for text that is still being written: each sentence as soon as it is complete.

    A sentence is complete when the next has begun, or at a new line. At most about twice `most`
    characters are kept; a pair of tags that is not closed by then is taken for text.
    """

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._kept = ""

    def feed(self, chunk: str) -> list[str]:
        """The pieces that this chunk completes, often none. A blank one has nothing to say."""
        pieces: list[str] = []
        for at in range(0, len(chunk), self._most):
            self._kept += chunk[at : at + self._most]
            while cut := self._cut():
                pieces.append(self._take(cut))
        return pieces

    def release(self) -> str:
        """What can be said now without parting a word or a tag, for a writer who pauses."""
        veiled = self._settled()
        audible, end = _first(_AUDIBLE, veiled), len(veiled)
        found = places(veiled)
        ranks = (found.sentences, found.clauses, found.words)
        return self._take(max(rank.last(above=audible, end=end, cut=end) or 0 for rank in ranks))

    def flush(self) -> str:
        """The rest, at the end of the text."""
        return self._take(len(self._kept))

    def _take(self, cut: int) -> str:
        piece, self._kept = self._kept[:cut], self._kept[cut:]
        return piece

    def _settled(self) -> str:
        """The kept text, veiled, up to a tag that may still be completed."""
        veiled = veil(self._kept)
        unfinished = _UNFINISHED.search(veiled)
        end = unfinished.start() if unfinished else len(veiled)
        opened = veiled.rfind(OPENED, 0, end)
        if opened >= 0 and not _ANY_TAG.search(veiled, opened + 1):
            end = opened
        return veiled[:end] if len(veiled) - end <= self._most else veiled

    def _cut(self) -> int | None:
        veiled = self._settled()
        visible, audible = _first(_VISIBLE, veiled), _first(_AUDIBLE, veiled)
        reach = visible + self._most
        cut = first_sentence(veiled, above=audible, end=reach)
        if cut is not None:
            return cut
        if visible == len(veiled):
            return len(veiled) if len(veiled) > self._most else None
        if len(veiled) <= reach + 1:
            return None
        found, last = places(veiled), len(veiled) - 1
        cut = found.best(above=audible, end=reach, cut=last)
        cut = cut or found.best(above=visible, end=reach, cut=last)
        return cut or _between_characters(veiled, visible + 1, reach)
