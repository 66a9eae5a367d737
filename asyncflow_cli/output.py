"""Everything that leaves the program: the only file that prints.

Data goes to stdout and words to stderr, always. Commands say what they have; the format
decides how it looks. Every text passes one filter that knows the secrets.
"""

from __future__ import annotations

import contextlib
import logging
import re
import shlex
import sys
import traceback
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TextIO

import msgspec

from asyncflow_cli.errors import AsyncflowError, InterruptedByUserError, UsageError

if TYPE_CHECKING:
    from rich.console import Console


COLORS = ("auto", "always", "never")


class Format(Enum):
    HUMAN = "human"
    JSON = "json"
    QUIET = "quiet"


class Document(Protocol):
    """A msgspec Struct whose fields are the result."""

    @property
    def headline(self) -> str: ...


class FileDocument(Document, Protocol):
    """One whose headline is a path, and which can be told in a sentence."""

    @property
    def summary(self) -> str: ...


class EnvironmentDocument(Protocol):
    """One that is variables for a shell, and their values."""

    @property
    def environment(self) -> Mapping[str, str]: ...


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    message: str
    exit_code: int
    hint: str | None = None
    request_id: str | None = None
    details: dict[str, Any] | None = None


class ErrorReport(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="asyncflow.error"
):
    """The one object on stderr when a command with `--json` fails."""

    schema_version: int = 1
    error: Problem

    @property
    def headline(self) -> str:
        return self.error.message


