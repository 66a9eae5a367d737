"""The guides are right: their examples run, and their links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from asyncflow_cli.sandbox.server import Sandbox
from tests.conftest import Run, ServedSandbox, environment
from tests.examples import commands, run_line

DOCS = Path(__file__).parents[1] / "docs"
GUIDES = sorted((DOCS / "guides").glob("*.md"))
PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md")), *GUIDES]
NEVER_ENDING = "sandbox serve"
NAMED = {"--fault": "faults", "--callee": "callees"}
"""What the sandbox calls options of the command."""


def blocks(guide: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", guide.read_text("utf-8"), re.S)


def lines(guide: Path) -> list[str]:
    told = (line for block in blocks(guide, "sh") for line in commands(block))
    return [line for line in told if NEVER_ENDING not in line]


@pytest.mark.parametrize("guide", [g for g in GUIDES if lines(g)], ids=lambda guide: guide.stem)
def test_the_examples_of_a_guide_run_in_the_order_they_are_told(
    sandboxed: Run, home: Path, guide: Path
) -> None:
    (home / ".env").write_text("".join(blocks(guide, "ini")))
    (home / "notice.txt").write_text("Your table is ready.")
    assert sandboxed("tts", "Your table is ready.", "-o", "notice.mp3").code == 0
    for line in lines(guide):
        result = run_line(sandboxed, home, line)
        assert result.code == 0, (line, result.err)


@pytest.mark.parametrize("guide", [g for g in GUIDES if blocks(g, "python")], ids=lambda g: g.stem)
def test_the_programs_of_a_guide_run(fast: ServedSandbox, home: Path, guide: Path) -> None:
    for block in blocks(guide, "python"):
        done = subprocess.run(
            [sys.executable, "-c", block],
            env=environment(home, **fast.environ),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert (home / "app.wav").read_bytes()[:4] == b"RIFF"
    assert "queued" in done.stdout


def test_what_a_guide_serves_can_be_served(home: Path) -> None:
    text = (DOCS / "guides" / "your-app.md").read_text("utf-8")
    served = [shlex.split(line)[3:-1] for line in text.splitlines() if NEVER_ENDING in line]
    assert len(served) > 1
    for number, words in enumerate(served):
        options: dict[str, Any] = {
            NAMED.get(name, name[2:]): [value] for name, value in pairs(words)
        }
        Sandbox(state=home / str(number), **options).close()


def pairs(words: list[str]) -> list[tuple[str, str]]:
    return list(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS.parent)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), (page.name, target)


def test_the_walk_through_the_code_names_what_is_there() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8")
    steps = re.findall(r"\[`([\w.]+)`\]\(([^)]+\.py)\)", text)
    assert len(steps) > 15
    for name, target in steps:
        path = DOCS / target
        leaf = name.rpartition(".")[2]
        defined = re.search(rf"(?:def|class) {leaf}\b", path.read_text("utf-8"))
        assert defined or path.stem == leaf, (name, target)


def test_every_guide_stands_in_the_list_of_guides() -> None:
    listed = set(re.findall(r"\(([\w-]+\.md)\)", (DOCS / "guides" / "README.md").read_text()))
    assert listed == {guide.name for guide in GUIDES} - {"README.md"}
