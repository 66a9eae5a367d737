"""The steps of a suite, several at a time, each after those it needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from asyncflow_cli.protocol.ci.report import Result, StepReport, SuiteReport, suite_report
from asyncflow_cli.protocol.ci.suite import Step, Suite
from asyncflow_cli.protocol.ci.verdict import judged, unrun
from asyncflow_cli.transport.ci.process import run_process
from asyncflow_cli.transport.ci.surroundings import Surroundings

PAUSE = 0.5
"""Seconds before another attempt, twice as many before each further one."""


@dataclass
class Steps:
    """One run of a suite."""

    suite: Suite
    surroundings: Surroundings
    tell: Callable[[StepReport], None]
    """Is called as each step ends."""
    jobs: int
    _tasks: dict[str, asyncio.Task[StepReport]] = field(default_factory=dict)

    async def run(self) -> SuiteReport:
        began = time.perf_counter()
        self._turns = asyncio.Semaphore(self.jobs)
        async with asyncio.TaskGroup() as group:
            for step in self.suite.steps:
                self._tasks[step.name] = group.create_task(self._step(step))
        return suite_report(
            name=self.suite.name,
            file=self.suite.file,
            sandbox=bool(self.surroundings.settled),
            seconds=time.perf_counter() - began,
            steps=[task.result() for task in self._tasks.values()],
        )

    async def _step(self, step: Step) -> StepReport:
        for name in step.needs:
            needed = await self._tasks[name]
            if needed.result is not Result.PASSED:
                why = f"it needs {name!r}, which did not pass"
                return self._told(unrun(step, Result.SKIPPED, why, attempts=0))
        async with self._turns:
            return self._told(await self._attempts(step))

    def _told(self, report: StepReport) -> StepReport:
        self.tell(report)
        return report

    async def _attempts(self, step: Step) -> StepReport:
        for attempt in range(1, step.retries + 1):
            report = await self._attempt(step, attempt)
            if report.result is Result.PASSED:
                return report
            await asyncio.sleep(PAUSE * 2 ** (attempt - 1))
        return await self._attempt(step, step.retries + 1)

    async def _attempt(self, step: Step, attempt: int) -> StepReport:
        around = self.surroundings
        args = (*around.flags, *step.args)
        environ = {**around.environ, **step.env, **around.settled}
        try:
            done = await run_process(args, environ, step.stdin, step.timeout)
        except (OSError, ValueError) as error:
            return unrun(step, Result.BROKEN, f"it did not start: {error}", attempts=attempt)
        if done is None:
            why = f"it did not end within {step.timeout:g} s"
            return unrun(step, Result.BROKEN, why, attempts=attempt)
        if done.exit_code < 0:
            why = f"signal {-done.exit_code} ended it"
            return unrun(step, Result.BROKEN, why, attempts=attempt)
        return judged(step, done, attempts=attempt)
