"""The files that configure us, when something is wrong with them, and flags with few values."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Run, start


def test_a_dotenv_that_is_not_utf8_is_told(run: Run, home: Path) -> None:
    (home / ".env").write_bytes(b"ASYNC_VOICE_ID=caf\xe9\n")
    result = run("config", "list", "--json")
    assert (result.code, result.error["code"]) == (2, "USAGE")
    assert result.error["message"] == ".env is not UTF-8"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_dotenv_that_may_not_be_read_is_told(run: Run, home: Path) -> None:
    (home / ".env").touch(mode=0o200)
    result = run("config", "list", "--json")
    assert (result.code, result.error["message"]) == (2, ".env cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("args", "variables"),
    [
        (("tts", "-f", "missing"), {}),
        (("ci", "run", "missing"), {}),
        (("config", "list"), {"ASYNCFLOW_CONFIG": "missing"}),
    ],
    ids=["a text", "steps", "settings"],
)
def test_a_file_that_cannot_be_read_has_one_code_whatever_it_is_for(
    run: Run, args: tuple[str, ...], variables: dict[str, str]
) -> None:
    result = run(*args, "--json", **variables)
    assert (result.code, result.error["code"]) == (2, "NOT_READABLE")
    assert result.error["message"] == "missing cannot be read: No such file or directory"


def test_a_line_of_dotenv_that_says_nothing_is_a_warning(run: Run, home: Path) -> None:
    (home / ".env").write_text("two words\nASYNC_VOICE_ID=v\n")
    result = run("config", "list", "--json")
    assert result.json["warnings"] == [".env, line 1 is not NAME=value"]
    assert {"name": "voice", "value": "v", "origin": ".env ASYNC_VOICE_ID"} in result.json[
        "settings"
    ]
    assert result.err == ""


def test_a_folder_called_dotenv_configures_nothing(run: Run, home: Path) -> None:
    (home / ".env").mkdir()
    assert run("config", "list").code == 0


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("voice = 'x'", "voice stands in no profile", "below a line [profiles.default]"),
        ("[profile.default]\nvoice = 'x'", "there is no [profile]", "It holds [profiles.NAME] and"),
        ("[default]\nvoice = 'x'", "there is no [default]", "It holds [profiles.NAME] and"),
    ],
)
def test_what_stands_beside_the_profiles_is_not_passed_over(
    run: Run, home: Path, text: str, message: str, hint: str
) -> None:
    (home / "config" / "asyncflow").mkdir(parents=True)
    (home / "config" / "asyncflow" / "config.toml").write_text(text)
    error = run("config", "list", "--json").error
    assert error["message"].endswith(f"config.toml: {message}")
    assert hint in error["hint"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profiles = 3", "[profiles] is no table"),
        ("[profiles]\ndefault = 3", "profile default is no table"),
    ],
)
def test_a_profile_that_is_no_table_is_told(run: Run, home: Path, text: str, message: str) -> None:
    (home / "config" / "asyncflow").mkdir(parents=True)
    (home / "config" / "asyncflow" / "config.toml").write_text(text)
    result = run("config", "list", "--json")
    assert result.code == 2
    assert result.error["message"].endswith(f"config.toml: {message}")


def test_a_colour_that_is_none_of_the_three_is_refused(run: Run) -> None:
    result = run("config", "list", "--color", "sometimes", "--json")
    assert result.code == 2
    assert "'sometimes' is none of auto, always, never" in result.error["message"]


def test_a_sandbox_that_was_never_entered_gives_back_its_port(home: Path) -> None:
    args = ("--sandbox", "call", "--to", "555", "Hello")
    with start(home, *args, PYTHONWARNINGS="always::ResourceWarning") as process:
        assert process.stderr is not None
        words = process.stderr.read().decode()
    assert "is no phone number" in words
    assert "ResourceWarning" not in words


def test_a_voice_may_have_a_name_of_ones_own(sandboxed: Run, home: Path) -> None:
    config = home / "config" / "asyncflow" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[aliases]\nnarrator = "Jennie"\n')
    got = sandboxed("voices", "get", "narrator", "-q").out.strip()
    assert got == "cca0e076-94b9-4c6d-86b7-546168f11174"
    report = sandboxed("tts", "Hi", "-o", "x.wav", "--voice", "narrator", "--json").json
    assert report["voice_id"] == got


def test_aliases_that_are_no_table_are_told(run: Run, home: Path) -> None:
    config = home / "config" / "asyncflow" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("aliases = 3\n")
    result = run("config", "list")
    assert (result.code, "[aliases] is no table" in result.err) == (2, True)
