"""A path held against the JSON Schemas of documents that are still to come.

It refuses what cannot be there. What may be there (an optional field, a list's tenth item, anything
below a place that is open) is known only once the document is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from asyncflow_cli.errors import UsageError
from asyncflow_cli.protocol.paths import EACH, hint_for

Schema = Mapping[str, Any]


class _Place(NamedTuple):
    """A part of a schema, and the whole, which its references lead into."""

    schema: Schema
    whole: Schema


def check(path: str, schemas: Sequence[Schema]) -> None:
    """UsageError, with the nearest name, unless a document of one of these schemas may have it."""
    places = [place for schema in schemas for place in _shapes(_Place(schema, schema))]
    for part in path.split("."):
        if any(map(_is_open, places)):
            return
        below = [found for place in places for found in _below(place, part)]
        if not below:
            raise UsageError(
                f"There is no {part!r} in the document", hint=_there(part, places), code="NO_FIELD"
            )
        places = below


def _shapes(place: _Place) -> Iterator[_Place]:
    """What may stand there, references and alternatives resolved."""
    schema, whole = place
    if (reference := schema.get("$ref")) is not None:
        yield from _shapes(_Place(whole["$defs"][reference.rpartition("/")[2]], whole))
    elif alternatives := schema.get("anyOf"):
        for alternative in alternatives:
            yield from _shapes(_Place(alternative, whole))
    else:
        yield place


def _is_open(place: _Place) -> bool:
    """Whether anything may stand there, or below."""
    schema = place.schema
    is_table = schema.get("type") == "object" and "properties" not in schema
    return not schema.keys() & {"type", "enum", "const"} or is_table


def _below(place: _Place, part: str) -> Iterator[_Place]:
    schema, whole = place
    inner: Iterable[Schema] = ()
    if part == EACH:
        inner = (*schema.get("properties", {}).values(), *_items(schema))
    elif part in schema.get("properties", {}):
        inner = (schema["properties"][part],)
    elif part.isdecimal():
        inner = _items(schema)
    for found in inner:
        yield from _shapes(_Place(found, whole))


def _items(schema: Schema) -> tuple[Schema, ...]:
    if schema.get("type") != "array":
        return ()
    items = schema.get("items", {})
    return (*schema.get("prefixItems", ()), *([items] if isinstance(items, Mapping) else []))


def _there(part: str, places: Iterable[_Place]) -> str:
    names = {name for place in places for name in place.schema.get("properties", {})}
    if names:
        return hint_for(part, names)
    if any(place.schema.get("type") == "array" for place in places):
        return f"It is a list: 0 is its first item, {EACH} is each"
    return "There is nothing below it"
