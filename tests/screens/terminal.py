"""A terminal that keeps what was written on it, and what was seen there."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from asyncflow_cli.columns import columns as width_of

STYLED = re.compile(r"\x1b\[([\d;]*)m")
STEERING = re.compile(r"\x1b\[[\d?;]*[A-HJKhl]")

COLORS = {
    str(30 + number): name
    for number, name in enumerate(
        ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
    )
}
STYLES = {"1": "bold", "2": "dim", **COLORS}
LEGIBLE = {name for name in STYLES.values() if name not in ("black", "white")}
"""On a light background and on a dark one."""


class Terminal(io.TextIOWrapper):
    """Both stdout and stderr, as they stand before a person."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), "utf-8", newline="")

    def isatty(self) -> bool:
        return True

    @property
    def written(self) -> str:
        self.flush()
        content = self.buffer
        assert isinstance(content, io.BytesIO)
        return content.getvalue().decode()


@dataclass(frozen=True)
class Span:
    text: str
    styles: frozenset[str]


def spans(written: str) -> Iterator[Span]:
    """Texts and how they look; a colour that we have no name for has its number."""
    styles: frozenset[str] = frozenset()
    for number, part in enumerate(STYLED.split(written)):
        if number % 2:
            codes = [code for code in part.split(";") if code not in ("", "0")]
            styles = frozenset(STYLES.get(code, code) for code in codes)
        elif part:
            yield Span(part, styles)


def bare(written: str) -> str:
    """Without styles."""
    return STYLED.sub("", written)


def marked(written: str) -> str:
    """With the names of styles in their place."""
    return "".join(
        f"‹{' '.join(sorted(span.styles))}›{span.text}‹/›" if span.styles else span.text
        for span in spans(written)
    )


def too_long(written: str, columns: int) -> list[str]:
    """Lines that a terminal would break, but for those whose one word nobody can break."""
    return [
        line
        for line in bare(written).splitlines()
        if width_of(line) > columns
        and (len(line.split()) > 1 or line.startswith(5 * " "))
        and max(width_of(word) for word in line.split()) <= columns - 2
    ]
