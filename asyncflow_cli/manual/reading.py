"""Pages read from Typer's command tree, from which everything else is written.

A command's docstring is its prose, and a block of examples behind the line `Examples:`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from asyncflow_cli.manual.exits import exits_of
from asyncflow_cli.manual.page import ROOT, Page, Parameter, Row, Section
from asyncflow_cli.manual.themes import EVERYWHERE, order_of, theme_of

_EXAMPLES = "\n\nExamples:\n"


def pages(command: TyperGroup | TyperCommand, parent: typer.Context | None = None) -> list[Page]:
    """The page of a command and of all below it, each behind the group it belongs to."""
    ctx = typer.Context(command, info_name=command.name, parent=parent)
    below = command.commands.values() if isinstance(command, TyperGroup) else ()
    branches = [pages(_known(child), ctx) for child in below]
    return [_page(ctx, [branch[0] for branch in branches]), *itertools.chain(*branches)]


def _page(ctx: typer.Context, below: list[Page]) -> Page:
    command = _known(ctx.command)
    name = ctx.command_path.removeprefix(ROOT).strip()
    prose, examples = _split(command.help or "")
    return Page(
        path=ctx.command_path,
        usage=" ".join(piece.strip("{}") for piece in command.collect_usage_pieces(ctx)),
        paragraphs=prose,
        examples=examples,
        sections=tuple(s for s in _sections(ctx, command, name, below) if s.rows),
        exits=exits_of(name),
        parameters=tuple(map(_parameter, command.params)),
        is_bare=command.no_args_is_help,
        is_group=isinstance(command, TyperGroup),
    )


def _known(command: Any) -> TyperGroup | TyperCommand:
    assert isinstance(command, TyperGroup | TyperCommand)
    return command


def _split(help: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    prose, _, examples = help.partition(_EXAMPLES)
    paragraphs = (" ".join(part.split()) for part in prose.strip().split("\n\n"))
    return tuple(paragraphs), tuple(line.strip() for line in examples.splitlines() if line.strip())


def _sections(
    ctx: typer.Context, command: TyperGroup | TyperCommand, name: str, below: list[Page]
) -> Iterator[Section]:
    yield Section("Commands", tuple(Row(p.path.split()[-1], p.summary) for p in below))
    yield Section("Arguments", _rows(ctx, [p for p in command.params if _is_argument(p)]))
    options = [param for param in command.params if isinstance(param, TyperOption)]
    for title in order_of(name):
        mine = [option for option in options if title == _title(name, option)]
        yield Section(title, _rows(ctx, mine))


def _is_argument(param: Any) -> bool:
    return isinstance(param, TyperArgument)


def _title(command: str, option: TyperOption) -> str:
    everywhere = option.rich_help_panel == EVERYWHERE
    return EVERYWHERE if everywhere else theme_of(command, str(option.name))


def _rows(ctx: typer.Context, params: list[Any]) -> tuple[Row, ...]:
    records = (param.get_help_record(ctx) for param in params)
    return tuple(Row(_term(told), " ".join(text.split())) for told, text in filter(None, records))


def _term(told: str) -> str:
    """`--[no-]verify` in place of `--verify / --no-verify`, as git writes it."""
    return re.sub(r"--([\w-]+) / --no-\1", r"--[no-]\1", told)


def _parameter(param: Any) -> Parameter:
    choices = getattr(param.type, "choices", ())
    return Parameter(
        name=param.name,
        flags=() if _is_argument(param) else tuple(param.opts),
        opposites=tuple(param.secondary_opts),
        text=param.help or "",
        is_switch=getattr(param, "is_flag", False),
        repeats=getattr(param, "multiple", False) or param.nargs == -1,
        kind=str(param.type.name),
        choices=tuple(str(getattr(choice, "value", choice)) for choice in choices),
    )
