"""Long text in pieces, at once and while it is being written; joined again it is the same text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncflow_cli.protocol.markup import Break, parse
from asyncflow_cli.protocol.splitting import SentenceSplitter, split
from asyncflow_cli.protocol.transcript import FIRST, MOST

TAGS = (
    "<break time='400ms'/>",
    "<digits>1. 2! 3-4</digits>",
    "<phonemes>h ə. l oʊ</phonemes>",
    "<digits>" + "12 " * 20 + "</digits>",
)
WORDS = ("Hello", "Dr.", "3.14", "e.g.", "world.", "why?", "so,", '"Yes!"', "(no)", "…", "é", "—")

anything = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            (*TAGS, *WORDS, " ", "\n", "。", "你好", "<", "<digits>", "</b>", "🇩🇪", "👩🏽‍🚀")
        ),
    ),
    max_size=40,
).map("".join)
prose = st.lists(st.sampled_from((*TAGS, *WORDS)), min_size=1, max_size=80).map(" ".join)


def pieces_as_written(chunks: list[str], *, most: int = MOST) -> list[str]:
    splitter = SentenceSplitter(most=most)
    pieces = [piece for chunk in chunks for piece in splitter.feed(chunk)]
    return [*pieces, splitter.flush()]


def in_chunks(text: str, sizes: list[int]) -> list[str]:
    chunks, start = [], 0
    for size in sizes:
        chunks.append(text[start : start + size])
        start += size
    return [*chunks, text[start:]]


def tags(text: str) -> list[str]:
    """Breaks and the content of pairs, wherever they stand."""
    return [
        f"{s.seconds}" if isinstance(s, Break) else s.text
        for s in parse(text)
        if type(s).__name__ != "Text"
    ]


# --- the whole text ------------------------------------------------------------------------


@given(anything, st.integers(1, 60), st.integers(1, 60))
def test_the_pieces_joined_are_the_text(text: str, first: int, most: int) -> None:
    assert "".join(split(text, first=first, most=most)) == text


@given(anything, st.integers(1, 60))
def test_no_tag_is_cut_and_no_pair_is_parted(text: str, most: int) -> None:
    pieces = split(text, first=most, most=most)
    assert [tag for piece in pieces for tag in tags(piece)] == tags(text)


@given(prose, st.integers(20, 60))
def test_no_word_is_cut_that_fits_in_a_piece(text: str, most: int) -> None:
    pieces = split(text, first=most, most=most)
    assert all(piece[-1] == " " for piece in pieces[:-1])


@given(st.text(alphabet="ab. ,!?\n你。", max_size=300), st.integers(1, 40))
def test_no_piece_is_longer_than_asked(text: str, most: int) -> None:
    assert all(len(piece.strip()) <= most for piece in split(text, first=most, most=most))


@given(st.lists(st.sampled_from(WORDS[:9]), min_size=1).map(" ".join), st.integers(10, 60))
def test_every_piece_has_something_to_say(text: str, most: int) -> None:
    assert all(any(map(str.isalnum, piece)) for piece in split(text, first=most, most=most))


@given(anything, st.integers(1, 30))
def test_no_piece_begins_with_a_mark_that_belongs_to_the_character_before(
    text: str, most: int
) -> None:
    for piece in split(text, first=most, most=most)[1:]:
        assert not unicodedata.category(piece[0]).startswith("M")
        assert piece[0] not in "\u200d\U0001f3fd"


def test_a_short_text_is_one_piece() -> None:
    assert split("Hello. How are you?") == ["Hello. How are you?"]


def test_nothing_is_no_piece_and_a_blank_text_is_itself() -> None:
    assert split("") == []
    assert split(" \n") == [" \n"]


def test_the_first_piece_is_small_and_the_others_are_full_of_sentences() -> None:
    text = "This is a sentence of forty characters. " * 100
    pieces = split(text)
    assert len(pieces[0]) == FIRST
    assert [len(piece) for piece in pieces[1:3]] == [1480, 1480]
    assert all(piece.endswith(". ") for piece in pieces)


@pytest.mark.parametrize(
    "text",
    [
        "One two. | Three four",
        "One two! | Three four",
        "He said: “One.” | Then two",
        "Is it “one”? (Yes.) | Then two",
        "你好世界。| 今天天气很好",
        "「はい。」| そうです",
        "नमस्ते दुनिया। | कैसे हो",
        "مرحبا بك؟ | نعم شكرا",
        "A heading\n| \nThe paragraph",
        "See e.g. | the",  # Only where nothing better is in reach.
        "One, two, | three four",
        "Eins zwei <break time='1s'/> | drei vier",
        "So one. <break time='1s'/> | Three four",
        "It was 3.14 | exactly so",
        "Meet Dr. Smith. | He is in",
        "Call J. S. Bach. | He is in",
        "In the U.S. it is. | Right now",
        "On the 3. Mai it. | Then more",
        "See No. 5 now. | Then more",
        "He said no. | Then more said",
        "You and I. | Then more said",
        "Wait... what, | he asked then",
    ],
)
def test_the_best_place_in_reach_is_taken(text: str) -> None:
    first, rest = text.replace("| ", "|").split("|")
    if "\n" in first:
        first, rest = first + "\n", rest.removeprefix("\n")
    reach = max(len(first.strip()), len(first) + min(3, len(rest) - 1))
    assert split(first + rest, first=reach, most=MOST)[0] == first


def test_a_word_longer_than_a_piece_is_cut_but_not_its_characters() -> None:
    assert split("e\u0301" * 4, first=3, most=4) == ["e\u0301", "e\u0301" * 2, "e\u0301"]
    assert split("👩🏽‍🚀👩🏽‍🚀", first=5, most=5) == ["👩🏽‍🚀", "👩🏽‍🚀"]
    assert split("One.  \u0301x two", first=5, most=9) == ["One. ", " \u0301x two"]
    assert split("🇩🇪🇫🇷🇮🇹", first=3, most=3) == ["🇩🇪", "🇫🇷", "🇮🇹"]


def test_a_name_in_writing_without_spaces_stays_whole() -> None:
    assert split("我昨天买了一台iPhone15手机", first=10, most=99)[0] == "我昨天买了一台"


def test_a_pair_longer_than_a_piece_stays_whole() -> None:
    pair = "<digits>" + "12 " * 100 + "</digits>"
    assert split(f"Dial {pair} now", first=20, most=20) == ["Dial ", f"{pair} ", "now"]


def test_a_no_break_space_is_no_place_to_cut() -> None:
    assert split("It is 10\u00a0km away", first=9, most=99) == ["It is ", "10\u00a0km away"]


@pytest.mark.parametrize("piece", ["<digits>", "<phonemes><break>", "!", '")', "a<", "\n", "</b>"])
def test_hostile_text_costs_linear_time(piece: str) -> None:
    assert "".join(split(piece * 20_000)) == piece * 20_000
    assert "".join(pieces_as_written([piece * 20_000])) == piece * 20_000


# --- text while it is written --------------------------------------------------------------


@given(anything, st.lists(st.integers(0, 12)), st.integers(1, 60))
def test_however_it_arrives_the_pieces_joined_are_the_text(
    text: str, sizes: list[int], most: int
) -> None:
    assert "".join(pieces_as_written(in_chunks(text, sizes), most=most)) == text


@given(prose, st.lists(st.integers(0, 12)))
def test_how_it_arrives_changes_no_piece(text: str, sizes: list[int]) -> None:
    assert pieces_as_written(in_chunks(text, sizes)) == pieces_as_written([text])


@given(prose, st.lists(st.integers(0, 12)))
def test_no_tag_and_no_word_is_cut_while_it_arrives(text: str, sizes: list[int]) -> None:
    pieces = pieces_as_written(in_chunks(text, sizes), most=80)
    assert [tag for piece in pieces for tag in tags(piece)] == tags(text)
    assert all(piece[-1] in " >" for piece in pieces[:-1])


@given(prose, st.lists(st.integers(0, 12)))
def test_releasing_between_chunks_cuts_no_word_and_no_tag(text: str, sizes: list[int]) -> None:
    splitter, pieces = SentenceSplitter(), []
    for chunk in in_chunks(text, sizes):
        pieces += [*splitter.feed(chunk), splitter.release()]
    pieces.append(splitter.flush())
    assert "".join(pieces) == text
    assert [tag for piece in pieces for tag in tags(piece)] == tags(text)
    spoken = [piece for piece in pieces if piece]
    assert all(piece[-1] == " " for piece in spoken[:-1])


def test_a_sentence_leaves_when_the_next_begins() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("Hello, Dr. ") == []
    assert splitter.feed("Smith. ") == []
    assert splitter.feed("How") == ["Hello, Dr. Smith. "]
    assert splitter.flush() == "How"
    assert splitter.flush() == ""


def test_a_sentence_leaves_at_the_end_of_its_line() -> None:
    assert SentenceSplitter().feed("Hello.\n") == ["Hello.\n"]


def test_an_unfinished_tag_is_waited_for() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("Dial <digits>1. ") == []
    assert splitter.release() == "Dial "
    assert splitter.feed("2</dig") == []
    assert splitter.feed("its> now. <br") == []
    assert splitter.feed("eak time='1s'/> Then") == [
        "<digits>1. 2</digits> now. <break time='1s'/> "
    ]


def test_a_pair_that_is_never_closed_is_text_in_the_end() -> None:
    splitter = SentenceSplitter(most=50)
    pieces = splitter.feed("<digits>" + "One two. " * 30)
    assert len(pieces) > 10
    assert all(len(piece) <= 100 for piece in pieces)


def test_endless_text_without_a_sentence_is_not_kept_for_ever() -> None:
    splitter = SentenceSplitter(most=100)
    for chunk in ("word ", "a", "你", " "):
        pieces = splitter.feed(chunk * 1000)
        assert pieces
        assert len(splitter.flush()) <= 200
