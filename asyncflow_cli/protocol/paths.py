"""Paths into documents, such as `words.0.text`, and what was meant by a name that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from asyncflow_cli.errors import UsageError
from asyncflow_cli.nearest import did_you_mean

NOTHING = object()
"""There is no such value; `null` is one."""

EACH = "*"
"""In a path, every item of a list, or every value of an object."""


def at(document: Any, path: str) -> Any:
    """The value at a path without `*`, or NOTHING."""
    for part in path.split("."):
        if isinstance(document, Mapping) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
            document = document[int(part)]
        else:
            return NOTHING
    return document


def every(document: Any, path: str) -> list[Any]:
    """The values at a path, of which a `*` makes many. UsageError, with the nearest name, where
    one of its names is not there."""
    part, _, rest = path.partition(".")
    if part == EACH and isinstance(document, Mapping | list):
        found = list(document.values() if isinstance(document, Mapping) else document)
    else:
        found = [at(document, part)]
    if NOTHING in found:
        raise UsageError(
            f"There is no {part!r} in the document", hint=_there(document, part), code="NO_FIELD"
        )
    return [value for one in found for value in every(one, rest)] if rest else found


def _there(document: Any, part: str) -> str:
    if isinstance(document, Mapping) and document:
        deeper = min(_deeper(document, part), key=len, default=None)
        return f"Did you mean {deeper}?" if deeper else hint_for(part, document)
    if isinstance(document, list) and document:
        return f"There are {len(document)} items: 0 to {len(document) - 1}, or {EACH}"
    return "There is nothing below it"


def _deeper(document: Any, name: str) -> Iterator[str]:
    """The paths from there to all that is called so."""
    inner: Iterable[tuple[str, Any]] = ()
    if isinstance(document, Mapping):
        inner = document.items()
    elif isinstance(document, list):
        inner = ((EACH, item) for item in document)
    for part, below in inner:
        if part == name:
            yield part
        else:
            yield from (f"{part}.{path}" for path in _deeper(below, name))


def hint_for(name: str, known: Iterable[str]) -> str:
    """What was probably meant, or all there is."""
    return did_you_mean(name, known, f"There are: {', '.join(sorted(known))}")
