"""What was probably meant by a command or an option that is none."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from typer.core import TyperGroup

from asyncflow_cli.manual.page import ROOT
from asyncflow_cli.nearest import nearest


def meant(ctx: typer.Context, word: str) -> list[str]:
    """Command lines, or options, in place of a word the parser does not know."""
    if word.startswith("-"):
        params = ctx.command.params
        return nearest(word, (o for param in params for o in (*param.opts, *param.secondary_opts)))
    assert isinstance(ctx.command, TyperGroup)
    prefix = ctx.command_path.removeprefix(ROOT).strip()
    close = [f"{prefix} {name}".strip() for name in nearest(word, ctx.command.commands)]
    elsewhere = [path for path in _paths(ctx.find_root().command) if path.split()[-1] == word]
    return [f"{ROOT} {path}" for path in dict.fromkeys([*elsewhere, *close])]


def _paths(command: object, path: str = "") -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _paths(child, f"{path} {name}".strip())
    else:
        yield path
