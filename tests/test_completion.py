"""What a shell is told when it asks how a word goes on: no network, and nothing that needs one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from asyncflow_cli.cli import VARIABLE
from asyncflow_cli.protocol.completion import SCRIPTS
from asyncflow_cli.protocol.voices import Voice
from asyncflow_cli.transport.remembered import LASTS, Remembered
from tests.conftest import TO, Run, environment
from tests.test_startup import HEAVY

JENNIE = Voice(voice_id="j", name="Jennie", language="en", gender="Female")
SUPPORT = Voice(voice_id="s", name="Customer Support", language="fr,nl", gender="Male")


class Clock:
    """Seconds that pass when they are told to."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def complete(run: Run, line: str, **variables: str) -> list[str]:
    """The values that may stand in place of the last word of a line."""
    *before, word = line.split(" ")
    result = run("--", *before, **{VARIABLE: f"={word}", **variables})
    assert (result.code, result.err) == (0, "")
    return [told.partition("\t")[0] for told in result.out.splitlines()]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("v", {"voices"}),
        ("voices ", {"list", "get", "clone"}),
        ("voices cl", {"clone"}),
        ("tts --pla", {"--plain-text", "--play"}),
        ("tts Hello --sand", {"--sandbox"}),
        ("tts --format ", {"raw", "mp3", "wav"}),
        ("tts --format=m", {"--format=mp3"}),
        ("tts --model async_p", {"async_pro_v1.0"}),
        ("--json tts --language f", {"fr"}),
        ("explain RATE", {"RATE_LIMIT_EXCEEDED"}),
        ("schema voices-", {"voices-clone"}),
        ("completion ", {"bash", "zsh", "fish", "powershell"}),
        ("tts --format = m", {"mp3"}),
    ],
)
def test_a_word_goes_on_as_the_command_tree_says(run: Run, line: str, some: set[str]) -> None:
    found = complete(run, line)
    assert some <= set(found)
    word = line.rpartition(" ")[2].lower()
    assert all(value.lower().startswith(word) for value in found)


def test_an_option_is_offered_once_and_one_that_repeats_again(run: Run) -> None:
    assert "--voice" not in complete(run, "tts --voice Jennie --v")
    assert complete(run, "call --tunnel ngrok --tunn") == ["--tunnel"]


@pytest.mark.parametrize(
    "line",
    [
        "tts ",
        "tts -o ",
        "stt me",
        "tts Hello ",
        "voices update Me --name ",
        "nonsense ",
        "tts --x ",
    ],
)
def test_where_nothing_is_known_the_shell_offers_files(run: Run, line: str) -> None:
    assert complete(run, line) == []


def test_voices_that_a_command_listed_are_completed_where_it_listed_them(
    sandboxed: Run, run: Run
) -> None:
    assert complete(sandboxed, "tts --voice ") == []
    listed = sandboxed("voices", "list", "--json").json["voices"]
    names = {voice["name"] for voice in listed}
    assert set(complete(sandboxed, "tts --voice ")) == names
    assert complete(sandboxed, "voices get jen") == ["Jennie"]
    assert complete(run, "tts --voice ") == []  # which is another service


def test_voices_of_the_embedded_sandbox_are_its_own(run: Run) -> None:
    assert run("--sandbox", "voices", "list").code == 0
    assert "Jennie" in complete(run, "--sandbox tts --voice J")
    assert "Jennie" in complete(run, "tts --voice J", ASYNCFLOW_SANDBOX="1")
    assert complete(run, "tts --voice J") == []


def test_a_voice_is_forgotten_a_day_after_it_was_listed(tmp_path: Path) -> None:
    clock = Clock()
    remembered = Remembered(tmp_path / "cache" / "voices.json", "https://a", clock)
    remembered.keep([JENNIE])
    clock.now += LASTS - 1
    remembered.keep([SUPPORT])
    assert [voice.name for voice in remembered.voices()] == ["Customer Support", "Jennie"]
    clock.now += 1
    assert [voice.name for voice in remembered.voices()] == ["Customer Support"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"https://a": {"j": 1}}', b"\xff"])
def test_a_broken_memory_is_none_and_is_mended(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "voices.json"
    path.write_bytes(content)
    remembered = Remembered(path, "https://a")
    assert remembered.voices() == []
    remembered.keep([JENNIE])
    assert [voice.name for voice in remembered.voices()] == ["Jennie"]


def test_a_memory_that_cannot_be_written_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Remembered(tmp_path / "file" / "voices.json", "https://a").keep([JENNIE])


def test_names_of_the_users_own_are_completed(run: Run, home: Path) -> None:
    folder = home / "config" / "asyncflow"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        "[profiles.support]\n[profiles.default]\n[aliases]\nnarrator = 'x'\n"
    )
    assert complete(run, "tts --profile su") == ["support"]
    assert complete(run, "tts --voice nar") == ["narrator"]


