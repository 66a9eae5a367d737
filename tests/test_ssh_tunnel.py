"""A call through a genuine tunnel: the system's ssh, into a server that gives it a port.

Twilio, which is the sandbox, dials that port; nothing else leads to our command line.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from asyncflow_cli.protocol.audio import MULAW_SILENCE
from asyncflow_cli.transport.journal import Entry
from asyncflow_cli.transport.roads.process import Running, identify
from tests.conftest import TO, Run, ServedSandbox, start, wait_for_line
from tests.documents import checked
from tests.heard import around
from tests.sshservers import ServedSsh, genuine

pytestmark = genuine

LINES = [f"This is the {name} sentence." for name in ("first", "second", "third", "next", "last")]

CALL = ("call", "--to", TO, " ".join(LINES), "--json", "--save-heard", "heard.wav")

SLOW, FAST = 0.25, 20
"""Of the line, while the call must not end, and when nothing but its end is awaited."""


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[ServedSsh]:
    with ServedSsh(tmp_path / "ssh") as served:
        yield served


@pytest.fixture
def line() -> Iterator[ServedSandbox]:
    with ServedSandbox(speed=2, deterministic=True) as served:
        yield served


def through(ssh: ServedSsh, line: ServedSandbox) -> dict[str, str]:
    return {**line.environ, **ssh.environ, "SSH_TUNNEL_URL": "ws://127.0.0.1:{port}"}


def holder(home: Path) -> Running:
    """The ssh that the journal says holds the tunnel of the one live call."""
    (path,) = (home / "state").rglob("*.call.json")
    agent = msgspec.json.decode(path.read_bytes(), type=Entry).agent
    assert agent is not None
    assert identify(agent.pid) == agent
    return agent


def kill_in_mid_call(process: subprocess.Popen[bytes], home: Path, line: ServedSandbox) -> Running:
    """The call waits meanwhile, and afterwards: the line is slow."""
    wait_for_line(process.stdout, '"heard"')
    line.run_at(SLOW)
    ssh = holder(home)
    os.kill(ssh.pid, signal.SIGKILL)
    return ssh


def rest(process: subprocess.Popen[bytes]) -> tuple[Any, bytes]:
    """The last document, and what is on stderr."""
    assert process.stdout is not None
    *_, last = process.stdout  # what was read ahead with the lines before is in there
    assert process.stderr is not None
    return checked(msgspec.json.decode(last)), process.stderr.read()


def test_every_byte_is_heard_through_ssh_which_ends_with_the_call(
    home: Path, ssh: ServedSsh, line: ServedSandbox
) -> None:
    with start(home, *CALL, "--tunnel", ssh.road, **through(ssh, line)) as process:
        wait_for_line(process.stdout, '"first-frame"')
        line.run_at(SLOW)
        agent = holder(home)
        line.run_at(FAST)
        report, err = rest(process)
    assert (process.returncode, err) == (0, b"")
    assert report["last_word_heard"]
    assert report["tunnel"] == ssh.road
    spoken = [speech.audio for speech in line.sandbox.store.speeches()]
    _, after = around((home / "heard.wav").read_bytes(), spoken)
    assert set(after) <= {MULAW_SILENCE[0]}
    assert identify(agent.pid) is None


# asyncssh, the far end, does not close what it forwarded for a client that is killed.
forgetful = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@forgetful
def test_a_killed_ssh_is_replaced_by_another_and_the_last_word_is_heard(
    home: Path, ssh: ServedSsh, line: ServedSandbox
) -> None:
    # The callee is held for a minute by the line's clock, which has slowed down by then.
    roads = ("--tunnel", ssh.road, "--tunnel", ssh.road, "--reconnect", "60s")
    with start(home, *CALL, *roads, **through(ssh, line)) as process:
        killed = kill_in_mid_call(process, home, line)
        wait_for_line(process.stdout, '"resumed"')
        second = holder(home)
        line.run_at(FAST)
        report, err = rest(process)
    assert (process.returncode, err) == (0, b"")
    assert (report["reconnects"], report["last_word_heard"]) == (1, True)
    assert report["heard_text"] == " ".join(LINES)
    last = line.sandbox.store.speeches()[-1].audio.strip(MULAW_SILENCE)
    assert last in (home / "heard.wav").read_bytes()
    assert second != killed
    assert identify(second.pid) is None
    assert line.ended()


@forgetful
def test_a_killed_ssh_that_nothing_replaces_cuts_the_call_short_and_leaves_none_live(
    home: Path, ssh: ServedSsh, line: ServedSandbox, run: Run
) -> None:
    with start(home, *CALL, "--tunnel", ssh.road, **through(ssh, line)) as process:
        kill_in_mid_call(process, home, line)
        line.run_at(FAST)
        last, err = rest(process)
    assert (process.returncode, last["event"]) == (24, "error")
    report = checked(msgspec.json.decode(err))["error"]["details"]
    assert report["last_word_heard"] is False
    assert report["status"] == "completed"
    line.finish()
    assert line.ended()
    assert run("calls", "list", "--live", "--json").json["calls"] == []
