"""What goes to stdout: a result as people, programs or scripts read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO

import msgspec

from asyncflow_cli.errors import AsyncflowError, UsageError
from asyncflow_cli.output.documents import (
    BriefDocument,
    Document,
    EnvironmentDocument,
    FileDocument,
    Format,
    PageDocument,
)
from asyncflow_cli.output.layout import blocks, grid, table
from asyncflow_cli.output.words import Words


class Data(Words):
    """Commands say what they have; the format decides how it looks."""

    def record(self, report: Document) -> None:
        """One result: a document, its headline, or its fields one under the other."""
        if self.format is not Format.HUMAN:
            self._result(report)
            return
        fields = _told(_fields(report), self.redactor.clean)
        self._stdout.rows(grid(fields, self._stdout.width))

    def summary(self, report: BriefDocument) -> None:
        """What came of work that failed, as words: the result is the error."""
        if self.format is Format.HUMAN:
            fields = _told(report.brief, self.redactor.clean)
            self._stderr.rows(grid(fields, self._stderr.width))

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
        """Many results of one kind: a table, with a column for each field or for those named."""
        if self.format is not Format.HUMAN:
            self._result(report)
            return
        names = columns or (rows[0].__struct_fields__ if rows else ())
        texts = [[self.redactor.clean(_plain(getattr(row, n))) for n in names] for row in rows]
        titles = [name.replace("_", " ") for name in names]
        self._stdout.rows(table(titles, texts, self._stdout.width))

    def page(self, report: PageDocument, failure: AsyncflowError | None = None) -> None:
        """A result that lays itself out for people, as wide as their terminal is; and whether it
        will do, as `verdict` has it.

        No secret may be in it: one that is broken over two lines is not seen here.
        """
        if self.format is Format.HUMAN:
            self._stdout.rows(report.page(self._stdout.width))
        elif self.format is Format.QUIET or failure is None:
            self._result(report)
        if failure is not None:
            raise failure

    def verdict(
        self,
        report: Document,
        rows: Sequence[msgspec.Struct],
        columns: Sequence[str],
        failure: AsyncflowError | None,
    ) -> None:
        """Results, and whether they will do. Whoever wants a document gets it, or the failure,
        which has it as its details; everybody else sees what there is in any case."""
        if failure is None or self.format is not Format.JSON:
            self.table(report, rows, columns)
        if failure is not None:
            raise failure

    def records(self, report: Document, rows: Iterable[msgspec.Struct]) -> None:
        """A few results: the fields of each one under the other, and a blank line between."""
        if self.format is not Format.HUMAN:
            self._result(report)
            return
        told = (_told(_fields(row), self.redactor.clean) for row in rows)
        self._stdout.rows(blocks(told, self._stdout.width))

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
            self._warn(text)

    def ready(self, report: Document) -> None:
        """The one line that tells a waiting program that a server is ready."""
        self._document(_json(report))
        self.stdout.flush()

    def exports(self, report: EnvironmentDocument) -> None:
        """Lines for a shell to evaluate. The values are their purpose, so no filter."""
        if self.format is Format.JSON:
            self.stdout.writelines(f"{line}\n" for line in self._picked(_json(report)))
            return
        import shlex

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
        self._stdout.line(text)

    # How

    def _result(self, report: Document) -> None:
        if self.format is Format.JSON:
            self._document(self._with_warnings(_json(report)))
        elif report.headline:
            self._stdout.line(report.headline)

    def _document(self, document: str) -> None:
        for line in self._picked(document):
            self._stdout.line(line)

    def _picked(self, document: str) -> list[str]:
        """All of it, or what is wanted of it, before a line is written."""
        if self._pick is None:
            return [document]
        return list(self._pick(msgspec.json.decode(document)))


def _fields(report: Any) -> Mapping[str, Any]:
    brief: Mapping[str, Any] | None = getattr(report, "brief", None)
    return msgspec.to_builtins(report) if brief is None else brief


def _told(fields: Mapping[str, Any], clean: Callable[[str], str]) -> dict[str, str]:
    """Names and values as people read them; what is not known has no line."""
    return {
        name.replace("_", " "): clean(_plain(value))
        for name, value in fields.items()
        if name not in ("schema", "schema_version") and value not in (None, "", [], ())
    }


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.2f}"
        case datetime():
            return f"{value.astimezone():%Y-%m-%d %H:%M %z}"
        case [*items] if all(isinstance(item, str) for item in items):
            return ", ".join(items)
        case _:  # with blanks, so that it can be broken into lines
            return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def _json(report: Document | EnvironmentDocument) -> str:
    return msgspec.json.encode(report).decode()
