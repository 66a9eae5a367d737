"""How wide a text is on a terminal: https://www.unicode.org/reports/tr11/."""

from __future__ import annotations

import unicodedata


def columns(text: str) -> int:
    """Columns that it takes: two for a full-width character, none for an accent upon a letter."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
