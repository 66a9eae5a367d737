"""Word times as the service sends them: read, shifted, doubted, repaired."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.errors import IncompleteError
from asyncflow_cli.protocol.timings import (
    Word,
    clock,
    problems,
    read,
    repaired,
    shifted,
    spaced,
    text_of,
)

# The shape of https://docs.async.com's example; numbers may be fractional.
ANSWER = b"""{
  "audio_base64": "UklGRg==",
  "alignment": {
    "words": ["Welcome", "to", "Async."],
    "word_start_times_milliseconds": [0, 406.349, 510.8],
    "word_end_times_milliseconds": [406.349, 510.8, 1010]
  }
}"""


def test_the_documented_answer_becomes_words() -> None:
    alignment = msgspec.json.decode(ANSWER)["alignment"]
    words = read(
        alignment["words"],
        alignment["word_start_times_milliseconds"],
        alignment["word_end_times_milliseconds"],
    )
    assert words == (Word("Welcome", 0, 406), Word("to", 406, 511), Word("Async.", 511, 1010))
    assert problems(words, 1.01) == []


@pytest.mark.parametrize(("texts", "starts", "ends"), [(1, 2, 2), (2, 1, 2), (2, 2, 1), (0, 0, 1)])
def test_arrays_of_unequal_length_are_incomplete(texts: int, starts: int, ends: int) -> None:
    with pytest.raises(IncompleteError) as caught:
        read(["word"] * texts, [0.0] * starts, [0.0] * ends)
    assert caught.value.code == "UNEQUAL_TIMINGS"
    assert f"{texts} words with {starts} starts and {ends} ends" in caught.value.message


def test_no_words_are_no_words() -> None:
    assert read([], [], []) == ()
    assert problems([], 1.0) == []
    assert repaired([], 1.0) == ()
    assert text_of([]) == ""


def test_a_word_is_one_line_and_not_empty() -> None:
    words = read([" New\n York\x00", " ", "is\u2028big"], [0, 1, 2], [1, 2, 3])
    assert [word.text for word in words] == ["New York", "is big"]


def test_words_are_shifted_by_measured_audio() -> None:
    assert shifted([Word("a", 0, 100), Word("b", 100, 250, spaced=False)], 12.3456) == (
        Word("a", 12346, 12446),
        Word("b", 12446, 12596, spaced=False),
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([Word("a", 200, 100)], "Word 1 (a) ends at 0.100 s, before it begins at 0.200 s"),
        ([Word("a", -21, 100)], "Word 1 (a) begins at -0.021 s, before the audio"),
        ([Word("a", 0, 1021)], "Word 1 (a) lasts until 1.021 s, but the audio ends at 1.000 s"),
        (
            [Word("a", 500, 500), Word("b", 499, 600)],
            "Word 2 (b) begins at 0.499 s, but the word before it at 0.500 s",
        ),
        (
            [Word("a", 0, 500), Word("b", 479, 600)],
            "Word 2 (b) begins at 0.479 s, but the word before it lasts until 0.500 s",
        ),
    ],
)
def test_impossible_times_are_told(words: list[Word], complaint: str) -> None:
    assert problems(words, 1.0) == [complaint]


def test_a_frame_of_overlap_or_excess_is_no_problem() -> None:
    assert problems([Word("a", -20, 500), Word("b", 480, 1020)], 1.0) == []


_WORDS = st.lists(
    st.builds(
        Word,
        st.sampled_from(["a", "bc", "你", "。"]),
        st.integers(-500, 5000),
        st.integers(-500, 5000),
    ),
    max_size=12,
)


@given(_WORDS, st.floats(0, 5))
def test_repaired_times_have_no_problems_and_all_words(words: list[Word], seconds: float) -> None:
    mended = repaired(words, seconds)
    assert [word.text for word in mended] == [word.text for word in words]
    assert problems(mended, seconds) == []
    assert all(before.end <= after.start for before, after in pairwise(mended))
    assert all(0 <= w.start <= w.end <= round(seconds * 1000) for w in mended)


@given(_WORDS, st.floats(0, 5))
def test_repair_leaves_what_is_in_order(words: list[Word], seconds: float) -> None:
    mended = repaired(words, seconds)
    assert repaired(mended, seconds) == mended


def test_seconds_are_written_exactly() -> None:
    assert [clock(time) for time in (0, 7, 1010, 3_600_000, -21)] == [
        "0.000",
        "0.007",
        "1.010",
        "3600.000",
        "-0.021",
    ]


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (["Hello", "world"], "Hello world"),
        (["你", "好，", "世", "界。"], "你好，世界。"),
        (["カ", "ラ", "オ", "ケ"], "カラオケ"),
        (["안녕", "하세요"], "안녕 하세요"),
        (["我", "用", "Python", "写"], "我用Python写"),
    ],
)
def test_script_decides_where_spaces_stand(texts: list[str], line: str) -> None:
    assert text_of([Word(text, 0, 0) for text in texts]) == line


def test_what_the_source_says_of_a_space_wins() -> None:
    assert spaced(Word("Python", 0, 0, spaced=True), Word("を", 0, 0))
    assert not spaced(Word("a", 0, 0, spaced=False), Word("b", 0, 0))
