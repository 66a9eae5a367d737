"""A line that is parsed without Typer comes to what Typer makes of it, or is left to Typer."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from asyncflow_cli.parser import build
from asyncflow_cli.plainline import COMMANDS, Line, read


class State:
    """As much of an App as the parser asks."""

    def __init__(self) -> None:
        self.flags: dict[str, Any] = {}
        self.command: tuple[str, ...] = ()
        self.used_defaults: list[Any] = []

    def file_defaults(self) -> list[Any]:
        return []


def by_typer(args: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The flags and the parameters of a line."""
    state, tree = State(), build()
    root = tree.make_context("asyncflow", list(args), obj=state)
    name, command, rest = tree.resolve_command(root, [*root._protected_args, *root.args])
    assert command is not None
    return state.flags, command.make_context(name, rest, parent=root).params


def by_us(line: Line) -> tuple[dict[str, Any], dict[str, Any]]:
    callback = build().commands[line.command].callback
    assert callback is not None
    known = inspect.signature(callback).parameters
    defaults = {name: p.default for name, p in known.items() if name != "ctx"}
    switched = {name: value for name, value in line.flags.items() if value or name == "sandbox"}
    return switched, defaults | line.own


@pytest.mark.parametrize(
    "line",
    [
        "tts Hello",
        "tts-stream -",
        "--json tts Hello -o a.wav",
        "tts --voice=Jennie Hello --format mp3 --sandbox",
        "--profile me -q tts-stream --transport http --no-play -f talk.txt",
        "tts --no-sandbox --preset phone Hello --verify",
        "status --wait 60s --json",
        "--timeout 5s status",
        "--profile tts tts Hi",
    ],
)
def test_a_plain_line_is_read_as_typer_reads_it(line: str) -> None:
    found = read(line.split())
    assert found is not None
    assert by_us(found) == by_typer(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "tts Hello --jobs 2",
        "tts one two",
        "tts -- --voice",
        "tts --voise x Hi",
        "tts Hi --voice",
        "tts Hi --voice --json",
        "tts Hi --format ogg",
        "tts Hi -qv",
        "tts Hi -oa.wav",
        "tts --voice a --voice b Hi",
        "tts Hi --json=yes",
        "tts Hi --color never",
        "tts Hi --json --field seconds",
        "--profile tts status",
        "tts-strem Hi",
        "-o a.wav tts Hi",
        "status tts Hi",
        "voices list",
        "tts Hi --help",
    ],
)
def test_any_other_line_is_left_to_typer(line: str) -> None:
    assert read(line.split()) is None


WORDS = (
    *("tts", "tts-stream", "status", "Hi", "-", "", "--", "x=y", "a.wav", "mp3", "ws", "5s", "7"),
    *("-q", "-v", "-o", "-f", "-n", "-y", "-h", "-qv", "--json", "--sandbox", "--no-sandbox"),
    *("--voice", "--voice=J", "--voice=", "--format", "--format=mp3", "--transport", "--jobs"),
    *("--profile", "--wait", "--verify", "--no-verify", "--dry-run", "--flush-after", "--force"),
)


@settings(max_examples=200, deadline=None)
@given(some.lists(some.sampled_from(WORDS), max_size=6), some.sampled_from(COMMANDS))
def test_of_any_line_we_say_what_typer_says_or_nothing(words: list[str], command: str) -> None:
    args = [*words[: len(words) // 2], command, *words[len(words) // 2 :]]
    if (found := read(args)) is not None:
        assert by_us(found) == by_typer(args)