SHORTEST_SECRET = 8

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Redactor:
    """Hides every secret it was told of, as it stands or as a URL or JSON would write it."""

    # Whatever the settings hold, a key in a query or a header is never printed, nor is the
    # one-time token in the path of a call's media socket.
    _SHAPES = re.compile(
        r"""(api_key=|x-api-key[\\"']*\s*[:=]\s*[\\"']*|authorization\W+(?:basic|bearer) +"""
        r"""|/twilio/(?:media|status|stream-status)/)[^\s&'\\",?]+""",
        re.I,
    )

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def hide(self, secrets: Iterable[str]) -> None:
        for secret in secrets:
            # Nobody's real key is that short, and hiding it would garble every word.
            if len(secret) < SHORTEST_SECRET:
                continue
            in_json = msgspec.json.encode(secret).decode()[1:-1]
            self._secrets |= {secret, urllib.parse.quote(secret, safe=""), in_json}

    def clean(self, text: str) -> str:
        """The text without secrets, and without what could steer a terminal."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return _CONTROLS.sub("\ufffd", self._SHAPES.sub(r"\1***", text))


class Output:
    """One run's stdout and stderr."""

    def __init__(
        self,
        *,
        format: Format = Format.HUMAN,
        color: str = "auto",
        verbose: bool = False,
        debug: bool = False,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.format = format
        self.verbose = verbose or debug
        self.debug = debug
        self.color = color
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr
        self.redactor = Redactor()
        self._warned: list[str] = []

    # Data

    def record(self, report: Document) -> None:
        """One result: a document, its headline, or its fields one under the other."""
        if self.format is Format.HUMAN:
            self._grid(msgspec.to_builtins(report))
        else:
            self._result(report)

    def file(self, report: FileDocument) -> None:
        """A result that went to a file: its path on stdout, the rest as words.

        Where the audio itself went to stdout, nothing else may.
        """
        if report.headline not in ("", "-") or self.format is Format.JSON:
            self._result(report)
        self.step(report.summary)

    def table(self, report: Document, rows: Sequence[msgspec.Struct]) -> None:
        """Many results of one kind: a table, with a column for each field."""
        if self.format is not Format.HUMAN:
            self._result(report)
            return
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in rows[0].__struct_fields__ if rows else ():
            table.add_column(name.replace("_", " "), overflow="fold")
        for row in rows:
            cells = msgspec.structs.astuple(row)
            table.add_row(*(self.redactor.clean(_plain(cell)) for cell in cells))
        self._console.print(table)

    def ready(self, report: Document) -> None:
        """The one line that tells a waiting program that a server is ready."""
        self._write(self.stdout, _json(report))
        self.stdout.flush()

    def exports(self, report: EnvironmentDocument) -> None:
        """Lines for a shell to evaluate. The values are their purpose, so no filter."""
        if self.format is Format.JSON:
            self.stdout.write(_json(report) + "\n")
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

    def text(self, text: str) -> None:
        """Help, which is the result of asking for it."""
        self._write(self.stdout, text)

    # Words

    def step(self, text: str) -> None:
        """What has just happened; for people."""
        if self.format is Format.HUMAN:
            self._say(text)

    @contextlib.contextmanager
    def logs(self) -> Iterator[None]:
        """Show our own log lines with --verbose, and everybody's with --debug."""
        if not self.verbose:
            yield
            return
        logger = logging.getLogger(None if self.debug else "asyncflow_cli")
        handler, level = _LogLines(self), logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if self.debug else logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)

    def detail(self, text: str) -> None:
        """What only those want who asked for more."""
        self._say(text, style="dim")

    def warnings(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.warning(text)

    def warning(self, text: str) -> None:
        """Something to know that stops nothing. In JSON it travels in the document."""
        if text in self._warned:
            return
        self._warned.append(text)
        if self.format is not Format.JSON:
            self._say(f"Warning: {text}", style="yellow")

    def error(self, error: AsyncflowError) -> None:
        """What failed, why, what to do next, the code and the request id."""
        if self.debug:
            self._write(self.stderr, "".join(traceback.format_exception(error)).rstrip())
        if self.format is Format.JSON:
            self._write(self.stderr, self._with_warnings(_json(_error_document(error))))
            return
        if isinstance(error, InterruptedByUserError):
            self._say(error.message)
            return
        ids = [error.code, *([f"request {error.request_id}"] if error.request_id else [])]
        self._say(f"Error: {error.message}", style="bold red")
        if error.hint:
            self._say(f"  {error.hint}")
        self._say(f"  [{', '.join(ids)}]", style="dim")

    # How

    def _result(self, report: Document) -> None:
        if self.format is Format.JSON:
            self._write(self.stdout, self._with_warnings(_json(report)))
        else:
            self._write(self.stdout, report.headline)

    def _with_warnings(self, document: str) -> str:
        if not self._warned:
            return document
        return document[:-1] + ',"warnings":' + msgspec.json.encode(self._warned).decode() + "}"

    def _grid(self, fields: Mapping[str, Any]) -> None:
        shown = {
            name.replace("_", " "): _plain(value)
            for name, value in fields.items()
            if name not in ("schema", "schema_version") and value not in (None, "")
        }
        width = max(map(len, shown), default=0)
        for name, value in shown.items():
            self._write(self.stdout, f"{name:<{width}}  {value}")

    def _say(self, text: str, style: str | None = None) -> None:
        self._words.print(self.redactor.clean(text), style=style, highlight=False, soft_wrap=True)

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(self.redactor.clean(text) + "\n")

    @cached_property
    def _console(self) -> Console:
        return self._make_console(self.stdout)

    @cached_property
    def _words(self) -> Console:
        return self._make_console(self.stderr)

    def _make_console(self, stream: TextIO) -> Console:
        # Rich takes 40 ms to import: only those who see words wait for it.
        from rich.console import Console

        return Console(
            file=stream,
            # Names and texts are not ours: "[Demo]" is no style, ":phone:" no picture.
            markup=False,
            emoji=False,
            force_terminal={"always": True, "never": False}.get(self.color),
            # The flag says it, whatever NO_COLOR says.
            no_color={"always": False, "never": True}.get(self.color),
        )


class _LogLines(logging.Handler):
    def __init__(self, out: Output) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        self._out.detail(f"{record.name}: {record.getMessage()}")


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _json(report: Document | EnvironmentDocument) -> str:
    return msgspec.json.encode(report).decode()


def _error_document(error: AsyncflowError) -> ErrorReport:
    return ErrorReport(
        error=Problem(
            code=error.code,
            message=error.message,
            exit_code=error.exit_code,
            hint=error.hint,
            request_id=error.request_id,
            details=dict(error.details) if error.details else None,
        )
    )
