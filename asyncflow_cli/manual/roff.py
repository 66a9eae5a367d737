"""A page as `man` shows it. man(7), https://man7.org/linux/man-pages/man7/man.7.html"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asyncflow_cli import __version__
from asyncflow_cli.manual.page import Page, Section


def man_page(page: Page, names: Sequence[str]) -> str:
    """The source of one page; `names` are those of all pages, some of which it refers to."""
    return "\n".join(_lines(page, names)) + "\n"


def name_of(page: Page) -> str:
    """`asyncflow-voices-list`, as git names its pages."""
    return page.path.replace(" ", "-")


def _lines(page: Page, names: Sequence[str]) -> Iterator[str]:
    name = name_of(page)
    yield f'.TH "{name.upper()}" 1 "" "asyncflow {__version__}" "asyncflow manual"'
    yield from (".SH NAME", f"{_text(name)} \\- {_text(page.summary.rstrip('.'))}")
    yield from (".SH SYNOPSIS", f".B {_text(page.path)}", _text(page.usage))
    yield ".SH DESCRIPTION"
    for paragraph in page.paragraphs:
        yield from (".PP", _text(paragraph))
    yield from (".SH EXAMPLES", ".nf", *(_text(line) for line in page.examples), ".fi")
    for section in page.sections:
        yield from _section(section)
    yield ".SH EXIT STATUS"
    for code, title in page.exits:
        yield from (".TP", f".B {code}", _text(title))
    yield from (".SH SEE ALSO", ",\n".join(_text(f"{other}(1)") for other in _near(name, names)))


def _section(section: Section) -> Iterator[str]:
    yield f".SH {_text(section.title.upper())}"
    for row in section.rows:
        yield from (".TP", f".B {_text(row.term)}", _text(row.text))


def _near(name: str, names: Sequence[str]) -> list[str]:
    """The group it is of, and what is in it; the program where there is neither."""
    parent = name.rpartition("-")[0]
    below = [n for n in names if n.startswith(f"{name}-")]
    return [*([parent] if parent in names else ["asyncflow"] if parent else []), *below]


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    # Not every man reads UTF-8, but every one knows this.
    escaped = "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in escaped)
    # A dot or an apostrophe at the beginning of a line would be a request.
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped
