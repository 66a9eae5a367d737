"""How an error shows a value that it refuses: what stands in the wrong place may be a secret."""

from __future__ import annotations

import re

AS_LONG_AS_A_KEY = re.compile(r"[\w+=-]{20,}")
"""The services' keys and tokens have 32 characters and more, with nothing between."""


def quoted(text: str) -> str:
    """In quotes; only its length, if a key may be in it."""
    if AS_LONG_AS_A_KEY.search(text):
        return f"a text of {len(text)} characters"
    return repr(text)
