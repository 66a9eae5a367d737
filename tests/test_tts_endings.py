"""A whole file that is not finished: a full disk, Ctrl-C and a cut line leave nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from tests.conftest import Run, ServedSandbox, environment, start
from tests.test_tts_long import STORY

SHORT, LONG = STORY[:1000], STORY[:3000]
"""One request, and three."""

STALLED = "POST /text_to_speech:stall 60s"


def left(home: Path) -> list[str]:
    return [path.name for path in home.iterdir() if path.is_file()]


def grown(home: Path) -> None:
    """Wait until a file in it has begun to grow."""
    until = time.monotonic() + 30
    while not any(path.stat().st_size for path in home.glob(".*") if path.is_file()):
        assert time.monotonic() < until, "nothing came"
        time.sleep(0.01)


def test_ctrl_c_in_the_middle_of_an_answer_leaves_the_old_file_alone(home: Path) -> None:
    (home / "x.wav").write_bytes(b"old")
    tts = ("tts", SHORT, "-o", "x.wav", "--json")
    with (
        ServedSandbox(faults=[STALLED]) as served,
        start(home, *tts, **served.environ) as process,
    ):
        grown(home)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b"")
    assert msgspec.json.decode(err)["error"]["code"] == "INTERRUPTED"
    assert (left(home), (home / "x.wav").read_bytes()) == (["x.wav"], b"old")


@pytest.mark.parametrize("text", [SHORT, LONG], ids=["one request", "three"])
@pytest.mark.parametrize("output", ["x.wav", "-"])
def test_a_line_that_is_cut_in_the_middle_of_an_answer_leaves_nothing(
    run: Run, home: Path, text: str, output: str
) -> None:
    with ServedSandbox(faults=["POST /text_to_speech:drop 100000 x1"]) as served:
        result = run("tts", text, "-o", output, "--jobs", "2", **served.environ)
    assert (result.code, result.stdout) == (8, b""), result.err
    assert "BODY_CUT" in result.err
    assert left(home) == []


@pytest.mark.parametrize("text", [SHORT, LONG], ids=["one request", "three"])
@pytest.mark.parametrize(("output", "told"), [("x.wav", "x.wav"), ("-", "A temporary file")])
def test_a_file_that_finds_no_room_leaves_nothing(
    home: Path, fast: ServedSandbox, text: str, output: str, told: str
) -> None:
    resource = pytest.importorskip("resource", reason="limits of a POSIX system")
    limit = 1_500_000
    command = [sys.executable, "-m", "asyncflow_cli", "tts", text, "-o", output]
    done = subprocess.run(
        command,
        env=environment(home, TMPDIR=str(home), **fast.environ),
        cwd=home,
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, b""), done.stderr
    assert f"{told} cannot be written: File too large" in done.stderr.decode()
    assert left(home) == []
