"""One value of a file changed; comments, order and everything else stay as they are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from asyncflow_cli.errors import LocalProtocolError, UsageError
from asyncflow_cli.transport.config.reading import text_of
from asyncflow_cli.transport.files import write_file


def change(
    path: Path, keys: Sequence[str], value: Any, *, private: bool, kept: Sequence[str] = ()
) -> bool:
    """Put a value at a place in a TOML file, or take it away for None; whether it made a change.

    A table goes with its last value, unless there is a comment in it, or it is `kept`.

    `private` is for the person's own file, which may hold keys: nobody else reads it after we wrote
    it. Its folder is made where it is missing.
    """
    before = text_of(path) if path.exists() else ""
    after = changed(before, keys, value, path, kept)
    if after == before and value is None:
        return False
    if private:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(path, after.encode(), private=private)
    return True


def changed(
    text: str, keys: Sequence[str], value: Any, where: object, kept: Sequence[str] = ()
) -> str:
    """The text of a TOML file with one value in it changed."""
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise UsageError(f"{where} is not valid TOML: {error}") from None
    if value is None:
        _take_away(document, keys, kept)
    else:
        _put(document, keys, value, where)
    after = tomlkit.dumps(document)
    if after.endswith("\n\n") and not text.endswith("\n\n"):
        after = after.rstrip("\n") + "\n"
    if found(tomllib.loads(after), keys) != value:
        raise LocalProtocolError(f"{'.'.join(keys)} would not be read back from {where}")
    return after


def found(table: Any, keys: Sequence[str]) -> Any:
    """What stands at a place; None for nothing."""
    for key in keys:
        table = table.get(key) if isinstance(table, Mapping) else None
    return table


def _put(document: Any, keys: Sequence[str], value: Any, where: object) -> None:
    *tables, last = keys
    table, made = document, False
    for nth, key in enumerate(tables):
        if key not in table:
            _leave_a_line(table)
            # One that holds nothing but tables needs no heading of its own.
            table[key] = tomlkit.table(is_super_table=nth < len(tables) - 1)
            made = True
        table = table[key]
        if not isinstance(table, Mapping):
            raise UsageError(f"{where}: {'.'.join(keys[: nth + 1])} is no table")
    table[last] = _inline(value) if isinstance(value, Mapping) else value
    if made:
        _leave_a_line(table)


def _leave_a_line(table: Any) -> None:
    """An empty one behind what stands in a table, before the next heading."""
    text = table.as_string() if isinstance(table, Table | TOMLDocument) and len(table) else ""
    if text and not text.endswith(("\n\n", "\n\r\n")):
        table.add(tomlkit.nl())


def _inline(value: Mapping[str, Any]) -> Any:
    table = tomlkit.inline_table()
    table.update(value)
    return table


def _take_away(document: Any, keys: Sequence[str], kept: Sequence[str]) -> None:
    """The value, and the tables in which nothing is left then."""
    *tables, last = keys
    table = found(document, tables)
    if isinstance(table, Mapping) and last in table:
        del table[last]  # type: ignore[attr-defined]  # tomlkit's are mutable
        for depth in range(len(tables), 0, -1):
            outer, inner = found(document, tables[: depth - 1]), found(document, tables[:depth])
            if tables[:depth] != list(kept) and _is_empty(inner):
                del outer[tables[depth - 1]]


def _is_empty(table: Any) -> bool:
    """Whether nothing is left of it that anybody wrote."""
    return isinstance(table, Table) and not len(table) and "#" not in _whole(table)


def _whole(table: Table) -> str:
    return table.trivia.comment + table.as_string()
