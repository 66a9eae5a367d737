"""Cues keep every word and every limit."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.columns import columns
from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.captions import Cue, CueRules, cues
from asyncflow_cli.protocol.timings import Word

RULES = CueRules()


def said(text: str, length: int = 100) -> list[Word]:
    return [Word(word, length * n, length * n + length) for n, word in enumerate(text.split())]


def lines(text: str, rules: CueRules = RULES) -> list[tuple[str, ...]]:
    return [cue.lines for cue in cues(said(text), rules)]


def test_no_words_are_no_cues() -> None:
    assert cues([], RULES) == []


def test_one_word_is_one_cue() -> None:
    (cue,) = cues([Word("Hello.", 250, 900)], RULES)
    assert (cue.start, cue.end, cue.lines) == (250, 900, ("Hello.",))
    assert cue.words == (Word("Hello.", 250, 900),)


def test_a_sentence_ends_its_cue() -> None:
    assert lines("One two. Three! Four? Five… “Six.” (Seven.) $8.50 nine") == [
        ("One two.",),
        ("Three!",),
        ("Four?",),
        ("Five…",),
        ("“Six.”",),
        ("(Seven.)",),
        ("$8.50 nine",),
    ]


def test_the_rules_say_what_ends_a_sentence() -> None:
    assert lines("a, b. c", CueRules(split_on=",")) == [("a,",), ("b. c",)]
    assert lines("a, b. c", CueRules(split_on="")) == [("a, b. c",)]
    assert lines('a" b" c', CueRules(split_on='"')) == [('a"',), ('b"',), ("c",)]


def test_a_pause_ends_the_cue() -> None:
    words = [Word("a", 0, 100), Word("b", 899, 1000), Word("c", 1800, 1900)]
    assert [cue.lines for cue in cues(words, RULES)] == [("a b",), ("c",)]


def test_a_huge_gap_is_in_no_cue() -> None:
    words = [Word("a", 0, 100), Word("b", 36_000_000, 36_000_100)]
    assert [(cue.start, cue.end) for cue in cues(words, RULES)] == [
        (0, 100),
        (36_000_000, 36_000_100),
    ]


def test_lines_are_balanced() -> None:
    text = "This is a sentence of some words that needs two lines"
    assert lines(text) == [("This is a sentence of some", "words that needs two lines")]


def test_what_does_not_fit_goes_to_the_next_cue() -> None:
    rules = CueRules(max_chars=10, max_lines=2)
    assert lines("one two three four five six", rules) == [
        ("one two", "three four"),
        ("five six",),
    ]


def test_a_word_wider_than_a_line_stands_alone_and_whole() -> None:
    assert lines("a incomprehensible b", CueRules(max_chars=5, max_lines=3)) == [
        ("a", "incomprehensible", "b")
    ]


def test_a_full_width_character_takes_two_columns() -> None:
    words = [Word(text, 100 * n, 100 * n + 100) for n, text in enumerate("你好世界我")]
    found = cues(words, CueRules(max_chars=8, max_lines=1))
    assert [cue.lines for cue in found] == [("你好世界",), ("我",)]
    assert columns("你a好") == 5


def test_what_stands_upon_a_letter_takes_no_column() -> None:
    decomposed = "e\N{COMBINING ACUTE ACCENT}"
    assert lines(f"{decomposed * 2} {decomposed * 2}", CueRules(max_chars=5, max_lines=1)) == [
        (f"{decomposed * 2} {decomposed * 2}",)
    ]
    assert columns("हिन्दी") == 5
    assert columns("a\N{ZERO WIDTH JOINER}b") == 2


def test_a_cue_lasts_no_longer_than_the_rules_say() -> None:
    found = cues(said("a b c d e", length=1000), CueRules(max_cue=2.0))
    assert [(cue.start, cue.end) for cue in found] == [(0, 2000), (2000, 4000), (4000, 5000)]


def test_a_word_that_outlasts_a_cue_is_shown_for_its_beginning() -> None:
    (cue,) = cues([Word("Ohm", 100, 60_100)], RULES)
    assert (cue.start, cue.end) == (100, 7100)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"max_chars": 0},
        {"max_lines": 0},
        {"max_cue": 0.0},
        {"max_cue": float("nan")},
        {"max_cue": float("inf")},
        {"gap_split": -0.1},
        {"gap_split": float("nan")},
    ],
)
def test_rules_that_no_cue_can_keep_are_refused(nonsense: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        replace(RULES, **nonsense)  # type: ignore[arg-type]


_TEXTS = st.text(alphabet="ab.!”,你。é", min_size=1, max_size=9)
_STEPS = st.tuples(
    _TEXTS, st.integers(0, 1500), st.integers(0, 4000), st.sampled_from([None, True, False])
)


@st.composite
def timed(draw: st.DrawFn) -> list[Word]:
    words: list[Word] = []
    at = 0
    for text, pause, length, spaced in draw(st.lists(_STEPS, max_size=30)):
        words.append(Word(text, at + pause, at + pause + length, spaced))
        at += pause + length
    return words


_RULES = st.builds(
    CueRules,
    max_chars=st.integers(1, 30),
    max_lines=st.integers(1, 4),
    max_cue=st.floats(0.5, 10),
    gap_split=st.floats(0, 2),
    split_on=st.sampled_from([".!?…。！？", "", ",", "”"]),
)


@given(timed(), _RULES)
def test_cues_keep_every_word_whole_and_in_order(words: list[Word], rules: CueRules) -> None:
    found = cues(words, rules)
    shown = [word for cue in found for word in cue.words]
    assert [(word.text, word.start) for word in shown] == [(w.text, w.start) for w in words]
    assert all(seen.end <= word.end for seen, word in zip(shown, words, strict=True))
    for cue in found:
        assert "".join(cue.lines).replace(" ", "") == "".join(word.text for word in cue.words)


@given(timed(), _RULES)
def test_cues_respect_every_limit(words: list[Word], rules: CueRules) -> None:
    for cue in cues(words, rules):
        assert 1 <= len(cue.lines) <= rules.max_lines
        assert cue.end - cue.start <= round(rules.max_cue * 1000)
        for row, line in zip(cue.rows, cue.lines, strict=True):
            wide = sum(2 if unicodedata.east_asian_width(c) in "FW" else 1 for c in line)
            assert wide <= rules.max_chars or len(row) == 1
        for before, after in pairwise(cue.words):
            assert after.start - before.end < round(rules.gap_split * 1000)
            assert not before.text.endswith(tuple(rules.split_on))


@given(timed(), _RULES)
def test_cues_do_not_overlap_and_hold_their_words(words: list[Word], rules: CueRules) -> None:
    found = cues(words, rules)
    assert all(before.end <= after.start for before, after in pairwise(found))
    for cue in found:
        assert all(cue.start <= word.start <= word.end <= cue.end for word in cue.words)


@given(timed(), _RULES)
def test_no_other_layout_needs_fewer_lines(words: list[Word], rules: CueRules) -> None:
    for cue in cues(words, rules):
        for above, below in pairwise(cue.rows):
            joined = replace(cue, rows=((*above, *below),)).lines[0]
            if len(cue.rows) == 2:
                assert columns(joined) > rules.max_chars


def test_a_cue_is_its_rows() -> None:
    cue = Cue(((Word("a", 0, 1),), (Word("b", 2, 3), Word("c", 4, 5))))
    assert (cue.lines, cue.start, cue.end, len(cue.words)) == (("a", "b c"), 0, 5, 3)
