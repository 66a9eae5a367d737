"""Rows and columns on any width: nothing is lost, and no line is longer than it must be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asyncflow_cli.columns import Row, columns
from asyncflow_cli.output.layout import grid, table, wrapped
from tests.conftest import environment

TEXTS = st.lists(st.text("ab語é ", max_size=12), max_size=6).map(" ".join)
WIDTHS = st.integers(20, 120)


def lines(rows: Iterable[Row]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def words(texts: Iterable[str]) -> list[str]:
    return sorted(word for text in texts for word in text.split())


@given(TEXTS, WIDTHS, st.integers(0, 15), st.integers(0, 8))
@settings(max_examples=60)
def test_a_text_is_broken_between_words_alone(text: str, width: int, first: int, hang: int) -> None:
    head, *more = wrapped(text, width, first=first, hang=hang)
    assert words([head, *more]) == words([text])
    for line in [" " * first + head, *more]:
        assert columns(line.rstrip()) <= width or len(line.split()) == 1


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=5), WIDTHS)
@example([("aaaaaaa語", " aaaaa語語語", "aa aaaa語語")], 35)
@settings(max_examples=60)
def test_a_table_loses_nothing_however_narrow_it_is(
    rows: list[tuple[str, str, str]], width: int
) -> None:
    drawn = lines(table(("x", "y", "z"), rows, width))
    cut = words(drawn)
    for word in words(text for row in rows for text in row):
        assert word in cut
    assert all(columns(line) <= width or len(line.split()) <= 2 for line in drawn)


def test_a_pipe_gets_a_line_for_each_row() -> None:
    rows = [("a" * 200, "b c " * 100)]
    assert len(lines(table(("x", "y"), rows, None))) == 2
    assert len(lines(grid({"x": "b c " * 100}, None))) == 1


def test_less_and_less_room_makes_two_lines_of_a_row_and_then_a_block() -> None:
    titles, rows = ("id", "name", "language"), [("e0f39dc4-f691", "Adam", "en")]
    assert lines(table(titles, rows, 40)) == [
        "id             name  language",
        "e0f39dc4-f691  Adam  en",
    ]
    assert lines(table(titles, rows, 20)) == [
        "name  language",
        "  id",
        "Adam  en",
        "  e0f39dc4-f691",
    ]
    assert lines(table(titles, rows, 13)) == [
        *("e0f39dc4-f691", "  name", "    Adam", "  language", "    en"),
    ]


def test_what_would_be_broken_beside_its_name_stands_below_it() -> None:
    url = "http://127.0.0.1/a/long/way"
    assert lines(grid({"a name": url, "b": "c"}, 30)) == ["a name", f"  {url}", "b       c"]


@pytest.mark.parametrize("args", ["explain 24", "calls list", "voices lst", "config list"])
def test_a_pipe_is_written_to_without_rich(home: Path, args: str) -> None:
    code = (
        "import sys\n"
        "from asyncflow_cli.__main__ import main\n"
        f"sys.argv = ['asyncflow', *{args.split()!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(home), capture_output=True)
    assert done.returncode == 0, done.stderr
