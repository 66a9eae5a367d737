"""Command lines that are plainly right, which is most of them, parsed without Typer.

The manual's pages say which options a command has. Whatever is more than words, texts and switches
in their places (a number, a default in a file, a mistake) is left to `parser`, which
is Typer's and has the last word; tests/test_plain_lines.py holds this to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from inspect import signature
from typing import Any, NamedTuple

from asyncflow_cli.app import App
from asyncflow_cli.commands.declared import Context
from asyncflow_cli.errors import UsageError
from asyncflow_cli.manual import written
from asyncflow_cli.manual.page import Page, Parameter

COMMANDS = ("status", "tts", "tts-stream")
"""Those whose modules do without Typer, too."""

PARSERS = {"field", "jq", "color", "help", "version"}
"""Options of every command that only the parser understands."""


class Line(NamedTuple):
    command: str
    flags: dict[str, Any]
    """Options of every command."""
    own: dict[str, Any]
    """The command's own options and arguments that were given."""


class _Unclear(Exception):
    """The line is for the parser."""


def command_of(args: Sequence[str], state: App) -> Callable[[], None] | None:
    """What the line wants done, or None if the parser has to look at it."""
    line = read(args)
    if line is None or _files_speak(line, state):
        return None
    function = _function(line.command)
    try:
        bound = signature(function).bind(Context(state), **line.own)
    except TypeError:
        return None
    state.flags |= line.flags
    state.command = (line.command,)
    return lambda: function(*bound.args, **bound.kwargs)


def _files_speak(line: Line, state: App) -> bool:
    """Whether a file says what options are that were not given, or cannot be read."""
    try:
        return bool(state.files.defaults(state.flags | line.flags, (line.command,)))
    except UsageError:
        return True


def _function(command: str) -> Callable[..., None]:
    name = command.replace("-", "_")
    function: Callable[..., None] = getattr(import_module(f"asyncflow_cli.commands.{name}"), name)
    return function


def read(args: Sequence[str]) -> Line | None:
    """The line in its parts, if it is plain."""
    name = next((word for word in args if word in COMMANDS), None)
    if name is None:
        return None
    try:
        return _Reading(written.page(name)).line(iter(args))
    except _Unclear:
        return None


class _Reading:
    def __init__(self, page: Page) -> None:
        self._page = page
        self._everywhere = {param.name for param in written.page("").parameters}
        self._given: dict[str, Any] = {}

    def line(self, words: Iterator[str]) -> Line:
        places = [param for param in self._page.parameters if not param.flags]
        command: str | None = None
        for word in words:
            if word.startswith("-") and word != "-":
                self._option(word, words)
                if command is None and not self._given.keys() <= self._everywhere:
                    raise _Unclear  # an option of a command that is not named yet
            elif command is None:
                command = word
            else:
                self._note(places.pop(0) if places else None, word)
        if command != self._page.command:  # it was the value of an option
            raise _Unclear
        flags = {name: self._given[name] for name in self._given.keys() & self._everywhere}
        own = {name: value for name, value in self._given.items() if name not in flags}
        return Line(command, flags, own)

    def _option(self, word: str, words: Iterator[str]) -> None:
        name, joined, value = word.partition("=")
        param = next((p for p in self._page.parameters if name in (*p.flags, *p.opposites)), None)
        if param is None or param.name in PARSERS or (joined and not name.startswith("--")):
            raise _Unclear
        if param.is_switch:
            self._note(None if joined else param, name in param.flags)
        else:
            self._note(param, value if joined else next(words, "--"))

    def _note(self, param: Parameter | None, value: Any) -> None:
        if param is None or param.name in self._given or not _fits(param, value):
            raise _Unclear
        self._given[param.name] = value


def _fits(param: Parameter, value: Any) -> bool:
    if param.is_switch:
        return True
    begins_another = value.startswith("-") and value != "-"
    if param.kind == "choice":
        return value in param.choices
    return param.kind == "str" and not param.repeats and not begins_another
