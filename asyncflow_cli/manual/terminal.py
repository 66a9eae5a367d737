"""A page as `--help` shows it: examples first, exit codes last, right at any width."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator

from asyncflow_cli.manual import written
from asyncflow_cli.manual.page import Page, Row, Section

WIDEST = 100
"""Longer lines are hard to read, however wide the terminal."""
NARROW = 60
"""Below it there is no room for two columns."""
LONGEST_TERM = 28


def help_of(command: str) -> str:
    """The page of `voices list` on this terminal; of the program itself, for nothing."""
    return shown(written.page(command), shutil.get_terminal_size().columns)


def shown(page: Page, width: int) -> str:
    width = min(max(width, 20), WIDEST)
    usage = textwrap.wrap(f"Usage: {page.path} {page.usage}", width, subsequent_indent=" " * 7)
    blocks = [
        "\n".join(usage),
        *(_paragraph(text, width) for text in page.paragraphs),
        *([_block("Examples", _examples(page, width))] if page.examples else []),
        *(_block(section.title, _table(section, width)) for section in page.sections),
        _block("Exit codes", _exit_codes(page, width)),
    ]
    return "\n\n".join(blocks)


def example(line: str, width: int) -> list[str]:
    """A command line in lines that a shell reads as one."""
    words = re.findall(r"(?:'[^']*'|\"[^\"]*\"|\S)+", line)
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) + 3 > width:
            lines[-1] += " \\"
            lines.append("  " + word)
        else:
            lines[-1] += " " + word
    return lines


def _examples(page: Page, width: int) -> Iterator[str]:
    for line in page.examples:
        yield from (f"  {part}" for part in example(line, width - 2))


def _paragraph(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_on_hyphens=False)


def _block(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"{title}:", *lines])


def _table(section: Section, width: int) -> Iterator[str]:
    lengths = (len(row.term) for row in section.rows)
    longest = max((length for length in lengths if length <= LONGEST_TERM), default=LONGEST_TERM)
    for row in section.rows:
        yield from _narrow(row, width) if width < NARROW else _wide(row, longest, width)


def _narrow(row: Row, width: int) -> list[str]:
    return [f"  {row.term}", *_wrapped(row.text, width, indent=6)]


def _wide(row: Row, column: int, width: int) -> list[str]:
    text = _wrapped(row.text, width, indent=column + 4)
    if len(row.term) > column or not text:
        return [f"  {row.term}", *text]
    return [f"  {row.term:<{column}}  {text[0].strip()}", *text[1:]]


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(
        text, width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
    )


def _exit_codes(page: Page, width: int) -> list[str]:
    """In one paragraph: nobody reads twenty lines at the end of a page."""
    told = (f"{code} {title.removeprefix('Call: ')}" for code, title in page.exits)
    text = " · ".join(item.replace(" ", "\0") for item in told)
    return [line.replace("\0", " ") for line in _wrapped(text, width, indent=2)]
