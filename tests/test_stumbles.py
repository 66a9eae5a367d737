"""What somebody does wrong who is new here, and what is said to it."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from asyncflow_cli.errors import AsyncflowError
from asyncflow_cli.nearest import did_you_mean, nearest
from asyncflow_cli.protocol.schemas import schema_of, shapes_in
from asyncflow_cli.published import MODULES
from asyncflow_cli.transport.files import explained
from tests.conftest import TO, Run, environment
from tests.test_config_files import configure

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")


@pytest.mark.parametrize(
    ("args", "code", "message", "hint"),
    [
        (("tts", "-f", "none.txt"), "NOT_READABLE", "none.txt cannot be read", None),
        (("tts", "-f", "."), "NOT_READABLE", ". cannot be read", None),
        (("ci", "run", "none.yaml"), "NOT_READABLE", "none.yaml cannot be read", None),
        (("tts",), "TEXT_EMPTY", "There is no text in stdin", "through a pipe"),
        (
            ("tts-stream", "-", "-o", "x.wav"),
            "TEXT_EMPTY",
            "There is no text to speak",
            "through a pipe",
        ),
        (("tts", "-f", "latin1.txt"), "TEXT_NOT_UTF8", "latin1.txt is not UTF-8", "iconv"),
        (("voices", "get", "Jenny"), "VOICE_NOT_FOUND", "'Jenny'", "Did you mean Jennie?"),
        (("voices", "get", "xqzw"), "VOICE_NOT_FOUND", "'xqzw'", "voices list --all"),
        (("tts", "Hi", "--timeout", "0"), "USAGE", "'0' is no time to wait", "30s"),
        (("tts", "Hi", "--retries", "-1"), "USAGE", "'-1' is no whole number, 0 or more", None),
        (("tts", "Hi", "--jobs", "two"), "USAGE", "'two' is no whole number", "tts --help"),
        (("tts", "Hi", "--speed", "quick"), "USAGE", "'quick' is no number", "tts --help"),
        (
            ("call", "Hi", "--port", "99999"),
            "USAGE",
            "'--port': 99999 is not in the range from 0 to 65535",
            "call --help",
        ),
        (("sandbox", "serve", "--port", "-1"), "USAGE", "-1 is not in the range", None),
        (("ci", "run", "tabs.yaml"), "CI_FILE_WRONG", "line 2: no YAML", "not with tabs"),
        (("ci", "run", "steps.yaml"), "CI_FILE_WRONG", "step 1 must", "run: tts Hello"),
    ],
)
def test_the_error_says_what_to_do(
    sandboxed: Run, home: Path, args: tuple[str, ...], code: str, message: str, hint: str | None
) -> None:
    (home / "latin1.txt").write_bytes("Grüße".encode("latin-1"))
    (home / "tabs.yaml").write_text("steps:\n\t- run: status\n")
    (home / "steps.yaml").write_text("steps:\n  - tts Hello\n")
    error = sandboxed(*args, "--json").error
    assert error["code"] == code
    assert message in error["message"]
    assert hint is None or hint in error["hint"]


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("voice", "list"), "Did you mean asyncflow voices?"),
        (("voices", "lits"), "Did you mean asyncflow voices list?"),
        (("tts", "Hi", "--formatt", "mp3"), "Did you mean --format?"),
        (("tts", "Hi", "--voice", "hoost", "-o", "x.wav"), "Did you mean host?"),
        (("config", "get", "voise"), "Did you mean voice?"),
        (("status", "--profile", "suport"), "Did you mean support?"),
        (("explain", "RATE_LIMIT_EXCEDED"), "RATE_LIMIT_EXCEEDED"),
        (("schema", "voicess"), "voices"),
    ],
)
def test_what_is_misspelt_is_told_with_what_was_meant(
    sandboxed: Run, home: Path, args: tuple[str, ...], hint: str
) -> None:
    configure(home, '[profiles.support]\n[aliases]\nhost = "Jennie"\n')
    assert hint in sandboxed(*args, "--json").error["hint"]


@pytest.mark.parametrize("folder", [".", "..", "/", "folder"])
def test_a_folder_is_no_file_to_verify(run: Run, home: Path, folder: str) -> None:
    (home / "folder").mkdir()
    error = run("verify", folder, "--json").error
    assert error["code"] in ("NOT_READABLE", "USAGE")
    assert f"{folder} cannot be read" in error["message"]


def test_samples_without_a_header_are_told_how_to_be_verified(run: Run, home: Path) -> None:
    (home / "x.raw").write_bytes(bytes(1000))
    message = run("verify", "x.raw", "--json").error["message"]
    assert message.endswith("Say it, such as: --encoding pcm_s16le --sample-rate 44100")


@pytest.mark.parametrize("command", ["voices", "calls", "verify", "explain"])
def test_a_flag_before_a_bare_command_shows_the_same_help_once(run: Run, command: str) -> None:
    assert run("--sandbox", command).out == run(command).out != ""


@pytest.mark.parametrize("command", ["tts", "tts-stream", "timestamps"])
def test_a_dry_run_shows_which_voice_an_alias_is(sandboxed: Run, home: Path, command: str) -> None:
    (home / "asyncflow.toml").write_text('voice = "host"\n[aliases]\nhost = "Stella"\n')
    shown = sandboxed(command, "Hi", "-o", "x.wav", "--dry-run", "--json").json
    assert shown["body"]["voice"]["id"] == "Stella"


def test_a_missing_key_names_what_asks_for_it(run: Run) -> None:
    hint = run("tts", "Hi", "-o", "x.wav", "--json").error["hint"]
    assert "ASYNC_API_KEY" in hint
    assert "or asyncflow auth login;" in hint
    hint = run("call", "Hi", "--json").error["hint"]
    assert "asyncflow auth login --service twilio" in hint


@pytest.mark.parametrize(
    "wrong", [("--to", "abc"), ("--to", "+15551230001", "--from", "12"), ("--ring-timeout", "soon")]
)
def test_what_is_wrong_with_the_line_of_a_call_comes_before_what_is_missing(
    run: Run, wrong: tuple[str, ...]
) -> None:
    result = run("call", *wrong, "Hi", "--json")
    assert (result.code, f"'{wrong[-1]}'" in result.error["message"]) == (2, True)


def test_where_nothing_answers_on_this_machine_a_sandbox_may_be_meant(run: Run) -> None:
    where = {"ASYNC_BASE_URL": "http://127.0.0.1:9", "ASYNC_API_KEY": "sk_x"}
    error = run("status", "--retries", "0", "--json", **where).error
    assert error["code"] == "CONNECTION_FAILED"
    assert "asyncflow sandbox serve" in error["hint"]


def test_the_bundle_is_told_of(run: Run) -> None:
    assert "\nbundle   all.zip\n" in run("doctor", "--offline", "--bundle", "all.zip").out


def ours(home: Path, *args: str, stdout: str = os.devnull, stderr: str, **more: str) -> int:
    command = [sys.executable, "-m", "asyncflow_cli", *args]
    with open(stdout, "w") as out, open(stderr, "w") as err:  # noqa: PTH123  # devices
        return subprocess.run(
            command, cwd=home, env=environment(home, **more), stdout=out, stderr=err, timeout=30
        ).returncode


def test_a_home_that_cannot_be_written_names_the_variables_that_choose_another(home: Path) -> None:
    none, told = home / "none", home / "told"
    none.write_text("no folder")
    homes = {f"XDG_{kind}_HOME": str(none) for kind in ("STATE", "CONFIG", "CACHE")}
    assert ours(home, "sandbox", "serve", "--port", "0", stderr=str(told), **homes) == 1
    assert "cannot be written" in told.read_text()
    assert " XDG_STATE_HOME=FOLDER" in told.read_text()


@pytest.mark.parametrize(
    "line", ["--help", "config list", "--sandbox status", "--sandbox tts Hi -o -"]
)
def test_what_need_write_nothing_goes_on_where_nothing_can_be_written(
    home: Path, run: Run, line: str
) -> None:
    (home / "none").write_text("no folder")
    homes = {f"XDG_{kind}_HOME": str(home / "none") for kind in ("STATE", "CONFIG", "CACHE")}
    result = run(*line.split(), **homes)
    assert (result.code, bool(result.stdout)) == (0, True)
    assert ("export XDG_STATE_HOME=FOLDER" in result.err) is ("--sandbox" in line)


def test_a_doctor_finds_a_home_that_cannot_be_written_and_goes_on(home: Path, run: Run) -> None:
    (home / "none").write_text("no folder")
    result = run("--sandbox", "doctor", "--offline", XDG_STATE_HOME=str(home / "none"))
    assert result.code == 10
    assert "problem  room for state" in result.out
    assert "or export XDG_STATE_HOME=FOLDER" in " ".join(result.out.split())
    assert "[NOT_WRITABLE]" in result.out


@needs_full
@pytest.mark.parametrize(
    "line", ["--version", "--help", "config list", "--sandbox tts Hi -o -", "--sandbox status -q"]
)
def test_a_full_disk_behind_stdout_is_told_as_one(home: Path, line: str) -> None:
    told = home / "told"
    assert ours(home, *line.split(), stdout=str(FULL), stderr=str(told)) == 1
    error = "Error: stdout cannot be written: No space left on device\n  [DISK_FULL]"
    assert told.read_text() == f"{error} asyncflow explain DISK_FULL\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_for_a_file_is_a_full_disk_whoever_sets_the_limit(number: int) -> None:
    full = OSError(number, os.strerror(number))
    with pytest.raises(AsyncflowError) as caught, explained(Path("x.wav")):
        raise full
    assert (caught.value.code, caught.value.exit_code) == ("DISK_FULL", 1)


NO_PORT_BELOW = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def is_not_for_us(port: int) -> bool:
    """Whether only a privilege that can be given up lets a process have the port."""
    return NO_PORT_BELOW.exists() and port < int(NO_PORT_BELOW.read_text())


def give_up_low_ports() -> None:
    """https://man7.org/linux/man-pages/man2/PR_CAPBSET_DROP.2const.html"""
    ctypes.CDLL(None).prctl(24, 10)  # PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE


