"""Options and arguments as commands declare them, in Typer's words and without Typer.

Loading Typer takes longer than most commands take to parse their line. So it is loaded for a line
that is not plainly right, and to write the manual; `typed_for` hands it the declarations then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints


class Context:
    """What a command is called with: as much of Typer's context as a command needs."""

    def __init__(self, obj: Any) -> None:
        self.obj = obj


class Declaration(NamedTuple):
    kind: str
    """Option or Argument, as Typer has it."""
    names: tuple[str, ...]
    attributes: dict[str, Any]


def Option(*names: str, **attributes: Any) -> Declaration:
    """https://typer.tiangolo.com/reference/parameters/#typer.Option"""
    return Declaration("Option", names, attributes)


def Argument(**attributes: Any) -> Declaration:
    """https://typer.tiangolo.com/reference/parameters/#typer.Argument"""
    return Declaration("Argument", (), attributes)


def typed_for(typer: Any, command: Callable[..., Any]) -> None:
    """Put Typer's own words in place of ours into a command's annotations."""
    hints = get_type_hints(command, include_extras=True)
    command.__annotations__ = {name: _typed(typer, hint) for name, hint in hints.items()}


def _typed(typer: Any, hint: Any) -> Any:
    if hint is Context:
        return typer.Context
    declared = next((d for d in get_args(hint)[1:] if isinstance(d, Declaration)), None)
    if get_origin(hint) is not Annotated or declared is None:
        return hint
    said = getattr(typer, declared.kind)(*declared.names, **declared.attributes)
    return Annotated[get_args(hint)[0], said]