def test_settings_are_completed_by_their_names_and_their_values(run: Run, home: Path) -> None:
    folder = home / "config" / "asyncflow"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        "[profiles.default]\nmodel = 'm'\n[profiles.default.tts]\nformat = 'wav'\n"
        "[profiles.support]\n[aliases]\nnarrator = 'x'\n"
    )
    (home / "asyncflow.toml").write_text("voice = 'en'\n")
    assert set(complete(run, "config unset ")) == {
        "model",
        "tts.format",
        "voice",
        "aliases.narrator",
    }
    assert {"timeout", "tts.format", "aliases.narrator"} <= set(complete(run, "config get "))
    assert {"voice", "voices.list.limit", "tts.verify", "aliases.narrator"} <= set(
        complete(run, "config set ")
    )
    assert not {"profile", "tts.output"} & set(complete(run, "config set "))
    assert complete(run, "config set tts.format ") == ["raw", "mp3", "wav"]
    assert complete(run, "config set tts.verify t") == ["true"]
    assert complete(run, "config set sandbox f") == ["false"]
    assert "narrator" in complete(run, "config set voice ")
    assert complete(run, "config set --profile su") == ["support"]


def test_calls_of_the_journal_are_completed(sandboxed: Run) -> None:
    sid = sandboxed("call", "Hi.", "--to", TO, "--json").json["call_sid"]
    assert sid in complete(sandboxed, "calls show CA")


def test_a_broken_configuration_completes_the_rest_without_a_word(run: Run, home: Path) -> None:
    (home / ".env").write_bytes(b"\xff")
    assert complete(run, "tts --voice x") == []
    assert complete(run, "tts --jso") == ["--json"]


LINES = ["", "tts --", "tts --voice J", "tts --model ", "tts --language ", "--profile ", "explain "]
LINES += [
    "calls show ",
    "schema ",
    "config get ",
    "config set ",
    "config set voice ",
    "config unset ",
]

PROGRAM = f"""
import os, sys
from asyncflow_cli.__main__ import main

def watch(event, _):
    if event.startswith(("socket.", "subprocess.")):
        print(event, file=sys.stderr)

sys.addaudithook(watch)
for line in {LINES}:
    *before, word = line.split(" ")
    os.environ[{VARIABLE!r}] = f"={{word}}"
    sys.argv = ["asyncflow", "--", *before]
    try:
        main()
    except SystemExit:
        pass
    there = {{name.partition(".")[0] for name, module in sys.modules.items() if module is not None}}
    heavy = {HEAVY | {"rich", "pydantic", "typer", "keyring"}} & there
    if heavy:
        print(line, heavy, file=sys.stderr)
"""


def test_completion_imports_nothing_that_only_work_needs_and_opens_no_socket(home: Path) -> None:
    cache = Remembered(home / "cache" / "asyncflow" / "voices.json", "https://api.async.com")
    cache.keep([JENNIE])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment(home, **{VARIABLE: "="}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "Jennie\ten Female" in done.stdout.splitlines()


# The shells themselves


@pytest.fixture
def shell(home: Path) -> dict[str, str]:
    """The environment of a shell that finds our program, and voices that were listed."""
    program = home / "bin" / "asyncflow"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m asyncflow_cli "$@"\n')
    program.chmod(0o755)
    for name, script in SCRIPTS.items():
        (home / f"script.{name}").write_text(script)
    cache = Remembered(home / "cache" / "asyncflow" / "voices.json", "https://api.async.com")
    cache.keep([JENNIE, SUPPORT])
    return environment(home, PATH=f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def said(*command: str, env: dict[str, str]) -> list[str]:
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_a_name_and_quotes_its_blank(shell: dict[str, str]) -> None:
    ask = 'COMP_CWORD=3; _asyncflow_complete; printf "%s\\n" "${COMPREPLY[@]}"'
    line = f"source script.bash; COMP_WORDS=(asyncflow tts --voice HERE); {ask}"
    assert said("bash", "-c", line.replace("HERE", "Cus"), env=shell) == ["Customer\\ Support"]
    assert said("bash", "-c", line.replace("HERE", "'\"Cus'"), env=shell) == ["Customer Support"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_a_name_with_what_it_is(shell: dict[str, str]) -> None:
    ask = "source script.fish; complete -C 'asyncflow tts --voice J'"
    assert said("fish", "--no-config", "-c", ask, env=shell) == ["Jennie\ten Female"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_describes_what_it_completes(shell: dict[str, str]) -> None:
    stand_ins = "compdef() { : }; _files() { print files }; _describe() { print -rl -- ${(P)2} }"
    ask = (
        f"{stand_ins}; source ./script.zsh; words=(asyncflow tts --voice C); CURRENT=4; _asyncflow"
    )
    assert said("zsh", "-f", "-c", ask, env=shell) == ["Customer Support:fr,nl Male"]


def test_every_script_is_printed_as_it_is(run: Run) -> None:
    for name, script in SCRIPTS.items():
        assert run("completion", name).out == script
        assert msgspec.json.decode(run("completion", name, "--json").stdout)["script"] == script
