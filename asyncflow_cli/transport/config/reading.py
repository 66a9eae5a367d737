"""What stands in the files that configure us. UsageError for what cannot be read."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asyncflow_cli.errors import UsageError
from asyncflow_cli.settings import PROJECT_FILE
from asyncflow_cli.transport.reading import read_whole

EXPOSED = "holds keys, and others can read it"

OTHERS = 0o066
"""Group and world, reading and writing."""


def project_file(folder: Path) -> Path | None:
    """The nearest `asyncflow.toml`, in this folder or one above it up to the repository's root.

    Outside a repository only the folder itself counts: what lies further up may be anybody's.
    """
    folder = folder.absolute()
    above = [folder, *folder.parents]
    root = next((place for place in above if (place / ".git").exists()), folder)
    candidates = (place / PROJECT_FILE for place in above[: above.index(root) + 1])
    return next((path for path in candidates if path.is_file()), None)


def read_dotenv(path: Path) -> tuple[Mapping[str, str], list[str]]:
    """What the file sets, and warnings of lines that set nothing."""
    if not path.is_file():
        return {}, []
    from dotenv.parser import parse_stream

    text = text_of(path)
    # Not dotenv_values, which tells of such lines on stderr itself.
    lines = list(parse_stream(io.StringIO(text)))
    values = {line.key: line.value for line in lines if line.key and line.value is not None}
    wrong = [line.original.line for line in lines if line.error]
    return values, [f"{path}, line {number} is not NAME=value" for number in wrong]


def read_toml(path: Path) -> Mapping[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None


def text_of(path: Path) -> str:
    content = read_whole(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8") from None


def table_in(config: Mapping[str, Any], name: str, where: object) -> Mapping[str, Any]:
    """A table of a file; empty if it is not there."""
    table = config.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{where}: [{name}] is no table")
    return table


def exposure(path: Path) -> list[str]:
    """A warning if other people of this machine can read or change the file."""
    if os.name != "posix":  # permissions are of another kind there
        return []
    try:
        exposed = path.stat().st_mode & OTHERS
    except OSError:
        return []
    return [f"{path} {EXPOSED}: chmod 600 {path}"] if exposed else []
