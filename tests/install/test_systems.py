"""What is other on other systems, as far as this one can show it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asyncflow_cli.streams import settle
from asyncflow_cli.transport import journal
from tests.conftest import environment

ENTRY = journal.Entry("CA1", "AC1", "https://api.twilio.com", 1, "2026-07-01T00:00:00Z")


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


def printed(raw: io.BytesIO, text: str) -> bytes:
    """What arrives of a text on a system with a code page and its own line ends."""
    stream = io.TextIOWrapper(raw, "cp1252", newline="\r\n", write_through=True)
    settle([stream, None])
    stream.write(text)
    return raw.getvalue()


def test_a_pipe_gets_utf8_and_plain_line_ends() -> None:
    assert printed(io.BytesIO(), "Łódź → 2\n") == "Łódź → 2\n".encode()


def test_a_terminal_keeps_its_code_page_and_shows_what_it_can() -> None:
    assert printed(Terminal(), "Łódź\n") == "?ód?\r\n".encode("cp1252")


def test_json_is_utf8_in_a_locale_of_ascii(home: Path) -> None:
    (home / "text.txt").write_text("Łódź", encoding="utf-8")
    variables = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "asyncflow_cli", "--json", "tts", "-f", "text.txt", "-n"],
        env=environment(home, **variables),
        cwd=home,
        capture_output=True,
    )
    assert "Łódź" in json.loads(done.stdout.decode("utf-8"))["body"]["transcript"], done.stderr


def test_where_there_are_no_locks_the_journal_keeps_no_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    def no_locks(descriptor: int) -> bool:
        opened.append(descriptor)
        return False

    monkeypatch.setattr(journal, "hold", no_locks)
    kept = journal.Journal(tmp_path)
    kept.add(ENTRY)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])
    assert [entry.call_sid for entry in kept.entries(live_only=True)] == ["CA1"]
    kept.forget("CA1")
    assert kept.entries() == []
