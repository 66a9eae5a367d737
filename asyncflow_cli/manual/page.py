"""A command as plain values, which three renderings share.

A command's docstring is its prose, and a block of examples behind the line `Examples:`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from asyncflow_cli.manual.exits import exits_of
from asyncflow_cli.manual.themes import EVERYWHERE, order_of, theme_of

ROOT = "asyncflow"
_EXAMPLES = "\n\nExamples:\n"


@dataclass(frozen=True)
class Row:
    """A term and what is said of it: an option, an argument, a command."""

    term: str
    text: str


@dataclass(frozen=True)
class Section:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Page:
    path: str
    """`asyncflow voices list`."""
    usage: str
    """What follows the path: `[OPTIONS] VOICE…`."""
    paragraphs: tuple[str, ...]
    examples: tuple[str, ...]
    sections: tuple[Section, ...]
    exits: tuple[tuple[int, str], ...]

    @property
    def summary(self) -> str:
        """The first sentence, which stands in lists of commands."""
        return re.split(r"(?<=\.) ", self.paragraphs[0])[0]

    @property
    def command(self) -> str:
        """The path without the program: `voices list`; empty for the program itself."""
        return self.path.removeprefix(ROOT).strip()


def pages(command: TyperGroup | TyperCommand, parent: typer.Context | None = None) -> list[Page]:
    """The page of a command and of all below it, each behind the group it belongs to."""
    ctx = typer.Context(command, info_name=command.name, parent=parent)
    below = command.commands.values() if isinstance(command, TyperGroup) else ()
    return [page_of(ctx), *(page for child in below for page in pages(_known(child), ctx))]


def page_of(ctx: typer.Context) -> Page:
    command = _known(ctx.command)
    name = ctx.command_path.removeprefix(ROOT).strip()
    prose, examples = _split(command.help or "")
    return Page(
        path=ctx.command_path,
        usage=" ".join(piece.strip("{}") for piece in command.collect_usage_pieces(ctx)),
        paragraphs=prose,
        examples=examples,
        sections=tuple(section for section in _sections(ctx, command, name) if section.rows),
        exits=exits_of(name),
    )


def _known(command: Any) -> TyperGroup | TyperCommand:
    assert isinstance(command, TyperGroup | TyperCommand)
    return command


def _split(help: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    prose, _, examples = help.partition(_EXAMPLES)
    paragraphs = (" ".join(part.split()) for part in prose.strip().split("\n\n"))
    return tuple(paragraphs), tuple(line.strip() for line in examples.splitlines() if line.strip())


def _sections(
    ctx: typer.Context, command: TyperGroup | TyperCommand, name: str
) -> Iterator[Section]:
    if isinstance(command, TyperGroup):
        yield Section("Commands", tuple(map(_command, command.commands.values())))
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


def _command(command: Any) -> Row:
    prose, _ = _split(_known(command).help or "")
    return Row(str(command.name), re.split(r"(?<=\.) ", prose[0])[0])


def _rows(ctx: typer.Context, params: list[Any]) -> tuple[Row, ...]:
    records = (param.get_help_record(ctx) for param in params)
    return tuple(Row(_term(told), " ".join(text.split())) for told, text in filter(None, records))


def _term(told: str) -> str:
    """`--[no-]verify` in place of `--verify / --no-verify`, as git writes it."""
    return re.sub(r"--([\w-]+) / --no-\1", r"--[no-]\1", told)
