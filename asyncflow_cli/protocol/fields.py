"""A path held against the JSON Schemas of documents that are still to come.

It refuses what cannot be there. What may be there (an optional field, a list's tenth item, anything
below a place that is open) is known only once the document is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from asyncflow_cli.errors import UsageError
from asyncflow_cli.nearest import did_you_mean
from asyncflow_cli.protocol.paths import EACH

Schema = Mapping[str, Any]


MANY = 24
"""Paths in a hint."""


class _Place(NamedTuple):
    """A part of a schema, and the whole, which its references lead into."""

    schema: Schema
    whole: Schema


def check(path: str, schemas: Sequence[Schema]) -> None:
    """UsageError, with the nearest name, unless a document of one of these schemas may have it."""
    places = [place for schema in schemas for place in _shapes(_Place(schema, schema))]
    parts = path.split(".")
    for nth, part in enumerate(parts):
        if any(map(_is_open, places)):
            return
        below = [found for place in places for found in _below(place, part)]
        if not below:
            hint = _there(part, places, "".join(f"{each}." for each in parts[:nth]))
            raise UsageError(f"There is no {part!r} in the document", hint=hint, code="NO_FIELD")
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


def _there(part: str, places: Sequence[_Place], before: str) -> str:
    """What to write instead, the path up to there being `before`."""
    names = {name for place in places for name in place.schema.get("properties", {})}
    if names:
        deeper = [found for place in places for found in _deeper(place, part)]
        if deeper:
            return f"Did you mean {before}{min(deeper, key=len)}?"
        return did_you_mean(part, names, _listed(places, before))
    if any(place.schema.get("type") == "array" for place in places):
        return f"It is a list: 0 is its first item, {EACH} is each"
    return "There is nothing below it"


def _listed(places: Sequence[_Place], before: str) -> str:
    """The paths there are; by their documents, where it is open which is printed."""
    listed = {
        place.whole.get("title", ""): ", ".join(before + path for path in _paths(place))
        for place in places
        if "properties" in place.schema
    }
    if len(listed) == 1:
        return f"There are: {next(iter(listed.values()))}"
    return "; ".join(f"{title} has: {paths}" for title, paths in listed.items())


def _deeper(place: _Place, name: str, levels: int = 3) -> Iterator[str]:
    """The paths from there to all that is called so."""
    for part, below in _inside(place):
        if part == name:
            yield part
        elif levels:
            yield from (f"{part}.{path}" for path in _deeper(below, name, levels - 1))


def _paths(place: _Place) -> list[str]:
    """What stands there, and in the items of its lists if that is not too much."""
    found: dict[str, list[str]] = {name: [] for name in sorted(place.schema["properties"])}
    for name, below in _inside(place):
        found[name] += _each(below)
    spread = ([f"{name}.{each}" for each in found[name]] or [name] for name in found)
    paths = [path for some in spread for path in some]
    return paths if len(paths) <= MANY else list(found)


def _each(place: _Place) -> Iterator[str]:
    """The fields of a list's items."""
    if place.schema.get("type") == "array":
        for part, below in _inside(place):
            yield from sorted(f"{part}.{name}" for name in below.schema.get("properties", {}))


def _inside(place: _Place) -> Iterator[tuple[str, _Place]]:
    """Names there, and what they name; of a list, what each item is."""
    schema, whole = place
    inner = [*schema.get("properties", {}).items(), *((EACH, item) for item in _items(schema))]
    for part, found in inner:
        yield from ((part, shape) for shape in _shapes(_Place(found, whole)))
