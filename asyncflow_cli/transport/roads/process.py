"""Processes that hold tunnels: who they are, and their end.

A process is known by more than its number, which the system gives away again: by the moment it
began. So what a crash left behind can be ended by the next run, and nothing else is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)

GUARD = 'read _; kill -KILL -"$1"'
"""Waits for the end of a pipe that only we hold, and then ends a process and what it started."""

TIE = 'exec 3<&0; { read _ <&3; kill -KILL 0; } >/dev/null 2>&1 & exec "$@" </dev/null 3<&-'
"""Becomes a program, and leaves somebody beside it who waits for the end of that pipe."""

HEARD_WITHIN = 2.0
"""Seconds until the end of a killed process is heard, unless what it started elsewhere lives on."""

TOLD_WITHIN = 2.0
"""Seconds `ps` may take."""


class Running(msgspec.Struct, frozen=True):
    """A process, in a form that can be written down."""

    pid: int
    born: str
    """Its beginning as this system tells it, for comparison only. Empty: unknown."""


def identify(pid: int) -> Running | None:
    """None if there is no such process."""
    born = _from_proc(pid) if Path("/proc/self/stat").exists() else _from_ps(pid)
    return None if born is None else Running(pid, born)


def kill_if_ours(left: Running) -> bool:
    """Kill this process, and all it started, if it is still the one that was written down.

    Whether there was anything to kill.
    """
    if not left.born or identify(left.pid) != left:
        return False
    kill_group(left.pid)
    return True


@contextlib.contextmanager
def tied(command: Sequence[str]) -> Iterator[tuple[Sequence[str], int]]:
    """A command line and a stdin for it, with which it does not outlive us for a moment.

    To be started in a session of its own; it is killed, with all that it starts, at the end of
    the block or of us: nobody cleans up after a SIGKILL but another process.
    """
    if os.name != "posix":
        yield command, subprocess.DEVNULL
        return
    reading, writing = os.pipe()
    try:
        yield ("/bin/sh", "-c", TIE, "sh", *command), reading
    finally:
        os.close(writing)
        os.close(reading)


@contextlib.contextmanager
def guarded(leader: int) -> Iterator[None]:
    """The same for a process that somebody else started: killed, should we not live to see the end
    of the block."""
    if os.name != "posix":
        yield
        return
    with subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "sh", str(leader)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as guard:
        try:
            yield
        finally:
            guard.kill()


def kill_group(leader: int, how: int = KILL) -> None:
    """Signal a process that began in a session of its own, and all that it started.

    It is no error if they are gone.
    """
    if sys.platform == "win32":
        with contextlib.suppress(OSError):  # of one that is gone it says that the number is wrong
            os.kill(leader, signal.SIGTERM)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, how)


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill a process that began in a session of its own, and all that it started, and let asyncio
    hear of it: what it has not heard out it leaves open."""
    kill_group(process.pid)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.communicate(), HEARD_WITHIN)


def _from_proc(pid: int) -> str | None:
    # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold any character; fields are counted behind it.
    fields = stat.rpartition(")")[2].split()
    state, began = fields[0], fields[19]
    return None if state == "Z" else began


def _from_ps(pid: int) -> str | None:
    if os.name != "posix":
        return ""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    try:
        told = subprocess.run(command, capture_output=True, timeout=TOLD_WITHIN, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.decode(errors="replace").strip() or None
