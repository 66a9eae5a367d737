"""Rows of text on a terminal, and how wide a text is there."""

from __future__ import annotations

from typing import TypeAlias

Row: TypeAlias = tuple[tuple[str, str], ...]
"""Texts, each with a style: bold, dim, green, …"""


def columns(text: str) -> int:
    """Columns that it takes: two for a full-width character, none for an accent upon a letter.

    https://www.unicode.org/reports/tr11/
    """
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    import unicodedata  # which few texts need

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
