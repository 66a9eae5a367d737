"""The shapes of everything `--json` prints, for programs that read it."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType, UnionType
from typing import Any, TypeAlias, get_args

import msgspec

from asyncflow_cli.errors import NotFoundError
from asyncflow_cli.protocol.reports import Report

DIALECT = "https://json-schema.org/draft/2020-12/schema"

PREFIX = "asyncflow."

_WARNINGS = {"type": "array", "items": {"type": "string"}}
"""What `Output` adds to any document when there was something to warn of."""

Shape: TypeAlias = type[msgspec.Struct] | UnionType
"""A document, or the events of one stream, any of which may stand on a line."""


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


def shapes_in(modules: Iterable[ModuleType]) -> set[Shape]:
    """The documents among what these modules define: they say which schema they follow."""
    found = (value for module in modules for value in vars(module).values())
    return {value for value in found if _name(value).startswith(PREFIX)}


def _name(value: Any) -> str:
    """The schema that what is of this type follows; empty for what is no document."""
    if isinstance(value, UnionType):
        return _default_schema(get_args(value)[0])
    config = getattr(value, "__struct_config__", None)
    return str(config.tag) if config is not None and config.tag_field == "schema" else ""


def _default_schema(event: Any) -> str:
    """Events are told apart by another tag, so that their schema is a field."""
    if not hasattr(event, "__struct_fields__"):
        return ""
    defaults = {field.name: field.default for field in msgspec.structs.fields(event)}
    return str(defaults.get("schema", ""))


def name_of(shape: Shape) -> str:
    """`tts` for what prints "schema": "asyncflow.tts"."""
    return _name(shape).removeprefix(PREFIX)


def schema_of(shape: Shape) -> dict[str, Any]:
    """The JSON Schema of one document, or of every event of a stream."""
    made = _on_one_line(msgspec.json.schema(shape))
    title = f"{PREFIX}{name_of(shape)}"
    if isinstance(shape, UnionType):
        for event in made["$defs"].values():
            _always_written(event)
        return {"$schema": DIALECT, "title": title, **made}
    others = made["$defs"]
    own = others.pop(made["$ref"].rpartition("/")[2])
    own["title"] = title
    own["properties"]["warnings"] = _WARNINGS
    _always_written(own)
    return {"$schema": DIALECT, **own, **({"$defs": others} if others else {})}


def _on_one_line(schema: Any) -> Any:
    """Descriptions are docstrings, whose line breaks and margins are those of our source."""
    if isinstance(schema, list):
        return [_on_one_line(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _on_one_line(value) for key, value in schema.items()}
    if isinstance(made.get("description"), str):
        made["description"] = " ".join(made["description"].split())
    return made


def _always_written(schema: dict[str, Any]) -> None:
    """These have defaults here, but they are never left out."""
    rest = (name for name in schema["required"] if name != "schema")
    schema["required"] = ["schema", "schema_version", *rest]


def written(schema: dict[str, Any]) -> str:
    """As it stands in docs/schemas."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def published(shapes: Iterable[Shape], name: str | None) -> SchemaReport | SchemasReport:
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
