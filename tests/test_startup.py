"""What a command loads: nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import Run, ServedSandbox, environment

HEAVY = {
    *("httpx", "websockets", "twilio", "pyngrok", "starlette", "uvicorn", "av", "aiohttp", "yaml"),
}

HELPS = [
    f"{command} --help"
    for command in (
        *("status", "tts", "tts-stream", "timestamps", "stt", "verify", "call", "calls", "doctor"),
        *("calls hangup", "voices", "voices clone", "sandbox serve", "config list", "ci run"),
        *("schema", "auth login"),
    )
]

WATCHED = {
    *HEAVY,
    *("typer", "rich", "pydantic", "asyncio", "ssl", "msgspec", "json", "dataclasses", "sqlite3"),
    *("dotenv", "tomllib", "tomlkit", "keyring", "zoneinfo", "certifi", "platformdirs"),
}
"""What takes a millisecond or more to load, of ours and of Python's."""

PAGE = {"json"}
PLAIN = {*PAGE, "asyncio", "ssl", "msgspec", "dataclasses"}
PARSED = {*PLAIN, "typer"}
REQUEST = {*PLAIN, "httpx", "certifi"}

MAY_LOAD: Sequence[tuple[set[str], Sequence[str]]] = (
    (set(), ["--version"]),
    (PAGE, ["--help", "voices", "explain", *HELPS]),
    (PLAIN, ["tts --dry-run Hello", "tts-stream -n Hello --json"]),
    ({*PLAIN, "websockets"}, ["tts-stream Hello --format raw -o a.raw"]),
    ({*REQUEST}, ["status", "tts Hello -o a.mp3", "tts-stream Hi --transport http -o a.wav"]),
    (PARSED, ["explain 24", "completion bash", "schema tts", "call --to"]),
    ({*PARSED, "platformdirs"}, ["calls list"]),
    ({*PARSED, "tomlkit", "tomllib"}, ["config path", "config list"]),
    ({*REQUEST, "typer"}, ["voices list", "voices list --json", "voices get Jennie"]),
)
"""What is watched of all that these lines may load. Whatever loads one more is slower by it."""

PROGRAM = """
import sys
from asyncflow_cli.__main__ import main

watched, *lines = sys.argv[1:]
for line in lines:
    sys.argv = ["asyncflow", *line.split()]
    try:
        main()
    except SystemExit:
        pass
    loaded = {name.partition(".")[0] for name, module in sys.modules.items() if module}
    print(f"{line}:", *sorted(loaded & set(watched.split())), file=sys.stderr)
"""


NAMED_PROGRAM = PROGRAM.replace('name.partition(".")[0]', "name")
"""The same for modules in packages."""


@pytest.mark.parametrize(("allowed", "lines"), MAY_LOAD, ids=[lines[0] for _, lines in MAY_LOAD])
def test_a_command_loads_what_it_needs_and_nothing_else(
    home: Path, fast: ServedSandbox, allowed: set[str], lines: Sequence[str]
) -> None:
    """Of some lines in one process, so that the last of them tells of all."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, " ".join(WATCHED), *lines],
        env=environment(home, **fast.environ),
        capture_output=True,
        text=True,
    )
    *_, last = done.stderr.splitlines()
    line, _, loaded = last.partition(":")
    assert line == lines[-1]
    assert set(loaded.split()) <= allowed, done.stderr


def test_a_stream_in_a_voice_known_by_its_id_loads_no_client_and_nothing_that_asks(
    home: Path, fast: ServedSandbox
) -> None:
    """What is waited for is the first audio."""
    spared = " ".join(
        [
            *("getpass", "shlex", "unicodedata"),
            *(f"asyncflow_cli.transport.{name}" for name in ("api", "library", "pump")),
            *("asyncflow_cli.output.teller", "asyncflow_cli.protocol.presets"),
        ]
    )
    line = "tts-stream Hello --format raw -o a.raw"
    done = subprocess.run(
        [sys.executable, "-c", NAMED_PROGRAM, spared, line],
        env=environment(home, **fast.environ),
        cwd=home,
        capture_output=True,
        text=True,
    )
    assert (home / "a.raw").exists(), done.stderr
    assert done.stderr.splitlines()[-1] == f"{line}:"


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
