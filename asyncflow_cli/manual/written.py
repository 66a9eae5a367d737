"""The pages as `make docs` wrote them, beside this file: what help and completion read.

So neither loads the command line, which takes ten times as long. tests/test_reference.py holds
the file to the command tree.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from asyncflow_cli.manual.page import Page, Parameter, Row, Section

FILE = Path(__file__).with_name("pages.json")


def page(command: str) -> Page:
    """That of `voices list`; of the program itself, for nothing. KeyError if there is none."""
    path, usage, paragraphs, examples, sections, exits, parameters, *traits = json.loads(
        _table()[command]
    )
    return Page(
        path,
        usage,
        tuple(paragraphs),
        tuple(examples),
        tuple(Section(title, tuple(Row(*row) for row in rows)) for title, rows in sections),
        tuple((code, title) for code, title in exits),
        tuple(map(_parameter, parameters)),
        *traits,
    )


def commands() -> list[str]:
    """`voices list` and all others, groups too; the program itself is not among them."""
    return [command for command in _table() if command]


def text(pages: Sequence[Page]) -> str:
    """What the file should hold: a line for each page."""
    lines = (
        f"{json.dumps(page.command)}: {json.dumps(page, ensure_ascii=False)}" for page in pages
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _parameter(values: list[Any]) -> Parameter:
    name, flags, opposites, text, is_switch, repeats, kind, choices = values
    told = (text, is_switch, repeats, kind)
    return Parameter(name, tuple(flags), tuple(opposites), *told, tuple(choices))


@cache
def _table() -> dict[str, str]:
    """By command, the line with its page, which few runs need more than one of."""
    lines = FILE.read_text("utf-8").splitlines()[1:-1]
    named = (line.removesuffix(",").partition(": ") for line in lines)
    return {name.strip('"'): line for name, _, line in named}
