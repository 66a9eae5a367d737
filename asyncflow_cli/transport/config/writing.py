"""One value of a file changed; comments, order and everything else stay as they are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from asyncflow_cli.errors import LocalProtocolError, UsageError
from asyncflow_cli.transport.config.reading import text_of
from asyncflow_cli.transport.files import write_file


def change(path: Path, keys: Sequence[str], value: Any, *, private: bool) -> bool:
    """Put a value at a place in a TOML file, or take it away for None; whether it made a change.

    `private` is for the person's own file, which may hold keys: nobody else reads it after we wrote
    it. Its folder is made where it is missing.
    """
    before = text_of(path) if path.exists() else ""
    after = changed(before, keys, value, path)
    if after == before and value is None:
        return False
    if private:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(path, after.encode(), private=private)
    return True


def changed(text: str, keys: Sequence[str], value: Any, where: object) -> str:
    """The text of a TOML file with one value in it changed."""
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise UsageError(f"{where} is not valid TOML: {error}") from None
    if value is None:
        _take_away(document, keys)
    else:
        _put(document, keys, value, where)
    after = tomlkit.dumps(document)
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
    table = document
    for nth, key in enumerate(tables):
        if key not in table:
            if table is document and len(table):
                document.add(tomlkit.nl())
            # One that holds nothing but tables needs no heading of its own.
            table[key] = tomlkit.table(is_super_table=nth < len(tables) - 1)
        table = table[key]
        if not isinstance(table, Mapping):
            raise UsageError(f"{where}: {'.'.join(keys[: nth + 1])} is no table")
    table[last] = _inline(value) if isinstance(value, Mapping) else value


def _inline(value: Mapping[str, Any]) -> Any:
    table = tomlkit.inline_table()
    table.update(value)
    return table


def _take_away(document: Any, keys: Sequence[str]) -> None:
    *tables, last = keys
    table = found(document, tables)
    if isinstance(table, Mapping) and last in table:
        del table[last]  # type: ignore[attr-defined]  # tomlkit's are mutable
