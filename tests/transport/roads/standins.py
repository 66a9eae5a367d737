"""Programs that play the agents of tunnels: found on PATH, started, heard and killed like them."""

from __future__ import annotations

import os
import shlex
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from asyncflow_cli.transport.roads.process import identify
from tests.fifos import PATIENCE, tell

SCRIPT = """#!/bin/sh
PATH=/usr/bin:/bin
{before}
echo "$*" >> {folder}/{name}.argv
echo $$ > {folder}/{name}.pid
cat <<'END'
{says}
END
{then}
"""

STAY = 'sleep 600 & echo $! > "$0.child"; wait'
"""In a process of its own, which must not outlive the agent either."""


@dataclass
class StandIn:
    """An agent called `name`, alone on PATH."""

    folder: Path
    name: str

    def make(self, says: str, then: str = STAY, *, before: str = "") -> None:
        path = self.folder / self.name
        folder = shlex.quote(str(self.folder))
        path.write_text(
            SCRIPT.format(folder=folder, name=self.name, says=says, then=then, before=before)
        )
        path.chmod(0o755)

    def speaks_later(self, says: str) -> None:
        """After `says` it says each line that is put into its mouth."""
        os.mkfifo(self.folder / "mouth")
        self.make(says, f"cat {shlex.quote(str(self.folder / 'mouth'))}; {STAY}")

    def say(self, line: str) -> None:
        tell(self.folder / "mouth", f"{line}\n")

    @property
    def argv(self) -> list[str]:
        """One line for each time it was started."""
        return (self.folder / f"{self.name}.argv").read_text().splitlines()

    @property
    def pid(self) -> int:
        return int((self.folder / f"{self.name}.pid").read_text())

    def is_gone(self) -> bool:
        """Whether it ends by itself, with what it started."""
        started = [self.folder / f"{self.name}.{kind}" for kind in ("pid", "child")]
        written = [path.read_text() for path in started if path.exists()]
        pids = [int(pid) for pid in written if pid]
        until = time.monotonic() + PATIENCE
        while any(map(identify, pids)) and time.monotonic() < until:
            time.sleep(0.005)
        return not any(map(identify, pids))


def stand_in(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setenv("PATH", str(folder))
    return StandIn(folder, name)
