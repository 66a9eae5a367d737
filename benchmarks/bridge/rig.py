"""One measurement: a bridge alone on one core, its load on another, both in processes of their own.

Linux only, and with a C compiler: nothing else is fast enough to play a thousand phones on one core
and not be the limit itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent
BRIDGE_CORE, LOAD_CORE = 0, 1
MOST_STOOD, ATTEMPTS = 0.02, 4
"""A run in which the load stood still for a larger share is no measurement of so many calls: it is
done again, so many times in all."""

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

HEAD = (
    "GET /media-stream HTTP/1.1\\nHost: h\\nUpgrade: websocket\\nConnection: Upgrade\\n"
    "Sec-WebSocket-Version: 13\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\n\\n"
)


@dataclass(frozen=True)
class Contender:
    """A program that bridges. It is given the speech service's port, and prints `{"port": …}` when
    it listens; one that is `told_calls` is given their number before, and prints a target each."""

    name: str
    command: Sequence[str]
    variables: dict[str, str] = field(default_factory=dict)
    told_calls: bool = False


@dataclass(frozen=True)
class Result:
    calls: int
    p50: float
    """Milliseconds that a chunk of speech took from the speech service to the phone."""
    p99: float
    cpu: float
    """Percent of a core."""
    kib: float
    """Memory for each call, over that of the program with one."""
    lost: int
    """Chunks that never arrived, and connections that broke."""
    stood: float
    """Share of the time for which the load stood still, because it or its core was not able to send
    what was due: so much less than the calls' number says was sent in each second."""

    @property
    def counts(self) -> bool:
        """The calls were as many as it says."""
        return self.stood <= MOST_STOOD

    @property
    def offered(self) -> float:
        """The calls whose frames and chunks were sent, on average."""
        return self.calls * (1 - self.stood)


def compiled(folder: Path, name: str) -> Path:
    """The C program of this name. OSError or CalledProcessError without a compiler."""
    program = folder / name
    command = ["cc", "-O2", "-o", str(program), str(HERE / f"{name}.c")]
    subprocess.run(command, check=True, capture_output=True)
    return program


def missing() -> str | None:
    """Why this machine cannot measure; None if it can."""
    if not sys.platform.startswith("linux"):
        return "it wants Linux, whose /proc tells what a process uses"
    if (os.cpu_count() or 1) < 2:
        return "it wants two cores, one for the load"
    return None if shutil.which("cc") else "it wants a C compiler for its load"


def measure(
    load: Path, contender: Contender, calls: int, seconds: float, attempts: int = ATTEMPTS
) -> Result:
    """The first of so many runs that counts, else the one in which the load stood still least.
    RuntimeError if the calls did not come up."""
    with _on_core(LOAD_CORE):
        results: list[Result] = []
        while len(results) < attempts and not (results and results[-1].counts):
            results.append(_measure(load, contender, calls, seconds))
            sys.stderr.write(f"  {contender.name}: {results[-1]}\n")
    return min(results, key=lambda result: result.stood)


def _measure(load: Path, contender: Contender, calls: int, seconds: float) -> Result:
    """One run, two seconds of it warming up."""
    with (
        _process([str(load), str(calls), str(seconds)], LOAD_CORE, {}) as loader,
        _bridge(contender, calls, _told(loader)["speech_port"]) as bridge,
    ):
        _connect(contender, calls, bridge, loader)
        _told(loader)
        used = _cpu(bridge.pid)
        _told(loader)
        used, held = _cpu(bridge.pid) - used, _held(bridge.pid)
        figures = _told(loader)
    if calls == 1:
        _ALONE[contender.name] = held
    return Result(
        calls=calls,
        p50=figures["p50"] / 1000,
        p99=figures["p99"] / 1000,
        cpu=100 * used / seconds,
        kib=(held - _alone(load, contender)) / max(calls - 1, 1),
        lost=figures["sent"] - figures["received"] + figures["broken"],
        stood=figures["stood_still"] / (seconds + figures["stood_still"]),
    )


_ALONE: dict[str, float] = {}


def _alone(load: Path, contender: Contender) -> float:
    """KiB that the program holds with one call."""
    if contender.name not in _ALONE:
        _measure(load, contender, calls=1, seconds=0.5)
    return _ALONE[contender.name]


@contextlib.contextmanager
def _on_core(core: int) -> Iterator[None]:
    """Whoever measures sleeps meanwhile, and wakes to look: not on the bridge's core."""
    before = os.sched_getaffinity(0)  # type: ignore[attr-defined, unused-ignore]
    os.sched_setaffinity(0, {core})  # type: ignore[attr-defined, unused-ignore]
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)  # type: ignore[attr-defined, unused-ignore]


def _bridge(
    contender: Contender, calls: int, speech_port: int
) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    numbers = (calls, speech_port) if contender.told_calls else (speech_port,)
    command = [*contender.command, *map(str, numbers)]
    return _process(command, BRIDGE_CORE, contender.variables)


def _connect(
    contender: Contender, calls: int, bridge: subprocess.Popen[str], loader: subprocess.Popen[str]
) -> None:
    targets = _pipe(loader.stdin)
    port = None if contender.told_calls else _told(bridge)["port"]
    for _ in range(calls):
        targets.write(_line(bridge) if port is None else f"{port} {HEAD}\n")
        targets.flush()
    targets.close()


@contextlib.contextmanager
def _process(
    command: Sequence[str], core: int, variables: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
        preexec_fn=partial(_settle_on, core),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _settle_on(core: int) -> None:
    import resource

    os.sched_setaffinity(0, {core})  # type: ignore[attr-defined, unused-ignore]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_line(process))
    return told


def _line(process: subprocess.Popen[str]) -> str:
    line = _pipe(process.stdout).readline()
    if not line:
        raise RuntimeError("the calls did not come up")
    return line


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _held(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("Pss:"))
