"""Files of steps for tests, and where the committed example is."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import yaml

from asyncflow_cli import cli
from asyncflow_cli.protocol.ci.keys import read_keys
from asyncflow_cli.protocol.ci.source import read
from asyncflow_cli.protocol.ci.suite import Given, Suite, read_suite

EXAMPLE = Path(__file__).parents[2] / "docs" / "smoke.yaml"
COMMANDS = frozenset(cli.build().commands)
VARIABLES = {"SCRATCH": "/scratch", "NUMBER": "+15551230001", "SAID": "two words; 'and more'"}


def suite_of(text: str, file: str = "smoke.yaml", **settled: str) -> Suite:
    """As the command reads it."""
    source = read(textwrap.dedent(text), file)
    given = Given(commands=COMMANDS, variables=VARIABLES, settled=frozenset(settled))
    return read_suite(source, read_keys(source), given)


def written(home: Path, content: Any) -> str:
    """A file of these steps, or of this text."""
    text = textwrap.dedent(content) if isinstance(content, str) else yaml.safe_dump(content)
    (home / "smoke.yaml").write_text(text)
    return "smoke.yaml"
