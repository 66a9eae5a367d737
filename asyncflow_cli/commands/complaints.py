"""What the parser complains of, in words that people know."""

from __future__ import annotations

import re
from collections.abc import Callable

Words = Callable[[re.Match[str]], str]

_NUMBERS = {"int": "is no whole number", "float": "is no number"}

_COMPLAINTS: tuple[tuple[re.Pattern[str], Words], ...] = (
    (
        re.compile(r"is not a valid (int|float)(?:eger)?(?: range)?(?=\.$)"),
        lambda found: _NUMBERS[found[1]],
    ),
    (
        re.compile(r"in the range (\S+)<=x<=(\S+?)(?=\.$)"),
        lambda found: f"in the range from {found[1]} to {found[2]}",
    ),
    (re.compile(r"is not in the range x>=(\S+?)(?=\.$)"), lambda found: f"is less than {found[1]}"),
    (re.compile(r"is not in the range x<=(\S+?)(?=\.$)"), lambda found: f"is more than {found[1]}"),
)
"""Names of the parser's own types say nothing, and its ranges speak of an x."""


def in_words(message: str) -> str:
    """A message of the parser, such as `0 is not in the range x>=1.`"""
    for complaint, words in _COMPLAINTS:
        message = complaint.sub(words, message)
    return message
