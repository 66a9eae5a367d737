"""Text that is written while the call lasts: a pipe that is slow, and lines somebody types."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conftest import TO, ServedSandbox, environment, wait_for_line


class Typist:
    """`asyncflow call` with a pen in its hand: `writes`, waits for what is `told`, `ends`."""

    def __init__(self, home: Path, served: ServedSandbox, *args: str) -> None:
        # The usual two minutes are six seconds on this line.
        call = ("call", "--to", TO, "--json", "--max-duration", "1h")
        command = [sys.executable, "-m", "asyncflow_cli", *call, *args]
        self._process = subprocess.Popen(
            command,
            env=environment(home, **served.environ),
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def writes(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def told(self, event: str) -> list[str]:
        return wait_for_line(self._process.stdout, f'"event":"{event}"')

    def ends(self, *, closes: bool = True) -> tuple[int, Any]:
        """Exit code, and the document at the end of stdout or on stderr."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if closes:
            self._process.stdin.close()
        lines = self._process.stdout.read().splitlines()
        error = self._process.stderr.read() if self._process.stderr else b""
        with self._process:
            code = self._process.wait(20)
        document = msgspec.json.decode(error or lines[-1])
        return code, document.get("error", document)


@pytest.fixture(autouse=True)
def no_call_is_left(ticking: ServedSandbox) -> Iterator[None]:
    yield
    ticking.finish()
    assert ticking.ended(), "a call is left alive"


def test_a_slow_writer_is_spoken_while_they_write(ticking: ServedSandbox, home: Path) -> None:
    typist = Typist(home, ticking, "-", "--flush-after", "20s")
    typist.writes("Your table is re")
    typist.writes("ady. We look for")
    typist.told("heard")  # The first sentence, while the second is half written.
    typist.writes("ward to seeing you.")
    code, report = typist.ends()
    assert code == 0
    assert report["heard_text"] == "Your table is ready. We look forward to seeing you."
    assert report["gaps"]["count"] == 0, "a pause of the writer's is not ours"


def test_a_writer_who_pauses_has_spoken_what_they_have(ticking: ServedSandbox, home: Path) -> None:
    typist = Typist(home, ticking, "-", "--flush-after", "300ms")
    typist.writes("One moment please ")
    typist.told("heard")
    typist.writes("thank you")
    code, report = typist.ends()
    assert (code, report["sentences_heard"]) == (0, 2)


def test_a_writer_who_leaves_the_line_silent_ends_the_call(
    ticking: ServedSandbox, home: Path
) -> None:
    typist = Typist(home, ticking, "-", "--max-silence", "500ms")
    typist.writes("One moment, please. ")
    code, error = typist.ends(closes=False)
    assert (code, error["details"]["end_reason"]) == (24, "writer-stalled")
    assert error["details"]["sentences_heard"] == 1


@pytest.mark.parametrize("end", ["\n", ""], ids=["a blank line", "the end of the input"])
def test_lines_are_spoken_as_they_are_typed_until(
    ticking: ServedSandbox, home: Path, end: str
) -> None:
    typist = Typist(home, ticking, "--keep-open")
    typist.told("connected")
    typist.writes("Hello there.\n")
    typist.told("heard")
    typist.writes("Goodbye.\n")
    typist.told("heard")
    typist.writes(end)
    code, report = typist.ends(closes=not end)
    assert (code, report["heard_text"]) == (0, "Hello there. Goodbye.")
