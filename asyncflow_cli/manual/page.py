"""A command as plain values, which every rendering shares.

It knows neither Typer nor what exit codes mean: a page is read from the command tree once, by
`reading`, and from then on is what `written` says.
"""

from __future__ import annotations

import re
from typing import NamedTuple

ROOT = "asyncflow"


class Row(NamedTuple):
    """A term and what is said of it: an option, an argument, a command."""

    term: str
    text: str


class Section(NamedTuple):
    title: str
    rows: tuple[Row, ...]


class Parameter(NamedTuple):
    """An option or an argument, as far as whoever completes a line must know it."""

    name: str
    """As the command's function has it."""
    flags: tuple[str, ...]
    """What stands on the line, `-o --output`; nothing for an argument."""
    opposites: tuple[str, ...]
    """What switches it off: `--no-sandbox`."""
    text: str
    is_switch: bool
    """Whether it takes no value."""
    repeats: bool
    kind: str
    """Of its value, by Typer's name: str, choice, int range, …"""
    choices: tuple[str, ...]


class Page(NamedTuple):
    path: str
    """`asyncflow voices list`."""
    usage: str
    """What follows the path: `[OPTIONS] VOICE…`."""
    paragraphs: tuple[str, ...]
    examples: tuple[str, ...]
    sections: tuple[Section, ...]
    exits: tuple[tuple[int, str], ...]
    parameters: tuple[Parameter, ...]
    is_bare: bool
    """Whether it is shown, too, when the command is given nothing."""
    is_group: bool

    @property
    def summary(self) -> str:
        """The first sentence, which stands in lists of commands."""
        return re.split(r"(?<=\.) ", self.paragraphs[0])[0]

    @property
    def command(self) -> str:
        """The path without the program: `voices list`; empty for the program itself."""
        return self.path.removeprefix(ROOT).strip()
