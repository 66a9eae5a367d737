"""What leaks: numbers, tokens and what is said are no business of logs and of strangers."""

from __future__ import annotations

import stat
from pathlib import Path

from asyncflow_cli.sandbox.account import AUTH_TOKEN
from asyncflow_cli.sandbox.speaker import API_KEY
from tests.conftest import TO, Run, ServedSandbox


def test_logs_and_the_journal_tell_no_secret(run: Run, fast: ServedSandbox, home: Path) -> None:
    result = run("--debug", "call", "--to", TO, "Yes.", **fast.environ)
    assert result.code == 0, result.err
    kept = [path for path in (home / "state").rglob("*") if path.is_file()]
    written = "".join(path.read_text(errors="replace") for path in kept)
    for text in (result.err, result.out, written):
        assert AUTH_TOKEN not in text
        assert API_KEY not in text
    assert TO not in written, "numbers are masked on disk"
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in kept)
