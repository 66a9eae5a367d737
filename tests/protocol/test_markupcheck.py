"""Mark-up that would not be understood: found, shown under a caret, or made plain text."""

from __future__ import annotations

from unicodedata import category, east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.protocol.markup import Text, parse
from asyncflow_cli.protocol.markupcheck import MarkupProblem, check, escape, explain

MARKS = ("Mn", "Me", "Cf")
_PIECES = (
    *"<>/'\" =ab1\n\t你",
    "<break time='1s'/>",
    "<break",
    " time='9",
    "<digits>",
    "</digits>",
    "<phonemes>",
    "</phonemes>",
    "<b>",
    "<Break/>",
)
hostile = st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=3)), max_size=25).map(
    "".join
)


@pytest.mark.parametrize(
    "text",
    [
        "Hello, world.",
        "PIN <digits>12-34 (5.6)</digits>.<break time='400ms'/> <phonemes>h ə</phonemes>",
        '<break time="0.5s" />',
        "a < b, 1<2, <3, x<y and <me@example.com> or <https://example.com>",
        "if a<b and c>d then <- stop",
    ],
)
def test_what_is_right_or_no_markup_is_left_in_peace(text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize(
    ("text", "marked", "words"),
    [
        ("a <b>c", "<b>", "unknown"),
        ("</emphasis>", "</emphasis>", "unknown"),
        ("<say-as interpret-as='x'>1", "<say-as interpret-as='x'>", "unknown"),
        ("<break/>", "<break/>", "needs a time"),
        ("<break time='400'/>", "<break time='400'/>", "'400' is no time"),
        ("<break time='1m'/>", "<break time='1m'/>", "'1m' is no time"),
        ("<break time='-1s'/>", "<break time='-1s'/>", "'-1s' is no time"),
        ("<break time=1s/>", "<break time=1s/>", "in quotes"),
        ("<break time='1s' x='1'/>", "<break time='1s' x='1'/>", "nothing else"),
        ("<break time='1s'>", "<break time='1s'>", "ends in />"),
        ("</break>", "</break>", "no closing tag"),
        ("so <break time='1s'", "<break time='1s'", "has no >"),
        ("1 <digits>2", "<digits>", "never closed"),
        ("1</digits>", "</digits>", "closes nothing"),
        ("<digits>1<digits>2</digits>", "<digits>", "may not stand inside <digits>"),
        ("<digits>1</phonemes></digits>", "</phonemes>", "may not stand inside <digits>"),
        ("<phonemes>a<break time='1s'/></phonemes>", "<break time='1s'/>", "inside <phonemes>"),
        ("<Digits>1</digits>", "<Digits>", "small letters"),
        ("<digits x='1'>1</digits>", "<digits x='1'>", "nothing but its name"),
        ("<digits >1</digits>", "<digits >", "space before"),
        ("<digits>12x4</digits>", "x", "'x' may not stand in <digits>"),
        ("<digits>1–2</digits>", "–", "may not stand in <digits>"),
        ("<phonemes>a < b</phonemes>", "<", "no phoneme"),
    ],
)
def test_an_error_tells_its_place(text: str, marked: str, words: str) -> None:
    (problem,) = check(text)
    assert text[problem.offset : problem.offset + problem.length] == marked
    assert words in problem.message
    assert problem.severity == "error"


@pytest.mark.parametrize(
    "text",
    ["<break time='0s'/>", "<break time='5ms'/>", "<break time='11s'/>", "<digits> </digits>"],
)
def test_a_doubt_is_a_warning(text: str) -> None:
    (problem,) = check(text)
    assert problem.severity == "warning"


def test_all_problems_are_told_in_the_order_of_the_text() -> None:
    problems = check("</digits> <b> <digits>a</digits> <break/> <phonemes>")
    assert [problem.offset for problem in problems] == [0, 10, 22, 33, 42]


@given(hostile)
def test_every_problem_lies_in_the_text(text: str) -> None:
    for problem in check(text):
        assert 0 <= problem.offset < problem.offset + problem.length <= len(text)


# --- the caret -----------------------------------------------------------------------------


def explained(text: str, width: int = 80) -> list[str]:
    (problem,) = check(text)
    return explain(text, problem, width=width).split("\n")


def test_the_caret_stands_under_the_tag() -> None:
    assert explained("Hi <b> there") == ["Hi <b> there", "   ^~~"]


def test_only_the_line_of_the_problem_is_shown() -> None:
    assert explained("one\ntwo <b>\nthree") == ["two <b>", "    ^~~"]


def test_wide_characters_take_two_columns_and_marks_none() -> None:
    assert explained("日本e\u0301<b>") == ["日本e\u0301<b>", "     ^~~"]


def test_tabs_and_escapes_do_not_shift_the_caret_or_reach_the_terminal() -> None:
    assert explained("\t\x1b[1m\r<b>") == [" �[1m <b>", "      ^~~"]


def test_a_long_line_is_shown_around_the_problem() -> None:
    line, carets = explained("x" * 200 + "<b>" + "y" * 200, width=30)
    assert line == "…" + "x" * 9 + "<b>" + "y" * 16 + "…"
    assert carets == " " * 10 + "^~~"


@given(hostile, st.integers(8, 60), st.data())
def test_no_line_is_wider_than_the_terminal(text: str, width: int, data: st.DataObject) -> None:
    text = "a" + text
    offset = data.draw(st.integers(0, len(text) - 1))
    line, carets = explain(text, MarkupProblem(offset, 5, "?"), width=width).split("\n")
    assert len(carets) <= width
    assert (
        sum(
            2 if east_asian_width(sign) in "WF" else 1
            for sign in line
            if category(sign) not in MARKS
        )
        <= width
    )


# --- plain text ----------------------------------------------------------------------------


@given(hostile)
def test_escaped_text_has_no_markup_and_keeps_every_place(text: str) -> None:
    escaped = escape(text)
    assert check(escaped) == []
    assert all(isinstance(segment, Text) for segment in parse(escaped))
    assert len(escaped) == len(text)
    assert escape(escaped) == escaped


def test_only_the_angles_of_tags_are_escaped() -> None:
    assert (
        escape("1 < 2 > 0 <b>x</b> <break time='1s'/>") == "1 < 2 > 0 ‹b›x‹/b› ‹break time='1s'/›"
    )


def test_hostile_text_costs_linear_time() -> None:
    for piece in ("<digits>", "<break time='1", "<phonemes>a", "<a b=", "</digits>"):
        assert len(escape(piece * 50_000)) == len(piece) * 50_000
        check(piece * 50_000)
