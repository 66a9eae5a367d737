"""The file of steps, and the files that tell how they went."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.ci.github import annotated, markdown
from asyncflow_cli.protocol.ci.junit import as_junit
from asyncflow_cli.protocol.ci.order import SmokeOrder
from asyncflow_cli.protocol.ci.report import SuiteReport
from asyncflow_cli.protocol.ci.source import Source, read
from asyncflow_cli.transport.files import check_writable, write_file
from asyncflow_cli.transport.reading import read_whole


def read_source(file: str) -> Source:
    """`-` is stdin. UsageError where it cannot be read, or is no YAML."""
    content = read_whole(file)
    try:
        return read(content.decode("utf-8-sig"), "stdin" if file == "-" else file)
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8", code="TEXT_NOT_UTF8") from None


@dataclass(frozen=True, kw_only=True)
class Telling:
    """Where else than on stdout it is told how the steps went."""

    junit: Path | None
    summary: Path | None
    job_summary: Path | None
    """GitHub's, which other steps of the job have written to as well."""
    annotate: Callable[[str], None] | None
    workspace: str | None
    """The folder of the repository, which is what annotations count from."""

    def check(self) -> None:
        """UsageError, before any step runs, for a file that cannot be written."""
        for path in filter(None, (self.junit, self.summary)):
            check_writable(path)

    def tell(self, report: SuiteReport) -> None:
        if self.junit is not None:
            write_file(self.junit, as_junit(report))
        page = markdown(report)
        if self.summary is not None:
            write_file(self.summary, page.encode())
        if self.job_summary is not None:
            with self.job_summary.open("a", encoding="utf-8") as file:
                file.write(page)
        if self.annotate is not None:
            for line in annotated(report, self._in_repository(report.file)):
                self.annotate(line)

    def _in_repository(self, file: str) -> str:
        if self.workspace is None or not Path(file).exists():
            return file
        inside = os.path.relpath(Path(file).resolve(), Path(self.workspace).resolve())
        return file if inside.startswith("..") else Path(inside).as_posix()


def telling(
    environ: Mapping[str, str], order: SmokeOrder, annotate: Callable[[str], None] | None
) -> Telling:
    """What was asked for, and what GitHub asks for through its variables."""
    job = environ.get("GITHUB_STEP_SUMMARY")
    return Telling(
        junit=Path(order.junit) if order.junit else None,
        summary=Path(order.summary) if order.summary else None,
        job_summary=Path(job) if job else None,
        annotate=annotate,
        workspace=environ.get("GITHUB_WORKSPACE") or None,
    )
