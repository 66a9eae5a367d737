"""One stream, and how it shows things: how wide it is, and whether it has colours.

Rich is imported where something is drawn in colour or over and over, and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from asyncflow_cli.columns import Row

if TYPE_CHECKING:
    from rich.console import Console

USUAL = 80
"""Columns of a terminal that does not say how many it has."""

FORCES = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""Variables by which Rich takes for a terminal what is none."""


class Screen:
    """`color` is auto, always or never; `clean` is what every text passes on its way."""

    def __init__(self, stream: TextIO, color: str, clean: Callable[[str], str]) -> None:
        self.stream = stream
        self._color = color
        self._clean = clean

    @property
    def is_terminal(self) -> bool:
        return self.stream.isatty()

    @property
    def width(self) -> int | None:
        """Its columns; None for what is no terminal, where a row is a line."""
        return self.columns if self.is_terminal else None

    @property
    def columns(self) -> int:
        """As many as a drawing may take, also where there is no terminal."""
        told = os.environ.get("COLUMNS", "")
        if told.isdecimal() and int(told):
            return int(told)
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or USUAL
        except (OSError, ValueError):  # not everything has a number
            return USUAL

    @property
    def has_style(self) -> bool:
        return self._might_have_style and self.console.is_terminal

    @property
    def _might_have_style(self) -> bool:
        if self._color != "auto":
            return self._color == "always"
        return self.is_terminal or any(name in os.environ for name in FORCES)

    @property
    def is_plain(self) -> bool:
        """Whether it shows ASCII alone: it is dumb, or speaks no Unicode."""
        speaks = (getattr(self.stream, "encoding", None) or "utf-8").lower().startswith("utf")
        return os.environ.get("TERM") in ("dumb", "unknown") or not speaks

    @cached_property
    def console(self) -> Console:
        from asyncflow_cli.output.console import console_on

        return console_on(self.stream, self._color)

    def rows(self, rows: Iterable[Row], end: str = "\n") -> None:
        """Rows of texts and their styles, each a line."""
        for row in rows:
            self._row(tuple((self._clean(text), style) for text, style in row), end)

    def line(self, text: str) -> None:
        """A text as it is, for whoever reads it as a program."""
        self.stream.write(self._clean(text) + "\n")

    def _row(self, row: Row, end: str) -> None:
        if self.has_style:
            from asyncflow_cli.output.console import print_row

            print_row(self.console, row, end)
        else:
            self.stream.write("".join(text for text, _ in row) + end)
            self.stream.flush()
