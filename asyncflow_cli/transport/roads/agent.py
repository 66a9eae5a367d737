"""A program that holds a tunnel open, and tells of it in lines."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import signal
from collections import deque
from collections.abc import AsyncIterator, Sequence

from asyncflow_cli.errors import NetworkError, PrerequisiteError
from asyncflow_cli.transport.roads.process import (
    HEARD_WITHIN,
    Running,
    end,
    identify,
    kill_group,
    tied,
)
from asyncflow_cli.transport.roads.road import Loss

END_WITHIN = 2.0
"""Seconds a program has to end when it is asked to; then it is killed."""

KEPT = 200
"""Lines that are remembered; the last one often says why a program ended."""

LONGEST_LINE = 10_000

Hints = Sequence[tuple[str, str]]
"""A pattern in what a program says, and what to do then; the first that is found counts."""


class Agent:
    """What a running program says, and whether it still runs.

    `losing` matches lines that tell of a lost session. `reasons` matches those that tell why it
    could do nothing; without them it is the last line.
    """

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process,
        losing: str,
        reasons: str,
        hints: Hints,
    ) -> None:
        self.lost = Loss()
        self.running: Running | None = identify(process.pid)
        self._name = name
        self._process = process
        self._losing = re.compile(losing)
        self._reasons = re.compile(reasons)
        self._hints = hints
        self._said: deque[str] = deque(maxlen=KEPT)
        self._is_open = False
        self._waiting: tuple[re.Pattern[str], asyncio.Future[re.Match[str]]] | None = None

    async def says(self, pattern: str) -> re.Match[str]:
        """The first line that matches, be it said already. Its end before that is raised."""
        wanted = re.compile(pattern)
        for line in self._said:
            if found := wanted.search(line):
                return found
        if self.lost.reason is not None:
            raise self._failure()
        answer: asyncio.Future[re.Match[str]] = asyncio.get_running_loop().create_future()
        self._waiting = wanted, answer
        try:
            return await answer
        finally:
            self._waiting = None

    def opened(self) -> None:
        """From now on a line that matches `losing` is the tunnel's loss."""
        self._is_open = True

    async def listen(self) -> None:
        """Take in all it says until it ends: a full pipe would stop it."""
        assert self._process.stdout is not None
        rest = ""
        while chunk := await self._process.stdout.read(4096):
            *lines, rest = re.split(r"[\r\n]+", rest + chunk.decode(errors="replace"))
            rest = rest[-LONGEST_LINE:]
            for line in lines:
                self._hear(line.strip())
        self._hear(rest.strip())
        status = await self._process.wait()
        self.lost.tell(f"{self._name} ended with status {status}")
        if self._waiting and not self._waiting[1].done():
            self._waiting[1].set_exception(self._failure())

    def _hear(self, line: str) -> None:
        if not line:
            return
        self._said.append(line)
        if self._waiting and not self._waiting[1].done():
            wanted, answer = self._waiting
            if found := wanted.search(line):
                answer.set_result(found)
        if self._is_open and self._losing.search(line):
            self.lost.tell(f"{self._name}: {line}")

    def _failure(self) -> NetworkError:
        telling = [line for line in self._said if self._reasons.search(line)] or [*self._said][-1:]
        why = telling[-1] if telling else self.lost.reason
        all_said = "\n".join(self._said)
        hint = next((hint for sign, hint in self._hints if re.search(sign, all_said)), None)
        error = NetworkError(
            f"{self._name} opened no tunnel: {why}", hint=hint, code="TUNNEL_FAILED"
        )
        # What we can explain the user must mend; anything else may have been chance.
        error.passing = hint is None
        return error


@contextlib.asynccontextmanager
async def running(
    name: str,
    command: Sequence[str],
    *,
    losing: str = r"(?!)",
    reasons: str = r"(?!)",
    hints: Hints = (),
) -> AsyncIterator[Agent]:
    """Run a program in a session of its own, so that Ctrl-C does not end it before the call, and
    end it, with all that it started, at the end of the block, or of us."""
    with tied(command) as (whole, stdin):
        process = await _started(command[0], whole, stdin)
        agent = Agent(name, process, losing, reasons, hints)
        listening = asyncio.create_task(agent.listen())
        try:
            yield agent
        finally:
            kill_group(process.pid, signal.SIGTERM)
            try:
                await asyncio.wait([listening], timeout=END_WITHIN)
            finally:
                # Even if it ended in time: what it started may not have.
                kill_group(process.pid)
                await asyncio.shield(asyncio.wait([listening], timeout=HEARD_WITHIN))
                listening.cancel()


async def _started(program: str, command: Sequence[str], stdin: int) -> asyncio.subprocess.Process:
    if (missing := absent(program)) is not None:  # a shell starts it, and would tell less
        raise missing
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *command,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # It may run already; asyncio would end it, and not what it has started.
        with contextlib.suppress(OSError):
            await end(await starting)
        raise
    except OSError as error:
        raise PrerequisiteError(
            f"{program} cannot be run: {error.strerror}", code="TUNNEL_MISSING"
        ) from None


def absent(name: str, hint: str | None = None) -> PrerequisiteError | None:
    """The error for a program that is not on PATH; the hint tells how to install it."""
    if shutil.which(name):
        return None
    return PrerequisiteError(f"{name} is not on PATH", hint=hint, code="TUNNEL_MISSING")
