"""Signals at any moment of a call: nothing may be left, no live call, no tunnel, no half a word.

The tunnel is a genuine ssh, so that there is a process which could be left. The moments are drawn
from a seed, which a failure names.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conftest import FROM, TO, Run, ServedSandbox, start, wait_for_line
from tests.documents import checked
from tests.sshservers import ServedSsh, genuine

pytestmark = genuine

SEED = 20261126

TEXT = "Your table is ready. We look forward to seeing you. Until then, goodbye."

ENDINGS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}

MOMENTS = [
    (None, signal.SIGTERM),
    (None, signal.SIGKILL),
    ('"placed"', signal.SIGINT),
    ('"ringing"', signal.SIGKILL),
    ('"first-frame"', signal.SIGTERM),
]
"""After which line of --json; None is while the way is tried out, before there is a call."""


class Scene:
    """A line and a tunnel's far end on which one call after the other is struck."""

    def __init__(self, home: Path, run: Run, line: ServedSandbox, ssh: ServedSsh) -> None:
        self._home = home
        self._run = run
        self._line = line
        self._ssh = ssh
        url = {"SSH_TUNNEL_URL": "ws://127.0.0.1:{port}"}
        self.environ = {**line.environ, **ssh.environ, **url}
        self._report = home / "call.json"

    def call(self) -> subprocess.Popen[bytes]:
        self._report.unlink(missing_ok=True)
        call = ("call", "--to", TO, TEXT, "--tunnel", self._ssh.road)
        files = ("--report", str(self._report), "--json")
        return start(self._home, *call, *files, **self.environ)

    def whole(self) -> float:
        """Seconds that a call takes when nobody disturbs it."""
        began = time.monotonic()
        with self.call() as process:
            process.communicate(timeout=30)
        assert process.returncode == 0
        return time.monotonic() - began

    def strike(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        self._check(process.returncode, number, out, err.decode())

    def _check(self, code: int, number: signal.Signals, out: bytes, err: str) -> None:
        if code == 0:
            number = signal.SIGTERM  # it came too late, and all must be in order
        else:
            # Before our first line runs, and after our last one, Python ends as it likes.
            outside = code == -number and (not out or self._is_over())
            assert outside or code == ENDINGS[number], (code, err)
        if not err.rstrip().endswith("KeyboardInterrupt"):
            assert "Traceback" not in err
        assert "/asyncflow_cli/cli.py" not in err
        told = [checked(msgspec.json.decode(line)) for line in out.splitlines()]
        if number is signal.SIGKILL:
            assert self._run("calls", "reap", **self.environ).code == 0
        elif code > 0 and (out or err):  # else our program was not loaded yet
            error = checked(msgspec.json.decode(err))["error"]
            assert error["exit_code"] == code
            self._check_report(code, placed=any(t.get("event") == "placed" for t in told))
        self._line.finish()
        assert self._line.ended()
        assert self._run("calls", "list", "--live", "--json").json["calls"] == []
        self.wait_for_tunnel(there=False)  # who ends what a SIGKILL left is a process of its own

    def _is_over(self) -> bool:
        return self._report.exists() and self._written()["exit_code"] == 0

    def _written(self) -> Any:
        return checked(msgspec.json.decode(self._report.read_bytes()))

    def _check_report(self, code: int, *, placed: bool) -> None:
        if not self._report.exists():
            assert not placed, "there is a report of every call"
            return
        report = self._written()
        assert report["exit_code"] == code
        if placed:
            assert report["report"]["status"] in ("completed", "canceled")

    def tunnels(self) -> list[str]:
        """Processes that read our ssh_config, which no others do."""
        table = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, check=True
        )
        return [line for line in table.stdout.decode().splitlines() if self._ssh.folder in line]

    def wait_for_tunnel(self, *, there: bool) -> None:
        until = time.monotonic() + 30
        while bool(tunnels := self.tunnels()) != there:
            assert time.monotonic() < until, tunnels
            time.sleep(0.01)


@pytest.fixture
def scene(home: Path, run: Run) -> Iterator[Scene]:
    with ServedSandbox(speed=10) as line, ServedSsh(home / "ssh") as ssh:
        yield Scene(home, run, line, ssh)


@pytest.mark.parametrize(("line", "number"), MOMENTS)
def test_a_signal_in_any_phase_leaves_nothing(
    scene: Scene, line: str | None, number: signal.Signals
) -> None:
    with scene.call() as process:
        if line is None:
            scene.wait_for_tunnel(there=True)
        else:
            wait_for_line(process.stdout, line)
        scene.strike(process, number)


def test_ctrl_c_before_there_is_anything_to_clean_up_is_told_like_any_other(home: Path) -> None:
    os.mkfifo(home / "text")
    call = ("call", "--to", TO, "--from", FROM, "-f", "text", "--json")
    # Once it can be opened somebody reads it, and waits for what is never written.
    keys = {"ASYNC_API_KEY": "k", "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t"}
    with start(home, *call, **keys) as process, (home / "text").open("w"):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b"")
    assert checked(msgspec.json.decode(err))["error"]["code"] == "INTERRUPTED"


@pytest.mark.soak
@pytest.mark.parametrize("number", ENDINGS, ids=lambda number: number.name)
def test_a_signal_at_twenty_random_moments_leaves_nothing(
    scene: Scene, number: signal.Signals
) -> None:
    random_ = random.Random(SEED + number)
    whole = scene.whole()
    for strike in range(20):
        moment = random_.uniform(0, whole * 1.1)
        told = f"{strike}: {number.name} after {moment:.3f} of {whole:.3f} s"
        print(told)  # noqa: T201  # a failure shows it
        with scene.call() as process:
            time.sleep(moment)
            scene.strike(process, number)
