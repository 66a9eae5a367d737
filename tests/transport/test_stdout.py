"""Audio on stdout, whose reader is slow, stopped, or gone."""

from __future__ import annotations

import array
import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from asyncflow_cli.transport.stdout import write_out, writing
from tests.conftest import ServedSandbox, start

fcntl = pytest.importorskip("fcntl", reason="pipes of a POSIX system")
termios = pytest.importorskip("termios")

LONG = "The quick brown fox jumps over the lazy dog. " * 8


def waiting_in(pipe: int) -> int:
    """Bytes that were written and not read yet."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def stalled(process: subprocess.Popen[bytes]) -> None:
    """Wait until the pipe is full, and the program with it."""
    assert process.stdout is not None
    before, until = -1, time.monotonic() + 30
    while (now := waiting_in(process.stdout.fileno())) != before or now < 32_768:
        assert time.monotonic() < until, f"{now} bytes are in the pipe"
        before = now
        time.sleep(0.1)  # a full pipe tells nobody


@pytest.mark.parametrize(
    "command", [("tts-stream",), ("tts",), ("timestamps",)], ids=["stream", "whole", "timed"]
)
def test_ctrl_c_ends_it_at_once_although_nobody_reads(
    home: Path, fast: ServedSandbox, command: tuple[str, ...]
) -> None:
    with start(home, *command, LONG, "-o", "-", **fast.environ) as process:
        stalled(process)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "Stopped"


def test_what_a_pipe_has_room_for_is_in_it_at_once() -> None:
    """And the rest follows in order, by the thread that may wait."""
    reading, end = os.pipe()
    sent = bytes(range(256)) * 400

    async def test() -> bytes:
        with os.fdopen(end, "wb") as stream, os.fdopen(reading, "rb") as reader:
            async with writing(stream) as write:
                await write(b"head")
                assert waiting_in(reading) == 4
                await write(sent)
                assert waiting_in(reading) > 4
                took = asyncio.create_task(asyncio.to_thread(reader.read, 4 + len(sent)))
            return await took

    assert asyncio.run(asyncio.wait_for(test(), 20)) == b"head" + sent


def test_a_pipe_that_does_not_wait_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    sent = bytes(300_000)

    async def test() -> bytes:
        with os.fdopen(writing, "wb") as stream, os.fdopen(reading, "rb") as reader:
            took = asyncio.create_task(asyncio.to_thread(reader.read, len(sent)))
            await write_out(stream, sent)
            return await took

    assert asyncio.run(asyncio.wait_for(test(), 20)) == sent


def test_whoever_reads_no_more_ends_it() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    async def test() -> None:
        with os.fdopen(writing, "wb") as stream:
            await write_out(stream, b"x")

    with pytest.raises(BrokenPipeError):
        asyncio.run(asyncio.wait_for(test(), 20))
