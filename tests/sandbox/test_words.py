"""Word times from events such as espeak really sends; the numbers are samples at 22 050 Hz."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.sandbox.words import Event, Span, Timing, spans_of, timings


def word(sample: int, position: int) -> Event:
    return Event("word", sample, position)


def sound(sample: int) -> Event:
    return Event("sound", sample)


def pause(sample: int) -> Event:
    return Event("pause", sample)


def heard(text: str, events: list[Event], samples: int) -> list[tuple[str, int, int]]:
    return [
        (text[span.start : span.end], start, end)
        for span, start, end in timings(text, events, samples)
    ]


def test_a_word_ends_where_the_next_begins() -> None:
    events = [word(0, 0), sound(0), word(2755, 3), sound(3041), sound(9747)]
    assert heard("In front", events, 10675) == [("In", 0, 2755), ("front", 2755, 10675)]


def test_the_pause_behind_a_word_is_not_part_of_it() -> None:
    events = [word(0, 0), sound(0), pause(5000), pause(8000), word(9000, 5), sound(9000)]
    events += [sound(12000), pause(15000)]
    assert heard("Yes, no.", events, 15176) == [("Yes,", 0, 5000), ("no.", 9000, 15000)]


def test_a_pause_inside_a_word_does_not_end_it() -> None:
    events = [word(0, 0), sound(0), pause(100), sound(200), pause(900)]
    assert heard("uh-oh", events, 1000) == [("uh-oh", 0, 900)]


def test_of_the_is_one_event_and_two_words() -> None:
    events = [word(0, 0), sound(0), word(5000, 7), sound(5000)]
    assert heard("of the house", events, 9000) == [
        ("of", 0, 2000),
        ("the", 2000, 5000),
        ("house", 5000, 9000),
    ]


def test_a_price_is_one_word_of_six_events() -> None:
    positions = (31, 32, 33, 33, 33, 38)
    text = "In front of the house, it cost $12.50 today"
    events = [word(0, 0), *(word(1000 * n, p) for n, p in enumerate(positions, 1))]
    assert heard(text, events, 7000)[-2:] == [("$12.50", 1000, 6000), ("today", 6000, 7000)]


def test_a_position_never_leads_backwards() -> None:
    events = [word(0, 0), word(1000, 4), word(2000, 1), word(3000, 8)]
    assert heard("one two six", events, 4000) == [
        ("one", 0, 1000),
        ("two", 1000, 3000),
        ("six", 3000, 4000),
    ]


def test_a_position_may_be_one_or_two_short_after_a_full_stop() -> None:
    for short in (1, 2):
        events = [word(0, 0), word(1000, 5 - short)]
        assert heard("One. Two.", events, 2000) == [("One.", 0, 1000), ("Two.", 1000, 2000)]


def test_chinese_is_timed_by_the_character() -> None:
    events = [word(0, 0), word(10094, 2), word(15955, 3), pause(22762), word(30082, 5)]
    assert heard("你好世界。我", events, 34829) == [
        ("你", 0, 5047),
        ("好", 5047, 10094),
        ("世", 10094, 15955),
        ("界。", 15955, 22762),
        ("我", 30082, 34829),
    ]


def test_kana_have_an_event_each_at_one_position() -> None:
    events = [word(0, 0), word(4501, 0), word(6449, 0)]
    assert heard("こんに", events, 9738) == [
        ("こ", 0, 4501),
        ("ん", 4501, 6449),
        ("に", 6449, 9738),
    ]


def test_punctuation_that_stands_alone_goes_with_its_word() -> None:
    text = "« Oui » ? ( non )"
    events = [word(100, 2), word(2000, 12)]
    assert heard(text, events, 3000) == [("« Oui » ?", 100, 2000), ("( non )", 2000, 3000)]


def test_a_sign_that_is_spoken_is_a_word() -> None:
    events = [word(0, 0), word(1000, 4)]
    assert heard("100 %", events, 2000) == [("100", 0, 1000), ("%", 1000, 2000)]


def test_silent_punctuation_alone_is_no_word() -> None:
    assert heard("... !", [], 176) == []


def test_words_without_any_event_share_the_time_by_letters() -> None:
    assert heard("ab c", [], 300) == [("ab", 0, 200), ("c", 200, 300)]


def test_given_spans_are_taken_as_they_are() -> None:
    events = [word(0, 3), sound(0), word(500, 10), sound(500), pause(900)]
    whole = Span(2, 15)
    assert timings("[[h@l'oU w'3:ld]]", events, 1000, [whole]) == [Timing(whole, 0, 900)]


_EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from(["word", "sound", "pause"]),
        st.integers(0, 9999),
        st.integers(-1, 60),
    ),
    max_size=40,
)


@given(st.text(alphabet="ab1 .,-$«»你こ\n", max_size=40), _EVENTS)
def test_whatever_the_engine_says_times_are_in_order_and_inside(
    text: str, events: list[Event]
) -> None:
    found = timings(text, sorted(events, key=lambda event: event.sample), 10_000)
    for timing in found:
        assert 0 <= timing.start <= timing.end <= 10_000
        assert text[timing.span.start : timing.span.end].strip()
    for before, after in pairwise(found):
        assert before.end <= after.start
        assert before.span.end <= after.span.start


@given(st.text(alphabet="ab1 .,-$«»你こ\n", max_size=40), _EVENTS)
def test_no_letter_is_left_without_a_time(text: str, events: list[Event]) -> None:
    covered = {
        index
        for timing in timings(text, sorted(events, key=lambda event: event.sample), 10_000)
        for index in range(*timing.span)
    }
    assert {index for index, letter in enumerate(text) if letter.isalnum()} <= covered


def test_spans_are_what_white_space_divides() -> None:
    assert spans_of(" one\ttwo,  three ") == [Span(1, 4), Span(5, 9), Span(11, 16)]
