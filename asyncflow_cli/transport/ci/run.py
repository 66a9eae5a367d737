"""One run of a file of steps, from the text to the files that tell how it went."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import msgspec

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.ci.keys import SuiteKeys
from asyncflow_cli.protocol.ci.report import StepReport, SuiteReport
from asyncflow_cli.protocol.ci.source import Source
from asyncflow_cli.protocol.ci.suite import Given, read_suite
from asyncflow_cli.protocol.ci.variables import FOLDER
from asyncflow_cli.transport.ci.files import Telling
from asyncflow_cli.transport.ci.steps import Steps
from asyncflow_cli.transport.ci.surroundings import Surroundings


def run_file(
    source: Source,
    keys: SuiteKeys,
    around: Surroundings,
    telling: Telling,
    *,
    commands: Iterable[str],
    jobs: int | None,
    told: Callable[[StepReport], None],
    clean: Callable[[str], str],
) -> Coroutine[Any, Any, SuiteReport]:
    """UsageError, before anything runs, for what can be seen to be wrong.

    `jobs` goes before what the file says; `clean` takes secrets out of the report.
    """
    telling.check()
    scratch = tempfile.TemporaryDirectory(prefix="asyncflow-", ignore_cleanup_errors=True)
    given = Given(
        commands=frozenset(commands),
        variables={**around.environ, FOLDER: scratch.name},
        settled=frozenset(around.settled),
    )
    try:
        suite = read_suite(source, keys, given)
    except UsageError:
        scratch.cleanup()
        raise

    async def run() -> SuiteReport:
        with scratch:
            steps = Steps(suite, around, told, jobs or suite.jobs)
            report = _cleaned(await steps.run(), clean)
        telling.tell(report)
        return report

    return run()


def _cleaned(report: SuiteReport, clean: Callable[[str], str]) -> SuiteReport:
    # As JSON, where the filter knows every secret, and not as XML, where it would not.
    text = clean(msgspec.json.encode(report).decode())
    return msgspec.json.decode(text, type=SuiteReport)
