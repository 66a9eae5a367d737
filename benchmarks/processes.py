"""Programs as processes: how long they take, when their first byte comes, how much they hold."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

OURS = Path(sys.executable).with_name("asyncflow")
"""The console script of the environment that measures."""

PATIENCE = 120.0
"""Seconds for one run of anything."""

_MEASURE_PEAK = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A process begins with the peak of the one that started it, so a small one must."""


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Nothing of whoever measures but what makes programs run."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    folders = {f"XDG_{kind}_HOME": str(home) for kind in ("CONFIG", "STATE", "CACHE")}
    return {**kept, **folders, "HOME": str(home), **variables}


def milliseconds(command: Sequence[str], env: Mapping[str, str]) -> float:
    """From the start of a process to its end. CalledProcessError unless it ends with 0."""
    began = time.perf_counter()
    with _running(command, env, stdout=subprocess.DEVNULL) as process:
        process.wait()
        took = (time.perf_counter() - began) * 1000
    return took


def to_first_byte(command: Sequence[str], env: Mapping[str, str], sound: int = 1) -> float:
    """Milliseconds from the start of a process until so many bytes are on its stdout."""
    began = time.perf_counter()
    with _running(command, env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        came = process.stdout.read(sound)
        took = (time.perf_counter() - began) * 1000
        while process.stdout.read(1 << 16):
            pass
    if len(came) < sound:
        raise EOFError(f"{command[0]} wrote {len(came)} bytes")
    return took


@contextlib.contextmanager
def _running(
    command: Sequence[str], env: Mapping[str, str], stdout: int
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is given no time-out to wait with: Python would look only every 50 ms."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env=dict(env),
    ) as process:
        watch = threading.Timer(PATIENCE, process.kill)
        watch.start()
        try:
            yield process
            process.wait()
        finally:
            watch.cancel()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))


def peak(command: Sequence[str], env: Mapping[str, str]) -> float:
    """MiB that a process held at most."""
    measuring = [sys.executable, "-S", "-c", _MEASURE_PEAK, *command]
    done = subprocess.run(
        measuring, env=dict(env), capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return float(done.stdout)


@contextlib.contextmanager
def sandbox(home: Path, *options: str) -> Iterator[dict[str, str]]:
    """The environment that leads to a sandbox in a process of its own, which ends with this."""
    command = [str(OURS), "--quiet", "sandbox", "serve", "--port", "0", *options]
    with server(command, environment(home)) as said:
        if not (ready := said.readline()):
            raise RuntimeError(f"This does not start: {' '.join(command)}")
        yield environment(home, **json.loads(ready)["environment"])


@contextlib.contextmanager
def server(command: Sequence[str], env: Mapping[str, str]) -> Iterator[IO[bytes]]:
    """What a server prints, while it runs."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it says that it was stopped, which is no news
        env=dict(env),
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.terminate()
