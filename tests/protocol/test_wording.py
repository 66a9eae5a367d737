"""Timed words get the source's punctuation, casing and spelling; nothing of it is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.protocol.timings import Word, text_of
from asyncflow_cli.protocol.wording import from_source


def said(*texts: str) -> list[Word]:
    """Words of 100 ms each, one after the other."""
    return [Word(text, 100 * n, 100 * n + 100) for n, text in enumerate(texts)]


def written(words: list[Word], source: str) -> list[tuple[str, int, int]]:
    return [(word.text, word.start, word.end) for word in from_source(words, source)]


def test_punctuation_and_casing_come_from_the_source() -> None:
    assert written(said("hello", "world", "its", "me"), "Hello, WORLD! It’s me…") == [
        ("Hello,", 0, 100),
        ("WORLD!", 100, 200),
        ("It’s", 200, 300),
        ("me…", 300, 400),
    ]


def test_a_price_is_one_word_however_it_is_spoken() -> None:
    spoken = said("it", "costs", "twelve", "dollars", "and", "fifty", "cents", "and", "more")
    assert written(spoken, "It costs $12.50, and more.") == [
        ("It", 0, 100),
        ("costs", 100, 200),
        ("$12.50,", 200, 700),
        ("and", 700, 800),
        ("more.", 800, 900),
    ]


@pytest.mark.parametrize(
    ("spoken", "source", "expected"),
    [
        ("give five million dollars today", "Give $5 million today.", "Give|$5|million|today."),
        ("twenty five percent off", "25 % off!", "25 %|off!"),
        ("25 % off", "25 % off!", "25 %|off!"),
        ("tom and jerry", "Tom & Jerry", "Tom &|Jerry"),
        ("doctor who et cetera", "Dr. Who, etc.", "Dr.|Who,|etc."),
        ("a well known thing", "A well-known thing", "A|well-known|thing"),
        ("we don 't know", "We don't know.", "We|don't|know."),
        ("cafe", "Café?", "Café?"),
        ("oui non", "« Oui » ? ( non )", "« Oui » ?|( non )"),
        ("a b", "a — b", "a —|b"),
        ("yes", '" yes ¡', '" yes ¡'),
    ],
)
def test_one_thing_said_in_two_ways(spoken: str, source: str, expected: str) -> None:
    words = said(*spoken.split())
    found = from_source(words, source)
    assert "|".join(word.text for word in found) == expected
    assert text_of(found) == source
    assert (found[0].start, found[-1].end) == (0, 100 * len(words))


def test_punctuation_the_service_times_by_itself_is_not_doubled() -> None:
    assert written(said("hello", ",", "world", "."), "Hello, world.") == [
        ("Hello,", 0, 100),
        ("world.", 200, 300),
    ]


def test_tags_are_no_captions() -> None:
    source = "Your PIN is <digits>12</digits>.<break time='1s'/>Bye!"
    assert written(said("your", "pin", "is", "one", "two", "bye"), source) == [
        ("Your", 0, 100),
        ("PIN", 100, 200),
        ("is", 200, 300),
        ("12.", 300, 500),
        ("Bye!", 500, 600),
    ]


def test_for_phonemes_the_service_names_the_word() -> None:
    source = "Say <phonemes>h@l'oU</phonemes>, please."
    words = from_source(said("say", "hello", "please"), source)
    assert text_of(words) == "Say hello, please."


def test_a_malformed_tag_is_text() -> None:
    assert text_of(from_source(said("a", "b"), "a <digits> b")) == "a <digits> b"


def test_chinese_gets_its_punctuation_and_no_spaces() -> None:
    words = from_source(said(*"你好世界我用", "python", "写"), "你好，世界。我用 Python写！")
    assert [word.text for word in words] == [
        "你",
        "好，",
        "世",
        "界。",
        "我",
        "用",
        "Python",
        "写！",
    ]
    assert text_of(words) == "你好，世界。我用 Python写！"


def test_a_chinese_word_of_two_characters_stays_whole() -> None:
    words = written(said("今天", "天气", "很好"), "今天天气很好。")
    assert words == [("今天", 0, 100), ("天气", 100, 200), ("很好。", 200, 300)]


def test_a_chinese_sentence_sent_as_one_word_is_shared_by_characters() -> None:
    words = from_source([Word("今天天气很好我们去", 0, 900)], "今天天气很好。我们去")
    assert [(word.text, word.end) for word in words][4:7] == [
        ("很", 500),
        ("好。", 600),
        ("我", 700),
    ]


def test_tokens_the_service_left_out_stand_in_the_pause() -> None:
    words = [Word("one", 0, 100), Word("four", 300, 400)]
    assert written(words, "One two, six four")[1:3] == [("two,", 100, 200), ("six", 200, 300)]


def test_words_that_the_source_does_not_explain_stand() -> None:
    spoken = said("hello", "big", "wide", "world")
    assert text_of(from_source(spoken, "Hello, world!")) == "Hello, big wide world!"
    assert text_of(from_source(said("quite", "another", "text"), "Il fait")) == "quite another text"


def test_without_words_or_source_there_is_nothing_to_do() -> None:
    assert from_source([], "Hello.") == ()
    assert from_source(said("hello"), " <break time='1s'/>") == tuple(said("hello"))


def test_a_source_of_signs_alone_is_one_word() -> None:
    assert written(said("..."), "… !") == [("… !", 0, 100)]


# What is written, and how it may be spoken.
_TOKENS = st.sampled_from(
    [
        ("Hello,", ("hello",)),
        ("the", ("the",)),
        ("the", ("The",)),
        ("and", ("and",)),
        ("“Café”!", ("cafe",)),
        ("$12.50", ("twelve", "dollars", "and", "fifty", "cents")),
        ("3rd", ("third",)),
        ("well-known", ("well", "known")),
        ("don’t", ("don't",)),
        ("—", ()),
        ("今", ("今",)),
        ("天气。", ("天", "气")),
    ]
)


@given(st.lists(_TOKENS, max_size=40), st.sampled_from([" ", "\n  "]))
def test_all_of_the_source_appears_once_and_in_order(
    tokens: list[tuple[str, tuple[str, ...]]], space: str
) -> None:
    source = space.join(text for text, _ in tokens)
    spoken = said(*(word for _, words in tokens for word in words))
    found = from_source(spoken, source)
    if spoken:
        assert text_of(found) == " ".join(source.split())
        assert (found[0].start, found[-1].end) == (spoken[0].start, spoken[-1].end)
    assert all(a.start <= a.end <= b.start for a, b in pairwise(found))


@given(st.lists(st.text(min_size=1, max_size=6).filter(str.strip), max_size=8), st.text())
def test_whatever_is_said_and_written_words_stay_in_order(texts: list[str], source: str) -> None:
    spoken = said(*texts)
    found = from_source(spoken, source)
    assert all(word.text for word in found)
    assert all(a.start <= a.end <= b.start for a, b in pairwise(found))
    assert all(0 <= word.start <= word.end <= 100 * len(spoken) for word in found)


def test_a_long_text_full_of_numbers_keeps_its_times() -> None:
    spoken: list[Word] = []
    source: list[str] = []
    starts: list[int] = []
    for index in range(1000):
        texts = ("five", "dollars", "and", "more") if index % 7 == 0 else (f"word{index % 50}",)
        source.append("$5+" if index % 7 == 0 else f"Word{index % 50},")
        starts.append(100 * len(spoken))
        spoken += [Word(t, 100 * n, 100 * n + 100) for n, t in enumerate(texts, len(spoken))]
    assert [word.start for word in from_source(spoken, " ".join(source))] == starts
