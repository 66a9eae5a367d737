"""Every command, walked: its help is enough, and what its help shows works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asyncflow_cli import cli
from asyncflow_cli.manual.exits import FURTHER, TITLES
from asyncflow_cli.manual.page import Page
from asyncflow_cli.manual.reading import pages
from asyncflow_cli.manual.terminal import example, shown
from asyncflow_cli.manual.themes import PLAIN, THEMES
from asyncflow_cli.nearest import nearest
from asyncflow_cli.settings import FIELDS
from tests.conftest import Run
from tests.examples import run_line
from tests.test_schemas import EXAMPLES

PAGES = {page.command: page for page in pages(cli.build())}
COMMANDS = [page for page in PAGES.values() if page.sections[0].title != "Commands"]
SERVED = {"sandbox serve", "sandbox env"}
"""They need each other, and a shell: tests/test_sandbox_commands.py runs them."""
IDLE = {"calls hangup", "calls reap"}
"""Of commands that end calls, where there is none."""
FOX = "The quick brown fox jumps over the lazy dog, and then it goes to sleep."


def options(page: Page) -> dict[str, str]:
    rows = [row for section in page.sections for row in section.rows]
    return {row.term.replace("[no-]", ""): row.text for row in rows}


@pytest.fixture
def furnished(home: Path, sandboxed: Run) -> Path:
    """A home with the files that examples name."""
    (home / "talk.txt").write_text(FOX)
    (home / "smoke.yaml").write_text("steps: [{run: status}]")
    (home / "notice.txt").write_text("Your table is ready.")
    for name in ("me.wav", "order.mp3", "notice.mp3"):
        assert sandboxed("tts", FOX, "-o", name).code == 0
    return home


def test_every_command_says_what_it_is_for_and_shows_examples() -> None:
    for page in PAGES.values():
        assert page.paragraphs[0].endswith("."), page.path
        assert page.examples, page.path
        assert all("asyncflow" in line for line in page.examples), page.path


def test_no_option_and_no_argument_is_without_help() -> None:
    silent = [(p.path, t) for p in PAGES.values() for t, text in options(p).items() if not text]
    assert silent == []
    for page in PAGES.values():
        terms = set(re.findall(r"(?<![\w-])--?\w[\w-]*", " ".join(options(page))))
        for parameter in page.parameters:
            assert parameter.text, (page.path, parameter.name)
            assert set(parameter.flags) <= terms, "one that is hidden is for nobody"


def test_every_command_tells_its_exit_codes() -> None:
    assert {page.command for page in COMMANDS} == set(FURTHER)
    assert all(set(codes) <= set(TITLES) for codes in FURTHER.values())


def test_the_examples_of_every_help_run_against_the_sandbox(
    sandboxed: Run, furnished: Path
) -> None:
    ran = 0
    for page in COMMANDS:
        for line in page.examples if page.command not in SERVED else ():
            result = run_line(sandboxed, furnished, line)
            assert result.code == 0, (line, result.err)
            assert result.stdout or result.err, line
            ran += 1
    assert ran >= len(COMMANDS)


def test_a_quiet_command_says_nothing_but_its_result(sandboxed: Run) -> None:
    for name, args in EXAMPLES.items():
        result = sandboxed(*args, "--quiet")
        assert (result.code, result.err) == (0, ""), args
        assert bool(result.out.strip()) is (name not in IDLE), args
        assert not result.out.startswith('{"schema":'), args


@pytest.mark.parametrize("width", [40, 80, 120])
def test_help_fits_the_terminal_and_its_examples_can_still_be_pasted(width: int) -> None:
    for page in PAGES.values():
        lines = shown(page, width).splitlines()
        too_long = [line for line in lines if len(line) > width and "<" not in line]
        assert too_long == [], page.path
        for line in page.examples:
            parts = example(line, width - 2)
            assert " ".join(part.removesuffix(" \\").strip() for part in parts) == line


def test_examples_come_first_and_exit_codes_last(run: Run) -> None:
    for page in PAGES.values():
        help = run(*page.command.split(), "--help").out
        headings = re.findall(r"^([A-Z][\w ']+):$", help, re.M)
        assert (headings[0], headings[-1]) == ("Examples", "Exit codes"), page.path
        assert headings[-2] == "Options of every command"


def test_every_name_of_a_theme_is_one_of_an_option_and_no_long_help_is_without_themes() -> None:
    for page in COMMANDS:
        plain = [s for s in page.sections if s.title == PLAIN]
        if page.command in THEMES:
            assert plain == [], [row.term for section in plain for row in section.rows]
        else:
            assert all(len(section.rows) <= 12 for section in plain), page.path


def test_an_option_that_a_variable_can_stand_in_for_names_it() -> None:
    for command, option, setting in (
        ("tts", "--voice", "voice"),
        ("call", "--model", "model"),
        ("call", "--to", "to"),
        ("call", "--from", "from_"),
        ("status", "--base-url", "base_url"),
        ("status", "--profile", "profile"),
        ("status", "--sandbox", "sandbox"),
    ):
        (text,) = [text for term, text in options(PAGES[command]).items() if option in term]
        assert FIELDS[setting].metadata["names"][0] in text


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("tts --voise x Hi", "Did you mean --voice"),
        ("call --too +15551230001 Hi", "Did you mean --to?"),
        ("voices list --lang en", "Did you mean --language?"),
        ("tts --jso Hi", "Did you mean --json?"),
        ("voice list", "Did you mean asyncflow voices?"),
        ("voices lst", "Did you mean asyncflow voices list?"),
        ("tsst Hi", "asyncflow tts"),
        ("clone me.wav", "Did you mean asyncflow voices clone"),
        ("hangup CA5f", "Did you mean asyncflow calls hangup"),
    ],
)
def test_what_was_probably_meant_is_said(run: Run, line: str, meant: str) -> None:
    result = run(*line.split())
    assert (result.code, result.out) == (2, "")
    assert meant in result.err
    assert "--help" in result.err


def test_nothing_is_suggested_for_what_is_like_nothing(run: Run) -> None:
    assert nearest("--zzzz", ["--voice", "--json"]) == []
    assert "Did you mean" not in run("qqqq").err