@pytest.mark.skipif(not is_not_for_us(81), reason="anybody may have this port, or nobody")
@pytest.mark.parametrize("line", [f"--sandbox call --to {TO} Hi", "sandbox serve"])
def test_a_port_that_we_may_not_have_is_not_told_as_taken(home: Path, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "asyncflow_cli", *line.split(), "--port", "81", "--json"],
        cwd=home,
        env=environment(home),
        capture_output=True,
        preexec_fn=give_up_low_ports,
        timeout=30,
    )
    error = msgspec.json.decode(done.stderr)["error"]
    assert (done.returncode, error["code"]) == (10, "PORT_FORBIDDEN"), error
    assert "cannot be used: Permission denied" in error["message"]
    assert error["hint"] == "Take one from 1024 on"


@needs_full
def test_an_error_that_nobody_can_be_told_has_its_exit_code_all_the_same(home: Path) -> None:
    assert ours(home, "tts", "Hi", "-o", "x.wav", stderr=str(FULL)) == 10


@pytest.mark.skipif(sys.platform == "win32", reason="there a folder in use cannot go")
def test_a_folder_that_is_gone_is_told_as_such(home: Path) -> None:
    (home / "gone").mkdir()
    program = f"import os; os.rmdir({str(home / 'gone')!r})\nfrom asyncflow_cli import cli\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}raise SystemExit(cli.run(['config', 'list']))"],
        cwd=home / "gone",
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "Error: The folder you are in is gone" in done.stderr


def test_a_word_of_a_name_stands_for_it() -> None:
    assert did_you_mean("sid", ["account_sid", "call_sid", "pid"], "") == "Did you mean call_sid?"
    assert nearest("--silence", ["--max-silence", "--sandbox"])[0] == "--max-silence"


def test_a_schema_describes_in_one_line_whatever_python_makes_of_docstrings() -> None:
    def descriptions(schema: object) -> list[str]:
        if isinstance(schema, list):
            return [told for item in schema for told in descriptions(item)]
        if not isinstance(schema, dict):
            return []
        own = schema.get("description")
        below = [told for value in schema.values() for told in descriptions(value)]
        return [own, *below] if isinstance(own, str) else below

    for shape in shapes_in(MODULES):
        for told in descriptions(schema_of(shape)):
            assert told == " ".join(told.split())
