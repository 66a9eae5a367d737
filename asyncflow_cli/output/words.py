"""What is said on stderr, whatever the result is: steps, warnings, log lines, drawings."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

import msgspec

from asyncflow_cli.columns import Row, columns
from asyncflow_cli.output.documents import Drawing, Format
from asyncflow_cli.output.layout import wrapped
from asyncflow_cli.output.redactor import Redactor
from asyncflow_cli.output.screen import USUAL, Screen

if TYPE_CHECKING:
    from asyncflow_cli.output.teller import Teller

Pick: TypeAlias = Callable[[Any], Iterable[str]]
"""From a decoded document the texts that are printed in its place, each on a line."""

COLORS = ("auto", "always", "never")

HANG = 2
"""Blanks before what goes on in a further line."""


class Words:
    """The streams of a run, the format they are in, and what is said on stderr."""

    def __init__(
        self,
        *,
        format: Format = Format.HUMAN,
        pick: Pick | None = None,
        color: str = "auto",
        verbose: bool = False,
        debug: bool = False,
        yes: bool = False,
        no_input: bool = False,
        explains: Callable[[str], bool] = lambda _code: False,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.format = format
        self._pick = pick
        """With JSON only: what is printed in place of each document. Events are left out."""
        self.verbose = verbose or debug
        self.debug = debug
        self.color = color
        self.yes = yes
        self.no_input = no_input
        self._explains = explains
        self.stdin = stdin or sys.stdin
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr
        self.redactor = Redactor()
        self._warned: list[str] = []
        self._teller: Teller | None = None
        """Says what is said, while there is one."""

    @cached_property
    def _stdout(self) -> Screen:
        return Screen(self.stdout, self.color, self.redactor.clean)

    @cached_property
    def _stderr(self) -> Screen:
        return Screen(self.stderr, self.color, self.redactor.clean)

    def step(self, text: str) -> None:
        """What has just happened; for people."""
        if self.format is Format.HUMAN:
            self._say(text)

    def detail(self, text: str) -> None:
        """What only those want who asked for more."""
        self._say(text, style="dim")

    def warnings(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.warning(text)

    def warning(self, text: str) -> None:
        """Something to know that stops nothing. In JSON it travels in the document, and is said if
        only a part of that is wanted."""
        if text in self._warned:
            return
        self._warned.append(text)
        if self.format is not Format.JSON or self._pick is not None:
            self._warn(text)

    def marker(self, text: str) -> None:
        """A line on stderr for whoever reads that as a program: bare, and in every format."""
        self._stderr.line(text)
        self.stderr.flush()

    @contextlib.contextmanager
    def logs(self) -> Iterator[None]:
        """Show our own log lines with --verbose, and everybody's with --debug."""
        everybody = logging.getLogger()
        shown = everybody if self.debug else logging.getLogger("asyncflow_cli")
        # Python prints the warnings of libraries on stderr where nobody handles them.
        nobody, handler, level = logging.NullHandler(), _LogLines(self), shown.level
        everybody.addHandler(nobody)
        if self.verbose:
            shown.addHandler(handler)
            shown.setLevel(logging.DEBUG if self.debug else logging.INFO)
        try:
            yield
        finally:
            shown.setLevel(level)
            shown.removeHandler(handler)
            everybody.removeHandler(nobody)

    @property
    def draws(self) -> bool:
        """Whether somebody sees a drawing: people at a terminal, or where colour is forced."""
        seen = self._stderr.is_terminal or self._stderr.has_style
        return self.format is Format.HUMAN and seen

    @property
    def room(self) -> int:
        """Columns for a line of words that must stay one."""
        return self._stderr.width or USUAL

    def drawing(self, drawing: Drawing, ascii_cells: str) -> None:
        """On stderr if it `draws`; of ASCII where the terminal is dumb or speaks no Unicode."""
        if self.draws:
            ascii_only = [ascii_cells] if self._stderr.is_plain else []
            self._stderr.rows(drawing.rows(self._stderr.columns, *ascii_only))

    # How

    def _warn(self, text: str) -> None:
        self._say(text, label="Warning: ", label_style="yellow")

    def _say(
        self,
        text: str,
        *,
        style: str = "",
        label: str = "",
        label_style: str = "",
        hang: int = HANG,
        end: str = "\n",
    ) -> None:
        """A text behind a label, in as many lines as it takes."""
        clean, label = self.redactor.clean(text), self.redactor.clean(label)
        first, *more = wrapped(clean, self._stderr.width, first=columns(label), hang=hang)
        rows: list[Row] = [((label, label_style), (first, style)), *(((m, style),) for m in more)]
        say = partial(self._stderr.rows, rows, end)
        if self._teller is not None:
            self._teller.do(say)
        else:
            say()

    def _with_warnings(self, document: str) -> str:
        if not self._warned:
            return document
        return document[:-1] + ',"warnings":' + msgspec.json.encode(self._warned).decode() + "}"


class _LogLines(logging.Handler):
    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words

    def emit(self, record: logging.LogRecord) -> None:
        self._words.detail(f"{record.name}: {record.getMessage()}")
