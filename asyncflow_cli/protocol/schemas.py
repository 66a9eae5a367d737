"""The shapes of everything `--json` prints, for programs that read it."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

import msgspec

from asyncflow_cli.errors import NotFoundError
from asyncflow_cli.protocol.reports import Report

DIALECT = "https://json-schema.org/draft/2020-12/schema"

PREFIX = "asyncflow."

_WARNINGS = {"type": "array", "items": {"type": "string"}}
"""What `Output` adds to any document when there was something to warn of."""


class SchemaReport(Report, frozen=True, kw_only=True, tag="asyncflow.schema"):
    name: str
    json_schema: dict[str, Any]

    @property
    def headline(self) -> str:
        return written(self.json_schema).rstrip()


class SchemasReport(Report, frozen=True, kw_only=True, tag="asyncflow.schemas"):
    names: tuple[str, ...]

    @property
    def headline(self) -> str:
        return "\n".join(self.names)


def shapes_in(modules: Iterable[ModuleType]) -> set[type[msgspec.Struct]]:
    """The documents among what these modules define: they say which schema they follow."""
    found = (value for module in modules for value in vars(module).values())
    structs = (v for v in found if isinstance(v, type) and issubclass(v, msgspec.Struct))
    return {struct for struct in structs if _tag(struct).startswith(PREFIX)}


def _tag(shape: type[msgspec.Struct]) -> str:
    config = shape.__struct_config__
    return str(config.tag) if config.tag_field == "schema" else ""


def name_of(shape: type[msgspec.Struct]) -> str:
    """`tts` for what prints "schema": "asyncflow.tts"."""
    return _tag(shape).removeprefix(PREFIX)


def schema_of(shape: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of one document."""
    made = msgspec.json.schema(shape)
    others = made["$defs"]
    own = others.pop(made["$ref"].rpartition("/")[2])
    own["title"] = f"{PREFIX}{name_of(shape)}"
    own["properties"]["warnings"] = _WARNINGS
    # It has a default here, but it is always written.
    own["required"] = ["schema", "schema_version", *own["required"][1:]]
    return {"$schema": DIALECT, **own, **({"$defs": others} if others else {})}


def written(schema: dict[str, Any]) -> str:
    """As it stands in docs/schemas."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def published(
    shapes: Iterable[type[msgspec.Struct]], name: str | None
) -> SchemaReport | SchemasReport:
    """The schema of this name, or the names. NotFoundError if there is none."""
    named = {name_of(shape): shape for shape in shapes}
    if name is None:
        return SchemasReport(names=tuple(sorted(named)))
    shape = named.get(name.removeprefix(PREFIX).replace(" ", "-"))
    if shape is None:
        known = ", ".join(sorted(named))
        raise NotFoundError(
            f"There is no schema {name!r}", hint=f"There are: {known}", code="SCHEMA_UNKNOWN"
        )
    return SchemaReport(name=name_of(shape), json_schema=schema_of(shape))
