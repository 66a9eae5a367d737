"""Timed words in the writing of the source text: its punctuation, its casing, its `$12.50`.

The service may answer with bare, lower-cased or spelled-out words. Both sides are taken apart into
atoms (a run of letters or digits, or one Chinese or Japanese character), the atoms are compared in
order, and what lies between two agreements is one thing said in two ways. The source text is
believed as long as a stretch can be explained; otherwise the service's words stand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from asyncflow_cli.protocol.markup import Break, Phonemes, parse
from asyncflow_cli.protocol.timings import CJK, Word, one_line, text_of

# What stands inside <phonemes> is no caption. This noncharacter keeps the place for whatever word
# the service names there.
_SPOKEN = "\uffff"

LONGEST_WORD = 6
"""Characters. What the service calls one word of Chinese or Japanese may be a whole sentence."""

WINDOW = 128
"""Atoms that are compared at a time."""

_TOKEN = re.compile(rf"[{CJK}][^\w\s]*|[^\s{CJK}]+")
_IDEOGRAPH = re.compile(rf"[{CJK}]")
_ATOM = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
# Signs that are read aloud, beside everything Unicode calls a symbol or a number.
_READ_ALOUD = frozenset("&%@#*/-'’" + _SPOKEN)


@dataclass(frozen=True)
class _Token:
    """What stands between white space in the source, or one character of Chinese or Japanese."""

    text: str
    spaced: bool | None

    @property
    def weight(self) -> int:
        return max(sum(character.isalnum() for character in self.text), 1)

    @property
    def expands(self) -> bool:
        """Whether it may sound like other words than it shows."""
        return any(
            character in _READ_ALOUD
            or unicodedata.category(character)[0] in "NS"
            or _IDEOGRAPH.match(character)
            for character in self.text
        )


@dataclass(frozen=True)
class _Stretch:
    """Words and the tokens that say the same; `agreed` if at least one atom is equal."""

    words: Sequence[Word]
    tokens: Sequence[_Token]
    agreed: bool


def from_source(words: Sequence[Word], source_text: str) -> tuple[Word, ...]:
    """`words` as `source_text` writes them: all of it once and in order, where it is believed."""
    tokens = _tokens(_visible(source_text))
    if not words or not tokens:
        return tuple(words)
    found: list[Word] = []
    stretches = list(_absorbed(_stretches(words, tokens)))
    for index, stretch in enumerate(stretches):
        following = (s.words[0].start for s in stretches[index + 1 :] if s.words)
        found += _written(stretch, found[-1].end if found else None, next(following, None))
    return tuple(found)


def _visible(transcript: str) -> str:
    return "".join(
        " " if isinstance(s, Break) else _SPOKEN if isinstance(s, Phonemes) else s.text
        for s in parse(transcript)
    )


def _tokens(text: str) -> list[_Token]:
    """Punctuation that stands alone ("« oui » ?", "a — b") goes with its word."""
    spans: list[tuple[int, int]] = []
    opening: int | None = None
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if opening is not None:
            start, opening = opening, None
        if any(c.isalnum() or c == _SPOKEN for c in match.group()):
            spans.append((start, end))
        elif spans and unicodedata.category(match.group()[0]) not in ("Ps", "Pi"):
            spans[-1] = (spans[-1][0], end)
        else:
            opening = start
    if opening is not None:
        spans = [*spans[:-1], (spans[-1][0] if spans else opening, len(text))]
    ends = [*(text[end].isspace() for _, end in spans[:-1]), None]
    return [
        _Token(one_line(text[start:end]), spaced)
        for (start, end), spaced in zip(spans, ends, strict=False)
    ]


@dataclass(frozen=True)
class _Atom:
    key: str
    owner: int
    """The index of the word or token it is part of."""


def _atoms(texts: Sequence[str]) -> list[_Atom]:
    return [_Atom(key, owner) for owner, text in enumerate(texts) for key in _keys(text)]


def _keys(text: str) -> list[str]:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return _ATOM.findall("".join(c for c in bare if unicodedata.category(c)[0] != "M"))


def _links(words: Sequence[_Atom], tokens: Sequence[_Atom]) -> Iterator[tuple[int, int]]:
    """Pairs of word and token that share an atom, in order."""
    for a, b, size in _runs([atom.key for atom in words], [atom.key for atom in tokens]):
        for step in range(size):
            yield words[a + step].owner, tokens[b + step].owner


def _runs(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Equal runs as two positions and a size, in order.

    difflib is quadratic, a minute for ten thousand words: so it sees a window, and only what it
    finds in the first half is certain. Where it finds nothing there, the window grows.
    """
    a = b = 0
    window = WINDOW
    while a < len(left) and b < len(right):
        matcher = SequenceMatcher(None, left[a : a + window], right[b : b + window], autojunk=False)
        whole = window >= max(len(left) - a, len(right) - b)
        blocks = [
            (a + match.a, b + match.b, match.size)
            for match in matcher.get_matching_blocks()
            if match.size and (whole or max(match.a, match.b) < window // 2)
        ]
        yield from blocks
        if whole:
            return
        if blocks:
            a, b = blocks[-1][0] + blocks[-1][2], blocks[-1][1] + blocks[-1][2]
        window = WINDOW if blocks else 2 * window


def _stretches(words: Sequence[Word], tokens: Sequence[_Token]) -> Iterator[_Stretch]:
    """All words and all tokens, in order, cut wherever both sides have a border."""
    links = _links(_atoms([word.text for word in words]), _atoms([t.text for t in tokens]))
    blocks: list[tuple[int, int, int, int]] = []
    for word, token in links:
        if blocks and (word < blocks[-1][1] or token < blocks[-1][3]):
            blocks[-1] = (blocks[-1][0], word + 1, blocks[-1][2], token + 1)
        else:
            blocks.append((word, word + 1, token, token + 1))
    at_word = at_token = 0
    for first, last, first_token, last_token in blocks:
        if first > at_word or first_token > at_token:
            yield _Stretch(words[at_word:first], tokens[at_token:first_token], agreed=False)
        yield _Stretch(words[first:last], tokens[first_token:last_token], agreed=True)
        at_word, at_token = last, last_token
    if at_word < len(words) or at_token < len(tokens):
        yield _Stretch(words[at_word:], tokens[at_token:], agreed=False)


def _absorbed(stretches: Iterator[_Stretch]) -> list[_Stretch]:
    """Words without a token are part of a number or sign beside them: "$5 million" has dollars."""
    kept: list[_Stretch] = []
    for stretch in stretches:
        before = kept[-1] if kept else None
        near = [token for s in kept[-2:] for token in s.tokens][-2:]
        if before and not stretch.tokens and any(token.expands for token in near):
            kept[-1] = replace(before, words=[*before.words, *stretch.words])
        elif before and not before.tokens and stretch.tokens and stretch.tokens[0].expands:
            kept[-1] = replace(stretch, words=[*before.words, *stretch.words])
        else:
            kept.append(stretch)
    return kept


def _written(stretch: _Stretch, before: int | None, after: int | None) -> Iterator[Word]:
    """One stretch, between the end of the word before it and the start of the one behind it."""
    words, tokens = stretch.words, stretch.tokens
    if not words:
        start = before if before is not None else after or 0
        yield from _shared(tokens, start, max(after if after is not None else start, start))
    elif not _explained(stretch):
        # Punctuation without a word has been taken from the source already.
        yield from (word for word in words if _keys(word.text))
    elif len(words) == len(tokens):
        for word, token in zip(words, tokens, strict=True):
            yield _word(token, [word], word.start, word.end)
    elif len(tokens) == 1 or (len(words) == 1 and _is_one_word(tokens)):
        whole = _Token("".join(token.text for token in tokens), tokens[-1].spaced)
        yield _word(whole, words, words[0].start, words[-1].end)
    else:
        yield from _shared(tokens, words[0].start, words[-1].end)


def _explained(stretch: _Stretch) -> bool:
    """Whether its words can be what its tokens sound like."""
    words, tokens = len(stretch.words), len(stretch.tokens)
    if stretch.agreed or words == tokens:
        return True
    abbreviated = tokens > 0 and min(words, tokens) == 1 and max(words, tokens) <= LONGEST_WORD
    return abbreviated or 0 < tokens <= 2 * sum(token.expands for token in stretch.tokens)


def _is_one_word(tokens: Sequence[_Token]) -> bool:
    return len(tokens) <= LONGEST_WORD and not any(token.spaced for token in tokens[:-1])


def _word(token: _Token, words: Sequence[Word], start: int, end: int) -> Word:
    spoken = token.text.replace(_SPOKEN, text_of(words))
    return Word(spoken or text_of(words), start, max(start, end), token.spaced)


def _shared(tokens: Sequence[_Token], start: int, end: int) -> Iterator[Word]:
    """Divide a time among tokens by their letters."""
    total = sum(token.weight for token in tokens)
    length = max(end - start, 0)
    before = 0
    for token in tokens:
        behind = before + token.weight
        times = start + length * before // total, start + length * behind // total
        text = one_line(token.text.replace(_SPOKEN, ""))
        if text:
            yield Word(text, *times, token.spaced)
        before = behind
