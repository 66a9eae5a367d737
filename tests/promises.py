"""What programs that read `--json` rely on: every field, its types, and whether it is always there.

`promises.json` holds it for every published schema. What is written there stays true: a field may
come, and never go, change its type, or be left out or null where it was not. `make schemas` adds
what is new, and takes nothing back; who breaks a promise on purpose raises the `schema_version`
and corrects the file by hand.

    .venv/bin/python -m tests.promises
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from tests.documents import SCHEMAS

FILE = Path(__file__).with_suffix(".json")

Promises: TypeAlias = dict[str, str]
"""By the place of a field, such as `words[].text`, its types: `null|string`. A `?` before them says
that it may be left out."""


def promises_of(schema: Mapping[str, Any]) -> Promises:
    """All that a JSON Schema says of its fields. Events of a stream are told apart by their tag."""
    found: Promises = {}
    for place, types in _fields(schema, schema, ""):
        found[place] = _merged(found[place], types) if place in found else types
    return dict(sorted(found.items()))


def _merged(one: str, other: str) -> str:
    """What holds of both of two shapes that may stand in the same place."""
    types = {*one.removeprefix("?").split("|"), *other.removeprefix("?").split("|")}
    left_out = "?" if "?" in one[:1] + other[:1] else ""
    return left_out + "|".join(sorted(types))


def _fields(
    node: Mapping[str, Any], root: Mapping[str, Any], place: str
) -> Iterator[tuple[str, str]]:
    for shape in _shapes(node, root):
        tag = _tag(shape)
        for name, child in shape.get("properties", {}).items():
            below = f"{place}{tag}.{name}".lstrip(".")
            left_out = "" if name in shape.get("required", ()) else "?"
            yield below, left_out + "|".join(sorted(_types(child, root)))
            yield from _fields(child, root, below)
        if isinstance(shape.get("items"), dict):
            yield f"{place}[]", "|".join(sorted(_types(shape["items"], root)))
            yield from _fields(shape["items"], root, f"{place}[]")
        if isinstance(shape.get("additionalProperties"), dict):
            yield f"{place}{{}}", "|".join(sorted(_types(shape["additionalProperties"], root)))
            yield from _fields(shape["additionalProperties"], root, f"{place}{{}}")


def _shapes(node: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What may stand there, references followed."""
    if "$ref" in node:
        yield from _shapes(root["$defs"][node["$ref"].rpartition("/")[2]], root)
    elif "anyOf" in node:
        for one in node["anyOf"]:
            yield from _shapes(one, root)
    else:
        yield node


def _types(node: Mapping[str, Any], root: Mapping[str, Any]) -> set[str]:
    return {kind for shape in _shapes(node, root) for kind in _types_of(shape)}


def _types_of(shape: Mapping[str, Any]) -> list[str]:
    if "type" in shape:
        return [shape["type"]] if isinstance(shape["type"], str) else list(shape["type"])
    values = shape.get("enum", [shape["const"]] if "const" in shape else [])
    return [NAMES[type(value)] for value in values] or ["any"]


NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def _tag(shape: Mapping[str, Any]) -> str:
    event = shape.get("properties", {}).get("event", {})
    values = event.get("enum", [event["const"]] if "const" in event else [])
    return f"<{values[0]}>" if len(values) == 1 else ""


def broken(promised: Promises, now: Promises) -> list[str]:
    """The promises that are not kept. A type may be one of those that were promised."""
    return [
        f"{place}: {types} became {now.get(place, 'nothing')}"
        for place, types in promised.items()
        if place not in now or not _keeps(types, now[place])
    ]


def _keeps(promised: str, now: str) -> bool:
    allowed = set(promised.removeprefix("?").split("|"))
    if "number" in allowed:
        allowed.add("integer")
    always_there = promised.startswith("?") or not now.startswith("?")
    return always_there and ("any" in allowed or set(now.removeprefix("?").split("|")) <= allowed)


def published() -> dict[str, Promises]:
    """Those of docs/schemas."""
    files = sorted(SCHEMAS.iterdir())
    return {path.stem: promises_of(msgspec.json.decode(path.read_bytes())) for path in files}


def promised() -> dict[str, Promises]:
    return msgspec.json.decode(FILE.read_bytes(), type=dict[str, Promises])


def main() -> None:
    known, now = promised() if FILE.exists() else {}, published()
    grown = {
        name: dict(sorted((now.get(name, {}) | known.get(name, {})).items()))
        for name in sorted(known.keys() | now.keys())
    }
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(grown), indent=1) + b"\n")


if __name__ == "__main__":
    main()
