"""One run of a file of steps, from the text to the files that tell how it went."""

from __future__ import annotations

import tempfile
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Self

import msgspec

from asyncflow_cli.errors import UsageError
from asyncflow_cli.output import Format, Output
from asyncflow_cli.protocol.ci.keys import SuiteKeys, read_keys, secret_values
from asyncflow_cli.protocol.ci.order import SmokeOrder
from asyncflow_cli.protocol.ci.report import SuiteReport
from asyncflow_cli.protocol.ci.source import Source
from asyncflow_cli.protocol.ci.suite import Given, Suite, read_suite
from asyncflow_cli.protocol.ci.variables import FOLDER
from asyncflow_cli.transport.ci.files import read_source, telling
from asyncflow_cli.transport.ci.steps import Steps
from asyncflow_cli.transport.ci.surroundings import Surroundings


@dataclass(frozen=True)
class SmokeFile:
    """What stands in the file, before any variable is filled in."""

    source: Source
    keys: SuiteKeys
    secrets: frozenset[str]
    """Values of variables that it names as secret."""

    @classmethod
    def read(cls, file: str, environ: Mapping[str, str]) -> Self:
        """UsageError for a key or value that does not belong where it stands."""
        source = read_source(file)
        keys = read_keys(source)
        return cls(source, keys, frozenset(secret_values(keys, environ)))

    @property
    def sandbox(self) -> dict[str, Any]:
        """How the sandbox is to be, if it is used."""
        return dict(msgspec.to_builtins(self.keys.sandbox))

    def suite(self, order: SmokeOrder, around: Surroundings, folder: str) -> Suite:
        given = Given(
            commands=frozenset(order.commands),
            variables={**around.environ, FOLDER: folder},
            settled=frozenset(around.settled),
        )
        return read_suite(self.source, self.keys, given)


def run_file(
    file: SmokeFile, order: SmokeOrder, around: Surroundings, out: Output
) -> Coroutine[Any, Any, SuiteReport]:
    """UsageError, before anything runs, for what can be seen to be wrong."""
    out.redactor.hide(file.secrets)
    annotate = order.annotations
    if annotate is None and out.format is not Format.JSON:
        annotate = around.environ.get("GITHUB_ACTIONS") == "true"
    tell = telling(around.environ, order, out.marker if annotate else None)
    tell.check()
    scratch = tempfile.TemporaryDirectory(prefix="asyncflow-", ignore_cleanup_errors=True)
    try:
        suite = file.suite(order, around, scratch.name)
    except UsageError:
        scratch.cleanup()
        raise

    async def run() -> SuiteReport:
        with scratch:
            steps = Steps(
                suite, around, lambda step: out.step(step.summary), order.jobs or suite.jobs
            )
            report = _cleaned(await steps.run(), out)
        tell.tell(report)
        return report

    return run()


def _cleaned(report: SuiteReport, out: Output) -> SuiteReport:
    # As JSON, where the filter knows every secret, and not as XML, where it would not.
    text = out.redactor.clean(msgspec.json.encode(report).decode())
    return msgspec.json.decode(text, type=SuiteReport)
