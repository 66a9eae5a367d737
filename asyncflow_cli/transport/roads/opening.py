"""The first road that works, and those that are left for when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from asyncflow_cli.errors import AsyncflowError, NetworkError
from asyncflow_cli.transport.probe import Probe
from asyncflow_cli.transport.roads.road import Road, Tunnel

OPEN_WITHIN = 10.0
"""Seconds a road may take to open."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Opened:
    road: Road
    tunnel: Tunnel
    probe: Probe
    rest: tuple[Road, ...]
    """What to try if it is lost: the roads that were not tried yet, then this one again."""


@contextlib.asynccontextmanager
async def open_first(
    roads: Sequence[Road],
    port: int,
    *,
    probe: Callable[[Tunnel], Awaitable[Probe]],
    tell: Say,
    warn: Say,
    open_within: float = OPEN_WITHIN,
) -> AsyncIterator[Opened]:
    """Open one road after the other until one leads to `port`, and keep it open.

    A road that fails in passing is tried twice. `warn` hears of each that fails before one works.
    If all fail, the error of a single road is raised as it is; several become one of the first
    one's class, NO_ROAD, that lists them.
    """
    failed: list[tuple[Road, AsyncflowError]] = []
    for place, road in enumerate(roads):
        async with contextlib.AsyncExitStack() as stack:
            try:
                tunnel, probed = await _tried(stack, road, port, probe, open_within)
            except AsyncflowError as error:
                failed.append((road, error))
                continue
            for other, why in failed:
                warn(f"{other.name}: {why.message}")
            tell(f"Reachable through {road.name}, {probed.wss_ms:.0f} ms away")
            yield Opened(road, tunnel, probed, (*roads[place + 1 :], road))
            return
    raise _all_of(failed)


async def _tried(
    stack: contextlib.AsyncExitStack,
    road: Road,
    port: int,
    probe: Callable[[Tunnel], Awaitable[Probe]],
    open_within: float,
) -> tuple[Tunnel, Probe]:
    for last in (False, True):
        async with contextlib.AsyncExitStack() as attempt:
            try:
                tunnel = await _open(attempt, road, port, open_within)
                probed = await _while_open(tunnel, probe(tunnel))
            except AsyncflowError as error:
                if last or not error.passing:
                    raise
            else:
                stack.push_async_exit(attempt.pop_all())
                return tunnel, probed
    raise AssertionError("the last try returns or raises")


async def _open(
    stack: contextlib.AsyncExitStack, road: Road, port: int, open_within: float
) -> Tunnel:
    try:
        async with asyncio.timeout(open_within):
            return await stack.enter_async_context(road.open(port))
    except TimeoutError:
        # No second try: it had its time, and the next road may be quicker.
        raise NetworkError(
            f"{road.name} opened no tunnel within {open_within:g} s",
            hint="See what it says when you run it by hand; or choose another: --tunnel NAME",
            code="TUNNEL_SILENT",
        ) from None


async def _while_open(tunnel: Tunnel, probing: Awaitable[Probe]) -> Probe:
    """The answer of the probe; a tunnel that is lost meanwhile is not waited for."""
    asked = asyncio.ensure_future(probing)
    lost = asyncio.ensure_future(tunnel.lost.wait())
    tasks: set[asyncio.Future[Any]] = {asked, lost}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            return asked.result()
        error = NetworkError(f"The tunnel was lost: {lost.result()}", code="TUNNEL_LOST")
        error.passing = True
        raise error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _all_of(failed: list[tuple[Road, AsyncflowError]]) -> AsyncflowError:
    if len(failed) == 1:
        return failed[0][1]
    lines = ["No road leads to this machine, and nobody was called"]
    for road, error in failed:
        lines.append(f"  {road.name}: {error.message} [{error.code}]")
        lines += [f"    {error.hint}"] if error.hint else []
    told = [
        {"road": road.name, "code": error.code, "message": error.message, "hint": error.hint}
        for road, error in failed
    ]
    return type(failed[0][1])("\n".join(lines), code="NO_ROAD", details={"roads": told})
