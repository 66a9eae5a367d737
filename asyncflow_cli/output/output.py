"""One run's stdout and stderr.

Data goes to stdout and words to stderr, always. Commands say what they have; the format
decides how it looks. Every text passes one filter that knows the secrets.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, TypeAlias

import msgspec

from asyncflow_cli.errors import AsyncflowError, InterruptedByUserError, UsageError
from asyncflow_cli.output.asking import typed, unseen
from asyncflow_cli.output.documents import (
    BriefDocument,
    Document,
    Drawing,
    EnvironmentDocument,
    Event,
    FileDocument,
    Format,
    PageDocument,
    View,
    error_document,
)
from asyncflow_cli.output.redactor import Redactor
from asyncflow_cli.output.teller import Teller

if TYPE_CHECKING:
    from rich.console import Console

    from asyncflow_cli.output.live import LiveView


Confirm: TypeAlias = Callable[[str], Awaitable[None]]
"""Puts a question; comes back only from a yes."""

Pick: TypeAlias = Callable[[Any], Iterable[str]]
"""From a decoded document the texts that are printed in its place, each on a line."""

Failed: TypeAlias = Callable[[AsyncflowError, float], msgspec.Struct]
"""Makes the event that ends a stream from what failed, and when."""

COLORS = ("auto", "always", "never")


class Output:
    """One run's stdout and stderr."""

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
        self._end_events: Callable[[AsyncflowError], None] | None = None
        """What a failure does to stdout, once an event is there."""

    # Data

    def record(self, report: Document) -> None:
        """One result: a document, its headline, or its fields one under the other."""
        if self.format is not Format.HUMAN:
            self._result(report)
            return
        brief = report.brief if isinstance(report, BriefDocument) else None
        self._grid(msgspec.to_builtins(report) if brief is None else brief)

    def summary(self, report: BriefDocument) -> None:
        """What came of work that failed, as words: the result is the error."""
        shown = {name: _plain(value) for name, value in report.brief.items() if value}
        width = max(map(len, shown), default=0)
        for name, value in shown.items():
            self.step(f"{name:<{width}}  {value}")

    def file(self, report: FileDocument) -> None:
        """A result that went to a file: its path on stdout, the rest as words.

        Where the audio itself went to stdout, nothing else may.
        """
        if report.headline not in ("", "-") or self.format is Format.JSON:
            self._result(report)
        self.step(report.summary)

    def files(self, report: FileDocument, rows: Sequence[msgspec.Struct], *, piped: bool) -> None:
        """Results that went to files: a table of them on stdout, unless one is there itself."""
        if not piped:
            self.table(report, rows)
        self.step(report.summary)

    def value(self, report: Document) -> None:
        """A result that is one text, for people too."""
        self._result(report)

    def table(
        self, report: Document, rows: Sequence[msgspec.Struct], columns: Sequence[str] = ()
    ) -> None:
        """Many results of one kind: a table, with a column for each field or for those named.

        On a terminal too narrow for it, one field under the other instead: nothing is cut.
        """
        if self.format is not Format.HUMAN:
            self._result(report)
            return
        names = columns or (rows[0].__struct_fields__ if rows else ())
        cells = [[self.redactor.clean(_plain(getattr(row, n))) for n in names] for row in rows]
        titles = [name.replace("_", " ") for name in names]
        from rich.cells import cell_len

        widths = [max(map(cell_len, column)) for column in zip(titles, *cells, strict=True)]
        if self.stdout.isatty() and sum(widths) + 2 * len(widths) > self._console.width + 2:
            self._blocks(dict(zip(titles, row, strict=True)) for row in cells)
            return
        for row in [titles, *cells] if rows else []:
            padded = (
                cell + " " * (w - cell_len(cell)) for cell, w in zip(row, widths, strict=True)
            )
            self._console.print(
                "  ".join(padded).rstrip(),
                style="bold" if row is titles else None,
                highlight=False,
                soft_wrap=True,
            )

    def page(self, report: PageDocument) -> None:
        """A result that lays itself out for people, as wide as their terminal is.

        No secret may be in it: one that is broken over two lines is not seen here.
        """
        if self.format is not Format.HUMAN:
            self._result(report)
            return
        from rich.text import Text

        for row in report.page(self._console.width if self.stdout.isatty() else None):
            parts = [(self.redactor.clean(text), style) for text, style in row]
            self._console.print(Text.assemble(*parts), highlight=False, soft_wrap=True)

    def verdict(
        self,
        report: Document,
        rows: Sequence[msgspec.Struct],
        columns: Sequence[str],
        failure: AsyncflowError | None,
    ) -> None:
        """Results, and whether they will do. People see the table in any case; programs see the
        document, or the failure alone."""
        if failure is None or self.format is Format.HUMAN:
            self.table(report, rows, columns)
        if failure is not None:
            raise failure

    def records(self, report: Document, rows: Iterable[msgspec.Struct]) -> None:
        """A few results: the fields of each one under the other, and a blank line between."""
        if self.format is not Format.HUMAN:
            self._result(report)
            return
        self._blocks(map(msgspec.to_builtins, rows))

    def lines(
        self, report: Document, rows: Sequence[msgspec.Struct], columns: Sequence[str] = ()
    ) -> None:
        """As many results as there are: in JSON each is a document, on a line of its own."""
        if self.format is not Format.JSON:
            self.table(report, rows, columns)
            return
        for row in rows:
            self._document(msgspec.json.encode(row).decode())
        for text in self._warned if self._pick is None else ():  # no document takes them along
            self._say(f"Warning: {text}")

    def ready(self, report: Document) -> None:
        """The one line that tells a waiting program that a server is ready."""
        self._document(_json(report))
        self.stdout.flush()

    def exports(self, report: EnvironmentDocument) -> None:
        """Lines for a shell to evaluate. The values are their purpose, so no filter."""
        if self.format is Format.JSON:
            self.stdout.writelines(f"{line}\n" for line in self._picked(_json(report)))
            return
        for name, value in report.environment.items():
            self.stdout.write(f"export {name}={shlex.quote(value)}\n")

    def audio(self, force: bool) -> BinaryIO:
        """Standard output for bytes. UsageError on a terminal, unless forced."""
        if self.format is Format.JSON:
            raise UsageError("Audio and --json both want stdout", hint="Give a file with -o")
        if self.stdout.isatty() and not force:
            raise UsageError(
                "Audio would garble this terminal",
                hint="Give a file with -o, pipe it on, or add --force",
            )
        return self.stdout.buffer

    def pipe(self) -> BinaryIO:
        """Standard output for a file of text. UsageError where a document goes there."""
        if self.format is Format.JSON:
            raise UsageError("Captions and --json both want stdout", hint="Give a file with -c")
        return self.stdout.buffer

    def text(self, text: str) -> None:
        """Help, which is the result of asking for it."""
        self._write(self.stdout, text)

    # Events

    @contextlib.contextmanager
    def events(
        self,
        failed: Failed,
        view: View[Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Iterator[Callable[[Event], None]]:
        """Something to tell what happens, while it happens. It never waits, and never fails.

        People see the view of it where their terminal can show it, and a line each otherwise.
        For scripts there is nothing. In JSON each is a line on stdout, and once one is there, a
        failure of the command is the last. The document comes after them.
        """
        live = self._live(view, clock)
        tell: dict[Format, Callable[[Event], None]] = {
            Format.HUMAN: self._tell_people if live is None else partial(self._show, live, clock),
            Format.JSON: partial(self._tell_program, failed, clock)
            if self._pick is None
            else _mute,
            Format.QUIET: _mute,
        }

        def told(event: Event) -> None:
            if event.warns:
                self.warning(event.words or "")
            tell[self.format](event)

        self._teller = Teller(None if live is None else live.draw)
        try:
            yield told
        finally:
            if live is not None:
                self._teller.do(live.stop)
            teller, self._teller = self._teller, None
            teller.close()

    def _live(self, view: View[Any] | None, clock: Callable[[], float]) -> LiveView | None:
        if view is None or self.format is not Format.HUMAN or not self.stderr.isatty():
            return None
        from asyncflow_cli.output.live import LiveView, can_show

        able = can_show(self._words)
        return LiveView(self._words, view, self.redactor.clean, clock) if able else None

    def _show(self, live: LiveView, clock: Callable[[], float], event: Event) -> None:
        assert self._teller is not None
        self._teller.do(partial(live.tell, event, clock()))

    def _tell_people(self, event: Event) -> None:
        if event.words and not event.warns:
            self._say(f"{event.at:5.1f} s  {event.words}")

    def _tell_program(self, failed: Failed, clock: Callable[[], float], event: Event) -> None:
        began = clock() - event.at
        if self._end_events is None:
            self._end_events = lambda error: self._event(failed(error, round(clock() - began, 3)))
        assert self._teller is not None
        self._teller.do(partial(self._event, event))

    def _end_stream(self, error: AsyncflowError) -> None:
        if self._end_events is None:
            return
        try:
            self._end_events(error)
        except OSError:
            drop(self.stdout)  # stderr says what failed before this did

    def _event(self, event: Any) -> None:
        try:
            self._write(self.stdout, msgspec.json.encode(event).decode())
            self.stdout.flush()
        except BrokenPipeError:
            drop(self.stdout)  # who reads is gone; what is told of has to come to its end

    # Words

    def step(self, text: str) -> None:
        """What has just happened; for people."""
        if self.format is Format.HUMAN:
            self._say(text)

    @property
    def draws(self) -> bool:
        """Whether somebody sees a drawing: people at a terminal, or where colour is forced."""
        return self.format is Format.HUMAN and (self.stderr.isatty() or self._words.is_terminal)

    def drawing(self, drawing: Drawing, ascii_cells: str) -> None:
        """On stderr if it `draws`; of ASCII where the terminal is dumb or speaks no Unicode."""
        if not self.draws:
            return
        from rich.text import Text

        # With --color never Rich takes a terminal for none, and knows neither of these.
        width = min(self._words.width, shutil.get_terminal_size().columns)
        dumb = os.environ.get("TERM") in ("dumb", "unknown")
        plain = dumb or not self._words.encoding.startswith("utf")
        for row in drawing.rows(width, *([ascii_cells] if plain else [])):
            parts = [(self.redactor.clean(text), style) for text, style in row]
            self._words.print(Text.assemble(*parts), highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def logs(self) -> Iterator[None]:
        """Show our own log lines with --verbose, and everybody's with --debug."""
        logger = logging.getLogger("asyncflow_cli" if self.verbose and not self.debug else None)
        # Python prints the warnings of libraries on stderr where nobody handles them.
        handler, level = _LogLines(self) if self.verbose else logging.NullHandler(), logger.level
        logger.addHandler(handler)
        if self.verbose:
            logger.setLevel(logging.DEBUG if self.debug else logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)

    def marker(self, text: str) -> None:
        """A line on stderr for whoever reads that as a program: bare, and in every format."""
        self._write(self.stderr, text)
        self.stderr.flush()

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
            self._say(f"Warning: {text}", style="yellow")

    def error(self, error: AsyncflowError) -> None:
        """What failed, why, what to do next, the code and the request id."""
        if self.debug:
            self._write(self.stderr, "".join(traceback.format_exception(error)).rstrip())
        if self.format is Format.JSON:
            self._end_stream(error)
            self._write(self.stderr, self._with_warnings(_json(error_document(error))))
            return
        if isinstance(error, InterruptedByUserError):
            self._say(error.message)
            return
        ids = [error.code, *([f"request {error.request_id}"] if error.request_id else [])]
        self._say(f"Error: {error.message}", style="bold red")
        if error.hint:
            self._say(f"  {error.hint}")
        more = f" asyncflow explain {error.code}" if self._explains(error.code) else ""
        self._say(f"  [{', '.join(ids)}]{more}", style="dim")

    # Asking

    def confirmation(self, deed: str) -> Confirm:
        """A question to put later. UsageError now, where nobody can answer and --yes did not.

        Whoever does not say yes to it ends the command.
        """
        asks = not self.no_input and self.stdin.isatty() and self.stderr.isatty()
        if not self.yes and not asks:
            raise UsageError(
                f"{deed} needs a yes, and there is nobody to ask",
                hint="Say it with -y (--yes)",
                code="CONFIRMATION_NEEDED",
            )

        async def confirm(question: str) -> None:
            if self.yes:
                return
            self._say(f"{question} [y/N] ", end="")
            answer = await typed(self.stdin)
            if answer.strip().casefold() not in ("y", "yes"):
                raise AsyncflowError("You did not say yes: nothing was done", code="DECLINED")

        return confirm

    def secret(self, what: str) -> str:
        """A secret from a pipe, or typed unseen. UsageError where nobody can type it."""
        if not self.stdin.isatty():
            given = self.stdin.read().strip()
        elif self.no_input or not self.stderr.isatty():
            raise UsageError(f"There is nobody to ask for {what}", hint="Pipe it in")
        else:
            given = unseen(f"{what}: ", self.stderr)
        if not given:
            raise UsageError(f"No {what} was given", hint="Type it, or pipe it in")
        self.redactor.hide([given])
        return given

    # How

    def _result(self, report: Document) -> None:
        if self.format is Format.JSON:
            self._document(self._with_warnings(_json(report)))
        elif report.headline:
            self._write(self.stdout, report.headline)

    def _document(self, document: str) -> None:
        for line in self._picked(document):
            self._write(self.stdout, line)

    def _picked(self, document: str) -> list[str]:
        """All of it, or what is wanted of it, before a line is written."""
        if self._pick is None:
            return [document]
        return list(self._pick(msgspec.json.decode(document)))

    def _with_warnings(self, document: str) -> str:
        if not self._warned:
            return document
        return document[:-1] + ',"warnings":' + msgspec.json.encode(self._warned).decode() + "}"

    def _blocks(self, records: Iterable[Mapping[str, Any]]) -> None:
        for index, fields in enumerate(records):
            if index:
                self._write(self.stdout, "")
            self._grid(fields)

    def _grid(self, fields: Mapping[str, Any]) -> None:
        shown = {
            name.replace("_", " "): _plain(value)
            for name, value in fields.items()
            if name not in ("schema", "schema_version") and value not in (None, "")
        }
        width = max(map(len, shown), default=0)
        for name, value in shown.items():
            self._write(self.stdout, f"{name:<{width}}  {value}")

    def _say(self, text: str, style: str | None = None, end: str = "\n") -> None:
        say = partial(self._print_words, self.redactor.clean(text), style, end)
        if self._teller is not None:
            self._teller.do(say)
        else:
            say()

    def _print_words(self, clean: str, style: str | None, end: str) -> None:
        from rich.text import Text

        # A style of `print` itself would colour a live view below it, too.
        self._words.print(Text(clean, style or ""), end=end, highlight=False, soft_wrap=True)

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(self.redactor.clean(text) + "\n")

    @cached_property
    def _console(self) -> Console:
        return _console(self.stdout, self.color)

    @cached_property
    def _words(self) -> Console:
        return _console(self.stderr, self.color)


def _console(stream: TextIO, color: str) -> Console:
    # Rich takes 40 ms to import: only those who see words wait for it.
    from asyncflow_cli.output.console import console_on

    return console_on(stream, color)


class _LogLines(logging.Handler):
    def __init__(self, out: Output) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        self._out.detail(f"{record.name}: {record.getMessage()}")


def _mute(_event: Event) -> None:
    """Nobody wants to be told."""


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _json(report: Document | EnvironmentDocument) -> str:
    return msgspec.json.encode(report).decode()


def drop(stream: TextIO) -> None:
    """Who reads it is gone; Python must not complain about it again on its way out."""
    with contextlib.suppress(OSError, ValueError):  # not everything has a number
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
