"""A home with a past, a sandbox, and commands that are run there in front of a terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from asyncflow_cli import cli
from tests.conftest import ServedSandbox, environment
from tests.screens.terminal import Terminal

MASKS: tuple[tuple[str, str], ...] = (
    (r"(?<=127\.0\.0\.1:)\d{4,5}", "00000"),
    (r"screens-\w{8}", "screens-home"),
    (r"\d+(\.\d+)?(?=\s+ms\b)", "7"),
    (r"(latency ms  (?:\x1b\[0m)?)[\d.]+", r"\1 7.00"),
    (r"202\d-\d\d-\d\d \d\d:\d\d(?= \+0000)", "2026-01-02 03:04"),
    (r"202\d-\d\d-\d\dT\d\d:\d\d:\d\d(?=\+)", "2026-01-02T03:04:05"),
    (r"\d\.\d+(?= x real time)", "0.01"),
)
"""What is another one each time, and what stands in its place: as long, where it stands in a
column."""


@dataclass(frozen=True)
class Seen:
    code: int
    written: str


class Stage:
    """`environ` is that of the commands."""

    def __init__(self, home: Path, sandbox: ServedSandbox, world: pytest.MonkeyPatch) -> None:
        self.home = home
        self.sandbox = sandbox
        self._world = world
        self._seen: dict[tuple[str, ...], Seen] = {}
        self.environ = {**environment(home), **sandbox.environ}

    def run(self, *args: str, columns: int = 80, **variables: str) -> Seen:
        """Run a command line, unless it was before; `variables` are those of the terminal."""
        line = (*args, str(columns), *map(str, variables.items()))
        if line not in self._seen:
            self._seen[line] = self._run(args, columns, variables)
        return self._seen[line]

    def _run(self, args: Sequence[str], columns: int, variables: Mapping[str, str]) -> Seen:
        terminal = Terminal()
        with self._world.context() as world:
            world.chdir(self.home)
            world.setattr(sys, "stdout", terminal)
            world.setattr(sys, "stderr", terminal)
            for name, value in surroundings(columns, **variables).items():
                world.setenv(name, value)
            code = cli.run(args, self.environ)
        return Seen(code, terminal.written)


def surroundings(columns: int, **variables: str) -> dict[str, str]:
    return {"COLUMNS": str(columns), "TERM": "xterm-256color", **variables}


TERMINAL_VARIABLES = ("LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM", "CI")


def alone(world: pytest.MonkeyPatch) -> None:
    """Nothing of the terminal that the tests run in."""
    for name in TERMINAL_VARIABLES:
        world.delenv(name, raising=False)
    assert os.environ.get("NO_COLOR") is None


def stable(written: str) -> str:
    for pattern, replacement in MASKS:
        written = re.sub(pattern, replacement, written)
    return "\n".join(line.rstrip() for line in written.splitlines())
