"""Where a text may be cut: behind sentences, clauses and words of many scripts, outside all tags.

It works on a veiled copy of the text, as long as the text itself, in which each tag stands as one
sign and fillers; so the rules for punctuation never see the inside of a tag. The signs are Unicode
non-characters; in the text itself they are veiled too.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field

BREAK = "\ufdd0"
"""All of a break: it belongs to what stands before it, like white space."""
SPOKEN = "\ufdd1"
"""The start of a pair with its content, which is spoken."""
OPENED = "\ufdd2"
"""The start of a pair's opening tag that nothing closes."""
UNKNOWN = "\ufdd3"
"""The start of any other tag."""
INSIDE = "\ufdd4"
"""The rest of any tag but a break; before it nothing is cut."""

_SIGNS = f"{BREAK}-{INSIDE}"
_BREAK_TAG = r"<break\b[^<>]*>"
# The possessive *+ keeps hostile text linear; what looks like a tag has 200 characters at most.
_TAG = re.compile(
    rf"""
      (?P<spoken> <(?P<name>digits|phonemes)> (?: [^<] | {_BREAK_TAG} )*+ </(?P=name)> )
    | (?P<pause> {_BREAK_TAG} )
    | (?P<opened> <(?:digits|phonemes)> )
    | (?P<unknown> </?[a-z][^<>]{{0,200}}> )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FOREIGN_SIGNS = re.compile(f"[{_SIGNS}]")
_STARTS = {"spoken": SPOKEN, "opened": OPENED, "unknown": UNKNOWN}


def veil(text: str) -> str:
    """The text with signs for its tags, character for character as long."""
    return _TAG.sub(_sign, _FOREIGN_SIGNS.sub("-", text))


def _sign(tag: re.Match[str]) -> str:
    if tag["pause"]:
        return BREAK * len(tag[0])
    kind = next(kind for kind in _STARTS if tag[kind])
    return _STARTS[kind] + INSIDE * (len(tag[0]) - 1)


_CLOSERS = rf"""(?:["'“”’»›)\]}}」』】〉》）］]|{UNKNOWN}{INSIDE}*+){{0,8}}+"""
_SPACE = r"[^\S\u00a0\u202f]"  # A no-break space is there to prevent just this.
_TRAIL = rf"(?:{_SPACE}|{BREAK})"

# Arabic, Urdu, Hindi and Armenian marks want a space behind them as ours do; the full-width ones of
# Chinese and Japanese want none. No run of marks is tried twice: hostile text costs linear time.
_MARK = re.compile(
    rf"""
    (?: (?P<end> (?<![.!?…؟۔।॥։]) [.!?…؟۔।॥։]++ ) {_CLOSERS} (?= {_TRAIL} )
      | (?P<wide_end> [。！？｡]++ ) {_CLOSERS}
      | (?P<clause> (?<![,;:،؛—–)]) (?: [,;:،؛—–] | (?<=\s)- | (?<=[^\s(])\) )++ )
          {_CLOSERS} (?= {_TRAIL} )
      | (?P<wide_clause> [、，；：]++ ) {_CLOSERS}
      | (?P<paragraph> (?= \n [^\S\n]*+ \n ) )
      | (?P<pause> (?<!\s) (?= {_SPACE}*+ {BREAK} ) )
    ) (?P<trail> {_TRAIL}*+ )
    """,
    re.VERBOSE,
)
_GAP = re.compile(rf"{_TRAIL}+")
_TOKEN = re.compile(r"[^\s(\[{\"'“‘«„¿¡]*$")


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


TITLES = _words(
    "dr mr mrs ms mx prof st mt gen col sgt capt lt cmdr rev hon gov sen rep pres vs cf ca approx "
    "al viz bzw evtl ggf inkl sog hr fr frl sr sra dra mme mlle"
)
"""Short for something, and no sentence ends with them; `e.g.` and `U.S.` show by their dots."""
BEFORE_NUMBERS = _words(
    "no nos nr fig vol p pp art sec ch abs jan feb mar apr jun jul aug sept sep oct nov dec"
)
"""These are shortened words only if a number follows: "No. 5", but "He said no."."""


@dataclass
class Cuts:
    """Places of one rank, in order: what stands before one ends at `ends`, and is cut at `cuts`.

    Between the two lie white space and breaks, which belong to the piece before.
    """

    ends: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)

    def add(self, end: int, cut: int) -> None:
        self.ends.append(end)
        self.cuts.append(cut)

    def last(self, *, above: int, end: int, cut: int) -> int | None:
        """The last place above `above` whose end and cut are at most these."""
        at = min(bisect_right(self.ends, end), bisect_right(self.cuts, cut)) - 1
        return self.cuts[at] if at >= 0 and self.cuts[at] > above else None


@dataclass
class Places:
    """Every place of a veiled text, by rank."""

    sentences: Cuts = field(default_factory=Cuts)
    clauses: Cuts = field(default_factory=Cuts)
    words: Cuts = field(default_factory=Cuts)

    def best(self, *, above: int, end: int, cut: int) -> int | None:
        """The last sentence's end in reach; else the last clause's, else the last word's."""
        for cuts in (self.sentences, self.clauses, self.words):
            place = cuts.last(above=above, end=end, cut=cut)
            if place is not None:
                return place
        return None


def places(veiled: str) -> Places:
    found = Places()
    for mark in _MARK.finditer(veiled):
        kind = _rank(veiled, mark)
        if kind is not None and parts(veiled, mark.end()):
            (found.sentences if kind == "sentence" else found.clauses).add(
                mark.start("trail"), mark.end()
            )
    for gap in _GAP.finditer(veiled):
        if parts(veiled, gap.end()):
            found.words.add(*gap.span())
    return found


def first_sentence(veiled: str, *, above: int, end: int) -> int | None:
    """Where the first sentence ends that is known to end, by what follows or by a new line."""
    for mark in _MARK.finditer(veiled):
        if mark.start("trail") > end:
            return None
        line = veiled.find("\n", mark.start("trail"), mark.end()) + 1
        cut = line or mark.end()
        known = line or (cut < len(veiled) and parts(veiled, cut))
        if known and cut > above and _rank(veiled, mark) == "sentence":
            return cut
    return None


def _rank(veiled: str, mark: re.Match[str]) -> str | None:
    if mark["wide_end"] or mark["paragraph"] is not None:
        return "sentence"
    if not mark["end"]:
        return "clause"
    # A new line settles it, so that a line typed at a terminal need not wait for the next.
    after = "" if "\n" in mark["trail"] else veiled[mark.end() : mark.end() + 1]
    if mark["end"] == "." and _is_short(veiled, mark.start(), after):
        return None
    return "clause" if after.islower() else "sentence"


def _is_short(veiled: str, stop: int, after: str) -> bool:
    """Whether the full stop at `stop` belongs to a shortened word, an initial or an ordinal."""
    found = _TOKEN.search(veiled[max(0, stop - 30) : stop])
    token = found[0] if found else ""
    word = token.lower()
    if len(token) == 1 and token.isalpha():
        return token != "I"  # "You and I." ends more sentences than Isaac begins.
    return (
        word in TITLES
        or (word in BEFORE_NUMBERS and after.isdigit())
        or (len(word) <= 2 and word.isdigit())
        or re.fullmatch(r"\w(?:\.\w)+", word) is not None
    )


_JOINER = "\u200d"
_GLUED = re.compile(
    rf"[{INSIDE}{BREAK}{_JOINER}\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\u1160-\u11ff\udc00-\udfff]"
)
"""What cannot begin a piece, besides marks: skin tones, vowels of Korean, halves of a pair."""


def parts(veiled: str, at: int) -> bool:
    """Whether a cut at `at` leaves the characters on both sides whole."""
    if at >= len(veiled):
        return True
    before, after = veiled[at - 1], veiled[at]
    if _GLUED.match(after) or before == _JOINER or unicodedata.category(after).startswith("M"):
        return False
    flag = "\U0001f1e6" <= after <= "\U0001f1ff"
    return not (flag and _flags_before(veiled, at) % 2)


def _flags_before(veiled: str, at: int) -> int:
    """A flag is two letters of their own alphabet."""
    count = 0
    while count < at and "\U0001f1e6" <= veiled[at - 1 - count] <= "\U0001f1ff":
        count += 1
    return count
