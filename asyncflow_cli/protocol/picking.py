"""One part of a document in place of the whole: `--field` and `--jq`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from asyncflow_cli.errors import PrerequisiteError, UsageError
from asyncflow_cli.protocol.paths import every

Pick: TypeAlias = Callable[[Any], Iterable[str]]
"""From a decoded document the texts that are printed in its place, each on a line."""


def field(path: str) -> Pick:
    """The value at `a.b.c`; a number is an index, `*` is each. UsageError if it is not there."""
    return lambda document: map(bare, every(document, path))


def bare(value: Any) -> str:
    """A string as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def program(expression: str) -> Pick:
    """What a jq program makes of it, as `jq -r` prints it: https://jqlang.org/manual.

    PrerequisiteError without the extra; UsageError if it is no program, now, and when it stumbles
    over a document.
    """
    try:
        import jq
    except ImportError:
        raise PrerequisiteError(
            "--jq wants the library of jq",
            hint="pip install 'asyncflow-cli[jq]'",
            code="EXTRA_MISSING",
        ) from None
    try:
        compiled = jq.compile(expression)
    except ValueError as error:
        raise _stumbled(error, "This is no jq program") from None

    def pick(document: Any) -> Iterator[str]:
        try:
            yield from map(bare, compiled.input_value(document))
        except ValueError as error:
            raise _stumbled(error, "The jq program stumbled over the document") from None

    return pick


def _stumbled(error: ValueError, what: str) -> UsageError:
    said = " ".join(str(error).removeprefix("jq: error: ").split())
    return UsageError(
        f"{what}: {said}", hint="See https://jqlang.org/manual, and asyncflow schema", code="JQ"
    )


PICKS: Mapping[str, Callable[[str], Pick]] = {"field": field, "jq": program}
"""By the names of the flags."""
