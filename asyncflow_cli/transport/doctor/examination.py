"""Checks that run beside one another, or after those without which they would tell nothing.

A cause is told once: what depends on it is skipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from asyncflow_cli.errors import AsyncflowError, NetworkError
from asyncflow_cli.protocol.doctorreport import Finding, Standing

ANSWER_WITHIN = 10.0


@dataclass(frozen=True)
class Doubt:
    """Something to know that stops nothing."""

    error: AsyncflowError


@dataclass(frozen=True)
class Skipped:
    why: str
    remedy: str | None = None


Answer = str | Doubt | Skipped
"""What is well, in words; or that it is not quite, or was not looked at."""


@dataclass(frozen=True)
class Check:
    """One question; `ask` raises the AsyncflowError that is the problem."""

    name: str
    """What is looked at, in words: `Twilio account`."""
    ask: Callable[[], Awaitable[Answer]]
    goes_out: bool = False
    """Whether it opens a socket."""
    after: tuple[str, ...] = ()
    """Names of earlier checks, without whose success this one tells nothing."""
    within: float = ANSWER_WITHIN
    """Seconds it may take."""


async def examine(checks: Sequence[Check], *, offline: bool = False) -> tuple[Finding, ...]:
    """The findings of all checks, in their order. With `offline` no socket is opened."""
    found: dict[str, asyncio.Task[Finding]] = {}
    async with asyncio.TaskGroup() as group:
        for check in checks:
            earlier = [found[name] for name in check.after if name in found]
            found[check.name] = group.create_task(_found(check, earlier, offline))
    return tuple(task.result() for task in found.values())


async def _found(check: Check, earlier: Sequence[asyncio.Task[Finding]], offline: bool) -> Finding:
    if offline and check.goes_out:
        return _finding(check.name, Skipped("--offline opens no socket"))
    for task in earlier:
        first = await task
        if first.standing in (Standing.PROBLEM, Standing.SKIPPED):
            return _finding(check.name, Skipped(f"{first.check} comes first"))
    return _finding(check.name, await _asked(check))


async def _asked(check: Check) -> Answer | AsyncflowError:
    try:
        async with asyncio.timeout(check.within):
            return await check.ask()
    except AsyncflowError as error:
        return error
    except TimeoutError:
        return NetworkError(
            f"No answer within {check.within:g} s",
            hint="Check the network, and a firewall or proxy in the way",
            code="TIMED_OUT",
        )
    except Exception as bug:
        # The other findings are worth having all the same.
        return AsyncflowError(f"{type(bug).__name__}: {bug}", hint="A bug of ours", code="BUG")


def _finding(name: str, answer: Answer | AsyncflowError) -> Finding:
    match answer:
        case str():
            return Finding(check=name, standing=Standing.OK, found=answer)
        case Skipped():
            return Finding(
                check=name, standing=Standing.SKIPPED, found=answer.why, remedy=answer.remedy
            )
        case Doubt(error):
            return _failed(name, Standing.WARNING, error, 0)
        case AsyncflowError():
            return _failed(name, Standing.PROBLEM, answer, answer.exit_code)


def _failed(name: str, standing: Standing, error: AsyncflowError, exit_code: int) -> Finding:
    return Finding(
        check=name,
        standing=standing,
        found=error.message,
        remedy=error.hint or f"asyncflow explain {error.code}",
        code=error.code,
        exit_code=exit_code,
    )
