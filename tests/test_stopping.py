"""What a signal may still do once the work that it stopped has ended."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, os, signal, threading
from asyncflow_cli.stopping import Stop


class Loop(asyncio.SelectorEventLoop):
    def remove_signal_handler(self, number):
        removed = super().remove_signal_handler(number)
        if removed and number == signal.SIGINT:
            begin.set()
            thread.join()
        return removed


def again():
    begin.wait()
    signal.raise_signal(signal.SIGINT)


async def work():
    with stop.cancels():
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()


stop, begin = Stop(), threading.Event()
thread = threading.Thread(target=again)
thread.start()
try:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(work())
except asyncio.CancelledError:
    signal.raise_signal(signal.SIGINT)
    print(stop.error.message)
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to threads here")
def test_another_ctrl_c_that_another_thread_takes_changes_nothing_either() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "Stopped\n", "")
