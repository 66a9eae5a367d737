"""What the documents say is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import asyncflow_cli
from asyncflow_cli import errors
from asyncflow_cli.protocol.endings import EndReason, exit_code_of
from asyncflow_cli.transport.roads.choice import NAMES
from tests.conftest import Run
from tests.examples import unhurried

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CALLS = (ROOT / "docs" / "calls.md").read_text()
TUNNELS = (ROOT / "docs" / "tunnels.md").read_text()
REFERENCE = (ROOT / "docs" / "reference.md").read_text()


def examples() -> list[list[str]]:
    """Of each shell block of the README, the lines that run `asyncflow` against the sandbox."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S)
    return list(filter(None, map(sandboxed_lines, blocks)))


def sandboxed_lines(block: str) -> list[str]:
    lines = [line.split("  #")[0].strip() for line in block.splitlines()]
    return [line for line in lines if line.startswith("asyncflow --sandbox")]


MADE = r"(?:-o|--save-heard|--report|--junit|--summary|--bundle|>) "
FILE = r"[\w.-]+\.(?:wav|mp3|txt|yaml|html|json|zip)\b"


def test_no_example_of_the_readme_reads_a_file_that_no_line_before_it_made() -> None:
    made: set[str] = set()
    for block in re.findall(r"```sh\n(.*?)```", README, re.S):
        for line in (line.split("  #")[0] for line in block.splitlines()):
            made |= {found.split(" ")[1] for found in re.findall(MADE + FILE, line)}
            assert set(re.findall(rf"(?<![\w/.-]){FILE}", line)) <= made, line


def test_there_are_examples_to_run() -> None:
    assert sum(map(len, examples())) >= 3


@pytest.mark.parametrize("lines", examples(), ids=" · ".join)
def test_the_examples_of_the_readme_run(run: Run, lines: list[str]) -> None:
    for line in lines:
        result = run(*unhurried(shlex.split(line)[1:]))
        assert result.code == 0, result.err


def test_the_first_two_commands_of_the_readme_are_the_two_that_set_up() -> None:
    commands = re.findall(r"^(make \w+)", README, re.M)
    assert commands[:2] == ["make demo", "make test"]


def test_the_newest_heading_of_the_changelog_is_the_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] == asyncflow_cli.__version__


def subclasses(cls: type[errors.AsyncflowError]) -> set[type[errors.AsyncflowError]]:
    return {cls}.union(*(subclasses(child) for child in cls.__subclasses__()))


def test_every_exit_code_stands_in_the_readme_and_in_help(run: Run) -> None:
    used = {cls.exit_code for cls in subclasses(errors.AsyncflowError)} | {0, 143}
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.M)}
    assert listed == used
    help = run("--help").out
    assert {code for code in used if str(code) not in help} <= {9, 23}


def test_the_constraints_name_no_download_addresses() -> None:
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    assert [c for c in constraints if not re.fullmatch(r"[\w.-]+==[\w.+-]+( ;.*)?", c)] == []


def test_every_way_a_call_can_end_stands_in_its_guide_with_its_exit_code() -> None:
    rows = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+) \| ([\d, ]+) \|", CALLS, re.M)
    told = {name: codes for names, codes in rows for name in re.findall(r"`([\w-]+)`", names)}
    assert set(told) == {reason.value for reason in EndReason}
    for reason in EndReason:
        code = exit_code_of(reason)
        assert str(130 if code is None else code) in told[reason.value].split(", "), reason


def test_every_tunnel_stands_in_its_guide_and_in_help() -> None:
    named = set(re.findall(r"^\| `([\w-]+)` \|", TUNNELS, re.M))
    known = {name.split(":")[0] for name in NAMES}
    assert named == known - {"sandbox"}  # which is told of where the sandbox is
    (help,) = [row for row in REFERENCE.splitlines() if row.startswith("| `--tunnel NAME`")]
    assert all(re.search(rf"[ ,]{name}[,; ]", help) for name in known)
