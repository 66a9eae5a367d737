"""What of a document is wanted, for who has no other program at hand to take it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from asyncflow_cli.protocol.paths import every

Pick: TypeAlias = Callable[[Any], Iterable[str]]
"""From a decoded document the texts that are printed in its place, each on a line."""


def field(path: str) -> Pick:
    """The value at `a.b.c`; a number is an index, `*` is each. UsageError if it is not there."""
    return lambda document: map(bare, every(document, path))


def bare(value: Any) -> str:
    """A string as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


PICKS: Mapping[str, Callable[[str], Pick]] = {"field": field}
"""By the names of the flags."""
