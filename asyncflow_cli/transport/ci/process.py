"""One command line of ours as a process of its own, watched by a clock.

A process, because a command line has one event loop, one stdout and one set of signals; what a
step does to them is its own affair, and several can go on at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from asyncflow_cli.protocol.ci.verdict import Done
from asyncflow_cli.transport.roads.process import KILL, kill_group

GRACE = 15.0
"""Seconds that a process which is told to end may take: to hang up, for one."""

# -P: the folder in which the steps run is no place to import from.
PYTHON = (sys.executable, "-P", "-m", "asyncflow_cli", "--json", "--no-input")


async def run_process(
    args: Sequence[str], environ: Mapping[str, str], stdin: str | None, timeout: float
) -> Done | None:
    """Run it to its end; None if that did not come within `timeout` seconds.

    OSError or ValueError if the system takes no such arguments or variables.
    Whatever ends the wait, the process and all it started are gone when this returns.
    """
    given = None if stdin is None else stdin.encode()
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *PYTHON,
        *args,
        env=dict(environ),
        stdin=asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches it through us, once
    )
    talk = asyncio.create_task(process.communicate(given))
    try:
        async with asyncio.timeout(timeout):
            stdout, stderr = await asyncio.shield(talk)
    except TimeoutError:
        return None
    finally:
        if not talk.done():
            await _end(process, talk)
    seconds = time.perf_counter() - began
    return Done.of(process.returncode or 0, stdout, stderr, seconds)


async def _end(process: asyncio.subprocess.Process, talk: asyncio.Task[Any]) -> None:
    """Ask it to end, and make it. A second cancellation leaves no time to ask."""
    kill_group(process.pid, signal.SIGTERM)
    try:
        await asyncio.wait([talk], timeout=GRACE)
    finally:
        kill_group(process.pid, KILL)
        await asyncio.wait([talk], timeout=GRACE)
        talk.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talk
        await process.wait()
