"""The package as a library: its front is what docs/library.md says, and its examples run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import asyncflow_cli
from tests.conftest import environment
from tests.install.examples import examples

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")

SAID = ("", r"\d{5,} bytes in \d+ pieces", r"completed, \d\.\d+ s were heard\nCALLEE_BUSY: .+")
"""What each example prints."""


def test_every_name_of_the_front_is_there_and_in_the_guide() -> None:
    named = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| `.*? \|", GUIDE, re.M))))
    assert named == {*asyncflow_cli.__all__} - {"__version__"}
    for name in asyncflow_cli.__all__:
        assert getattr(asyncflow_cli, name).__doc__, name
        assert name in dir(asyncflow_cli)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'ApiKlient'"):
        asyncflow_cli.ApiKlient  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_loads_nothing_else(home: Path) -> None:
    code = (
        "import sys; before = {*sys.modules}; import asyncflow_cli\n"
        "print(*sorted({*sys.modules} - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(home), capture_output=True, text=True
    )
    assert done.stdout.split() == ["asyncflow_cli"], done.stderr


@pytest.mark.parametrize(("example", "said"), [*zip(examples(), SAID, strict=True)], ids=range(3))
def test_the_examples_of_the_guide_run(home: Path, example: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", example],
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert re.fullmatch(said, done.stdout.strip()), done.stdout + done.stderr
    assert (done.returncode, done.stderr) == (0, "")
