"""A YAML text as plain values, and on which line each of them stands.

It knows nothing of what the values mean. YAML reads `no` as false and 012 as ten; what must stay
a text is put in quotes: https://yaml.org/type/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from asyncflow_cli.errors import UsageError

MOST = 20_000
"""Values in a file. Anchors that are used again count again, so that a few cannot make millions."""

_ENDLESS = "there is no end to what stands here"

_QUOTES = "A text that begins with > ! * & % @ or ` stands in quotes: '> 1s'"

_BLANKS = "Lines are indented with blanks, not with tabs"


def wrong(file: str, line: int, what: str, hint: str | None = None) -> UsageError:
    """The error that a file is not as it must be, with the place."""
    details = {"file": file, "line": line}
    return UsageError(
        f"{file}, line {line}: {what}", hint=hint, code="CI_FILE_WRONG", details=details
    )


@dataclass(frozen=True)
class Source:
    """What a file says. Places are paths such as `$.steps[0].run`."""

    file: str
    data: Any
    lines: Mapping[str, int]

    def line(self, place: str) -> int:
        """Where it stands, or where what holds it stands; counted from 1."""
        while place and place not in self.lines:
            place = place[: max(place.rfind("."), place.rfind("["), 0)]
        return self.lines.get(place, 1)

    def wrong(self, place: str, what: str, hint: str | None = None) -> UsageError:
        return wrong(self.file, self.line(place), what, hint)


def read(text: str, file: str) -> Source:
    """UsageError where it is no YAML, or says a key twice."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise wrong(file, 1, "the file is empty")
        reader = _Reader(file, loader)
        return Source(file, reader.value(node, "$"), reader.lines)
    except RecursionError:
        raise wrong(file, 1, _ENDLESS) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error)
        hint = _BLANKS if "\\t" in why else _QUOTES
        raise wrong(file, mark.line + 1 if mark else 1, f"no YAML: {why}", hint) from None


@dataclass
class _Reader:
    file: str
    loader: Any
    lines: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def value(self, node: Any, place: str) -> Any:
        self.count += 1
        if self.count > MOST or place.count(".") + place.count("[") > 20:
            raise wrong(self.file, node.start_mark.line + 1, _ENDLESS)
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{place}[{i}]") for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: Any, place: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            line, name = key.start_mark.line + 1, str(key.value)
            if name in values:
                raise wrong(self.file, line, f"{name} stands here a second time")
            self.lines[f"{place}.{name}"] = line
            values[name] = self.value(value, f"{place}.{name}")
        return values

    def _scalar(self, node: Any) -> Any:
        # Dates and the like are nothing that a command line knows: they stay as they are written.
        plain = node.tag.rpartition(":")[2] in ("bool", "int", "float", "null")
        try:
            return self.loader.construct_object(node) if plain else node.value
        except ValueError:  # Python reads no number of more than 4300 digits
            return node.value
