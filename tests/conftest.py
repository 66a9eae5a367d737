"""A sandbox in another thread, and our command line run against it as a person would run it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import hypothesis
import msgspec
import pytest

from asyncflow_cli import cli
from asyncflow_cli.manual import written
from asyncflow_cli.protocol.endings import TERMINAL
from asyncflow_cli.sandbox.server import Sandbox
from tests.documents import checked

# The suite tries the same examples every time, however busy the computer; `make soak` finds others.
hypothesis.settings.register_profile(
    "suite", max_examples=50, derandomize=True, deadline=None, database=None
)
hypothesis.settings.register_profile("soak", max_examples=500, deadline=None)
hypothesis.settings.load_profile("suite")

TO, FROM = "+15551230001", "+15557654321"


@dataclass(frozen=True)
class Result:
    code: int
    stdout: bytes
    err: str

    @property
    def out(self) -> str:
        return self.stdout.decode()

    @property
    def json(self) -> Any:
        """The one document on stdout, or that at the end of a stream of events, once all of it
        is what the published schemas say."""
        *_, last = [checked(msgspec.json.decode(line)) for line in self.stdout.splitlines()]
        return last

    @property
    def events(self) -> list[str]:
        """The names of what was told on stdout, in order."""
        lines = (msgspec.json.decode(line) for line in self.stdout.splitlines())
        return [line["event"] for line in lines if "event" in line]

    @property
    def error(self) -> Any:
        """The one error object that --json puts on stderr."""
        return checked(msgspec.json.decode(self.err))["error"]


class InThread(ABC):
    """What is served in a thread and a loop of its own, for as long as a block lasts."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))

    @abstractmethod
    def serving(self) -> AbstractAsyncContextManager[object]:
        """Entered and left in that loop."""

    async def _run(self) -> None:
        async with self.serving():
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


class ServedSandbox(InThread):
    """As `sandbox serve` has its own process."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.sandbox = Sandbox(**options)

    def serving(self) -> Sandbox:
        return self.sandbox

    @property
    def environ(self) -> dict[str, str]:
        return self.sandbox.environment

    @property
    def statuses(self) -> list[str]:
        return [call.status for call in self.sandbox.store.calls()]

    def ended(self) -> bool:
        """Whether every call there was is over."""
        return all(status in TERMINAL for status in self.statuses)

    def run_at(self, speed: float) -> None:
        """Let the line's time pass at this speed from now on: slowly, where others need theirs."""
        self._loop.call_soon_threadsafe(self.sandbox.carrier.clock.run_at, speed)

    def finish(self) -> None:
        """Wait until the line has nothing left to do."""
        live = [call.finished.wait() for call in self.sandbox.live_calls]
        waiting = asyncio.run_coroutine_threadsafe(_all(live), self._loop)
        waiting.result(timeout=20)


async def _all(waits: list[Any]) -> None:
    await asyncio.gather(*waits)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores, for there are always tests that wait for a call."""
    return (os.cpu_count() or 1) + 2


@pytest.fixture(scope="session", autouse=True)
def _no_keyring() -> None:
    """Nothing of whoever runs the tests is read from their keyring, and nothing is put there."""
    with contextlib.suppress(ImportError):  # it is an extra
        import keyring
        from keyring.backends.fail import Keyring as NoKeyring

        keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session")
def fast() -> Iterator[ServedSandbox]:
    """A sandbox whose phone line runs twenty times as fast; its memory is the session's."""
    with ServedSandbox(speed=20, deterministic=True) as served:
        yield served


@pytest.fixture(scope="module")
def served() -> Iterator[ServedSandbox]:
    """A sandbox at the pace of a real line, for one file of tests."""
    with ServedSandbox() as made:
        yield made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, which is also where commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Nothing of whoever runs the tests but what makes programs run."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    folders = {
        f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "STATE", "CACHE")
    }
    return {**kept, **folders, "HOME": str(home), "COLUMNS": "80", **variables}


Run = Callable[..., Result]


def exits(args: Sequence[str]) -> set[int]:
    """The exit codes that the help of a command line's command tells of."""
    command = ""
    for word in args:
        path = f"{command} {word}".strip()
        command = path if path in written.commands() else command
    return {code for code, _ in written.page(command).exits}


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process, with bytes on stdin and the environment given."""

    def run(*args: str, stdin: bytes = b"", **variables: str) -> Result:
        source, out, err = (io.TextIOWrapper(io.BytesIO(b), "utf-8") for b in (stdin, b"", b""))
        with monkeypatch.context() as streams:
            streams.setattr(sys, "stdin", source)
            streams.setattr(sys, "stdout", out)
            streams.setattr(sys, "stderr", err)
            code = cli.run(args, environment(home, **variables))
        assert code in exits(args), f"{args} ended with {code}, of which its help says nothing"
        out.seek(0)
        err.seek(0)
        return Result(code, out.buffer.read(), err.read())

    return run


@pytest.fixture
def sandboxed(run: Run, fast: ServedSandbox) -> Run:
    """The same, pointed at the fast sandbox by its environment alone."""

    def sandboxed(*args: str, stdin: bytes = b"", **variables: str) -> Result:
        return run(*args, stdin=stdin, **{**fast.environ, **variables})

    return sandboxed


def start(home: Path, *args: str, **variables: str) -> subprocess.Popen[bytes]:
    """Our program as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "asyncflow_cli", *args],
        env=environment(home, **variables),
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for_line(stream: Any, text: str) -> list[str]:
    """Read lines until one holds `text`; all that were read."""
    lines: list[str] = []
    for line in stream:
        lines.append(line.decode())
        if text in lines[-1]:
            return lines
    raise AssertionError(f"{text!r} never came: {lines}")
