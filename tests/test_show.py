"""--show: what was made, drawn on the terminal."""

from __future__ import annotations

import io
from array import array

import pytest

from asyncflow_cli.output import Format, Output
from asyncflow_cli.protocol.timings import Word
from asyncflow_cli.protocol.waveform import ASCII, BLOCKS, Waveform
from tests.conftest import Run
from tests.test_tts import FOX

RATE = 1000
RISING = Waveform(array("h", [0] * 500 + [100] * 500 + [-200] * 500 + [300] * 500), RATE)


def drawn(waveform: Waveform, width: int, cells: str = BLOCKS) -> list[str]:
    return ["".join(text for text, _ in row) for row in waveform.rows(width, cells)]


def spoken(*words: tuple[str, int]) -> Waveform:
    """Two seconds of sound, and words by when they begin, in milliseconds."""
    samples = array("h", [100] * 2 * RATE)
    return Waveform(samples, RATE, tuple(Word(text, at, at + 100) for text, at in words))


def test_bars_are_as_high_as_it_is_loud_beside_the_loudest() -> None:
    assert drawn(RISING, 20) == [
        "               █████",
        "          ██████████",
        "     ███████████████",
        "0.0 s          2.0 s",
    ]


def test_in_ascii_nothing_else_is_drawn() -> None:
    assert drawn(RISING, 8, ASCII) == ["      ||", "    ||||", "  ||||||", "0.0 s"]


def test_silence_is_drawn_as_such() -> None:
    assert drawn(Waveform(array("h", [0] * RATE), RATE), 20)[:3] == ["", "", ""]
    assert drawn(Waveform(array("h"), RATE), 20) == []


def test_words_stand_where_they_begin() -> None:
    rows = drawn(spoken(("Hello", 0), ("there", 1000)), 40)
    assert rows[3:] == ["Hello               there", "0.0 s                              2.0 s"]


def test_words_that_would_touch_stand_on_lines_of_their_own() -> None:
    rows = drawn(spoken(("one", 0), ("two", 100), ("three", 250), ("four", 300)), 40)
    assert rows[3:-1] == ["one  three", "  two four"]


def test_a_word_at_the_edge_is_not_cut() -> None:
    assert drawn(spoken(("extraordinary", 1900)), 40)[3] == " " * 27 + "extraordinary"


def test_where_words_need_more_than_the_width_bands_follow() -> None:
    rows = drawn(spoken(("Hello", 0), ("there", 1000)), 20)
    assert [row for row in rows if not row.startswith("█")] == [
        *("Hello", "0.0 s          1.0 s"),
        *("there", "1.0 s          2.0 s"),
    ]


@pytest.mark.parametrize("file", ["fox.wav", "fox.mp3", "fox.raw"])
def test_speech_is_drawn_on_stderr(sandboxed: Run, file: str) -> None:
    result = sandboxed("tts", FOX, "-o", file, "--show", "--color", "always")
    assert (result.code, result.out) == (0, f"{file}\n")
    assert "█" in result.err


def test_words_are_drawn_under_their_sound(sandboxed: Run) -> None:
    result = sandboxed("timestamps", FOX, "--show", "--color", "always")
    assert (result.code, result.out) == (0, "")
    assert "█" in result.err
    assert all(word in result.err for word in FOX.split())


@pytest.mark.parametrize("flags", [(), ("--color", "never"), ("-q",), ("--json",)])
def test_nothing_is_drawn_where_nobody_sees_it(sandboxed: Run, flags: tuple[str, ...]) -> None:
    result = sandboxed("tts", FOX, "-o", "fox.wav", "--show", *flags)
    assert result.code == 0
    assert "█" not in result.err + result.out


def test_a_drawing_that_nobody_sees_is_nothing_to_ask_for(sandboxed: Run) -> None:
    result = sandboxed("timestamps", FOX, "--show")
    assert (result.code, result.out) == (2, "")
    assert "Nothing is asked for" in result.err


@pytest.mark.parametrize(
    ("term", "encoding", "plain"),
    [("xterm", "utf-8", False), ("dumb", "utf-8", True), ("xterm", "cp1252", True)],
)
def test_a_dumb_terminal_or_one_without_unicode_gets_ascii(
    monkeypatch: pytest.MonkeyPatch, term: str, encoding: str, plain: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    written = io.BytesIO()
    stderr = io.TextIOWrapper(written, encoding)
    Output(format=Format.HUMAN, color="always", stderr=stderr).drawing(RISING, ASCII)
    stderr.flush()
    assert ("|" in written.getvalue().decode(encoding)) == plain
