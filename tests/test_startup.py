"""What help and version load: nothing that only work needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Run, environment

HEAVY = {
    *("httpx", "websockets", "twilio", "pyngrok", "starlette", "uvicorn", "av", "aiohttp", "yaml"),
}


LINES = [
    "--help",
    "--version",
    "status --help",
    "tts --help",
    "timestamps --help",
    "stt --help",
    "call --help",
    "calls --help",
    "calls hangup --help",
    "calls list",
    "voices --help",
    "voices clone --help",
    "sandbox --help",
    "sandbox serve --help",
    "sandbox env --help",
    "sandbox reset --help",
    "config --help",
    "config list --help",
    "doctor --help",
    "explain --help",
    "explain 24",
    "schema --help",
    "ci run --help",
    "call --to",
]

PROGRAM = f"""
import sys
from asyncflow_cli.__main__ import main

for line in {LINES}:
    sys.argv = ["asyncflow", *line.split()]
    try:
        main()
    except SystemExit:
        pass
    heavy = {HEAVY} & sys.modules.keys()
    assert not heavy, (line, heavy)
print("all light")
"""


def test_help_imports_none_of_the_heavy_libraries(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment(home), capture_output=True, text=True
    )
    assert done.stdout.endswith("all light\n"), done.stderr


def test_the_version_needs_not_even_the_command_line(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "asyncflow_cli", "--version"],
        env=environment(home),
        capture_output=True,
        text=True,
    )
    assert done.stdout == "asyncflow 0.1.0\n"
    assert "typer" not in done.stderr


@pytest.mark.parametrize("args", [("--json", "status"), ("status", "--json")])
def test_global_flags_stand_before_or_after_the_command(sandboxed: Run, args: list[str]) -> None:
    assert sandboxed(*args).json["status"] == "up"


def test_every_command_has_the_global_flags(run: Run) -> None:
    for command in (
        "status",
        "tts",
        "timestamps",
        "stt",
        "call",
        "sandbox serve",
        "sandbox env",
        "config list",
    ):
        help = run(*command.split(), "--help").out
        for flag in ("--json", "--quiet", "--[no-]sandbox", "--base-url", "--timeout", "--profile"):
            assert flag in help, (command, flag)


def test_no_arguments_show_the_help(run: Run) -> None:
    assert "Usage: asyncflow" in run().out + run().err


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
@pytest.mark.parametrize("command", ["tts", "tts -", "stt -", "tts-stream -", "auth login"])
def test_a_closed_stdin_is_wrong_usage(home: Path, command: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m asyncflow_cli --sandbox {command} <&-"],
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "BUG" not in done.stderr
