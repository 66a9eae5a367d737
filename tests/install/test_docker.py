"""What a linter of Dockerfiles cannot know. `make install-check` runs hadolint over them, too."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from asyncflow_cli.cli import build
from asyncflow_cli.manual.reading import pages

ROOT = Path(__file__).parents[2]
FILES = ("Dockerfile", "Dockerfile.sandbox")


def instructions(name: str) -> list[tuple[str, str]]:
    """Each instruction and its arguments, continued lines joined, comments left out."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = re.sub(r"(?m)^#.*\n", "", text).replace("\\\n", " ").splitlines()
    return [
        (word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line)
    ]


def stages(name: str) -> list[list[tuple[str, str]]]:
    """The instructions of each stage, its FROM first."""
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions(name):
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


@pytest.mark.parametrize("name", FILES)
def test_what_runs_is_not_root_and_hears_signals(name: str) -> None:
    *_, final = stages(name)
    words = [word for word, _ in final]
    told = dict(final)
    assert int(told["USER"]) > 0
    assert "RUN" not in words[words.index("USER") :]
    for word in ("ENTRYPOINT", "CMD"):
        assert isinstance(
            json.loads(told[word]), list
        )  # a shell in between keeps signals to itself


@pytest.mark.parametrize("name", FILES)
def test_what_is_copied_is_there_and_not_ignored(name: str) -> None:
    first, *_ = stages(name)
    copied = [source for word, rest in first if word == "COPY" for source in rest.split()[:-1]]
    kept = re.findall(r"(?m)^!(.+)", (ROOT / ".dockerignore").read_text(encoding="utf-8"))
    assert sorted(copied) == sorted(kept)
    assert all((ROOT / source).exists() for source in copied)


@pytest.mark.parametrize("name", FILES)
def test_what_is_installed_is_pinned_and_leaves_no_cache(name: str) -> None:
    runs = [rest for word, rest in instructions(name) if word == "RUN" and "pip" in rest]
    assert runs
    for run in runs:
        assert {"--no-cache-dir", "--constraint"} <= {*shlex.split(run)}, run


@pytest.mark.parametrize("name", FILES)
def test_the_command_lines_in_it_are_ours(name: str) -> None:
    told = dict(stages(name)[-1])
    command = json.loads(told["ENTRYPOINT"]) + json.loads(told["CMD"])
    known = {page.path for page in pages(build())}
    assert " ".join(word for word in command if not re.match(r"-|\d", word)) in known


def test_nothing_secret_goes_into_an_image() -> None:
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*"
    for name in FILES:
        told = [rest for word, rest in instructions(name) if word == "ENV"]
        assert not any(re.search(r"KEY|TOKEN|SECRET", rest) for rest in told)
