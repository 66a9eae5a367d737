"""All pages as one document, docs/reference.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from asyncflow_cli.manual.exits import TITLES
from asyncflow_cli.manual.page import Page, Section
from asyncflow_cli.manual.themes import EVERYWHERE
from asyncflow_cli.settings import FIELDS

INTRODUCTION = """# Reference

Every command, option, variable and exit code, written from the command tree by `make docs`.
`asyncflow COMMAND --help` shows the same of your version. Options stand anywhere on the line.
"""


def reference(pages: Sequence[Page]) -> str:
    root, *commands = pages
    everywhere = next(s for s in root.sections if s.title == EVERYWHERE)
    parts = [
        INTRODUCTION,
        _contents(commands),
        *(_chapter(page) for page in commands),
        f"## {EVERYWHERE}\n\n{_rows(everywhere)}\n",
        "## Environment\n\n" + "".join(_variables()),
        "## Exit codes\n\n" + _table((f"{code}", title) for code, title in TITLES.items()),
    ]
    return "\n".join(parts)


def _contents(commands: Iterable[Page]) -> str:
    lines = (
        f"- [`{page.path}`](#{page.path.replace(' ', '-')}) {page.summary}\n" for page in commands
    )
    return "".join(lines)


def _chapter(page: Page) -> str:
    own = [section for section in page.sections if section.title != EVERYWHERE]
    blocks = [
        f"## {page.path}",
        "\n\n".join(page.paragraphs),
        "```sh\n" + "\n".join(page.examples) + "\n```",
        f"Usage: `{page.path} {page.usage}`",
        *(f"**{section.title}**\n\n{_rows(section).rstrip()}" for section in own),
        "**Exit codes** " + ", ".join(f"{code} ({title})" for code, title in page.exits),
    ]
    return "\n\n".join(blocks) + "\n"


def _rows(section: Section) -> str:
    return _table((f"`{row.term}`", row.text) for row in section.rows)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = (f"| {_cell(term)} | {_cell(text)} |\n" for term, text in rows)
    return "| | |\n| --- | --- |\n" + "".join(lines)


def _cell(text: str) -> str:
    escaped = text.replace("|", "\\|")
    return escaped if text.startswith("`") else escaped.replace("<", "&lt;")


def _variables() -> Iterator[str]:
    named = (field.metadata for field in FIELDS.values() if field.metadata["names"])
    rows = ((f"`{name}`", str(data["help"])) for data in named for name in data["names"])
    yield _table(rows)
