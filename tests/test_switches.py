"""What a file or a variable switches on, the command line can switch off."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncflow_cli import cli
from asyncflow_cli.commands.defaults import commands_in, id_of, options
from asyncflow_cli.settings.names import JUST_ONCE, WITHOUT_FILES
from tests.conftest import Run

TREE = cli.build()
EVERYWHERE = {id_of(param) for param in TREE.params}
SWITCHES = [
    (path, option)
    for path, command in commands_in(TREE)
    for option in options(command)
    if option.is_flag
    and path[0] not in WITHOUT_FILES
    and id_of(option) not in JUST_ONCE | EVERYWHERE
]


def test_every_switch_that_a_file_may_set_has_an_opposite() -> None:
    assert len(SWITCHES) >= 18
    for path, option in SWITCHES:
        flag = id_of(option).replace("_", "-")
        assert option.secondary_opts == [f"--no-{flag}"], path


def test_a_switch_of_a_file_is_off_for_once(run: Run, home: Path) -> None:
    (home / "asyncflow.toml").write_text("[tts]\nplain_text = true\n")
    text = "<break time='1s'/> Hi."
    on, off = (
        run("tts", text, "--dry-run", "--json", *args).json["body"]["transcript"]
        for args in ((), ("--no-plain-text",))
    )
    assert off == text != on


@pytest.mark.parametrize("variable", ["ASYNCFLOW_SANDBOX", "ASYNCFLOW_PROFILE"])
def test_the_sandbox_is_off_for_once(run: Run, variable: str) -> None:
    said = {"ASYNCFLOW_SANDBOX": "1", "ASYNCFLOW_PROFILE": "sandbox"}
    environ = {variable: said[variable]}
    assert run("config", "get", "sandbox", **environ).out == "True\n"
    off = run("config", "get", "sandbox", "--no-sandbox", "--json", **environ)
    assert (off.json["value"], off.json["origin"]) == ("False", "--no-sandbox")


def test_help_shows_both_ways_in_one(run: Run) -> None:
    help = run("tts", "--help").out
    assert "--[no-]plain-text" in help
    assert "--[no-]sandbox" in help
    assert "/ --no-" not in help


def test_completion_offers_the_opposite_to_whoever_asks_for_it(run: Run) -> None:
    def offered(word: str) -> list[str]:
        told = run("--", "tts", _ASYNCFLOW_COMPLETE=f"={word}").out
        return [line.partition("\t")[0] for line in told.splitlines()]

    assert offered("--plain") == ["--plain-text"]
    assert "--no-verify" in offered("--no-")
    assert not [name for name in offered("--") if name.startswith("--no-v")]
