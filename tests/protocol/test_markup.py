"""Breaks, digits and phonemes inside a transcript; everything else is text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.protocol.markup import Break, Digits, Phonemes, Text, parse


def test_a_plain_transcript_is_one_segment() -> None:
    assert parse("Hello, world.") == (Text("Hello, world.", 0),)


def test_nothing_has_no_segments() -> None:
    assert parse("") == ()


def test_each_segment_knows_where_its_text_begins() -> None:
    assert parse("PIN <digits>12-34</digits>.<break time='400ms'/> Say <phonemes>x</phonemes>") == (
        Text("PIN ", 0),
        Digits("12-34", 12),
        Text(".", 26),
        Break(0.4, 27),
        Text(" Say ", 48),
        Phonemes("x", 63),
    )


def test_offsets_count_code_points() -> None:
    assert parse("😀é<break time='1s'/>") == (Text("😀é", 0), Break(1.0, 2))


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ("<break time='400ms'/>", 0.4),
        ('<break time="400ms"/>', 0.4),
        ("<break time='0.5s' />", 0.5),
        ("<break  time = '.5s'/>", 0.5),
        ("<break time='1.5ms'/>", 0.0015),
        ("<break time='0s'/>", 0.0),
    ],
)
def test_a_break_may_be_written_so(tag: str, seconds: float) -> None:
    (segment,) = parse(tag)
    assert isinstance(segment, Break)
    assert segment.seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "<break/>",
        "<break time='400'/>",
        "<break time='400ms'>",
        "<break time='400ms\"/>",
        "<break time='-1s'/>",
        "<break time='1,5s'/>",
        "<break time='١s'/>",
        "<digits>12",
        "12</digits>",
        "<digits>1<digits>2",
        "<phonemes>a",
        "a < b > c",
        "<emphasis>really</emphasis>",
    ],
)
def test_a_malformed_tag_is_text(text: str) -> None:
    assert parse(text) == (Text(text, 0),)


def test_a_break_inside_phonemes_is_a_break_and_the_rest_is_text() -> None:
    assert parse("<phonemes>a<break time='1s'/>b</phonemes>") == (
        Text("<phonemes>a", 0),
        Break(1.0, 11),
        Text("b</phonemes>", 29),
    )


def test_an_empty_tag_is_a_segment_without_text() -> None:
    assert parse("<digits></digits>") == (Digits("", 8),)


_PIECES = st.sampled_from(
    [*"<>/'\" =ab1", "<break time='", "ms'/>", "<digits>", "</digits>", "<phonemes>", "</phonemes>"]
)


@given(st.lists(st.one_of(_PIECES, st.text(max_size=3)), max_size=30).map("".join))
def test_the_text_of_every_segment_stands_at_its_offset(transcript: str) -> None:
    end = 0
    for segment in parse(transcript):
        assert segment.offset >= end
        if not isinstance(segment, Break):
            end = segment.offset + len(segment.text)
            assert transcript[segment.offset : end] == segment.text


@given(st.text(alphabet=st.characters(exclude_characters="<")))
def test_text_without_an_angle_is_never_taken_apart(transcript: str) -> None:
    assert parse(transcript) == ((Text(transcript, 0),) if transcript else ())


def test_hostile_text_costs_linear_time() -> None:
    for piece in ("<digits>", "<break ", "<break time='1", "<phonemes>a"):
        assert parse(piece * 50_000) == (Text(piece * 50_000, 0),)
