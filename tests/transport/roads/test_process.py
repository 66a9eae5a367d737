"""No program outlives us, whenever we are killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from asyncflow_cli.transport.roads.process import identify

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no sessions of this kind")

KILLED_AT_ONCE = """
import os, signal, subprocess
from asyncflow_cli.transport.roads.process import tied
with tied(["sleep", "600"]) as (command, stdin):
    started = subprocess.Popen(command, stdin=stdin, start_new_session=True)
    print(started.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@posix
def test_a_program_does_not_outlive_who_is_killed_the_moment_it_began() -> None:
    done = subprocess.run([sys.executable, "-c", KILLED_AT_ONCE], stdout=subprocess.PIPE)
    until = time.monotonic() + 30
    while identify(int(done.stdout)) is not None:
        assert time.monotonic() < until, "it still runs"
        time.sleep(0.01)
